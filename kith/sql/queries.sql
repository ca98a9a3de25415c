-- name: find_resolutions
-- Which of a topic's dead letters someone has dealt with.  $1 dead-letter topics.
SELECT topic, partition, "offset", action
FROM app.dead_letter_resolution
WHERE topic = ANY ($1::text[]);

-- name: resolve_dead_letters
-- Note what was done with dead letters.  $1 topics, $2 partitions, $3 offsets, side by side;
-- $4 action, $5 why.
INSERT INTO app.dead_letter_resolution (topic, partition, "offset", action, reason)
SELECT place.topic, place.partition, place.position, $4, $5
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS place (topic, partition, position)
ON CONFLICT (topic, partition, "offset")
DO UPDATE SET action = excluded.action, reason = excluded.reason, at = now();

-- name: find_company_pairs
-- Pairs of companies that wait for a person, oldest first.  $1 how many.
SELECT a.public_id AS one, a.name AS one_name, a.primary_domain AS one_domain,
       b.public_id AS other, b.name AS other_name, b.primary_domain AS other_domain, c.reason
FROM contact.org_dedup_candidates AS c
JOIN contact.organisation AS a ON a.id = c.org_id_a
JOIN contact.organisation AS b ON b.id = c.org_id_b
WHERE c.status = 'open' ORDER BY c.id LIMIT $1;
