-- Schema app: who uses kith, and with which keys.  Roles are those of deploy/sql/roles.sql.

CREATE SCHEMA IF NOT EXISTS app;
GRANT USAGE ON SCHEMA app TO
    kith_api, kith_cli, kith_ingest, kith_resolver, kith_relay, kith_projector, kith_indexer,
    kith_enricher;

-- A prefix and a ULID: 48 bits of milliseconds, 80 random bits, Crockford's base 32.
-- Random bytes come from two version 4 UUIDs, whose bytes 0-5 and 10-15 are wholly random.
CREATE FUNCTION app.new_public_id(prefix text) RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH alphabet AS (SELECT '0123456789ABCDEFGHJKMNPQRSTVWXYZ'::text AS letters),
    moment AS (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms),
    dice AS (SELECT uuid_send(gen_random_uuid()) AS a, uuid_send(gen_random_uuid()) AS b),
    bytes AS (
        SELECT substring(a FROM 1 FOR 6) || substring(a FROM 11 FOR 6)
            || substring(b FROM 1 FOR 4) AS random
        FROM dice
    )
    SELECT prefix
        || (SELECT string_agg(substr(letters, ((ms >> (45 - 5 * place)) & 31)::int + 1, 1), ''
                              ORDER BY place)
            FROM alphabet, moment, generate_series(0, 9) AS place)
        || (SELECT string_agg(substr(letters, (get_byte(random, place) & 31) + 1, 1), ''
                              ORDER BY place)
            FROM alphabet, bytes, generate_series(0, 15) AS place)
$$;
REVOKE ALL ON FUNCTION app.new_public_id(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.new_public_id(text) TO kith_cli;

CREATE TABLE app.tenant (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^ten_[0-9A-HJKMNP-TV-Z]{26}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE app.tenant IS 'The wall: nothing of one tenant is ever seen by another.';

CREATE TABLE app.workspace (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^wsp_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL REFERENCES app.tenant (id),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id)
);
COMMENT ON TABLE app.workspace IS 'One view of a tenant''s shared contacts.';

CREATE TABLE app.api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^key_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES app.workspace (tenant_id, id)
);
CREATE INDEX api_key_tenant_idx ON app.api_key (tenant_id, workspace_id);
COMMENT ON COLUMN app.api_key.hash IS 'SHA-256 of the whole token; the token itself is shown once and kept nowhere.';

CREATE TABLE app.dead_letter_resolution (
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    "offset" bigint NOT NULL CHECK ("offset" >= 0),
    action text NOT NULL CHECK (action IN ('replayed', 'dropped')),
    reason text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);
COMMENT ON TABLE app.dead_letter_resolution IS 'What an operator did with a dead letter, by its place in the dead-letter topic.';

-- Walls.  Services that turn public ids into keys see every tenant's name; the api only its own.
ALTER TABLE app.tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.workspace ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.dead_letter_resolution ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_directory ON app.tenant FOR SELECT
    TO kith_ingest, kith_resolver, kith_relay, kith_projector, kith_indexer, kith_enricher
    USING (true);
CREATE POLICY tenant_operator ON app.tenant TO kith_cli USING (true) WITH CHECK (true);
CREATE POLICY tenant_own ON app.tenant FOR SELECT TO kith_api
    USING (id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint);

CREATE POLICY workspace_directory ON app.workspace FOR SELECT
    TO kith_ingest, kith_resolver, kith_relay, kith_projector, kith_indexer, kith_enricher
    USING (true);
CREATE POLICY workspace_operator ON app.workspace TO kith_cli USING (true) WITH CHECK (true);
CREATE POLICY workspace_own ON app.workspace FOR SELECT TO kith_api
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );

CREATE POLICY api_key_operator ON app.api_key TO kith_cli USING (true) WITH CHECK (true);
CREATE POLICY api_key_own ON app.api_key FOR SELECT TO kith_api, kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );

CREATE POLICY dead_letter_operator ON app.dead_letter_resolution TO kith_cli
    USING (true) WITH CHECK (true);

GRANT SELECT ON app.tenant, app.workspace TO
    kith_api, kith_cli, kith_ingest, kith_resolver, kith_relay, kith_projector, kith_indexer,
    kith_enricher;
GRANT INSERT ON app.tenant, app.workspace TO kith_cli;
GRANT SELECT (id, public_id, tenant_id, workspace_id, name, scopes, created_at, last_used_at,
              expires_at, revoked_at)
    ON app.api_key TO kith_api, kith_ingest, kith_cli;
GRANT INSERT, UPDATE (revoked_at, expires_at) ON app.api_key TO kith_cli;
GRANT SELECT, INSERT, UPDATE ON app.dead_letter_resolution TO kith_cli;

-- A key is looked up before its tenant is known, hence past row-level security: by its public id,
-- one row, only while it is valid.  Marks it as used, at most once a minute.
CREATE FUNCTION app.find_api_key(key_public_id text)
RETURNS TABLE (
    public_id text, hash bytea, scopes text[], expires_at timestamptz,
    tenant_id bigint, tenant text, workspace_id bigint, workspace text
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE app.api_key AS used SET last_used_at = now()
    WHERE used.public_id = key_public_id AND used.revoked_at IS NULL
        AND (used.last_used_at IS NULL OR used.last_used_at < now() - interval '1 minute');
    RETURN QUERY
        SELECT key.public_id::text, key.hash, key.scopes, key.expires_at,
            key.tenant_id, tenant.public_id::text, key.workspace_id, workspace.public_id::text
        FROM app.api_key AS key
        JOIN app.tenant AS tenant ON tenant.id = key.tenant_id
        JOIN app.workspace AS workspace ON workspace.id = key.workspace_id
        WHERE key.public_id = key_public_id AND key.revoked_at IS NULL
            AND (key.expires_at IS NULL OR key.expires_at > now());
END
$$;
REVOKE ALL ON FUNCTION app.find_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_api_key(text) TO kith_api, kith_ingest;

-- A new install has one tenant with one workspace.
WITH tenant AS (
    INSERT INTO app.tenant (public_id, name) VALUES (app.new_public_id('ten_'), 'default')
    RETURNING id
)
INSERT INTO app.workspace (public_id, tenant_id, name)
SELECT app.new_public_id('wsp_'), id, 'default' FROM tenant;
