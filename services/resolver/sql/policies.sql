-- name: get_settings
-- What a tenant decides by; no row: the release's defaults.  $1 tenant.
SELECT version, scorer::text AS scorer, weights_version, merge_threshold,
       merge_and_flag_threshold, review_threshold, created_at
FROM contact.match_settings WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1;

-- name: list_weights
-- A tenant's versions of the weights, the newest first, without the weights: $1 tenant.
SELECT version, learned_from::text AS learned_from, created_at
FROM contact.match_weights WHERE tenant_id = $1 ORDER BY version DESC;

-- name: get_weights
-- $1 tenant, $2 version.
SELECT weights::text AS weights FROM contact.match_weights WHERE tenant_id = $1 AND version = $2;

-- name: lock_policy
-- One change of a tenant's policy at a time: $1 class of the locks, $2 tenant.
SELECT pg_advisory_xact_lock($1::int, $2::bigint::int);

-- name: insert_weights
-- $1 tenant, $2 version, $3 weights, $4 what they were learned from, $5 now.
INSERT INTO contact.match_weights (tenant_id, version, weights, learned_from, created_at)
VALUES ($1, $2, $3::text::jsonb, $4::text::jsonb, $5);

-- name: insert_settings
-- $1 tenant, $2 version, $3 scorer, $4 version of the weights, $5 to $7 thresholds, $8 now.
INSERT INTO contact.match_settings
    (tenant_id, version, scorer, weights_version, merge_threshold, merge_and_flag_threshold,
     review_threshold, created_at)
VALUES ($1, $2, $3::text::contact.scorer, $4, $5, $6, $7, $8);

-- name: find_history
-- Decisions about pairs of contacts, the newest first, before $2 and at most $3, each with the
-- weights that it names and whether a person has decided about the pair since: $1 tenant.
SELECT d.id, d.tenant_id, d.scorer::text AS scorer, d.weights_version, d.probability, d.weight,
       d.tier::text AS tier, d.action::text AS action, d.merge_threshold,
       d.merge_and_flag_threshold, d.review_threshold, d.match_signals::text AS signals,
       d.vetoes, d.decided_at, d.weights_release, w.weights::text AS weights,
       d.entity_id_a AS one, d.entity_id_b AS other, a.public_id AS one_name,
       b.public_id AS other_name,
       EXISTS (SELECT FROM contact.identity_judgement AS j
               WHERE j.tenant_id = d.tenant_id AND j.entity_type = 'contact'
                   AND j.entity_id_a = d.entity_id_a AND j.entity_id_b = d.entity_id_b
                   AND j.withdrawn_at IS NULL) AS is_settled
FROM contact.match_decision AS d
JOIN contact.contact AS a ON a.id = d.entity_id_a
JOIN contact.contact AS b ON b.id = d.entity_id_b
LEFT JOIN contact.match_weights AS w
    ON w.tenant_id = d.tenant_id AND w.version = d.weights_version
WHERE d.tenant_id = $1 AND d.entity_type = 'contact' AND d.id < $2
ORDER BY d.id DESC LIMIT $3;

-- name: find_labels
-- What people decided, the last word on each decision of the machine, the newest $2: by the review
-- queue, or about the same two contacts, for instance when they undid a merge.  $1 tenant.
WITH said AS (
    SELECT c.decision_id, c.status = 'approved' AS is_match, c.reviewed_at AS at
    FROM contact.contact_dedup_candidates AS c
    WHERE c.tenant_id = $1 AND c.status IN ('approved', 'rejected') AND c.decision_id IS NOT NULL
    UNION ALL
    SELECT d.id, j.judgement = 'must_link', j.decided_at
    FROM contact.identity_judgement AS j
    CROSS JOIN LATERAL (
        SELECT id FROM contact.match_decision AS d
        WHERE d.entity_id_a = j.entity_id_a AND d.entity_id_b = j.entity_id_b
            AND d.tenant_id = $1 AND d.entity_type = 'contact' AND d.decided_at <= j.decided_at
        ORDER BY d.id DESC LIMIT 1
    ) AS d
    WHERE j.tenant_id = $1 AND j.entity_type = 'contact' AND j.withdrawn_at IS NULL
), last AS (
    SELECT DISTINCT ON (decision_id) decision_id, is_match FROM said
    ORDER BY decision_id, at DESC NULLS LAST
)
SELECT d.id, d.tenant_id, d.scorer::text AS scorer, d.weights_version, d.probability, d.weight,
       d.tier::text AS tier, d.action::text AS action, d.merge_threshold,
       d.merge_and_flag_threshold, d.review_threshold, d.match_signals::text AS signals,
       d.vetoes, d.decided_at, d.weights_release, w.weights::text AS weights, last.is_match
FROM last
JOIN contact.match_decision AS d ON d.id = last.decision_id
LEFT JOIN contact.match_weights AS w
    ON w.tenant_id = d.tenant_id AND w.version = d.weights_version
ORDER BY d.id DESC LIMIT $2;
