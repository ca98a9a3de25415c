-- What people say of a contact for their workspace alone (ADR 0088) is shared with no other: the
-- function of 0010, which leaves out the groups and the labels taken off as it does the rest.
CREATE OR REPLACE FUNCTION app.find_facts(of_tenant bigint, of_workspace bigint, of_contacts text[])
RETURNS TABLE (contact_id text, facts text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT contact.public_id::text,
            (said.facts::jsonb - ARRAY['notes', 'labels', 'custom_fields', 'identifiers',
                'labels_removed', 'groups', 'groups_left'])::text
        FROM read.contact_view AS view
        JOIN contact.contact AS contact
            ON contact.public_id = view.public_id AND contact.tenant_id = view.tenant_id
        JOIN contact.contact_assertion AS said ON said.contact_id = contact.id
        JOIN contact.data_source AS source ON source.id = said.source_id
        WHERE view.tenant_id = of_tenant AND view.workspace_id = of_workspace
            AND view.public_id = ANY (of_contacts)
            AND source.source_provider <> 'workspace_entry'
        ORDER BY contact.public_id, source.priority DESC, said.confidence DESC,
            said.asserted_at DESC, said.record_key;
END
$$;
