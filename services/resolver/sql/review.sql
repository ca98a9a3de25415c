-- name: find_queue
-- Pairs with how likely they are one person and how much is at stake, those worth most first; of
-- more than $9 pairs the likeliest are ranked.  Null does not restrict: $1 tenant, $2 workspace
-- that both must be in, $3 statuses, $4 tiers, $5 least score, $6 contacts that must be
-- of the pair, $7 numbers; $8 score of a pair that has none, $10 and $11 value and number of the pair before the
-- first, $12 how many.
WITH likeliest AS (
    SELECT c.id, c.tenant_id, c.contact_id_a, c.contact_id_b, c.reason, c.status::text AS status,
           c.tier::text AS tier, c.confidence_score, c.decision_id, c.evidence::text AS evidence,
           c.created_at, c.reviewed_at, a.public_id AS name_a, b.public_id AS name_b,
           a.version AS version_a, b.version AS version_b,
           coalesce(c.confidence_score, $8::double precision) AS score
    FROM contact.contact_dedup_candidates AS c
    JOIN contact.contact AS a ON a.id = c.contact_id_a
    JOIN contact.contact AS b ON b.id = c.contact_id_b
    WHERE ($1::bigint IS NULL OR c.tenant_id = $1)
        AND ($2::bigint IS NULL OR (
            EXISTS (SELECT FROM contact.workspace_contact_binding AS w
                    WHERE w.contact_id = c.contact_id_a AND w.workspace_id = $2)
            AND EXISTS (SELECT FROM contact.workspace_contact_binding AS w
                        WHERE w.contact_id = c.contact_id_b AND w.workspace_id = $2)))
        AND ($3::text[] IS NULL OR c.status = ANY($3::text[]::contact.candidate_status[]))
        AND ($4::text[] IS NULL OR c.tier::text = ANY($4))
        AND ($5::double precision IS NULL OR c.confidence_score >= $5)
        AND ($6::bigint[] IS NULL OR $6 <@ ARRAY[c.contact_id_a, c.contact_id_b])
        AND ($7::bigint[] IS NULL OR c.id = ANY($7))
    ORDER BY coalesce(c.confidence_score, $8::double precision) DESC, c.id
    LIMIT $9
), valued AS (
    SELECT l.*, s.stake, l.score * s.stake AS value
    FROM likeliest AS l
    CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM contact.source_record AS r
                WHERE r.contact_id IN (l.contact_id_a, l.contact_id_b)
                    AND r.superseded_at IS NULL)
             + (SELECT count(*) FROM contact.workspace_contact_binding AS w
                WHERE w.contact_id IN (l.contact_id_a, l.contact_id_b)
                    AND w.deleted_at IS NULL) AS stake
    ) AS s
)
SELECT v.*, (
    SELECT full_name FROM contact.workspace_contact_binding AS w
    WHERE w.contact_id = v.contact_id_a AND ($2::bigint IS NULL OR w.workspace_id = $2)
    ORDER BY w.deleted_at IS NULL DESC, w.id LIMIT 1
) AS shown_a, (
    SELECT full_name FROM contact.workspace_contact_binding AS w
    WHERE w.contact_id = v.contact_id_b AND ($2::bigint IS NULL OR w.workspace_id = $2)
    ORDER BY w.deleted_at IS NULL DESC, w.id LIMIT 1
) AS shown_b
FROM valued AS v
WHERE $10::double precision IS NULL OR (-v.value, v.id) > (-$10::double precision, $11::bigint)
ORDER BY v.value DESC, v.id
LIMIT $12;

-- name: find_contacts
-- Contacts by public id and who stands for them.  Null does not restrict: $2 tenant, $3 workspace
-- that must know the contact: $1 public ids.
SELECT c.id, c.tenant_id, c.public_id, c.version, c.status::text AS status,
       coalesce(root.id, c.id) AS root, coalesce(root.public_id, c.public_id) AS root_name
FROM contact.contact AS c
LEFT JOIN contact.contact AS root ON root.id = c.merged_into_id
WHERE c.public_id = ANY($1::text[]) AND ($2::bigint IS NULL OR c.tenant_id = $2)
    AND ($3::bigint IS NULL OR EXISTS (
        SELECT FROM contact.workspace_contact_binding AS w
        WHERE w.contact_id = c.id AND w.workspace_id = $3));

-- name: find_said
-- What current records say of contacts, at most $2 of each, the newest first: $1 contacts.
SELECT r.contact_id, r.record_key, r.source_record_id, s.source_provider AS source, s.priority,
       r.confidence, r.occurred_at, r.received_at, r.workspace_id, r.facts::text AS facts
FROM unnest($1::bigint[]) AS u (contact_id)
CROSS JOIN LATERAL (
    SELECT * FROM contact.source_record
    WHERE contact_id = u.contact_id AND superseded_at IS NULL
    ORDER BY occurred_at DESC, record_key LIMIT $2
) AS r
JOIN contact.data_source AS s ON s.id = r.source_id
ORDER BY r.contact_id, r.occurred_at DESC, r.record_key;

-- name: find_evidence
-- Decisions as they were stored, with the weights that they name: $1 ids.
SELECT d.id, d.tenant_id, d.scorer::text AS scorer, d.weights_version, d.probability, d.weight,
       d.tier::text AS tier, d.action::text AS action, d.merge_threshold,
       d.merge_and_flag_threshold, d.review_threshold, d.match_signals::text AS signals,
       d.vetoes, d.decided_at, d.weights_release, w.weights::text AS weights
FROM contact.match_decision AS d
LEFT JOIN contact.match_weights AS w
    ON w.tenant_id = d.tenant_id AND w.version = d.weights_version
WHERE d.id = ANY($1::bigint[]);

-- name: find_merges_of
-- Merges in force of a contact, oldest first: $1 the contact that stands for all of them.
SELECT l.merge_id, l.merge_reason, l.by_person, l.merged_at, l.decision_id, l.similarity_score,
       i.public_id AS named_into, f.public_id AS named_from
FROM contact.contact AS home
JOIN contact.contact_merge_log AS l ON l.merged_from_id = home.id AND l.split_at IS NULL
JOIN contact.contact AS i ON i.id = l.named_into_id
JOIN contact.contact AS f ON f.id = l.named_from_id
WHERE home.merged_into_id = $1
ORDER BY l.id;

-- name: find_stream
-- A contact's events in version order, as a workspace may know them ($2; null: all), but for those
-- of activities, which say nothing of who it is: $1 contact.
SELECT event_type, payload::text AS payload, recorded_at FROM contact.contact_event
WHERE entity_id = $1 AND ($2::bigint IS NULL OR workspace_id IS NULL OR workspace_id = $2)
    AND event_type NOT IN ('ActivityRecorded', 'ActivityWithdrawn')
ORDER BY sequence_number;
