-- Takes away the traces. Feedback stays.

DROP TABLE IF EXISTS decant.trace_runs;
ALTER TABLE IF EXISTS decant.feedback DROP COLUMN IF EXISTS exported_at;
