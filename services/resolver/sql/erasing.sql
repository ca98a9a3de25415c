-- name: find_person
-- A contact by its id, deleted or not, and who stands for it: $1 tenant, $2 public id.
SELECT c.id, coalesce(c.merged_into_id, c.id) AS root, e.erased_at IS NOT NULL AS is_erased
FROM contact.contact AS c
LEFT JOIN contact.contact_erasure AS e ON e.contact_public_id = c.public_id
WHERE c.tenant_id = $1 AND c.public_id = $2;

-- name: hold_snapshots
-- Let nobody take snapshots until this is over; who does so now ends first.
SELECT FROM contact.snapshot_cursor WHERE event_table = 'contact_event' FOR UPDATE;

-- name: find_streams
-- The events of contacts, in order: $1 contacts.
SELECT entity_id, sequence_number, event_type, payload FROM contact.contact_event
WHERE entity_id = ANY($1::bigint[]) ORDER BY entity_id, sequence_number;

-- name: find_relatives
-- Who was ever one contact with these, by the log of merges or by name, and was not erased:
-- $1 tenant, $2 contacts, $3 public ids.
SELECT DISTINCT c.id, coalesce(c.merged_into_id, c.id) AS root
FROM contact.contact AS c
WHERE c.tenant_id = $1 AND NOT (c.id = ANY($2::bigint[])) AND c.id IN (
    SELECT unnest(ARRAY[merged_from_id, named_into_id, named_from_id])
    FROM contact.contact_merge_log WHERE merged_into_id = ANY($2::bigint[])
    UNION
    SELECT unnest(ARRAY[merged_into_id, named_into_id, named_from_id])
    FROM contact.contact_merge_log WHERE merged_from_id = ANY($2::bigint[])
    UNION
    SELECT id FROM contact.contact WHERE public_id = ANY($3::text[])
) AND NOT EXISTS (
    SELECT FROM contact.contact_erasure AS e WHERE e.contact_public_id = c.public_id
);

-- name: find_records
-- What the ledger has of records that are these contacts': $1 tenant, $2 record keys, $3 contacts.
SELECT r.record_key, r.workspace_id, r.facts FROM contact.source_record AS r
WHERE r.tenant_id = $1 AND r.record_key = ANY($2::bytea[]) AND r.contact_id = ANY($3::bigint[]);

-- name: find_held_records
-- $1 contacts.
SELECT record_key FROM contact.source_record
WHERE contact_id = ANY($1::bigint[]) AND superseded_at IS NULL;

-- name: find_held_values
-- Every identifier that these contacts are or were known by: $1 contacts.
SELECT identifier_type::text AS kind, normalized_value AS value FROM contact.contact_identifier
WHERE contact_id = ANY($1::bigint[])
UNION
SELECT identifier_type::text, normalized_value FROM contact.shared_identifier_contact
WHERE contact_id = ANY($1::bigint[]);

-- name: rewrite_events
-- $1 contacts, $2 numbers, $3 types, $4 bodies, $5 the order that they name as their cause.
UPDATE contact.contact_event AS e
SET event_type = u.event_type, payload = u.body::jsonb, cause = $5
FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[])
    AS u (entity_id, sequence_number, event_type, body)
WHERE e.entity_id = u.entity_id AND e.sequence_number = u.sequence_number;

-- name: forget_unsent
-- Events that nobody has heard of yet; whoever misses their versions finds the hollow ones:
-- $1 shards, $2 public ids.
DELETE FROM contact.outbox WHERE shard = ANY($1::smallint[]) AND key = ANY($2::text[]);

-- name: hollow_records
-- Deliveries stay known by their digests, so that one that comes again is a duplicate: $1 tenant,
-- $2 record keys, $3 contacts, $4 the order, $5 now.
UPDATE contact.source_record AS r
SET facts = '{}', raw = '{}', rejected = NULL, source_record_id = NULL, signal_id = $4,
    superseded_at = coalesce(r.superseded_at, $5), undone_at = coalesce(r.undone_at, $5),
    captured_by = NULL
WHERE r.tenant_id = $1 AND r.record_key = ANY($2::bytea[]) AND r.contact_id = ANY($3::bigint[]);

-- name: forget_record_homes
-- $1 tenant, $2 record keys, $3 contacts.
DELETE FROM contact.record_home
WHERE (tenant_id = $1 AND record_key = ANY($2::bytea[])) OR home_id = ANY($3::bigint[]);

-- name: forget_identifier_homes
-- Before the identifiers themselves: $1 tenant, $2 contacts.
DELETE FROM contact.identifier_home
WHERE home_id = ANY($2::bigint[])
    OR (tenant_id, identifier_type, normalized_value) IN (
        SELECT tenant_id, identifier_type, normalized_value FROM contact.contact_identifier
        WHERE contact_id = ANY($2::bigint[]) AND tenant_id = $1 AND deleted_at IS NULL);

-- name: forget_identifiers
-- $1 contacts.
DELETE FROM contact.contact_identifier WHERE contact_id = ANY($1::bigint[]);

-- name: forget_emails
-- $1 contacts.
DELETE FROM contact.contact_email WHERE contact_id = ANY($1::bigint[]);

-- name: forget_phones
-- $1 contacts.
DELETE FROM contact.contact_phones WHERE contact_id = ANY($1::bigint[]);

-- name: forget_employments
-- $1 contacts.
DELETE FROM contact.contact_employment WHERE contact_id = ANY($1::bigint[]);

-- name: forget_tags
-- Tags that only the person's records named, once these are hollow: such a name may be theirs. What a
-- person named stays, without the names that it had before. $1 tenant, $2 workspaces, $3 labels.
WITH alone AS (
    SELECT tag.id, tag.is_brought
    FROM unnest($2::bigint[], $3::text[]) AS u (workspace_id, label)
    JOIN contact.tag ON tag.tenant_id = $1 AND tag.workspace_id = u.workspace_id
        AND tag.name = u.label
    WHERE NOT EXISTS (
        SELECT FROM contact.source_record AS said
        WHERE said.tenant_id = $1 AND said.workspace_id = u.workspace_id
            AND contact.marks_said(said.facts) ?| ARRAY[u.label]
            AND (said.facts::text LIKE '%"labels%' OR said.facts::text LIKE '%"groups%')
    )
), named AS (
    UPDATE contact.tag SET aliases = '{}' FROM alone
    WHERE tag.id = alone.id AND NOT alone.is_brought AND tag.aliases <> '{}'
)
DELETE FROM contact.tag USING alone WHERE tag.id = alone.id AND alone.is_brought;

-- name: forget_blocks
-- $1 contacts.
DELETE FROM contact.blocking_key WHERE contact_id = ANY($1::bigint[]);

-- name: forget_reconsiderations
-- $1 contacts.
DELETE FROM contact.reconsideration WHERE contact_id = ANY($1::bigint[]);

-- name: forget_last_matched
-- $1 contacts.
DELETE FROM contact.last_matched WHERE contact_id = ANY($1::bigint[]);

-- name: forget_own
-- $1 contacts.
DELETE FROM contact.binding_home WHERE contact_id = ANY($1::bigint[]);

-- name: forget_candidates
-- $1 contacts.
DELETE FROM contact.contact_dedup_candidates
WHERE contact_id_a = ANY($1::bigint[]) OR contact_id_b = ANY($1::bigint[]);

-- name: forget_decisions
-- $1 contacts.
DELETE FROM contact.match_decision
WHERE entity_type = 'contact'
    AND (entity_id_a = ANY($1::bigint[]) OR entity_id_b = ANY($1::bigint[]));

-- name: forget_judgements
-- $1 tenant, $2 contacts.
DELETE FROM contact.identity_judgement
WHERE tenant_id = $1 AND entity_type = 'contact'
    AND (entity_id_a = ANY($2::bigint[]) OR entity_id_b = ANY($2::bigint[]));

-- name: forget_bearers
-- $1 contacts.
DELETE FROM contact.shared_identifier_contact WHERE contact_id = ANY($1::bigint[]);

-- name: forget_shared
-- Values that nobody is left with; those known by their pattern or by a person's word stay:
-- $1 tenant, $2 types, $3 values.
DELETE FROM contact.shared_identifier AS s
USING unnest($2::text[], $3::text[]) AS u (kind, value)
WHERE s.tenant_id = $1 AND s.identifier_type = u.kind::contact.identifier_type
    AND s.normalized_value = u.value AND s.reason = 'fan_out' AND NOT EXISTS (
        SELECT FROM contact.shared_identifier_contact AS w WHERE w.tenant_id = s.tenant_id
            AND w.identifier_type = s.identifier_type AND w.normalized_value = s.normalized_value);

-- name: forget_terms
-- Words that no other record had; how common others are says of nobody who they are: $1 tenant,
-- $2 attributes, $3 terms, $4 how many records are erased that had each.
DELETE FROM contact.term_frequency AS t
USING unnest($2::text[], $3::text[], $4::bigint[]) AS u (attribute, term, occurrences)
WHERE t.tenant_id = $1 AND t.attribute = u.attribute AND t.term = u.term AND u.occurrences >= (
    SELECT sum(f.occurrences) FROM contact.term_frequency AS f
    WHERE f.tenant_id = $1 AND f.attribute = u.attribute AND f.term = u.term);

-- name: forget_snapshots
-- $1 contacts: what they were can be folded from their events all the same.
DELETE FROM contact.contact_event_snapshots WHERE entity_id = ANY($1::bigint[]);

-- name: hollow_merges
-- Copies of the absorbed, and what people said of merges: $1 contacts that are erased or were one
-- with them.
UPDATE contact.contact_merge_log
SET absorbed_contact_snapshot = '{}',
    merge_reason = CASE WHEN by_person THEN 'manual' ELSE merge_reason END
WHERE merged_into_id = ANY($1::bigint[]) OR merged_from_id = ANY($1::bigint[])
    OR named_into_id = ANY($1::bigint[]) OR named_from_id = ANY($1::bigint[]);

-- name: end_merges
-- $1 contacts that are erased, $2 now.
UPDATE contact.contact_merge_log SET split_at = $2
WHERE split_at IS NULL AND merged_into_id = ANY($1::bigint[]);

-- name: forget_audit
-- Of erased contacts all, of others what changed until the newest event that is hollow: $1 contacts,
-- $2 versions or null.
DELETE FROM contact.contact_field_audit AS a
USING unnest($1::bigint[], $2::integer[]) AS u (contact_id, version)
JOIN contact.workspace_contact_binding AS b ON b.contact_id = u.contact_id
LEFT JOIN contact.contact_event AS e
    ON e.entity_id = u.contact_id AND e.sequence_number = u.version
WHERE a.entity_type = 'contact_binding' AND a.entity_id = b.id
    AND (u.version IS NULL OR a.changed_at <= e.recorded_at);

-- name: hollow_bindings
-- Who knew the contact stays, and nothing of what they knew: $1 contacts, $2 now.
UPDATE contact.workspace_contact_binding
SET first_name = NULL, last_name = NULL, full_name = NULL, title = NULL, headline = NULL,
    primary_email = NULL, primary_phone = NULL, city = NULL, state = NULL, country = NULL,
    current_org_id = NULL, current_org_name = NULL, stage = 'new', labels = '{}',
    groups = '{}', custom_fields = '{}', contact_owner_id = NULL, is_favorite = false, notes = NULL,
    data_owner = 'enrichment', import_source = NULL, seniority = NULL, departments = '{}',
    timezone = NULL, avatar_url = NULL, lead_source = NULL, engagement_score = 0,
    intelligence_score = 0, deleted_at = coalesce(deleted_at, $2), updated_at = $2
WHERE contact_id = ANY($1::bigint[]);

-- name: hollow_activities
-- What nobody else took part in; an activity of others keeps what it was, without saying that it
-- was this contact's too (spec 003, 8.3): $1 contacts, $2 now.
WITH theirs AS (
    DELETE FROM contact.contact_activities WHERE contact_id = ANY($1::bigint[])
    RETURNING activity_id, record_key
), alone AS (
    SELECT DISTINCT t.activity_id FROM theirs AS t
    WHERE NOT EXISTS (
        SELECT FROM contact.contact_activities AS p
        WHERE p.activity_id = t.activity_id AND NOT (p.contact_id = ANY($1::bigint[])))
), ledger AS (
    UPDATE contact.activity_record AS r
    SET raw = '{}', rejected = NULL, source_record_id = NULL, signal_id = 'erased'
    FROM alone WHERE r.activity_id = alone.activity_id
)
UPDATE contact.activity AS a
SET subject = NULL, snippet = NULL, location = NULL, thread_key = NULL, detail = '{}',
    deleted_at = coalesce(a.deleted_at, $2)
FROM alone WHERE a.id = alone.activity_id;

-- name: save_erasures
-- $1 tenant, $2 public ids, $3 ground, $4 when it was ordered, $5 now, $6 store and number of rows.
INSERT INTO contact.contact_erasure
    (contact_public_id, tenant_id, ground, requested_by, requested_at, erased_at, erased_rows)
SELECT name, $1, $3, contact.acting_user(), $4, $5, $6::jsonb FROM unnest($2::text[]) AS name
ON CONFLICT (contact_public_id) DO UPDATE
SET erased_at = excluded.erased_at, erased_rows = excluded.erased_rows;

-- name: forget_elsewhere
-- What other schemas keep of the person, by functions of theirs: $1 tenant, $2 record keys,
-- $3 public ids, $4 digests of identifiers.
SELECT 'import_row' AS store, ingest.forget_people($1, $2::bytea[], $3::text[], $4::bigint[]) AS rows
UNION ALL
SELECT 'import_person', ingest.forget_participants($1, $2::bytea[], $3::text[], $4::bigint[])
UNION ALL
SELECT 'enrichment_requests', enrichment.forget_contacts($1, $3::text[]);

-- name: list_erasures
-- Who was erased, the oldest first.
SELECT e.contact_public_id AS contact_id, t.public_id AS tenant, e.ground, e.requested_at, e.erased_at,
       e.erased_rows
FROM contact.contact_erasure AS e JOIN app.tenant AS t ON t.id = e.tenant_id
ORDER BY e.erased_at, e.contact_public_id;
