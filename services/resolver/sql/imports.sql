-- name: find_namesakes
-- A workspace's contacts that are called just so: $1 tenant, $2 workspace, $3 names in small
-- letters, $4 at most so many of each. By the name's digest, which is what the index holds.
SELECT u.name, c.public_id, b.full_name
FROM unnest($3::text[]) AS u (name)
CROSS JOIN LATERAL (
    SELECT contact_id, full_name FROM contact.workspace_contact_binding
    WHERE workspace_id = $2 AND hashtext(lower(full_name)) = hashtext(u.name)
        AND tenant_id = $1 AND lower(full_name) = u.name AND deleted_at IS NULL
    ORDER BY contact_id LIMIT $4
) AS b
JOIN contact.contact AS c ON c.id = b.contact_id AND c.status IN ('active', 'incomplete');

-- name: find_verdicts
-- What became of signals, as the ledger and the events have it: $1 tenant, $2 workspace,
-- $3 signals, $4 records, $5 contents.
SELECT u.signal_id, own.contact_id IS NOT NULL AS is_applied,
       now_is.content_hash = u.content_hash AS is_known,
       c.public_id AS contact, told.events, told.made, told.others
FROM unnest($3::text[], $4::bytea[], $5::bytea[])
    WITH ORDINALITY AS u (signal_id, record_key, content_hash, place)
LEFT JOIN LATERAL (
    SELECT r.contact_id, r.revision FROM contact.source_record AS r
    WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.signal_id = u.signal_id
    ORDER BY r.revision DESC LIMIT 1
) AS own ON true
LEFT JOIN LATERAL (
    SELECT r.contact_id, r.content_hash FROM contact.source_record AS r
    WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.superseded_at IS NULL
    LIMIT 1
) AS now_is ON true
LEFT JOIN contact.record_home AS h ON h.tenant_id = $1 AND h.record_key = u.record_key
    AND h.revision = own.revision
LEFT JOIN contact.contact AS c ON c.id = coalesce(own.contact_id, now_is.contact_id)
    AND EXISTS (
        SELECT FROM contact.workspace_contact_binding AS b
        WHERE b.contact_id = c.id AND b.workspace_id = $2 AND b.deleted_at IS NULL
    )
LEFT JOIN LATERAL (
    SELECT count(*)::integer AS events,
           coalesce(bool_or(e.event_type = 'ContactCreated'), false) AS made,
           coalesce(
               array_agg(e.payload ->> 'other_id') FILTER (WHERE e.event_type = 'MergeProposed'),
               '{}'
           ) AS others
    FROM contact.contact_event AS e
    WHERE e.entity_id IN (own.contact_id, h.home_id) AND e.cause = u.signal_id
) AS told ON true
ORDER BY u.place;
