-- What a key may spend, and whose it is: users' keys share one limit.
ALTER TABLE app.api_key
    ADD COLUMN user_id text CHECK (length(user_id) BETWEEN 1 AND 255),
    ADD COLUMN per_minute integer CHECK (per_minute > 0),
    ADD COLUMN per_day integer CHECK (per_day > 0);
COMMENT ON COLUMN app.api_key.user_id IS 'Whose key it is, in the words of whoever made it; null: nobody''s in particular.';
COMMENT ON COLUMN app.api_key.per_minute IS 'Requests a minute, in place of LIMIT_KEY_PER_MINUTE.';
COMMENT ON COLUMN app.api_key.per_day IS 'Requests in any 24 hours; null: not counted.';
GRANT SELECT (user_id, per_minute, per_day) ON app.api_key TO kith_api, kith_ingest, kith_cli;
GRANT UPDATE (per_minute, per_day) ON app.api_key TO kith_cli;

-- The same as before, with what a key may spend.
DROP FUNCTION app.find_api_key(text);
CREATE FUNCTION app.find_api_key(key_public_id text)
RETURNS TABLE (
    public_id text, hash bytea, scopes text[], expires_at timestamptz,
    tenant_id bigint, tenant text, workspace_id bigint, workspace text,
    user_id text, per_minute integer, per_day integer
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
            key.user_id, key.per_minute, key.per_day
        FROM app.api_key AS key
        JOIN app.tenant AS tenant ON tenant.id = key.tenant_id
        JOIN app.workspace AS workspace ON workspace.id = key.workspace_id
        WHERE key.public_id = key_public_id AND key.revoked_at IS NULL
            AND (key.expires_at IS NULL OR key.expires_at > now());
END
$$;
REVOKE ALL ON FUNCTION app.find_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_api_key(text) TO kith_api, kith_ingest, kith_resolver;

-- Requests that carry an Idempotency-Key, and what they were answered.
CREATE TABLE app.idempotency_key (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    api_key text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL,
    status smallint CHECK (status BETWEEN 200 AND 499),
    headers text,
    body bytea CHECK (octet_length(body) <= 1048576),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (api_key, name)
) WITH (fillfactor = 70);
CREATE INDEX idempotency_key_expiry_idx ON app.idempotency_key (expires_at);
COMMENT ON TABLE app.idempotency_key IS 'Requests that carry an Idempotency-Key, and their answers until they expire.';
COMMENT ON COLUMN app.idempotency_key.api_key IS 'Who asked, key_…: the names are each key''s own.';
COMMENT ON COLUMN app.idempotency_key.fingerprint IS 'SHA-256 of the request.';
COMMENT ON COLUMN app.idempotency_key.claim IS 'Which attempt works on it: one that took too long must not answer for its successor.';
COMMENT ON COLUMN app.idempotency_key.status IS 'Null: not answered yet.';

ALTER TABLE app.idempotency_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY operator ON app.idempotency_key FOR SELECT TO kith_cli USING (true);
GRANT SELECT (tenant_id, workspace_id, api_key, name, status, created_at, expires_at)
    ON app.idempotency_key TO kith_cli;

-- Claim a name for a request.  Outcome `new`: this attempt may work on it; `differs`: the name was
-- used for another request; `running`: another attempt works on it; `done`: here is the answer.
-- What has expired is removed on the way, a few rows at a time.
CREATE FUNCTION app.begin_idempotent(
    of_tenant bigint, of_workspace bigint, of_key text, named text, of_request bytea,
    attempt text, claim_seconds double precision, kept_seconds double precision
)
RETURNS TABLE (outcome text, status smallint, headers text, body bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    claimed boolean;
BEGIN
    DELETE FROM app.idempotency_key
    WHERE ctid = ANY (ARRAY(
        SELECT old.ctid FROM app.idempotency_key AS old
        WHERE old.expires_at < now() ORDER BY old.expires_at LIMIT 20 FOR UPDATE SKIP LOCKED
    ));
    INSERT INTO app.idempotency_key AS kept (
        tenant_id, workspace_id, api_key, name, fingerprint, claim, claimed_until, expires_at
    )
    VALUES (
        of_tenant, of_workspace, of_key, named, of_request, attempt,
        now() + make_interval(secs => claim_seconds), now() + make_interval(secs => kept_seconds)
    )
    ON CONFLICT (api_key, name) DO UPDATE
    SET fingerprint = excluded.fingerprint, claim = excluded.claim,
        claimed_until = excluded.claimed_until, expires_at = excluded.expires_at,
        status = NULL, headers = NULL, body = NULL, created_at = now()
    WHERE kept.expires_at < now()
        OR (kept.status IS NULL AND kept.claimed_until < now()
            AND kept.fingerprint = excluded.fingerprint)
    RETURNING true INTO claimed;
    IF claimed THEN
        RETURN QUERY SELECT 'new', NULL::smallint, NULL::text, NULL::bytea;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT CASE WHEN kept.fingerprint <> of_request THEN 'differs'
                    WHEN kept.status IS NULL THEN 'running' ELSE 'done' END,
            kept.status, kept.headers, kept.body
        FROM app.idempotency_key AS kept
        WHERE kept.api_key = of_key AND kept.name = named;
END
$$;

-- Keep the answer to a request for those who ask again; without a status, let them try anew.
CREATE FUNCTION app.end_idempotent(
    of_key text, named text, attempt text, answered smallint, with_headers text, with_body bytea
)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF answered IS NULL THEN
        DELETE FROM app.idempotency_key AS kept
        WHERE kept.api_key = of_key AND kept.name = named AND kept.claim = attempt;
    ELSE
        UPDATE app.idempotency_key AS kept
        SET status = answered, headers = with_headers, body = with_body
        WHERE kept.api_key = of_key AND kept.name = named AND kept.claim = attempt;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION app.begin_idempotent(
    bigint, bigint, text, text, bytea, text, double precision, double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION app.end_idempotent(text, text, text, smallint, text, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.begin_idempotent(
    bigint, bigint, text, text, bytea, text, double precision, double precision)
    TO kith_api, kith_ingest;
GRANT EXECUTE ON FUNCTION app.end_idempotent(text, text, text, smallint, text, bytea)
    TO kith_api, kith_ingest;
