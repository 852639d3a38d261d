-- Who may call the HTTP API: keys by their digests. `decant key` makes, lists and revokes them. Plain SQL, safe to run
-- twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- A key is never deleted by decant: while there is a row, revoked or not, the server lets nobody in without credentials.
CREATE TABLE IF NOT EXISTS decant.api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9._-]{1,64}$'),
    key_hash bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),  -- SHA-256
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,  -- NULL: never
    revoked_at timestamptz,
    last_used_at timestamptz
);
