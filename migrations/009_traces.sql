-- What requests did, step by step: the runs of their traces, and which feedback LangSmith has. Plain SQL, safe to run
-- twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- One row a run, written in the background and removed after DECANT_TRACE_RETENTION_DAYS or over DECANT_TRACE_MAX_MB.
CREATE TABLE IF NOT EXISTS decant.trace_runs (
    id uuid PRIMARY KEY,
    trace_id uuid NOT NULL,
    parent_id uuid,                 -- NULL: the trace begins here
    project text,                   -- of LangSmith, that the caller asked for; NULL: LANGSMITH_PROJECT
    request_id text,                -- of the run that a request is: what feedback calls its answer by
    name text NOT NULL,
    run_type text NOT NULL,         -- chain, llm, retriever, embedding, parser
    started_at timestamptz NOT NULL,
    milliseconds float8 NOT NULL,
    inputs jsonb NOT NULL,          -- with DECANT_KEEP_QUESTIONS only
    outputs jsonb NOT NULL,         -- the same, but for the documents of a retriever
    metadata jsonb NOT NULL,
    tags text[] NOT NULL,
    error text,
    is_sampled bool NOT NULL,       -- sent to LangSmith, where it is configured
    bytes int NOT NULL              -- about what the row takes
);
CREATE INDEX IF NOT EXISTS idx_trace_runs_trace ON decant.trace_runs (trace_id);
CREATE INDEX IF NOT EXISTS idx_trace_runs_request ON decant.trace_runs (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_trace_runs_time ON decant.trace_runs (started_at);

CREATE INDEX IF NOT EXISTS idx_trace_runs_message ON decant.trace_runs ((metadata->>'message_id'))
    WHERE metadata->>'message_id' IS NOT NULL;

-- When LangSmith was told; NULL, or before created_at: not yet.
ALTER TABLE decant.feedback ADD COLUMN IF NOT EXISTS exported_at timestamptz;
