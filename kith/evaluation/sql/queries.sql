-- name: find_records
-- Which contact each record is in, which it would be in had nothing been merged, what it says.
SELECT s.source_record_id AS record, s.contact_id AS contact,
       coalesce(h.home_id, s.contact_id) AS home, s.facts::text AS facts
FROM contact.source_record AS s
LEFT JOIN contact.record_home AS h
    ON h.tenant_id = s.tenant_id AND h.record_key = s.record_key AND h.revision = s.revision
WHERE s.superseded_at IS NULL;

-- name: find_merges
-- Merges in force, with what the machine decided.
SELECT l.named_into_id AS one, l.named_from_id AS other, l.by_person,
       d.action::text AS action
FROM contact.contact_merge_log AS l
LEFT JOIN contact.match_decision AS d ON d.id = l.decision_id
WHERE l.split_at IS NULL
ORDER BY l.id;

-- name: find_decisions
-- The last decision about each pair of contacts.
SELECT DISTINCT ON (entity_id_a, entity_id_b) entity_id_a AS one, entity_id_b AS other,
       tier::text AS tier, probability
FROM contact.match_decision
WHERE entity_type = 'contact' AND entity_id_b IS NOT NULL
ORDER BY entity_id_a, entity_id_b, id DESC;

-- name: find_reviewed
-- Pairs that were ever put up for review.
SELECT contact_id_a AS one, contact_id_b AS other FROM contact.contact_dedup_candidates;

-- name: find_open
-- Pairs that wait, at most $1, by the contacts that stand for them.
SELECT c.id, a.id AS one, b.id AS other, a.public_id AS one_name, b.public_id AS other_name
FROM contact.contact_dedup_candidates AS c
JOIN contact.contact AS a ON a.id = c.contact_id_a
JOIN contact.contact AS b ON b.id = c.contact_id_b
WHERE c.status = 'open'
ORDER BY c.confidence_score DESC NULLS LAST, c.id
LIMIT $1;

-- name: choose_scorer
-- Let the only tenant decide by another scorer: $1.
INSERT INTO contact.match_settings (tenant_id, version, scorer)
SELECT id, 1, $1::text::contact.scorer FROM app.tenant;
