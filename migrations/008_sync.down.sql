-- Takes 008_sync back. Products stay as they are; what was kept of their source goes.
DROP TABLE IF EXISTS decant.sync_quarantine;
DROP TABLE IF EXISTS decant.sync_items;
DROP TABLE IF EXISTS decant.sync_seen;
DROP TABLE IF EXISTS decant.sync_runs;
