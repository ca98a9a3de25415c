-- name: find_oldest
-- What has waited longest, and who stands for that contact now.
SELECT r.tenant_id, r.identifier_type::text AS kind, r.normalized_value AS value, r.contact_id,
       r.tenant, r.cause, r.received_at, r.traceparent, r.created_at,
       coalesce(c.merged_into_id, c.id) AS root
FROM contact.reconsideration AS r LEFT JOIN contact.contact AS c ON c.id = r.contact_id
ORDER BY r.due_at, r.contact_id LIMIT 1;

-- name: is_queued
-- Whether it still waits, and its value tells nobody who somebody is: $1 tenant, $2 type, $3 value,
-- $4 contact.
SELECT EXISTS (
    SELECT FROM contact.reconsideration AS r
    JOIN contact.shared_identifier AS s USING (tenant_id, identifier_type, normalized_value)
    WHERE r.tenant_id = $1 AND r.identifier_type = $2::text::contact.identifier_type
        AND r.normalized_value = $3 AND r.contact_id = $4 AND s.sharing IN ('shared', 'blocked'));

-- name: dequeue
-- Nothing is left to do: $1 tenant, $2 type, $3 value, $4 contact.
DELETE FROM contact.reconsideration
WHERE tenant_id = $1 AND identifier_type = $2::text::contact.identifier_type
    AND normalized_value = $3 AND contact_id = $4;

-- name: postpone
-- Let others go first: $1 tenant, $2 type, $3 value, $4 contact, $5 now.
UPDATE contact.reconsideration SET due_at = $5
WHERE tenant_id = $1 AND identifier_type = $2::text::contact.identifier_type
    AND normalized_value = $3 AND contact_id = $4;

-- name: count_queued
-- How many contacts wait.
SELECT count(*) FROM contact.reconsideration;

-- name: find_idle
-- Which of these identifiers tell nobody who somebody is: $1 keys.
SELECT s.tenant_id, s.identifier_type::text AS kind, s.normalized_value AS value
FROM unnest($1::contact.identifier_key[]) AS u
JOIN contact.shared_identifier AS s ON s.tenant_id = u.tenant_id
    AND s.identifier_type = u.kind::contact.identifier_type AND s.normalized_value = u.value
WHERE s.sharing IN ('shared', 'blocked');

-- name: find_held_by_people
-- Records that people said are one person's, of these homes: $1 tenant, $2 homes.
SELECT DISTINCT r.record_key
FROM contact.identity_judgement AS j
JOIN contact.identity_judgement_record AS r ON r.judgement_id = j.id
WHERE j.tenant_id = $1 AND j.entity_type = 'contact' AND j.judgement = 'must_link'
    AND j.withdrawn_at IS NULL
    AND (j.entity_id_a = ANY($2::bigint[]) OR j.entity_id_b = ANY($2::bigint[]));

-- name: find_merges_through
-- Merges that the machine made, before the value was found out, with the value as evidence: the
-- newest first: $1 tenant, $2 merges, $3 attribute, $4 value, $5 when it was found out.
SELECT l.merge_id, l.named_into_id, l.named_from_id
FROM contact.contact_merge_log AS l
JOIN contact.match_decision AS d ON d.id = l.decision_id
WHERE l.tenant_id = $1 AND l.merge_id = ANY($2::text[]) AND l.split_at IS NULL
    AND NOT l.by_person AND l.merged_at < $5
    AND EXISTS (
        SELECT FROM jsonb_array_elements(d.match_signals) AS one (signal)
        WHERE one.signal ->> 'signal' = $3 AND one.signal ->> 'left' = $4
            AND one.signal ->> 'right' = $4)
ORDER BY l.id DESC;
