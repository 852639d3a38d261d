-- What the server remembers of its own work: searches for the metrics over time, what people thought of answers, the
-- answers to requests that may come twice, and how far an asked-for batch of embeddings is. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- One row a search, written in the background and removed after DECANT_EVENTS_RETENTION_DAYS.
CREATE TABLE IF NOT EXISTS decant.search_events (
    created_at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,             -- search, similar, chat
    run_id text,                    -- what feedback calls the answer by
    strategy text,                  -- that was asked for
    strategy_used text,             -- the leg that answered, or hybrid, fusion
    milliseconds float8 NOT NULL,   -- of all of it
    understand_ms float8,           -- of these stages; NULL: it had none
    embed_ms float8,
    search_ms float8,
    answer_ms float8,
    results int NOT NULL DEFAULT 0,
    best_similarity float8,         -- cosine; NULL: no vectors were compared, or nothing was found
    mean_similarity float8,
    threshold float8,
    degraded bool NOT NULL DEFAULT false,
    error text,                     -- code of the failure; NULL: none
    question text                   -- only where DECANT_KEEP_QUESTIONS is on
);
CREATE INDEX IF NOT EXISTS idx_search_events_time ON decant.search_events (created_at);

-- One a caller and answer: who changes his mind replaces it.
CREATE TABLE IF NOT EXISTS decant.feedback (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL CHECK (subject IN ('run', 'message')),
    subject_id text NOT NULL,
    caller text NOT NULL,
    score float8 NOT NULL,
    comment text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject, subject_id, caller)
);
CREATE INDEX IF NOT EXISTS idx_feedback_time ON decant.feedback (created_at);

-- Idempotency-Key: the same request again gets the same answer for a day.
CREATE TABLE IF NOT EXISTS decant.idempotency_keys (
    caller text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status int NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX IF NOT EXISTS idx_idempotency_keys_time ON decant.idempotency_keys (created_at);

ALTER TABLE decant.embedding_batches
    ADD COLUMN IF NOT EXISTS batch_size int,          -- most products a transaction; NULL: as the worker likes
    ADD COLUMN IF NOT EXISTS started_at timestamptz,  -- a worker took the first of its jobs
    ADD COLUMN IF NOT EXISTS finished_at timestamptz; -- the last one was done, or given up
CREATE INDEX IF NOT EXISTS idx_embedding_jobs_batch ON decant.embedding_jobs (batch_id) WHERE batch_id IS NOT NULL;
