-- What a workspace keeps of a company that stands for itself, and of those that stand behind it: the
-- api may not read companies. Other schemas are migrated after app: PL/pgSQL looks names up when it
-- runs.
CREATE FUNCTION app.find_company_bindings(of_tenant bigint, of_workspace bigint, of_company text)
RETURNS TABLE (is_own boolean, labels text[], labels_removed text[], custom_fields text,
    notes text, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT home.id = company.id, bound.labels, bound.labels_removed,
            bound.custom_fields::text, bound.notes, bound.updated_at
        FROM contact.organisation AS company
        JOIN contact.organisation AS home
            ON home.id = company.id OR home.merged_into_id = company.id
        JOIN contact.org_bindings AS bound ON bound.org_id = home.id
        WHERE company.tenant_id = of_tenant AND company.public_id = of_company
            AND bound.tenant_id = of_tenant AND bound.workspace_id = of_workspace
            AND bound.deleted_at IS NULL
        ORDER BY home.id;
END
$$;
REVOKE ALL ON FUNCTION app.find_company_bindings(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_company_bindings(bigint, bigint, text) TO kith_api;
