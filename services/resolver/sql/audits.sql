-- name: find_page
-- A tenant's contacts in the order of their ids, at most $3 after $2, without absorbed ones:
-- $1 tenant.
SELECT id, public_id FROM contact.contact
WHERE tenant_id = $1 AND id > $2 AND status NOT IN ('merged', 'archived')
ORDER BY id LIMIT $3;

-- name: put_up
-- Pairs that an audit found; one that waits already, or was settled, stays as it is: $1 tenant,
-- $2 and $3 contacts and $4 the audit's own scores, 0 to 100, side by side; $5 now, $6 decisions.
INSERT INTO contact.contact_dedup_candidates
    (tenant_id, contact_id_a, contact_id_b, reason, evidence, confidence_score, tier, decision_id,
     similarity_score, created_at)
SELECT $1, u.a, u.b, 'audit', d.match_signals, d.probability, d.tier, d.id, u.similarity, $5
FROM unnest($2::bigint[], $3::bigint[], $4::smallint[]) AS u (a, b, similarity)
JOIN contact.match_decision AS d ON d.id = ANY ($6::bigint[])
    AND d.entity_id_a = u.a AND d.entity_id_b = u.b
ON CONFLICT (tenant_id, contact_id_a, contact_id_b) DO NOTHING
RETURNING contact_id_a, contact_id_b;

-- name: find_known
-- Which of these pairs are in the queue, or were: $1 tenant, $2 and $3 contacts, side by side.
SELECT c.contact_id_a AS a, c.contact_id_b AS b
FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b)
JOIN contact.contact_dedup_candidates AS c
    ON c.tenant_id = $1 AND c.contact_id_a = u.a AND c.contact_id_b = u.b;
