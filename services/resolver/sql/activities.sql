-- name: find_activities
-- What is known of the activities of these records, a row for each delivery of the ledger, oldest
-- first: $1 names.
SELECT u.tenant_id, u.record_key, a.id, a.public_id, r.*
FROM unnest($1::contact.record_name[]) AS u
CROSS JOIN LATERAL (
    SELECT id, public_id FROM contact.activity
    WHERE tenant_id = u.tenant_id AND record_key = u.record_key OFFSET 0
) AS a
CROSS JOIN LATERAL (
    SELECT revision, content_hash, stated_at, source_version, superseded_at IS NULL AS current,
           import_id, undone_at IS NOT NULL AS is_undone
    FROM contact.activity_record
    WHERE tenant_id = u.tenant_id AND record_key = u.record_key
    ORDER BY revision OFFSET 0
) AS r;

-- name: find_taking_part
-- On whose timelines activities are: $1 ids.
SELECT DISTINCT activity_id, contact_id FROM contact.contact_activities
WHERE activity_id = ANY($1::bigint[]);

-- name: take_activity_ids
-- $1 how many.
SELECT nextval('contact.activity_id_seq') AS id FROM generate_series(1, $1::int);

-- name: save_activities
-- Write activities, new or in place of their version before: $1 rows, $2 now.
INSERT INTO contact.activity AS a (
    id, public_id, tenant_id, workspace_id, activity_type, direction, status, occurred_at,
    ended_at, all_day, subject, snippet, thread_key, location, detail, source_id, record_key,
    participants, stated_at, recorded_at, deleted_at)
SELECT id, public_id, tenant_id, workspace_id, activity_type::contact.activity_type,
       direction::contact.activity_direction, status, occurred_at, ended_at, all_day, subject,
       snippet, thread_key, location, detail, source_id, record_key, participants, stated_at, $2,
       CASE WHEN is_deleted THEN $2::timestamptz END
FROM unnest($1::contact.activity_row[])
ON CONFLICT (tenant_id, record_key) DO UPDATE SET
    activity_type = excluded.activity_type, direction = excluded.direction,
    status = excluded.status, occurred_at = excluded.occurred_at, ended_at = excluded.ended_at,
    all_day = excluded.all_day, subject = excluded.subject, snippet = excluded.snippet,
    thread_key = excluded.thread_key, location = excluded.location, detail = excluded.detail,
    participants = excluded.participants, stated_at = excluded.stated_at,
    deleted_at = excluded.deleted_at;

-- name: clear_taking_part
-- Who takes part is written anew: $1 activities.
DELETE FROM contact.contact_activities WHERE activity_id = ANY($1::bigint[]);

-- name: insert_taking_part
-- $1 rows.
INSERT INTO contact.contact_activities (
    activity_id, participant_no, tenant_id, workspace_id, contact_id, activity_type, role,
    attendance, record_key, occurred_at, applied_version)
SELECT activity_id, participant_no, tenant_id, workspace_id, contact_id,
       activity_type::contact.activity_type, role, attendance, record_key, occurred_at,
       applied_version
FROM unnest($1::contact.participation_row[]);

-- name: insert_activity_records
-- One row per delivery; what was stale at birth is superseded at once: $1 rows, $2 now.
INSERT INTO contact.activity_record (
    tenant_id, workspace_id, source_id, record_key, revision, content_hash, source_record_id,
    source_version, signal_id, stated_at, received_at, activity_id, import_id, raw, rejected,
    applied_at, superseded_at)
SELECT tenant_id, workspace_id, source_id, record_key, revision, content_hash, source_record_id,
       source_version, signal_id, stated_at, received_at, activity_id, import_id, raw, rejected,
       $2::timestamptz, CASE WHEN stale THEN $2::timestamptz END
FROM unnest($1::contact.activity_record_row[]);

-- name: supersede_activity_records
-- $1 names, $2 now.
UPDATE contact.activity_record r SET superseded_at = $2
FROM unnest($1::contact.revision_name[]) AS u
WHERE r.tenant_id = u.tenant_id AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: find_misplaced
-- All who take part in activities of which somebody's source record is another contact's now than
-- who has the activity on the timeline, or stands for whoever has: $1 contacts with all their homes.
WITH misplaced AS (
    SELECT DISTINCT p.activity_id
    FROM contact.contact_activities AS p
    JOIN contact.contact AS c ON c.id = p.contact_id
    JOIN contact.source_record AS r ON r.tenant_id = p.tenant_id AND r.record_key = p.record_key
        AND r.superseded_at IS NULL
    WHERE p.contact_id = ANY($1::bigint[]) AND coalesce(c.merged_into_id, c.id) <> r.contact_id
)
SELECT a.id, a.public_id, a.tenant_id, a.workspace_id, w.public_id AS workspace,
       a.activity_type::text AS kind, a.direction::text AS direction, a.status, a.occurred_at,
       extract(epoch FROM a.ended_at - a.occurred_at)::int AS duration_s, a.all_day,
       a.subject AS title, a.snippet, a.thread_key AS thread_id, a.location, a.detail,
       a.participants, s.source_provider AS source, a.record_key, p.participant_no, p.role,
       p.attendance, p.contact_id AS at, c.public_id AS at_name,
       CASE WHEN p.contact_id = ANY($1::bigint[])
                 AND coalesce(c.merged_into_id, c.id) <> r.contact_id
            THEN r.contact_id ELSE p.contact_id END AS belongs
FROM misplaced AS m
JOIN contact.activity AS a ON a.id = m.activity_id
JOIN app.workspace AS w ON w.id = a.workspace_id
JOIN contact.data_source AS s ON s.id = a.source_id
JOIN contact.contact_activities AS p ON p.activity_id = a.id
JOIN contact.contact AS c ON c.id = p.contact_id
LEFT JOIN contact.source_record AS r ON r.tenant_id = p.tenant_id AND r.record_key = p.record_key
    AND r.superseded_at IS NULL
ORDER BY a.id, p.participant_no;

-- name: move_taking_part
-- Put activities on the timelines that they belong to; whoever is named anew is told again: $1
-- activities, $2 places in their lists, $3 contacts, $4 versions.
UPDATE contact.contact_activities AS p
SET contact_id = u.contact_id, applied_version = u.version
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[])
    AS u (activity_id, participant_no, contact_id, version)
WHERE p.activity_id = u.activity_id AND p.participant_no = u.participant_no;

-- name: note_also_told
-- Others told the same: $1 names, $2 imports, empty where it was none.
UPDATE contact.activity_record AS r
SET also_told = array_append(r.also_told, u.import_id)
FROM (
    SELECT DISTINCT named.tenant_id, named.record_key, named.import_id
    FROM unnest($1::contact.record_name[], $2::text[])
        AS named (tenant_id, record_key, import_id)
) AS u
WHERE r.tenant_id = u.tenant_id AND r.record_key = u.record_key AND r.superseded_at IS NULL
    AND coalesce(r.import_id, '') <> u.import_id
    AND u.import_id <> ALL (coalesce(r.also_told, '{}'));

-- name: keep_before
-- Keep versions that newer ones are about to replace: $1 names.
UPDATE contact.activity_record AS r
SET kept = jsonb_build_object('activity', to_jsonb(a), 'people', (
    SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.participant_no), '[]')
    FROM contact.contact_activities AS p WHERE p.activity_id = a.id))
FROM unnest($1::contact.revision_name[]) AS u, contact.activity AS a
WHERE r.tenant_id = u.tenant_id AND r.record_key = u.record_key AND r.revision = u.revision
    AND a.id = r.activity_id;
