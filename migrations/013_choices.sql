-- Every product that was chosen from an answer, and the message that a search was for. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- One row a caller, answer and product; decant.feedback has the last one alone.
CREATE TABLE IF NOT EXISTS decant.choices (
    subject text NOT NULL CHECK (subject IN ('run', 'message')),
    subject_id text NOT NULL,
    caller text NOT NULL,
    product_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, subject_id, caller, product_id)
);
CREATE INDEX IF NOT EXISTS idx_choices_time ON decant.choices (created_at);
INSERT INTO decant.choices (subject, subject_id, caller, product_id, created_at)
SELECT subject, subject_id, caller, product_id, created_at FROM decant.feedback WHERE product_id IS NOT NULL
ON CONFLICT DO NOTHING;

-- Of a streamed answer of the chat: what feedback may call it by in the place of run_id.
ALTER TABLE decant.search_events ADD COLUMN IF NOT EXISTS message_id text;
