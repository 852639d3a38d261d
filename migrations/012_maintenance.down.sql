-- Takes away what is known of maintenance. What it did stays done.

DROP TABLE IF EXISTS decant.maintenance_runs;
