-- name: find_import_rows
-- What of an import counts still, whole contacts only: $1 tenant, $2 workspace, $3 import, $4 about
-- how many.
WITH chosen AS (
    SELECT DISTINCT contact_id FROM (
        SELECT contact_id FROM contact.source_record
        WHERE tenant_id = $1 AND import_id = $3 AND undone_at IS NULL AND workspace_id = $2
        ORDER BY contact_id LIMIT $4
    ) AS first
)
SELECT r.contact_id, r.record_key, r.revision, r.signal_id
FROM contact.source_record AS r
WHERE r.tenant_id = $1 AND r.import_id = $3 AND r.undone_at IS NULL AND r.workspace_id = $2
    AND r.contact_id IN (SELECT contact_id FROM chosen);

-- name: find_record_rows
-- What of records counts still, whole contacts only: $1 tenant, $2 workspace, $3 record keys, $4 until
-- when they said it, $5 about how many.
WITH chosen AS (
    SELECT DISTINCT contact_id FROM (
        SELECT contact_id FROM contact.source_record
        WHERE tenant_id = $1 AND record_key = ANY($3::bytea[]) AND undone_at IS NULL
            AND workspace_id = $2 AND occurred_at <= $4
        ORDER BY contact_id LIMIT $5
    ) AS first
)
SELECT r.contact_id, r.record_key, r.revision, r.signal_id
FROM contact.source_record AS r
WHERE r.tenant_id = $1 AND r.record_key = ANY($3::bytea[]) AND r.undone_at IS NULL
    AND r.workspace_id = $2 AND r.occurred_at <= $4
    AND r.contact_id IN (SELECT contact_id FROM chosen);

-- name: count_record_rows
-- $1 tenant, $2 workspace, $3 record keys, $4 until when.
SELECT count(*) FROM contact.source_record
WHERE tenant_id = $1 AND record_key = ANY($3::bytea[]) AND undone_at IS NULL
    AND workspace_id = $2 AND occurred_at <= $4;

-- name: count_import_rows
-- $1 tenant, $2 workspace, $3 import.
SELECT count(*) FROM contact.source_record
WHERE tenant_id = $1 AND import_id = $3 AND undone_at IS NULL AND workspace_id = $2;

-- name: find_ends
-- Who stands for contacts, for the other ends of their open candidates, and for whom a person keeps
-- apart from them: these may say what nobody holds any more. $1 contacts.
WITH homes AS (
    SELECT id, tenant_id FROM contact.contact WHERE id = ANY($1::bigint[])
    UNION
    SELECT id, tenant_id FROM contact.contact WHERE merged_into_id = ANY($1::bigint[])
), ends AS (
    SELECT id FROM homes
    UNION
    SELECT found.id FROM homes AS h
    CROSS JOIN LATERAL (
        SELECT contact_id_b AS id FROM contact.contact_dedup_candidates
        WHERE tenant_id = h.tenant_id AND contact_id_a = h.id AND status = 'open'
        UNION ALL
        SELECT contact_id_a FROM contact.contact_dedup_candidates
        WHERE tenant_id = h.tenant_id AND contact_id_b = h.id AND status = 'open'
        UNION ALL
        SELECT entity_id_b FROM contact.identity_judgement
        WHERE tenant_id = h.tenant_id AND entity_type = 'contact' AND entity_id_a = h.id
            AND judgement = 'cannot_link' AND withdrawn_at IS NULL
        UNION ALL
        SELECT entity_id_a FROM contact.identity_judgement
        WHERE tenant_id = h.tenant_id AND entity_type = 'contact' AND entity_id_b = h.id
            AND judgement = 'cannot_link' AND withdrawn_at IS NULL
    ) AS found
)
SELECT DISTINCT coalesce(c.merged_into_id, c.id) AS root
FROM ends JOIN contact.contact AS c ON c.id = ends.id;

-- name: find_proposed
-- Pairs that signals proposed: $1 contacts that either end may be, $2 signals.
SELECT DISTINCT e.entity_id, c.id AS other_id
FROM contact.contact_event AS e
JOIN contact.contact AS c ON c.public_id = e.payload ->> 'other_id'
WHERE e.entity_id = ANY($1::bigint[]) AND e.event_type = 'MergeProposed'
    AND e.cause = ANY($2::text[]);

-- name: find_asked
-- Records of these contacts whose sender named one of them: $1 contacts.
SELECT record_key FROM contact.source_record
WHERE contact_id = ANY($1::bigint[]) AND superseded_at IS NULL AND raw ->> 'about' IS NOT NULL;

-- name: undo_records
-- They count no more: $1 tenant, $2 record keys, $3 revisions, $4 now.
UPDATE contact.source_record AS r
SET undone_at = $4, superseded_at = coalesce(r.superseded_at, $4)
FROM (
    SELECT found.place FROM unnest($2::bytea[], $3::integer[]) AS named (record_key, revision)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM contact.source_record
        WHERE tenant_id = $1 AND record_key = named.record_key AND revision = named.revision LIMIT 1
    ) AS found
) AS u
WHERE r.ctid = u.place;

-- name: restore_records
-- They are their records' present versions again: $1 tenant, $2 record keys, $3 revisions.
UPDATE contact.source_record AS r SET superseded_at = NULL
FROM (
    SELECT found.place FROM unnest($2::bytea[], $3::integer[]) AS named (record_key, revision)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM contact.source_record
        WHERE tenant_id = $1 AND record_key = named.record_key AND revision = named.revision LIMIT 1
    ) AS found
) AS u
WHERE r.ctid = u.place;

-- name: retell_sources
-- Contacts of which somebody else told first: $1 contacts, $2 sources.
UPDATE contact.contact AS c SET source_id = u.source_id
FROM unnest($1::bigint[], $2::smallint[]) AS u (id, source_id)
WHERE c.id = u.id;

-- name: forget_homes
-- Where deliveries belonged that count no more: $1 tenant, $2 record keys, $3 revisions.
DELETE FROM contact.record_home WHERE ctid = ANY (ARRAY(
    SELECT found.ctid FROM unnest($2::bytea[], $3::integer[]) AS u (record_key, revision)
    CROSS JOIN LATERAL (
        SELECT ctid FROM contact.record_home
        WHERE tenant_id = $1 AND record_key = u.record_key AND revision = u.revision LIMIT 1
    ) AS found
));

-- name: release_identifiers
-- Nobody is known by them any more: $1 tenant, $2 types, $3 values, $4 now.
WITH released AS (
    UPDATE contact.contact_identifier AS i SET deleted_at = $4
    FROM (
        SELECT found.place FROM unnest($2::text[], $3::text[]) AS named (kind, value)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM contact.contact_identifier
            WHERE tenant_id = $1 AND identifier_type = named.kind::contact.identifier_type
                AND normalized_value = named.value AND deleted_at IS NULL
            LIMIT 1
        ) AS found
    ) AS u
    WHERE i.ctid = u.place
    RETURNING i.identifier_type, i.normalized_value
)
DELETE FROM contact.identifier_home WHERE ctid = ANY (ARRAY(
    SELECT found.ctid FROM released AS r
    CROSS JOIN LATERAL (
        SELECT ctid FROM contact.identifier_home
        WHERE tenant_id = $1 AND identifier_type = r.identifier_type
            AND normalized_value = r.normalized_value
        LIMIT 1
    ) AS found
));

-- name: forget_bearers
-- Whoever is deleted was not seen with a value: $1 tenant, $2 types, $3 values, $4 contacts.
DELETE FROM contact.shared_identifier_contact AS s
USING unnest($2::text[], $3::text[]) AS u (kind, value)
WHERE s.tenant_id = $1 AND s.identifier_type = u.kind::contact.identifier_type
    AND s.normalized_value = u.value AND s.contact_id = ANY($4::bigint[]);

-- name: withdraw_candidates
-- Nothing proposes these pairs any more; nobody has decided on them: $1 tenant, $2 and $3 the pairs.
DELETE FROM contact.contact_dedup_candidates WHERE ctid = ANY (ARRAY(
    SELECT found.ctid FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b)
    CROSS JOIN LATERAL (
        SELECT ctid FROM contact.contact_dedup_candidates
        WHERE tenant_id = $1 AND contact_id_a = u.a AND contact_id_b = u.b AND status = 'open'
        LIMIT 1
    ) AS found
));
