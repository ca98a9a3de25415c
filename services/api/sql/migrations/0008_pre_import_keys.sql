-- An import goes on when nobody waits for it any more: ingest asks the resolver in the workspace's
-- name, with a key of its own that ends within the hour.  The token is the process's; the database
-- gets its hash, as of any key.

CREATE FUNCTION app.issue_import_key(key_public_id text, workspace_public_id text, token_hash bytea)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM app.api_key
    WHERE name = 'ingest: imports' AND expires_at < now() - interval '1 day';
    INSERT INTO app.api_key
        (public_id, tenant_id, workspace_id, name, hash, scopes, expires_at)
    SELECT key_public_id, place.tenant_id, place.id, 'ingest: imports', token_hash,
        '{contacts:read,contacts:write}', now() + interval '1 hour'
    FROM app.workspace AS place WHERE place.public_id = workspace_public_id;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION app.issue_import_key(text, text, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.issue_import_key(text, text, bytea) TO kith_ingest;
