-- Products from elsewhere (the ERP DUX, files, other databases), again and again: each run with its cursor and report,
-- what its scan has seen, every item as it came, and the items that could not be had. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

CREATE TABLE IF NOT EXISTS decant.sync_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,                 -- dux, csv, sql
    origin text NOT NULL,                 -- address or file, without secrets
    scope text NOT NULL,                  -- full, incremental, partial
    state text NOT NULL DEFAULT 'running',  -- running, complete, incomplete, stopped, failed, cancelled, abandoned
    token text NOT NULL,                  -- of the process that writes; another one's write is refused
    due_at timestamptz,                   -- the hour of the schedule that began it
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    last_request_at timestamptz,          -- the pace holds from one run to the next
    is_cancel_asked bool NOT NULL DEFAULT false,
    cursor jsonb NOT NULL DEFAULT '{}',   -- saved with the rows of each page
    report jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS idx_sync_runs_time ON decant.sync_runs (source, started_at DESC);
-- An hour of the schedule begins one run, also where two servers keep it.
CREATE UNIQUE INDEX IF NOT EXISTS idx_sync_runs_due ON decant.sync_runs (source, due_at);

-- What the scan of a run has seen so far; gone with its end.
CREATE TABLE IF NOT EXISTS decant.sync_seen (
    run bigint NOT NULL REFERENCES decant.sync_runs (id) ON DELETE CASCADE,
    sku text NOT NULL,
    PRIMARY KEY (run, sku)
);

CREATE TABLE IF NOT EXISTS decant.sync_items (
    source text NOT NULL,
    sku text NOT NULL,
    item jsonb NOT NULL,                  -- as it came
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, sku)
);

CREATE TABLE IF NOT EXISTS decant.sync_quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES decant.sync_runs (id) ON DELETE CASCADE,
    source text NOT NULL,
    sku text,
    page_offset bigint NOT NULL,
    reason text NOT NULL,
    item text NOT NULL,                   -- as it came, which need not be what jsonb can hold
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idx_sync_quarantine_run ON decant.sync_quarantine (run);
