-- Companies have records of several sources (ADR 0086): the ledger `org_source_record` gets its
-- writer.

-- step: the ledger of companies' records
ALTER TABLE contact.org_source_record
    ALTER COLUMN raw DROP NOT NULL,
    ADD COLUMN import_id text COLLATE "C",
    ADD COLUMN undone_at timestamptz;
COMMENT ON COLUMN contact.org_source_record.raw IS 'Null where it came with a person''s record: the ledger row of that has it, by signal_id.';
COMMENT ON COLUMN contact.org_source_record.import_id IS 'The import that brought it.';
COMMENT ON COLUMN contact.org_source_record.undone_at IS 'When its import was undone; it counts no more.';
CREATE INDEX org_source_record_import ON contact.org_source_record (tenant_id, import_id)
    WHERE import_id IS NOT NULL;

-- step: what companies were first called
ALTER TABLE contact.organisation ADD COLUMN born_name text;
COMMENT ON COLUMN contact.organisation.born_name IS 'What it was called when it was made, where it is called otherwise now.';

-- step: no row is lost
DO $$
DECLARE
    one text;
    is_used boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['org_funding_event', 'org_technologies', 'org_phones', 'org_history']
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM contact.%I)', one) INTO is_used;
        IF is_used THEN
            RAISE EXCEPTION 'contact.% has rows, which no release of kith writes; they would be lost: '
                'send them as signals of their source, then delete them', one;
        END IF;
    END LOOP;
END
$$;

-- step: rounds of funding
DROP TABLE contact.org_funding_event;

CREATE VIEW contact.org_funding_event WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.org_id, one.type, one.date, CASE WHEN one.date IS NULL
            THEN (one.amount_cents, one.currency)::text END)
        said.tenant_id, said.org_id, one.type AS funding_type, one.date, one.amount_cents,
        one.currency, coalesce(one.investors, '{}') AS investors, said.source_id,
        said.occurred_at AS created_at
    FROM contact.org_source_record AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL jsonb_to_recordset(said.facts -> 'funding') AS one (
        type contact.funding_type, date date, amount_cents bigint, currency text, investors text[])
    WHERE said.superseded_at IS NULL
    ORDER BY said.org_id, one.type, one.date, CASE WHEN one.date IS NULL
            THEN (one.amount_cents, one.currency)::text END,
        source.priority DESC, said.confidence DESC, said.occurred_at DESC, said.record_key DESC;
COMMENT ON VIEW contact.org_funding_event IS 'Rounds of funding: each once, as the weightiest source tells of it.';
COMMENT ON COLUMN contact.org_funding_event.amount_cents IS 'Hundredths of the currency.';

-- step: technologies
DROP TABLE contact.org_technologies;

CREATE VIEW contact.org_technologies WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.org_id, lower(one.name))
        said.tenant_id, said.org_id, one.name AS tech_name, one.category,
        min(said.occurred_at) OVER same AS first_seen_at,
        max(said.occurred_at) OVER same AS last_seen_at, said.source_id,
        said.occurred_at AS created_at
    FROM contact.org_source_record AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL jsonb_to_recordset(said.facts -> 'technologies') AS one (
        name text, category text)
    WHERE said.superseded_at IS NULL
    WINDOW same AS (PARTITION BY said.org_id, lower(one.name))
    ORDER BY said.org_id, lower(one.name), source.priority DESC, said.confidence DESC,
        said.occurred_at DESC, said.record_key DESC;
COMMENT ON VIEW contact.org_technologies IS 'What companies use: each once, as the weightiest source names it.';

-- step: phones
DROP TABLE contact.org_phones;

CREATE VIEW contact.org_phones WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.org_id, coalesce(one.value, one.raw))
        said.tenant_id, said.org_id, one.raw AS raw_number, one.value AS e164_number, one.label,
        coalesce(one."primary", false) AS is_primary, said.source_id,
        said.occurred_at AS created_at
    FROM contact.org_source_record AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL jsonb_to_recordset(said.facts -> 'phones') AS one (
        raw text, value text, label text, "primary" boolean)
    WHERE said.superseded_at IS NULL
    ORDER BY said.org_id, coalesce(one.value, one.raw), source.priority DESC, said.confidence DESC,
        said.occurred_at DESC, said.record_key DESC;
COMMENT ON VIEW contact.org_phones IS 'Companies'' numbers: each once, as the weightiest source writes it.';
COMMENT ON COLUMN contact.org_phones.is_primary IS 'So its source says: several sources may each have theirs.';

-- step: what companies were called, where they sat, whose they were
DROP TABLE contact.org_history;

CREATE VIEW contact.org_history WITH (security_invoker = true) AS
    SELECT told.tenant_id, told.entity_id AS org_id, 'renamed'::contact.org_change AS change,
        one.change ->> 'old' AS old_value, one.change ->> 'new' AS new_value,
        NULL::bigint AS other_org_id, NULL::date AS happened_on,
        (SELECT id FROM contact.data_source
         WHERE source_provider = one.change -> 'origin' ->> 'source') AS source_id,
        told.recorded_at
    FROM contact.organisation_event AS told
    CROSS JOIN LATERAL jsonb_array_elements(told.payload -> 'changes') AS one (change)
    WHERE told.event_type = 'CompanyUpdated' AND one.change ->> 'field' = 'name'
        -- Until somebody said a name, the domain stood for one.
        AND one.change ->> 'old' IS DISTINCT FROM told.payload -> 'shape' ->> 'domain'
    UNION ALL
    SELECT told.tenant_id, told.entity_id, 'moved', place.old_value, place.new_value, NULL, NULL,
        (SELECT id FROM contact.data_source WHERE source_provider = place.source), told.recorded_at
    FROM contact.organisation_event AS told
    CROSS JOIN LATERAL (
        SELECT string_agg(one.change ->> 'old', ', ' ORDER BY one.change ->> 'field') AS old_value,
            string_agg(one.change ->> 'new', ', ' ORDER BY one.change ->> 'field') AS new_value,
            max(one.change -> 'origin' ->> 'source') AS source
        FROM jsonb_array_elements(told.payload -> 'changes') AS one (change)
        WHERE one.change ->> 'field' IN ('city', 'state', 'country')
    ) AS place
    WHERE told.event_type = 'CompanyUpdated' AND place.old_value IS NOT NULL
    UNION ALL
    SELECT related.tenant_id, related.from_org_id,
        CASE related.kind WHEN 'acquisition' THEN 'acquired' ELSE 'spun_off' END::contact.org_change,
        NULL, NULL, related.to_org_id, related.since, related.source_id, related.created_at
    FROM contact.org_relation AS related
    WHERE related.kind IN ('acquisition', 'spinoff');
COMMENT ON VIEW contact.org_history IS 'Renames, moves, acquisitions and spin-offs, as events and relations tell of them.';

-- step: readers
GRANT SELECT ON contact.org_funding_event, contact.org_technologies, contact.org_phones,
    contact.org_history TO kith_resolver, kith_cli;
