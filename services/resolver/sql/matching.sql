-- name: try_tenant
-- One batch of matching at a time in a tenant, so that two new contacts which share a block never
-- miss each other: $1 class of the locks, $2 tenant. Whoever waited in a statement would hold a
-- snapshot meanwhile, and nothing that is deleted could be forgotten: the outbox, above all.
SELECT $2::bigint, pg_try_advisory_xact_lock($1::int, $2::bigint::int);

-- name: try_named_tenant
-- The same for a tenant that is known by its public id: $1 class of the locks, $2 public id.
SELECT id, pg_try_advisory_xact_lock($1::int, id::int) FROM app.tenant WHERE public_id = $2;

-- name: find_contacts
-- Contacts, and who stands for those that were absorbed: $1 public ids.
SELECT id, tenant_id, public_id, status IN ('merged', 'deleted') AS is_absorbed, merged_into_id
FROM contact.contact
WHERE public_id = ANY($1::text[]);

-- name: find_facts
-- What current records say of contacts, at most $2 records of each, the newest: $1 contact ids.
SELECT u.contact_id, r.record_key, r.facts, r.import_source
FROM unnest($1::bigint[]) AS u (contact_id)
CROSS JOIN LATERAL (
    SELECT record_key, facts, import_source FROM contact.source_record
    WHERE contact_id = u.contact_id AND superseded_at IS NULL
    ORDER BY occurred_at DESC, record_key LIMIT $2
) AS r;

-- name: find_keys
-- $1 contact ids.
SELECT contact_id, key FROM contact.blocking_key WHERE contact_id = ANY($1::bigint[]);

-- name: delete_keys
-- $1 contact ids, $2 keys, pairwise.
DELETE FROM contact.blocking_key AS b
USING unnest($1::bigint[], $2::bigint[]) AS u (contact_id, key)
WHERE b.contact_id = u.contact_id AND b.key = u.key;

-- name: find_blocks
-- Who has these keys, at most $3 contacts of each; of a key that is hot, null, and of one that
-- nobody has, no row: $1 tenant, $2 keys. A row per key: one per contact was read for 130 of them.
SELECT u.key, b.contacts
FROM unnest($2::bigint[]) AS u (key)
CROSS JOIN LATERAL (
    SELECT NULL::bigint[] AS contacts FROM contact.hot_block WHERE tenant_id = $1 AND key = u.key
    UNION ALL
    SELECT array_agg(contact_id)
    FROM (
        SELECT contact_id FROM contact.blocking_key WHERE tenant_id = $1 AND key = u.key LIMIT $3
    ) AS member
    HAVING count(*) > 0
) AS b;

-- name: insert_keys
-- $1 tenant, $2 keys, $3 contact ids, $4 record keys, in step.
INSERT INTO contact.blocking_key (tenant_id, key, contact_id, record_key)
SELECT $1, key, contact_id, record_key
FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]) AS u (key, contact_id, record_key);

-- name: heat_blocks
-- Keys that too many records have: neither written nor asked any more: $1 tenant, $2 keys, $3 now.
INSERT INTO contact.hot_block (tenant_id, key, since)
SELECT $1, key, $3 FROM unnest($2::bigint[]) AS u (key)
ON CONFLICT DO NOTHING;

-- name: cool_down
-- What was written of keys before they were hot: $1 tenant, $2 keys.
DELETE FROM contact.blocking_key AS b
USING unnest($2::bigint[]) AS u (key)
WHERE b.tenant_id = $1 AND b.key = u.key;

-- name: count_terms
-- How many records have these terms, and, without a term, how many there are: $1 tenant,
-- $2 attributes, $3 terms, pairwise.
SELECT u.attribute, u.term, t.occurrences
FROM unnest($2::text[], $3::text[]) AS u (attribute, term)
CROSS JOIN LATERAL (
    SELECT sum(occurrences)::bigint AS occurrences FROM contact.term_frequency
    WHERE tenant_id = $1 AND attribute = u.attribute AND term = u.term
) AS t
WHERE t.occurrences IS NOT NULL
UNION ALL
SELECT NULL, NULL, coalesce(sum(occurrences), 0)::bigint FROM contact.attribute_frequency
WHERE tenant_id = $1 AND attribute = 'record';

-- name: add_terms
-- What new records add, each term counted once per record; sorted by the caller: $1 tenant,
-- $2 attributes, $3 terms, $4 how many have them, in step, $5 slot, $6 how many records.
WITH records AS (
    INSERT INTO contact.attribute_frequency AS a (tenant_id, attribute, slot, occurrences)
    VALUES ($1, 'record', $5, $6)
    ON CONFLICT (tenant_id, attribute, slot)
    DO UPDATE SET occurrences = a.occurrences + excluded.occurrences
)
INSERT INTO contact.term_frequency AS t (tenant_id, attribute, term, slot, occurrences)
SELECT $1, attribute, term, $5, occurrences
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS u (attribute, term, occurrences)
ON CONFLICT (tenant_id, attribute, term, slot)
DO UPDATE SET occurrences = t.occurrences + excluded.occurrences;

-- name: find_asked
-- Pairs of these contacts, or of whom they absorbed, that a person keeps apart, and those of which
-- only a person may say that they are one and has not answered yet: $1 tenant, $2 contacts.  The
-- status is compared as text: the queue's index, of all that is open, is not to be looked through.
WITH home AS (
    SELECT u.id, u.id AS root FROM unnest($2::bigint[]) AS u (id)
    UNION ALL
    SELECT c.id, c.merged_into_id FROM contact.contact AS c
    WHERE c.merged_into_id = ANY($2::bigint[])
),
pair AS (
    SELECT home.root, found.other, found.is_waiting
    FROM home
    CROSS JOIN LATERAL (
        SELECT entity_id_b AS other, false AS is_waiting FROM contact.identity_judgement
        WHERE tenant_id = $1 AND entity_type = 'contact' AND entity_id_a = home.id
            AND judgement = 'cannot_link' AND withdrawn_at IS NULL
        UNION ALL
        SELECT contact_id_b, true FROM contact.contact_dedup_candidates
        WHERE tenant_id = $1 AND contact_id_a = home.id
            AND status::text = 'open' AND reason = 'phone_backup'
        OFFSET 0
    ) AS found
)
SELECT DISTINCT pair.root, home.root, pair.is_waiting
FROM pair JOIN home ON home.id = pair.other
WHERE home.root <> pair.root;

-- name: find_policies
-- What tenants decide by; the highest version is in force: $1 tenants.
SELECT DISTINCT ON (s.tenant_id) s.tenant_id, s.scorer::text, s.merge_threshold,
    s.merge_and_flag_threshold, s.review_threshold, s.weights_version, w.weights
FROM contact.match_settings AS s
LEFT JOIN contact.match_weights AS w
    ON w.tenant_id = s.tenant_id AND w.version = s.weights_version
WHERE s.tenant_id = ANY($1::bigint[])
ORDER BY s.tenant_id, s.version DESC;

-- name: insert_decisions
-- $1 rows, $2 the release whose weights they were made by, $3 now; returns the ids in the order of the
-- pairs.
INSERT INTO contact.match_decision
    (tenant_id, entity_id_a, entity_id_b, scorer, weights_version, weights_release, probability,
     weight, tier, action, merge_threshold, merge_and_flag_threshold, review_threshold,
     match_signals, vetoes, cause, decided_at)
SELECT tenant_id, a, b, scorer::contact.scorer, weights_version, $2, probability, weight,
       tier::contact.match_tier, action::contact.match_action, merge_at, flag_at, review_at, signals,
       vetoes, cause, $3
FROM unnest($1::contact.decision_row[])
RETURNING id, entity_id_a, entity_id_b;

-- name: put_up_for_review
-- A pair that waits already is shown with its newest score; one that was settled stays settled:
-- $1 rows, $2 now.
INSERT INTO contact.contact_dedup_candidates AS c
    (tenant_id, contact_id_a, contact_id_b, reason, evidence, confidence_score, tier, decision_id,
     created_at)
SELECT tenant_id, a, b, 'alike', signals, probability, tier::contact.match_tier, decision_id, $2
FROM unnest($1::contact.review_row[])
ON CONFLICT (tenant_id, contact_id_a, contact_id_b) DO UPDATE
SET evidence = excluded.evidence, confidence_score = excluded.confidence_score,
    tier = excluded.tier, decision_id = excluded.decision_id
WHERE c.status = 'open'
RETURNING contact_id_a, contact_id_b, xmax = 0 AS is_new;

-- name: note_matched
-- Contacts that were compared with so many records in the tenant; sorted by the caller: $1 tenant,
-- $2 contacts, $3 records.
INSERT INTO contact.last_matched AS m (contact_id, tenant_id, records)
SELECT contact_id, $1, $3 FROM unnest($2::bigint[]) AS u (contact_id)
ON CONFLICT (contact_id) DO UPDATE SET records = excluded.records
WHERE m.records <> excluded.records;

-- name: forget_matched
-- Contacts that no statistics will decide otherwise, unless they were compared with so many records
-- in the tenant, or more: $1 contacts, $2 records.
DELETE FROM contact.last_matched WHERE contact_id = ANY($1::bigint[]) AND records < $2;

-- name: find_drifted_tenant
-- The tenant that has grown most since one of its contacts was last compared, by more than one record
-- in $1; contacts that wait for a later turn count for nothing: $2. Reads what all tenants have.
SELECT r.tenant_id
FROM (
    SELECT tenant_id, sum(occurrences)::bigint AS records FROM contact.attribute_frequency
    WHERE attribute = 'record' GROUP BY tenant_id
) AS r
CROSS JOIN LATERAL (
    SELECT m.records FROM contact.last_matched AS m
    WHERE m.tenant_id = r.tenant_id AND m.contact_id <> ALL($2::bigint[])
    ORDER BY m.records LIMIT 1
) AS oldest
WHERE oldest.records < r.records - r.records / $1
ORDER BY oldest.records::float8 / r.records LIMIT 1;

-- name: find_drifted
-- Contacts of a tenant that were last compared when it was smaller, by more than one record in $2,
-- those that waited longest first, at most $3: $1 tenant, $4 contacts that wait for a later turn.
SELECT m.contact_id
FROM contact.last_matched AS m
WHERE m.tenant_id = $1
    AND m.records < (
        SELECT sum(occurrences)::bigint - sum(occurrences)::bigint / $2
        FROM contact.attribute_frequency WHERE tenant_id = $1 AND attribute = 'record'
    )
    AND m.contact_id <> ALL($4::bigint[])
ORDER BY m.records, m.contact_id LIMIT $3;

-- name: count_drifted
-- Contacts of all tenants that were last compared when theirs was smaller, by more than one record in
-- $1, at most $2: to count a quarter of a million reads 6,600 pages.
SELECT count(*)
FROM (
    SELECT FROM (
        SELECT tenant_id, sum(occurrences)::bigint AS records FROM contact.attribute_frequency
        WHERE attribute = 'record' GROUP BY tenant_id
    ) AS r
    JOIN contact.last_matched AS m
        ON m.tenant_id = r.tenant_id AND m.records < r.records - r.records / $1
    LIMIT $2
) AS drifted;

-- name: find_still_drifted
-- Which of the contacts that `find_drifted` found are so still, who stands for each now, and how many
-- records the tenant has: $1 tenant, $2 as there, $3 contacts.
SELECT t.public_id AS tenant, r.records, m.contact_id,
    coalesce(root.public_id, c.public_id) AS public_id
FROM (
    SELECT sum(occurrences)::bigint AS records FROM contact.attribute_frequency
    WHERE tenant_id = $1 AND attribute = 'record'
) AS r
JOIN contact.last_matched AS m ON m.tenant_id = $1 AND m.records < r.records - r.records / $2
JOIN app.tenant AS t ON t.id = $1
LEFT JOIN contact.contact AS c ON c.id = m.contact_id
LEFT JOIN contact.contact AS root ON root.id = c.merged_into_id
WHERE m.contact_id = ANY($3::bigint[]);
