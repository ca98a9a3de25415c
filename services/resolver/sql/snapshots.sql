-- name: take_cursor
-- How far the log was looked through; no row while another process looks.
SELECT xid, entity_id, sequence_number FROM contact.snapshot_cursor
WHERE event_table = 'contact_event' FOR UPDATE SKIP LOCKED;

-- name: read_page
-- The next events after ($1, $2, $3), $4 at most, below the oldest transaction that still runs:
-- where the page ends, and the contacts with an event of a number from $5 on. No row at the end.
WITH page AS MATERIALIZED (
    SELECT xid, entity_id, sequence_number FROM contact.contact_event
    WHERE (xid, entity_id, sequence_number) > ($1::xid8, $2::bigint, $3::integer)
        AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, entity_id, sequence_number
    LIMIT $4
)
SELECT last.xid, last.entity_id, last.sequence_number,
       ARRAY(SELECT DISTINCT entity_id FROM page WHERE sequence_number >= $5 ORDER BY 1) AS contacts
FROM page AS last
ORDER BY last.xid DESC, last.entity_id DESC, last.sequence_number DESC
LIMIT 1;

-- name: move_cursor
-- $1, $2, $3: the last event looked at.
UPDATE contact.snapshot_cursor SET xid = $1, entity_id = $2, sequence_number = $3
WHERE event_table = 'contact_event';

-- name: find_due
-- Those of contacts $1 that are $2 events past their newest snapshot, or have none, or one that is
-- older than $3, $4 at most: their newest snapshot, if any.
SELECT c.id, c.tenant_id, newest.event_sequence, newest.snapshot_at, newest.state
FROM contact.contact AS c
LEFT JOIN LATERAL (
    SELECT s.event_sequence, s.snapshot_at, s.state FROM contact.contact_event_snapshots AS s
    WHERE s.tenant_id = c.tenant_id AND s.entity_id = c.id AND s.workspace_id IS NULL
    ORDER BY s.event_sequence DESC LIMIT 1
) AS newest ON true
WHERE c.id = ANY($1::bigint[]) AND c.version > coalesce(newest.event_sequence, 0)
    AND (c.version - coalesce(newest.event_sequence, 0) >= $2 OR newest.snapshot_at IS NULL
         OR newest.snapshot_at < $3)
ORDER BY c.id
LIMIT $4;

-- name: find_private
-- What workspaces keep for themselves at snapshots: $1 tenants, $2 contacts, $3 versions.
SELECT s.entity_id, w.public_id AS workspace, s.state
FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS u (tenant_id, entity_id, event_sequence)
JOIN contact.contact_event_snapshots AS s ON s.tenant_id = u.tenant_id
    AND s.entity_id = u.entity_id AND s.event_sequence = u.event_sequence
JOIN app.workspace AS w ON w.id = s.workspace_id;

-- name: find_later
-- The next $3 events of each of contacts $1 after versions $2, in their order.
SELECT u.id, e.sequence_number, e.event_type, e.payload::text AS payload, e.recorded_at
FROM unnest($1::bigint[], $2::integer[]) AS u (id, version)
CROSS JOIN LATERAL (
    SELECT sequence_number, event_type, payload, recorded_at FROM contact.contact_event
    WHERE entity_id = u.id AND sequence_number > u.version
    ORDER BY sequence_number LIMIT $3
) AS e
ORDER BY u.id, e.sequence_number;

-- name: insert_snapshots
-- $1 tenants, $2 contacts, $3 versions, $4 workspaces' public ids, null where it is shared,
-- $5 states, $6 when their newest events were recorded.
INSERT INTO contact.contact_event_snapshots
    (tenant_id, entity_id, event_sequence, workspace_id, state, snapshot_at)
SELECT u.tenant_id, u.entity_id, u.version, w.id, u.state::jsonb, u.snapshot_at
FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[])
    AS u (tenant_id, entity_id, version, workspace, state, snapshot_at)
LEFT JOIN app.workspace AS w ON w.public_id = u.workspace
WHERE u.workspace IS NULL OR w.id IS NOT NULL
ON CONFLICT DO NOTHING;
