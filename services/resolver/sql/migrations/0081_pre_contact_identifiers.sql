-- Identifiers as spec 003 (5.3) lists them: with what e-mails and phones say of the same value, which
-- is stored once (ADR 0068, 0097).
CREATE VIEW contact.contact_identifiers WITH (security_invoker = true) AS
    SELECT held.tenant_id, held.contact_id, held.identifier_type AS type,
        held.normalized_value AS value, coalesce(held.label, mail.label, phone.label) AS label,
        coalesce(mail.is_primary, phone.is_primary, held.is_primary) AS is_primary, held.status,
        held.source_id, held.confidence,
        held.verified OR coalesce(found.verified, false)
            OR coalesce(mail.status = 'verified' OR phone.status = 'valid', false)
            OR source.source_type = 'enrichment' OR source.source_provider = 'manual_entry'
            AS verified,
        coalesce(held.valid_from, mail.valid_from, phone.valid_from) AS valid_from,
        coalesce(held.valid_until, mail.valid_until, phone.valid_until) AS valid_until,
        held.assumed_region, held.created_at, coalesce(held.updated_at, held.created_at) AS updated_at
    FROM contact.contact_identifier AS held
    JOIN contact.data_source AS source ON source.id = held.source_id
    LEFT JOIN contact.contact_email AS mail
        ON held.identifier_type = 'email' AND mail.contact_id = held.contact_id
        AND mail.email = held.normalized_value
    LEFT JOIN contact.contact_phones AS phone
        ON held.identifier_type = 'phone_e164' AND phone.contact_id = held.contact_id
        AND phone.e164_number = held.normalized_value
    LEFT JOIN LATERAL (
        SELECT bool_or(said.status IN ('verified', 'valid')) AS verified
        FROM contact.source_record AS record
        CROSS JOIN LATERAL json_to_recordset(
            CASE held.identifier_type
                WHEN 'email' THEN record.facts -> 'emails'
                WHEN 'phone_e164' THEN record.facts -> 'phones'
            END
        ) AS said (value text, status text)
        WHERE record.contact_id = held.contact_id AND record.superseded_at IS NULL
            AND said.value = held.normalized_value
    ) AS found ON true
    WHERE held.deleted_at IS NULL;
COMMENT ON VIEW contact.contact_identifiers IS 'What contacts are known by, with label, primacy and validity as the value''s e-mail or phone has them.';
COMMENT ON COLUMN contact.contact_identifiers.verified IS 'A source says so, or a person or a vendor told it (spec 003, 5.3).';
COMMENT ON COLUMN contact.contact_identifiers.status IS 'Inactive: no record says it any more; it resolves all the same.';
GRANT SELECT ON contact.contact_identifiers TO kith_resolver, kith_cli;
