-- Who users are: numbers for the words by which keys name them, so that what a person changed says
-- who it was (spec 004, changed_by).
CREATE TABLE app.user_account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE DEFAULT app.new_public_id('usr_'),
    tenant_id bigint NOT NULL REFERENCES app.tenant (id),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name)
);
COMMENT ON TABLE app.user_account IS 'People who have API keys; a key''s user_id is the name here.';
COMMENT ON COLUMN app.user_account.name IS 'In the words of whoever made the first of their keys.';

ALTER TABLE app.user_account ENABLE ROW LEVEL SECURITY;
CREATE POLICY operator ON app.user_account FOR SELECT TO kith_cli USING (true);
CREATE POLICY own ON app.user_account FOR SELECT TO kith_api
    USING (tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint);
GRANT SELECT ON app.user_account TO kith_api, kith_cli;

-- Whoever makes a key names a user; older releases do, too.
CREATE FUNCTION app.note_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO app.user_account (tenant_id, name) VALUES (NEW.tenant_id, NEW.user_id)
    ON CONFLICT (tenant_id, name) DO NOTHING;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.note_user() FROM PUBLIC;
CREATE TRIGGER note_user AFTER INSERT ON app.api_key
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION app.note_user();

INSERT INTO app.user_account (tenant_id, name)
SELECT DISTINCT tenant_id, user_id FROM app.api_key WHERE user_id IS NOT NULL;

-- The same as before, with the number of the key's user.
DROP FUNCTION app.find_api_key(text);
CREATE FUNCTION app.find_api_key(key_public_id text)
RETURNS TABLE (
    public_id text, hash bytea, scopes text[], expires_at timestamptz,
    tenant_id bigint, tenant text, workspace_id bigint, workspace text,
    user_id text, per_minute integer, per_day integer, user_number bigint
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
            key.tenant_id, tenant.public_id::text, key.workspace_id, workspace.public_id::text,
            key.user_id, key.per_minute, key.per_day, account.id
        FROM app.api_key AS key
        JOIN app.tenant AS tenant ON tenant.id = key.tenant_id
        JOIN app.workspace AS workspace ON workspace.id = key.workspace_id
        LEFT JOIN app.user_account AS account
            ON account.tenant_id = key.tenant_id AND account.name = key.user_id
        WHERE key.public_id = key_public_id AND key.revoked_at IS NULL
            AND (key.expires_at IS NULL OR key.expires_at > now());
END
$$;
REVOKE ALL ON FUNCTION app.find_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_api_key(text) TO kith_api, kith_ingest, kith_resolver;
