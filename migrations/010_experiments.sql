-- Comparisons of strategies on real traffic, and how good the search was over time. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

CREATE TABLE IF NOT EXISTS decant.experiments (
    name text PRIMARY KEY,
    arms text[] NOT NULL,        -- strategies; the first is what the others are compared with
    weights int[] NOT NULL,      -- one an arm: its share of the units
    unit text NOT NULL CHECK (unit IN ('user', 'session')),
    mode text NOT NULL CHECK (mode IN ('split', 'interleave', 'shadow')),
    metric text NOT NULL,        -- that decides
    started_at timestamptz NOT NULL DEFAULT now(),
    stopped_at timestamptz       -- NULL: it runs
);
-- Two at a time would be each other's noise.
CREATE UNIQUE INDEX IF NOT EXISTS idx_experiments_running ON decant.experiments ((stopped_at IS NULL))
    WHERE stopped_at IS NULL;

ALTER TABLE decant.search_events
    ADD COLUMN IF NOT EXISTS experiment text,  -- that the search was part of; NULL: none
    ADD COLUMN IF NOT EXISTS arm text,         -- whose answer it got
    ADD COLUMN IF NOT EXISTS unit text,        -- digest of the user or session
    ADD COLUMN IF NOT EXISTS teams jsonb,      -- of an interleaved answer: {"toss": ..., "arms": {ARM: [product ids]}}
    ADD COLUMN IF NOT EXISTS overlap float8;   -- of a shadow search: the share of its products that the answer has too
CREATE INDEX IF NOT EXISTS idx_search_events_experiment ON decant.search_events (experiment)
    WHERE experiment IS NOT NULL;

-- The product that was chosen from the answer.
ALTER TABLE decant.feedback ADD COLUMN IF NOT EXISTS product_id text;
-- Who chooses a product says nothing of the answer yet.
ALTER TABLE decant.feedback ALTER COLUMN score DROP NOT NULL;

-- One row a look at the index and the catalog.
CREATE TABLE IF NOT EXISTS decant.quality_probes (
    measured_at timestamptz PRIMARY KEY DEFAULT now(),
    recall float8,                  -- of the index against the exact scan; NULL: no vectors
    queries int NOT NULL,           -- stored vectors that were searched for
    products bigint NOT NULL,       -- active ones
    coverage float8 NOT NULL,       -- the share of them that has a vector
    stale float8 NOT NULL,          -- the share of vectors that are of another text or model
    milliseconds float8 NOT NULL    -- that the look took
);
