-- What a workspace keeps of a company and of all that stand behind it, each with the company that took
-- it up: the api may not read companies. Other schemas are migrated after app: PL/pgSQL looks names up
-- when it runs. It takes the place of app.find_company_bindings, which the release before still asks.
CREATE FUNCTION app.find_kept_of_company(of_tenant bigint, of_workspace bigint, of_company text)
RETURNS TABLE (company_id bigint, survivor_id bigint, is_own boolean, labels text[],
    labels_removed text[], label_order text[], custom_fields text, notes text,
    updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT home.id, coalesce(taken.merged_into_id, home.merged_into_id), home.id = company.id,
            coalesce(bound.labels, '{}'), coalesce(bound.labels_removed, '{}'),
            coalesce(bound.label_order, '{}'), coalesce(bound.custom_fields, '{}')::text,
            bound.notes, bound.updated_at
        FROM contact.organisation AS company
        JOIN contact.organisation AS home
            ON home.id = company.id OR home.merged_into_id = company.id
        LEFT JOIN contact.org_merge_log AS taken ON taken.tenant_id = of_tenant
            AND taken.merged_from_id = home.id AND taken.split_at IS NULL
        LEFT JOIN contact.org_bindings AS bound ON bound.org_id = home.id
            AND bound.tenant_id = of_tenant AND bound.workspace_id = of_workspace
            AND bound.deleted_at IS NULL
        WHERE company.tenant_id = of_tenant AND company.public_id = of_company
        ORDER BY home.id;
END
$$;
REVOKE ALL ON FUNCTION app.find_kept_of_company(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_kept_of_company(bigint, bigint, text) TO kith_api;
