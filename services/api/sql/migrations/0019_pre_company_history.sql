-- What happened to a company: events are the resolver's, and the api may not read its companies.
-- What one workspace alone may know is left out for others.  Other schemas are migrated after app:
-- PL/pgSQL looks names up when it runs.
CREATE FUNCTION app.find_company_events(of_tenant bigint, of_workspace bigint, of_company text)
RETURNS TABLE (version integer, event_type text, occurred_at timestamptz, recorded_at timestamptz,
    payload text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT told.sequence_number, told.event_type, told.occurred_at, told.recorded_at,
            told.payload::text
        FROM contact.organisation AS company
        JOIN contact.organisation_event AS told ON told.entity_id = company.id
        WHERE company.tenant_id = of_tenant AND company.public_id = of_company
            AND (told.workspace_id IS NULL OR told.workspace_id = of_workspace);
END
$$;
REVOKE ALL ON FUNCTION app.find_company_events(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_company_events(bigint, bigint, text) TO kith_api;
