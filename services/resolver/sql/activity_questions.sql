-- name: find_activity_standings
-- What activities would be to the ledger: $1 tenant, $2 records, $3 contents.
SELECT CASE
           WHEN now_is.content_hash IS NULL THEN 'new'
           WHEN now_is.content_hash = u.content_hash THEN 'known'
           ELSE 'newer'
       END AS standing
FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS u (record_key, content_hash, place)
LEFT JOIN LATERAL (
    SELECT content_hash FROM contact.activity_record
    WHERE tenant_id = $1 AND record_key = u.record_key
        AND superseded_at IS NULL AND undone_at IS NULL
    LIMIT 1
) AS now_is ON true
ORDER BY u.place;

-- name: find_reachable
-- The workspace's contacts that hold identifiers: $1 tenant, $2 workspace, $3 kinds, $4 values.
SELECT held.public_id AS contact
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS u (kind, value, place)
LEFT JOIN LATERAL (
    SELECT c.public_id FROM contact.contact_identifier AS i
    JOIN contact.contact AS c ON c.id = i.contact_id
    WHERE i.tenant_id = $1 AND i.identifier_type = u.kind::contact.identifier_type
        AND i.normalized_value = u.value AND i.deleted_at IS NULL
        AND EXISTS (
            SELECT FROM contact.workspace_contact_binding AS b
            WHERE b.contact_id = c.id AND b.workspace_id = $2 AND b.deleted_at IS NULL
        )
    LIMIT 1
) AS held ON true
ORDER BY u.place;

-- name: find_activity_verdicts
-- What became of activities that were sent: $1 tenant, $2 signals, $3 records, $4 contents, $5 when
-- they were stated, $6 how many versions of a contact one activity may lead to. Events are looked for
-- among the versions up to the one that put it on the timeline: a contact may have very many.
SELECT own.activity_id IS NOT NULL AS is_applied, own.is_stale,
       EXISTS (
           SELECT FROM contact.activity_record AS r
           WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.undone_at IS NULL
               AND r.content_hash = u.content_hash
               AND (r.superseded_at IS NULL OR r.stated_at = u.stated_at)
       ) AS is_known,
       coalesce(told.events, 0) AS events
FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::timestamptz[])
    WITH ORDINALITY AS u (signal_id, record_key, content_hash, stated_at, place)
LEFT JOIN LATERAL (
    SELECT r.activity_id, r.superseded_at = r.applied_at AS is_stale
    FROM contact.activity_record AS r
    WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.signal_id = u.signal_id
    ORDER BY r.revision DESC LIMIT 1
) AS own ON true
LEFT JOIN LATERAL (
    SELECT sum(found.events)::integer AS events
    FROM (
        SELECT contact_id, max(applied_version) AS version FROM contact.contact_activities
        WHERE activity_id = own.activity_id GROUP BY contact_id
    ) AS p
    CROSS JOIN LATERAL (
        SELECT count(*) AS events FROM contact.contact_event AS e
        WHERE e.entity_id = p.contact_id AND e.cause = u.signal_id
            AND e.sequence_number > p.version - $6::integer AND e.sequence_number <= p.version
    ) AS found
) AS told ON true
ORDER BY u.place;

-- name: find_record_verdicts
-- Which records that were sent beside activities the ledger has, and to how many events they led:
-- $1 tenant, $2 signals, $3 records, $4 contents, $5 when they were stated.
SELECT own.contact_id IS NOT NULL AS is_applied,
       EXISTS (
           SELECT FROM contact.source_record AS r
           WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.undone_at IS NULL
               AND r.content_hash = u.content_hash
               AND (r.superseded_at IS NULL OR r.occurred_at = u.stated_at)
       ) AS is_known,
       coalesce(told.events, 0) AS events
FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::timestamptz[])
    WITH ORDINALITY AS u (signal_id, record_key, content_hash, stated_at, place)
LEFT JOIN LATERAL (
    SELECT r.contact_id FROM contact.source_record AS r
    WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.signal_id = u.signal_id
    ORDER BY r.revision DESC LIMIT 1
) AS own ON true
LEFT JOIN LATERAL (
    SELECT count(*)::integer AS events FROM contact.contact_event AS e
    WHERE e.entity_id = own.contact_id AND e.cause = u.signal_id
) AS told ON true
ORDER BY u.place;
