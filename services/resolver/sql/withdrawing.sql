-- name: lock_import
-- Wait for the batches that bring some of it: $1 key.
SELECT pg_advisory_xact_lock($1);

-- name: lock_imports_shared
-- Let nobody take these back before the batch is written: $1 keys, sorted.
SELECT count(pg_advisory_xact_lock_shared(key)) FROM unnest($1::bigint[]) AS key;

-- name: find_retracted
-- Which imports were taken back: $1 tenants, $2 workspaces, $3 imports.
SELECT r.tenant_id, r.workspace_id, r.import_id
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u (tenant_id, workspace_id, import_id)
JOIN contact.retracted_import AS r USING (tenant_id, workspace_id, import_id);

-- name: note_retracted
-- $1 tenant, $2 workspace, $3 import.
INSERT INTO contact.retracted_import (tenant_id, workspace_id, import_id) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING;

-- name: forget_also_told
-- It told the same as others, and does not any more: $1 tenant, $2 workspace, $3 import.
UPDATE contact.activity_record
SET also_told = nullif(array_remove(also_told, $3), '{}')
WHERE tenant_id = $1 AND workspace_id = $2 AND also_told @> ARRAY[$3];

-- name: pass_on
-- What others told as well is theirs now: $1 tenant, $2 workspace, $3 import, $4 how many.
UPDATE contact.activity_record
SET import_id = nullif(also_told[1], ''), also_told = nullif(also_told[2:], '{}')
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM contact.activity_record
    WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND undone_at IS NULL
        AND also_told IS NOT NULL
    LIMIT $4));

-- name: find_brought
-- Activities of which a version is to be taken back: $1 tenant, $2 workspace, $3 import, $4 how many.
SELECT DISTINCT record_key, activity_id FROM (
    SELECT record_key, activity_id FROM contact.activity_record
    WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND undone_at IS NULL
        AND also_told IS NULL
    LIMIT $4
) AS piece;

-- name: count_brought
-- $1 tenant, $2 workspace, $3 import.
SELECT count(*) FROM contact.activity_record
WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND undone_at IS NULL;

-- name: find_versions
-- What of these activities counts, oldest first: $1 tenant, $2 record keys.
SELECT record_key, revision, activity_id, stated_at, source_version, import_id,
       superseded_at IS NULL AS current, also_told IS NOT NULL AS is_told_elsewhere,
       kept IS NOT NULL AS is_kept
FROM contact.activity_record
WHERE tenant_id = $1 AND record_key = ANY($2::bytea[]) AND undone_at IS NULL
ORDER BY record_key, revision;

-- name: find_concerned
-- Whose timelines change: who has these activities, and who takes part in versions that come back: $1
-- tenant, $2 activities, $3 record keys and $4 revisions that come back.
SELECT p.activity_id, p.contact_id, true AS is_before
FROM contact.contact_activities AS p WHERE p.activity_id = ANY($2::bigint[])
UNION
SELECT r.activity_id, coalesce(s.contact_id, (one ->> 'contact_id')::bigint), false
FROM unnest($3::bytea[], $4::integer[]) AS u (record_key, revision)
JOIN contact.activity_record AS r
    ON r.tenant_id = $1 AND r.record_key = u.record_key AND r.revision = u.revision
CROSS JOIN LATERAL jsonb_array_elements(r.kept -> 'people') AS one
LEFT JOIN contact.source_record AS s
    ON s.tenant_id = $1 AND s.record_key = (one ->> 'record_key')::bytea
    AND s.superseded_at IS NULL AND s.undone_at IS NULL
WHERE s.contact_id IS NOT NULL OR one ->> 'record_key' IS NULL;

-- name: undo_versions
-- They count no more: $1 tenant, $2 record keys, $3 revisions, $4 now.
UPDATE contact.activity_record AS r
SET undone_at = $4, superseded_at = coalesce(r.superseded_at, $4), kept = NULL
FROM unnest($2::bytea[], $3::integer[]) AS u (record_key, revision)
WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: return_versions
-- They are the present ones again: $1 tenant, $2 record keys, $3 revisions.
UPDATE contact.activity_record AS r SET superseded_at = NULL
FROM unnest($2::bytea[], $3::integer[]) AS u (record_key, revision)
WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: withdraw_activities
-- Nobody tells of them any more: $1 activities, $2 now.
UPDATE contact.activity SET deleted_at = coalesce(deleted_at, $2) WHERE id = ANY($1::bigint[]);

-- name: restore_activities
-- As they were before newer versions: $1 tenant, $2 record keys, $3 revisions.
UPDATE contact.activity AS a SET
    activity_type = k.activity_type, direction = k.direction, status = k.status,
    occurred_at = k.occurred_at, ended_at = k.ended_at, all_day = k.all_day, subject = k.subject,
    snippet = k.snippet, thread_key = k.thread_key, location = k.location, detail = k.detail,
    participants = k.participants, stated_at = k.stated_at, deleted_at = k.deleted_at
FROM unnest($2::bytea[], $3::integer[]) AS u (record_key, revision)
JOIN contact.activity_record AS r
    ON r.tenant_id = $1 AND r.record_key = u.record_key AND r.revision = u.revision
CROSS JOIN LATERAL jsonb_populate_record(NULL::contact.activity, r.kept -> 'activity') AS k
WHERE a.id = r.activity_id;

-- name: restore_taking_part
-- Whoever took part then, on the timelines that their records belong to now: $1 tenant, $2 record
-- keys, $3 revisions, $4 contacts that may be told.
INSERT INTO contact.contact_activities (
    activity_id, participant_no, tenant_id, workspace_id, contact_id, activity_type, role,
    attendance, record_key, occurred_at, applied_version)
SELECT p.activity_id, p.participant_no, p.tenant_id, p.workspace_id,
       coalesce(s.contact_id, p.contact_id), p.activity_type, p.role, p.attendance, p.record_key,
       p.occurred_at, p.applied_version
FROM unnest($2::bytea[], $3::integer[]) AS u (record_key, revision)
JOIN contact.activity_record AS r
    ON r.tenant_id = $1 AND r.record_key = u.record_key AND r.revision = u.revision
CROSS JOIN LATERAL
    jsonb_populate_recordset(NULL::contact.contact_activities, r.kept -> 'people') AS p
LEFT JOIN contact.source_record AS s
    ON s.tenant_id = $1 AND s.record_key = p.record_key
    AND s.superseded_at IS NULL AND s.undone_at IS NULL
WHERE (s.contact_id IS NOT NULL OR p.record_key IS NULL)
    AND coalesce(s.contact_id, p.contact_id) = ANY($4::bigint[]);

-- name: find_stored
-- Activities with all who take part, one row each: $1 activities.
SELECT a.id, a.public_id, a.tenant_id, a.workspace_id, w.public_id AS workspace,
       a.activity_type::text AS kind, a.direction::text AS direction, a.status, a.occurred_at,
       extract(epoch FROM a.ended_at - a.occurred_at)::int AS duration_s, a.all_day,
       a.subject AS title, a.snippet, a.thread_key AS thread_id, a.location, a.detail,
       a.participants, s.source_provider AS source, a.record_key, p.participant_no, p.role,
       p.attendance, p.contact_id AS at, c.public_id AS at_name, p.contact_id AS belongs
FROM contact.activity AS a
JOIN app.workspace AS w ON w.id = a.workspace_id
JOIN contact.data_source AS s ON s.id = a.source_id
LEFT JOIN contact.contact_activities AS p ON p.activity_id = a.id
LEFT JOIN contact.contact AS c ON c.id = p.contact_id
WHERE a.id = ANY($1::bigint[])
ORDER BY a.id, p.participant_no;

-- name: find_named
-- Records that somebody takes part by still, and the import that tells of one of those activities; null
-- where none does but something else: $1 tenant, $2 contacts, $3 record keys, $4 the import.
SELECT DISTINCT ON (p.record_key) p.record_key, r.import_id
FROM contact.contact AS c
JOIN contact.contact_activities AS p ON p.contact_id = c.id
JOIN contact.activity_record AS r
    ON r.tenant_id = $1 AND r.activity_id = p.activity_id AND r.superseded_at IS NULL
    AND r.undone_at IS NULL
WHERE (c.id = ANY($2::bigint[]) OR c.merged_into_id = ANY($2::bigint[]))
    AND p.record_key = ANY($3::bytea[]) AND r.import_id IS DISTINCT FROM $4
ORDER BY p.record_key, r.import_id NULLS FIRST;

-- name: pass_on_records
-- They stay, and go with whoever names them still: $1 tenant, $2 record keys, $3 imports, $4 the
-- import that brought them.
UPDATE contact.source_record AS s SET import_id = u.import_id
FROM unnest($2::bytea[], $3::text[]) AS u (record_key, import_id)
WHERE s.tenant_id = $1 AND s.record_key = u.record_key AND s.import_id = $4
    AND s.undone_at IS NULL;
