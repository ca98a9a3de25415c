-- What a smart group may ask of a contact besides its values (spec 003, 12.1; ADR 0096): how lively the
-- exchange with it is, 0.0 to 1.0, as the workspace's binding has it.
CREATE FUNCTION app.find_engagement(of_tenant bigint, of_workspace bigint, of_contact text)
RETURNS real
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT bound.engagement_score
        FROM contact.contact AS contact
        JOIN contact.workspace_contact_binding AS bound ON bound.contact_id = contact.id
        WHERE contact.public_id = of_contact AND contact.tenant_id = of_tenant
            AND bound.workspace_id = of_workspace AND bound.deleted_at IS NULL
    );
END
$$;
REVOKE ALL ON FUNCTION app.find_engagement(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_engagement(bigint, bigint, text) TO kith_api;
