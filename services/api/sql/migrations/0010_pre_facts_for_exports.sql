-- What the current source records say of contacts that a workspace knows, for exports: the read
-- model has no place for labels of e-mails, addresses, websites and parts of names.  What counts
-- most comes first (DESIGN 4.6).  Facts are shared by all workspaces of a tenant; notes, labels and
-- custom fields are not, and are left out.  Other schemas are migrated after app: PL/pgSQL looks
-- names up when it runs.
CREATE FUNCTION app.find_facts(of_tenant bigint, of_workspace bigint, of_contacts text[])
RETURNS TABLE (contact_id text, facts text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT contact.public_id::text,
            (said.facts::jsonb - ARRAY['notes', 'labels', 'custom_fields', 'identifiers'])::text
        FROM read.contact_view AS view
        JOIN contact.contact AS contact
            ON contact.public_id = view.public_id AND contact.tenant_id = view.tenant_id
        JOIN contact.contact_assertion AS said ON said.contact_id = contact.id
        JOIN contact.data_source AS source ON source.id = said.source_id
        WHERE view.tenant_id = of_tenant AND view.workspace_id = of_workspace
            AND view.public_id = ANY (of_contacts)
        ORDER BY contact.public_id, source.priority DESC, said.confidence DESC,
            said.asserted_at DESC, said.record_key;
END
$$;
REVOKE ALL ON FUNCTION app.find_facts(bigint, bigint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_facts(bigint, bigint, text[]) TO kith_api;
