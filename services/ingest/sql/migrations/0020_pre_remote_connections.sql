-- Accounts elsewhere that are read again and again: mailboxes, address books, CRMs.
-- Whoever has a copy of this table has nobody's mail: credentials are encrypted by the application
-- (DESIGN 9 'Encryption'), the key is not in the database.

CREATE TABLE ingest.remote_connection (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^rmc_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{1,62}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- What an operator may turn, by kind; nothing secret.
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    -- OAuth client and tokens, a Fernet token.
    credentials bytea NOT NULL,
    -- How far the account has been read, in the words of its kind; also encrypted, as some are links.
    cursor bytea,
    enabled boolean NOT NULL DEFAULT true,
    every_seconds integer NOT NULL DEFAULT 60 CHECK (every_seconds BETWEEN 10 AND 86400),
    next_run_at timestamptz NOT NULL DEFAULT now(),
    -- Who reads it at present, and until when nobody else does.
    claim uuid,
    claimed_until timestamptz,
    -- The last run of all, and the last one that came to its end without an error.
    last_attempt_at timestamptz,
    last_run_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    -- Why the last run failed: a word of ours, never what the other side said.
    last_failure text COLLATE "C",
    -- Counts since the beginning, by name.
    counts jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(counts) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, workspace_id, kind, name)
);

CREATE INDEX remote_connection_due ON ingest.remote_connection (next_run_at) WHERE enabled;

ALTER TABLE ingest.remote_connection ENABLE ROW LEVEL SECURITY;

CREATE POLICY remote_connection_own ON ingest.remote_connection TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
CREATE POLICY remote_connection_operator ON ingest.remote_connection FOR SELECT TO kith_cli
    USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.remote_connection TO kith_ingest;
GRANT SELECT (id, public_id, tenant_id, workspace_id, kind, name, enabled, every_seconds, next_run_at,
              last_attempt_at, last_run_at, failures, last_failure, counts, created_at)
    ON ingest.remote_connection TO kith_cli;

-- The scheduler looks for work in all tenants, hence past row-level security: it takes the one that
-- is longest due, for a time, and learns whose it is; all else it does inside of that workspace.
CREATE FUNCTION ingest.claim_connection(new_claim uuid, lease interval)
RETURNS TABLE (
    public_id text, tenant_id bigint, tenant text, workspace_id bigint, workspace text
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    WITH due AS (
        SELECT connection.id FROM ingest.remote_connection AS connection
        WHERE connection.enabled AND connection.next_run_at <= now()
            AND (connection.claimed_until IS NULL OR connection.claimed_until < now())
        ORDER BY connection.next_run_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE ingest.remote_connection AS connection
        SET claim = new_claim, claimed_until = now() + lease, last_attempt_at = now()
        FROM due WHERE connection.id = due.id
        RETURNING connection.public_id, connection.tenant_id, connection.workspace_id
    )
    SELECT taken.public_id, taken.tenant_id, tenant.public_id::text,
        taken.workspace_id, workspace.public_id::text
    FROM taken
    JOIN app.tenant AS tenant ON tenant.id = taken.tenant_id
    JOIN app.workspace AS workspace ON workspace.id = taken.workspace_id
$$;
REVOKE ALL ON FUNCTION ingest.claim_connection(uuid, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.claim_connection(uuid, interval) TO kith_ingest;
