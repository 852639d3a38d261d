-- What maintenance did, and when. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

CREATE TABLE IF NOT EXISTS decant.maintenance_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due_at timestamptz UNIQUE,      -- the time of the schedule that it was for; NULL: somebody asked for it
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,           -- NULL: it runs, or was killed
    tasks jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS idx_maintenance_runs_started ON decant.maintenance_runs (started_at);
