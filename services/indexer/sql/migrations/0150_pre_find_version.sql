-- A read that searches and waits for a write waits until search has it (api, `get_version`).  Runs as
-- owner, as `search.find_contacts` does.
CREATE FUNCTION search.find_version(tenant_id bigint, workspace_id bigint, contact text)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT d.version FROM search.document AS d
    WHERE d.public_id = $3 AND d.workspace_id = $2 AND d.tenant_id = $1
$$;
REVOKE ALL ON FUNCTION search.find_version(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.find_version(bigint, bigint, text) TO kith_api;
