-- name: share_indexes
-- Keep the indexes from being swapped by a rebuild until this transaction ends. $1: the lock.
SELECT pg_advisory_xact_lock_shared($1);

-- name: read_model_age
-- Age of the newest signal when the read model showed it, seconds; nothing when none came lately.
SELECT extract(epoch FROM updated_at - recorded_at)::float8
FROM read.projection_state
WHERE name = 'projector' AND updated_at > now() - interval '2 seconds';

-- name: find_places
-- Public ids of all workspaces and their tenants' numbers.
SELECT w.id AS workspace_id, w.public_id AS workspace, w.tenant_id
FROM app.workspace AS w;

-- name: find_events
-- The events of some contacts, oldest first, but for those of activities: nothing of them is
-- indexed, and there may be thousands. $1: public ids.
SELECT c.public_id, e.event_type, e.payload, e.recorded_at, t.public_id AS tenant
FROM contact.contact AS c
JOIN contact.contact_event AS e ON e.entity_id = c.id
JOIN app.tenant AS t ON t.id = e.tenant_id
WHERE c.public_id = ANY($1::text[])
    AND e.event_type NOT IN ('ActivityRecorded', 'ActivityWithdrawn')
ORDER BY c.public_id, e.sequence_number;

-- name: forget_documents
-- Forget documents of contacts that were merged or split, but for those that are still made of
-- them. $1 contacts, $2 their versions, $3 and $4: contact and workspace of what there is.
DELETE FROM search.document AS d
USING unnest($1::text[], $2::integer[]) AS c (public_id, version)
WHERE d.public_id = c.public_id AND d.version <= c.version
    AND NOT EXISTS (
        SELECT FROM unnest($3::text[], $4::bigint[]) AS u (public_id, workspace_id)
        WHERE u.public_id = d.public_id AND u.workspace_id = d.workspace_id
    );

-- name: save_documents
-- Write documents, each newer than what is there or not at all. $1 tenants, $2 workspaces,
-- $3 contacts, $4 versions, $5 names, $6 work, $7 other text, $8 e-mails, $9 phones (as arrays in
-- text form).
INSERT INTO search.document AS d (
    tenant_id, workspace_id, public_id, version, name, haystack, words
)
SELECT u.tenant_id, u.workspace_id, u.public_id, u.version, plain.name,
    concat_ws(' ', plain.name, plain.work, plain.rest, array_to_string(u.emails::text[], ' ')),
    search.words_of(plain.name, plain.work, plain.rest, u.emails::text[], u.phones::text[])
FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[]
) AS u (tenant_id, workspace_id, public_id, version, name, work, rest, emails, phones)
CROSS JOIN LATERAL (
    SELECT search.plain(u.name) AS name, search.plain(u.work) AS work, search.plain(u.rest) AS rest
    OFFSET 0
) AS plain
ON CONFLICT (public_id, workspace_id) DO UPDATE SET
    version = excluded.version, name = excluded.name, haystack = excluded.haystack,
    words = excluded.words
WHERE excluded.version > d.version;
