-- What was found out of e-mails and phones of contacts that a workspace knows: the api may not read
-- the tables. Other schemas are migrated after app: PL/pgSQL looks names up when it runs.
CREATE FUNCTION app.find_point_statuses(of_tenant bigint, of_workspace bigint, contacts text[])
RETURNS TABLE (contact_id text, identifier_type text, value text, status text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT one.public_id::text, found.kind, found.point::text, found.status
        FROM contact.contact AS one
        CROSS JOIN LATERAL (
            SELECT 'email' AS kind, mail.email AS point, mail.status::text AS status
            FROM contact.contact_email AS mail
            WHERE mail.contact_id = one.id AND mail.valid_until IS NULL
            UNION ALL
            SELECT 'phone_e164', phone.e164_number, phone.status::text
            FROM contact.contact_phones AS phone
            WHERE phone.contact_id = one.id AND phone.valid_until IS NULL
        ) AS found
        WHERE one.tenant_id = of_tenant AND one.public_id = ANY (contacts)
            AND EXISTS (
                SELECT FROM contact.workspace_contact_binding AS bound
                WHERE bound.contact_id = one.id AND bound.workspace_id = of_workspace
                    AND bound.deleted_at IS NULL);
END
$$;
REVOKE ALL ON FUNCTION app.find_point_statuses(bigint, bigint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_point_statuses(bigint, bigint, text[]) TO kith_api;
