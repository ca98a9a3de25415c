-- What requests keep of a person that is erased (spec 003, 8.3; ADR 0076).  The resolver, which erases,
-- calls this function in its transaction: it may not touch the table otherwise.

-- Cancel what waits, and forget questions and answers that are still kept; a call under way is left to
-- its end, and what it answers is applied to nobody.  Returns how many requests it was.
CREATE FUNCTION enrichment.forget_contacts(tenant_id bigint, contacts text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    found bigint;
BEGIN
    UPDATE enrichment.enrichment_requests AS r
    SET status = CASE r.status WHEN 'pending' THEN 'cancelled'::enrichment.request_status
            ELSE r.status END,
        completed_at = CASE r.status WHEN 'pending' THEN now() ELSE r.completed_at END,
        question = CASE r.status WHEN 'processing' THEN '{}'::jsonb END,
        signal = NULL
    WHERE r.tenant_id = tenant_id AND r.entity_type = 'contact'
        AND r.entity_public_id = ANY(contacts)
        AND (r.status IN ('pending', 'processing') OR r.question IS NOT NULL
             OR r.signal IS NOT NULL);
    GET DIAGNOSTICS found = ROW_COUNT;
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION enrichment.forget_contacts(bigint, text[]) FROM PUBLIC;
GRANT USAGE ON SCHEMA enrichment TO kith_resolver;
GRANT EXECUTE ON FUNCTION enrichment.forget_contacts(bigint, text[]) TO kith_resolver;
