-- Tags and groups (spec 003, 12; ADR 0088).  Who has which is said by source records, as everything
-- is: what a person says of a contact for the workspace is a record of its own, so that merges,
-- splits, retractions and erasure carry it.  The tables of 0005 that would have said it a second
-- time never had a writer.

-- step: no row is lost
DO $$
DECLARE
    one text;
    is_used boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['contact_tags', 'group_members']
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM contact.%I)', one) INTO is_used;
        IF is_used THEN
            RAISE EXCEPTION 'contact.% has rows, which no release of kith writes; they would be lost: '
                'say them over POST /api/v1/tags and /groups, then delete them', one;
        END IF;
    END LOOP;
END
$$;

-- step: source
INSERT INTO contact.data_source (source_provider, source_type, priority, description) VALUES
    ('workspace_entry', 'manual', 0, 'What people say of a contact for their workspace alone')
ON CONFLICT (source_provider) DO NOTHING;

-- step: aliases
ALTER TABLE contact.tag
    ADD COLUMN aliases text[] NOT NULL DEFAULT '{}',
    ADD COLUMN is_brought boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN contact.tag.is_brought IS 'A source named it, no person: once nobody has it, erasure takes it along.';
COMMENT ON COLUMN contact.tag.aliases IS 'What the tag was called before: sources that still say so mean it.';
COMMENT ON TABLE contact.tag IS 'Every label that a workspace uses, by name, and how it is shown.';
CREATE INDEX tag_aliases ON contact.tag USING gin (aliases) WHERE aliases <> '{}';

-- step: labels in use
INSERT INTO contact.tag (public_id, tenant_id, workspace_id, name, is_brought)
SELECT 'tag_' || (
        SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + floor(
            random() * CASE WHEN place = 1 THEN 8 ELSE 32 END)::integer, 1), '')
        FROM generate_series(1, 26) AS place
        WHERE used.name IS NOT NULL
    ), used.tenant_id, used.workspace_id, used.name, true
FROM (
    SELECT DISTINCT tenant_id, workspace_id, unnest(labels) AS name
    FROM contact.workspace_contact_binding WHERE labels <> '{}' AND deleted_at IS NULL
) AS used
WHERE char_length(used.name) BETWEEN 1 AND 255
ON CONFLICT (tenant_id, workspace_id, name) DO NOTHING;

-- step: who has which tag
DROP TABLE contact.contact_tags;

CREATE VIEW contact.contact_tags WITH (security_invoker = true) AS
    SELECT bound.tenant_id, bound.workspace_id, bound.contact_id, tag.id AS tag_id,
        CASE WHEN said.by_a_person THEN 'manual' ELSE 'import' END::contact.tag_source AS source,
        said.confidence, said.created_at
    FROM contact.workspace_contact_binding AS bound
    CROSS JOIN LATERAL unnest(bound.labels) AS label (name)
    JOIN contact.tag ON tag.tenant_id = bound.tenant_id
        AND tag.workspace_id = bound.workspace_id AND tag.name = label.name
    CROSS JOIN LATERAL (
        SELECT bool_or(source.source_type = 'manual' AND source.priority IN (0, 100)) AS by_a_person,
            max(record.confidence) AS confidence, min(record.asserted_at) AS created_at
        FROM contact.contact_assertion AS record
        JOIN contact.data_source AS source ON source.id = record.source_id
        CROSS JOIN LATERAL json_array_elements_text(record.facts -> 'labels') AS one (name)
        WHERE record.contact_id = bound.contact_id AND record.workspace_id = bound.workspace_id
            AND one.name = label.name
    ) AS said
    WHERE bound.labels <> '{}' AND bound.deleted_at IS NULL;
COMMENT ON VIEW contact.contact_tags IS 'Who has which tag, who said so, and since when.';

-- step: groups of a binding
ALTER TABLE contact.workspace_contact_binding ADD COLUMN groups text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN contact.workspace_contact_binding.groups IS 'Public ids of the groups that the contact is in, as people said last.';

-- step: by group
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_groups
    ON contact.workspace_contact_binding USING gin (workspace_id, groups) WHERE groups <> '{}';

-- step: who is in which group
DROP TABLE contact.group_members;

CREATE VIEW contact.group_members WITH (security_invoker = true) AS
    SELECT named.id AS group_id, bound.contact_id, bound.tenant_id, bound.workspace_id,
        (
            SELECT max(record.asserted_at) FROM contact.contact_assertion AS record
            WHERE record.contact_id = bound.contact_id
                AND record.workspace_id = bound.workspace_id
                AND (record.facts -> 'groups')::jsonb ? named.public_id
        ) AS added_at
    FROM contact.workspace_contact_binding AS bound
    CROSS JOIN LATERAL unnest(bound.groups) AS member (public_id)
    JOIN contact.contact_group AS named ON named.public_id = member.public_id
        AND named.tenant_id = bound.tenant_id AND named.workspace_id = bound.workspace_id
    WHERE bound.groups <> '{}' AND bound.deleted_at IS NULL;
COMMENT ON VIEW contact.group_members IS 'Members of manual groups, as people said last.';

-- step: readers
GRANT SELECT ON contact.contact_tags, contact.group_members TO kith_resolver, kith_cli;
GRANT SELECT ON contact.tag, contact.contact_group, contact.custom_field TO kith_api;
