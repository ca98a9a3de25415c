-- A page of a company's history reads a page: PL/pgSQL reads all that its query returns, so the bounds
-- belong inside. Versions between the bounds (null: none), known by a moment (null: at any time).
-- What is without bounds stays for replicas that run yet.
CREATE FUNCTION app.find_company_events(of_tenant bigint, of_workspace bigint, of_company text,
    below integer, above integer, known_at timestamptz, oldest_first boolean, at_most integer)
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
            AND (told.workspace_id IS NULL OR told.workspace_id = of_workspace)
            AND (below IS NULL OR told.sequence_number < below)
            AND (above IS NULL OR told.sequence_number > above)
            AND (known_at IS NULL OR told.recorded_at <= known_at)
        ORDER BY CASE WHEN oldest_first THEN told.sequence_number END, told.sequence_number DESC
        LIMIT at_most;
END
$$;
REVOKE ALL ON FUNCTION app.find_company_events(bigint, bigint, text, integer, integer, timestamptz,
    boolean, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_company_events(bigint, bigint, text, integer, integer,
    timestamptz, boolean, integer) TO kith_api;
