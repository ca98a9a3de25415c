-- How much is known of a contact that a workspace knows (spec 003, 9.5; ADR 0077).  What it follows
-- from is the resolver's, and partly behind its walls.  Other schemas are migrated after app: PL/pgSQL
-- looks names up when it runs.
CREATE FUNCTION app.find_score(of_tenant bigint, of_workspace bigint, of_contact text)
RETURNS TABLE (score real, parts text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT made.intelligence_score, made.parts::text
        FROM read.contact_view AS view
        JOIN contact.contact AS contact
            ON contact.public_id = view.public_id AND contact.tenant_id = view.tenant_id
        JOIN contact.contact_score AS made ON made.contact_id = contact.id
        WHERE view.tenant_id = of_tenant AND view.workspace_id = of_workspace
            AND view.public_id = of_contact;
END
$$;
REVOKE ALL ON FUNCTION app.find_score(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_score(bigint, bigint, text) TO kith_api;
