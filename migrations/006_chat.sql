-- What is said in chat: sessions with what they were last about, their messages, and for a few minutes the events of
-- streamed answers. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- One conversation of one user. Who answers holds `turn` until turn_until, so that messages never interleave; a turn
-- whose process died ends by itself.
CREATE TABLE IF NOT EXISTS decant.chat_sessions (
    session_id text PRIMARY KEY,
    user_id text NOT NULL,
    subject text NOT NULL DEFAULT '',  -- of the credential that opened it
    conversation_id uuid NOT NULL DEFAULT gen_random_uuid(),
    state jsonb NOT NULL DEFAULT '{}',  -- the products last shown and the last request
    turn uuid,
    turn_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idx_chat_sessions_user ON decant.chat_sessions (user_id);
CREATE INDEX IF NOT EXISTS idx_chat_sessions_age ON decant.chat_sessions (updated_at);

CREATE TABLE IF NOT EXISTS decant.chat_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text NOT NULL REFERENCES decant.chat_sessions ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('human', 'ai')),
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idx_chat_messages_session ON decant.chat_messages (session_id, id);

-- Of streamed answers, for a client that comes back with the id of the last event that it has.
CREATE TABLE IF NOT EXISTS decant.chat_events (
    message_id uuid NOT NULL,
    seq bigint NOT NULL,
    session_id text NOT NULL REFERENCES decant.chat_sessions ON DELETE CASCADE,
    payload text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, seq)
);
CREATE INDEX IF NOT EXISTS idx_chat_events_session ON decant.chat_events (session_id);
CREATE INDEX IF NOT EXISTS idx_chat_events_age ON decant.chat_events (created_at);
