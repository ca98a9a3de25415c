-- name: find_roots
-- Contacts by public id, and who stands for them, unless these are gone: $1 tenant, $2 public ids.
SELECT c.id, c.public_id, root.id AS root FROM contact.contact AS c
JOIN contact.contact AS root ON root.id = coalesce(c.merged_into_id, c.id)
WHERE c.tenant_id = $1 AND c.public_id = ANY($2::text[])
    AND c.status <> 'deleted' AND root.status <> 'deleted';

-- name: find_homes
-- All homes of contacts: themselves and whom they absorbed: $1 contacts that stand for themselves.
SELECT id FROM contact.contact WHERE id = ANY($1::bigint[])
UNION
SELECT id FROM contact.contact WHERE merged_into_id = ANY($1::bigint[]);

-- name: get_homes
-- $1 ids.
SELECT id, public_id, version, status::text, absorbed_as::text,
       coalesce(merged_into_id, id) AS root
FROM contact.contact WHERE id = ANY($1::bigint[]) ORDER BY id;

-- name: find_merges
-- Merges in force among these homes, oldest first: $1 ids.
SELECT merge_id, named_into_id, named_from_id, by_person, merged_at FROM contact.contact_merge_log
WHERE named_into_id = ANY($1::bigint[]) AND split_at IS NULL ORDER BY id;

-- name: find_deliveries
-- Every delivery of the records that these contacts hold, in order: those that have their place,
-- then those that came since.  Per record in the order of revisions: $1 contacts.
SELECT r.contact_id, r.record_key, r.revision, r.occurred_at, r.source_version, r.source_id,
       r.workspace_id, r.confidence, r.import_source, r.facts, r.applied_at, h.home_id, h.place,
       h.evidence, r.import_id
FROM (
    SELECT tenant_id, record_key, contact_id FROM contact.source_record
    WHERE contact_id = ANY($1::bigint[]) AND superseded_at IS NULL
) AS held
JOIN contact.source_record AS r
    ON r.tenant_id = held.tenant_id AND r.record_key = held.record_key AND r.undone_at IS NULL
LEFT JOIN contact.record_home AS h
    ON h.tenant_id = r.tenant_id AND h.record_key = r.record_key AND h.revision = r.revision
ORDER BY r.contact_id, h.place NULLS LAST, r.applied_version, r.revision;

-- name: find_held
-- What these contacts hold, and where it belongs: $1 contacts.
SELECT i.contact_id, i.identifier_type::text AS kind, i.normalized_value AS value, h.home_id
FROM unnest($1::bigint[]) AS u (contact_id)
CROSS JOIN LATERAL (
    SELECT * FROM contact.contact_identifier WHERE contact_id = u.contact_id OFFSET 0
) AS i
LEFT JOIN LATERAL (
    SELECT home_id FROM contact.identifier_home
    WHERE tenant_id = i.tenant_id AND identifier_type = i.identifier_type
        AND normalized_value = i.normalized_value
    LIMIT 1
) AS h ON true
WHERE i.deleted_at IS NULL;

-- name: find_all_bindings
-- The bindings of homes, in use or put aside, and what is each home's own: $1 homes.
SELECT DISTINCT ON (b.contact_id, b.workspace_id)
       b.id, b.contact_id, b.workspace_id, b.deleted_at IS NULL AS is_live,
       b.stage::text, b.contact_owner_id, b.is_favorite, b.data_owner::text,
       h.contact_id IS NOT NULL AS has_own, h.stage::text AS own_stage,
       h.contact_owner_id AS own_owner_id, h.is_favorite AS own_favorite,
       h.data_owner::text AS own_data_owner
FROM unnest($1::bigint[]) AS u (contact_id)
CROSS JOIN LATERAL (
    SELECT * FROM contact.workspace_contact_binding WHERE contact_id = u.contact_id OFFSET 0
) AS b
LEFT JOIN LATERAL (
    SELECT * FROM contact.binding_home
    WHERE contact_id = b.contact_id AND workspace_id = b.workspace_id LIMIT 1
) AS h ON true
ORDER BY b.contact_id, b.workspace_id, b.deleted_at IS NULL DESC, b.id DESC;

-- name: find_open_candidates
-- Open candidates that name one of these homes: $1 tenant, $2 homes.
SELECT c.contact_id_a, c.contact_id_b, c.reason, a.public_id AS name_a, b.public_id AS name_b
FROM (
    SELECT DISTINCT found.* FROM unnest($2::bigint[]) AS u (home)
    CROSS JOIN LATERAL (
        SELECT contact_id_a, contact_id_b, reason FROM contact.contact_dedup_candidates
        WHERE tenant_id = $1 AND contact_id_a = u.home AND status = 'open'
        UNION ALL
        SELECT contact_id_a, contact_id_b, reason FROM contact.contact_dedup_candidates
        WHERE tenant_id = $1 AND contact_id_b = u.home AND status = 'open'
    ) AS found
) AS c
JOIN contact.contact AS a ON a.id = c.contact_id_a
JOIN contact.contact AS b ON b.id = c.contact_id_b;

-- name: find_apart
-- Pairs that a person keeps apart and that name one of these homes: $1 tenant, $2 homes.
SELECT entity_id_a, entity_id_b FROM contact.identity_judgement
WHERE tenant_id = $1 AND entity_type = 'contact' AND judgement = 'cannot_link'
    AND withdrawn_at IS NULL
    AND (entity_id_a = ANY($2::bigint[]) OR entity_id_b = ANY($2::bigint[]));

-- name: find_workspaces
-- $1 tenant.
SELECT id, public_id FROM app.workspace WHERE tenant_id = $1;

-- name: let_stand
-- Let contacts stand for themselves: $1 ids, $2 versions, $3 statuses, $4 now.
UPDATE contact.contact AS c
SET version = u.version, status = u.status::contact.contact_status, merged_into_id = NULL,
    absorbed_as = NULL, updated_at = $4, reshaped_at = clock_timestamp(),
    deleted_at = CASE WHEN u.status = 'deleted' THEN $4::timestamptz END
FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS u (id, version, status)
WHERE c.id = u.id;

-- name: absorb
-- Let others stand for contacts: $1 ids, $2 versions, $3 who stands for them, $4 the statuses that
-- they had by themselves or null where that is known, $5 now.
UPDATE contact.contact AS c
SET version = u.version, status = 'merged', merged_into_id = u.root,
    absorbed_as = coalesce(u.absorbed_as::contact.contact_status, c.absorbed_as),
    updated_at = $5, reshaped_at = clock_timestamp()
FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::text[])
    AS u (id, version, root, absorbed_as)
WHERE c.id = u.id;

-- name: retell_enriched
-- When vendors told of contacts as they are made up now: $1 contacts, $2 times or null.
UPDATE contact.contact AS c SET last_enriched_at = u.told_at
FROM unnest($1::bigint[], $2::timestamptz[]) AS u (id, told_at)
WHERE c.id = u.id AND c.last_enriched_at IS DISTINCT FROM u.told_at;

-- name: move_records
-- Records change hands, with every delivery that there was of them; whoever waits for one waits
-- for the version that tells of it: $1 tenant, $2 record keys, $3 contacts, $4 versions.
UPDATE contact.source_record AS r SET contact_id = u.contact_id, applied_version = u.version
FROM (
    SELECT found.place, named.contact_id, named.version
    FROM unnest($2::bytea[], $3::bigint[], $4::integer[]) AS named (record_key, contact_id, version)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM contact.source_record
        WHERE tenant_id = $1 AND record_key = named.record_key OFFSET 0
    ) AS found
) AS u
WHERE r.ctid = u.place;

-- name: move_blocks
-- The blocking keys of records that change hands: $1 contacts that had them, $2 record keys,
-- $3 contacts.
UPDATE contact.blocking_key AS b SET contact_id = u.contact_id
FROM unnest($2::bytea[], $3::bigint[]) AS u (record_key, contact_id)
WHERE b.contact_id = ANY($1::bigint[]) AND b.record_key = u.record_key;

-- name: move_identifiers
-- Each is looked up by itself: joined, all of the tenant's were read, while contacts were locked.
-- $1 tenant, $2 types, $3 values, $4 contacts, $5 now.
UPDATE contact.contact_identifier AS i SET contact_id = u.contact_id, updated_at = $5
FROM (
    SELECT found.place, named.contact_id
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS named (kind, value, contact_id)
    CROSS JOIN LATERAL (
        SELECT held.ctid AS place FROM contact.contact_identifier AS held
        WHERE held.tenant_id = $1 AND held.normalized_value = named.value
            AND held.identifier_type = named.kind::contact.identifier_type
            AND held.deleted_at IS NULL
        LIMIT 1
    ) AS found
) AS u
WHERE i.ctid = u.place;

-- name: save_record_homes
-- $1 tenant, $2 record keys, $3 revisions, $4 homes, $5 places, $6 evidence.
INSERT INTO contact.record_home (tenant_id, record_key, revision, home_id, place, evidence)
SELECT $1, u.* FROM unnest($2::bytea[], $3::integer[], $4::bigint[], $5::integer[], $6::text[]) AS u
ON CONFLICT (tenant_id, record_key, revision) DO UPDATE
SET home_id = excluded.home_id, place = excluded.place, evidence = excluded.evidence;

-- name: save_identifier_homes
-- $1 tenant, $2 types, $3 values, $4 homes.
INSERT INTO contact.identifier_home (tenant_id, identifier_type, normalized_value, home_id)
SELECT $1, u.kind::contact.identifier_type, u.value, u.home_id
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS u (kind, value, home_id)
ON CONFLICT (tenant_id, identifier_type, normalized_value) DO UPDATE
SET home_id = excluded.home_id;

-- name: delete_emails
-- They are written anew, but for those that nobody says any more: $1 contacts.
DELETE FROM contact.contact_email WHERE contact_id = ANY($1::bigint[]) AND valid_until IS NULL;

-- name: delete_phones
-- They are written anew, but for those that nobody says any more: $1 contacts.
DELETE FROM contact.contact_phones WHERE contact_id = ANY($1::bigint[]) AND valid_until IS NULL;

-- name: delete_employments
-- They are written anew: $1 contacts.
DELETE FROM contact.contact_employment WHERE contact_id = ANY($1::bigint[]);

-- name: retire_bindings
-- $1 binding ids, $2 now.
UPDATE contact.workspace_contact_binding SET deleted_at = $2, updated_at = $2
WHERE id = ANY($1::bigint[]);

-- name: revive_bindings
-- Bindings are in use, and show what people set: $1 ids, $2 stages, $3 owners, $4 favourites,
-- $5 data owners. One that was out of use still has the groups of whom it stood for then;
-- `keep_groups` says which those are now, where anybody is in any.
UPDATE contact.workspace_contact_binding AS b
SET deleted_at = NULL, stage = u.stage::contact.stage, contact_owner_id = u.owner_id,
    is_favorite = u.is_favorite, data_owner = u.data_owner::contact.data_owner, groups = '{}'
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::boolean[], $5::text[])
    AS u (id, stage, owner_id, is_favorite, data_owner)
WHERE b.id = u.id;

-- name: forget_own
-- What is a home's own of a binding is what it shows once the home stands alone: $1 homes.
DELETE FROM contact.binding_home WHERE contact_id = ANY($1::bigint[]);

-- name: save_own
-- $1 tenant, $2 homes, $3 workspaces, $4 stages, $5 owners, $6 favourites, $7 data owners.
INSERT INTO contact.binding_home
    (tenant_id, contact_id, workspace_id, stage, contact_owner_id, is_favorite, data_owner)
SELECT $1, u.contact_id, u.workspace_id, u.stage::contact.stage, u.owner_id, u.is_favorite,
       u.data_owner::contact.data_owner
FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::text[])
    AS u (contact_id, workspace_id, stage, owner_id, is_favorite, data_owner)
ON CONFLICT (contact_id, workspace_id) DO UPDATE
SET stage = excluded.stage, contact_owner_id = excluded.contact_owner_id,
    is_favorite = excluded.is_favorite, data_owner = excluded.data_owner;

-- name: log_merge
-- $1 tenant, $2 merge, $3 survivor, $4 absorbed, $5 and $6 the two as they were named, $7 whether a
-- person merged, $8 why, $9 snapshot, $10 identifiers and $11 jobs that changed hands, $12 now,
-- $13 the machine's decision, $14 its score of 100.
INSERT INTO contact.contact_merge_log
    (tenant_id, merge_id, merged_into_id, merged_from_id, named_into_id, named_from_id, by_person,
     merge_reason, absorbed_contact_snapshot, identifiers_transferred, affiliations_transferred,
     merged_at, decision_id, similarity_score)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: log_split
-- $1 tenant, $2 merges, $3 now.
UPDATE contact.contact_merge_log SET split_at = $3, split_by = contact.acting_user()
WHERE tenant_id = $1 AND merge_id = ANY($2::text[]) AND split_at IS NULL;

-- name: unresolve_merges
-- Free the place of whom a merge absorbs where that is about to change: $1 tenant, $2 merges,
-- $3 survivors, $4 absorbed.
UPDATE contact.contact_merge_log AS l SET merged_from_id = -l.id
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (merge_id, survivor, absorbed)
WHERE l.tenant_id = $1 AND l.merge_id = u.merge_id AND l.split_at IS NULL
    AND l.merged_from_id <> u.absorbed;

-- name: resolve_merges
-- What merges in force come to now that one is undone: $1 tenant, $2 merges, $3 survivors,
-- $4 absorbed.
UPDATE contact.contact_merge_log AS l
SET merged_into_id = u.survivor, merged_from_id = u.absorbed
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (merge_id, survivor, absorbed)
WHERE l.tenant_id = $1 AND l.merge_id = u.merge_id AND l.split_at IS NULL
    AND (l.merged_into_id, l.merged_from_id) <> (u.survivor, u.absorbed);

-- name: withdraw_judgements
-- A newer word about these pairs follows: $1 tenant, $2 and $3 the pairs, $4 now.
UPDATE contact.identity_judgement AS j
SET withdrawn_at = $4, withdrawn_by = contact.acting_user()
FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b)
WHERE j.tenant_id = $1 AND j.entity_type = 'contact' AND j.entity_id_a = u.a
    AND j.entity_id_b = u.b AND j.withdrawn_at IS NULL;

-- name: save_judgements
-- With at most 1,000 records of either side, for the time when the contacts are others: $1 tenant,
-- $2 and $3 the pairs, $4 the judgement, $5 why, $6 the command, $7 now.
WITH said AS (
    INSERT INTO contact.identity_judgement
        (tenant_id, entity_type, judgement, entity_id_a, entity_id_b, reason, cause, decided_at)
    SELECT $1, 'contact', $4::contact.judgement, u.a, u.b, $5, $6, $7
    FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b)
    RETURNING id, entity_id_a, entity_id_b
)
INSERT INTO contact.identity_judgement_record (judgement_id, tenant_id, record_key, side)
SELECT DISTINCT ON (said.id, r.record_key) said.id, $1, r.record_key, side.name
FROM said
CROSS JOIN LATERAL (VALUES ('a', said.entity_id_a), ('b', said.entity_id_b)) AS side (name, home)
JOIN contact.contact AS c ON c.id = side.home
CROSS JOIN LATERAL (
    SELECT s.record_key FROM contact.source_record AS s
    LEFT JOIN contact.record_home AS h ON h.tenant_id = s.tenant_id
        AND h.record_key = s.record_key AND h.revision = s.revision
    WHERE s.contact_id = coalesce(c.merged_into_id, c.id) AND s.superseded_at IS NULL
        AND coalesce(h.home_id, s.contact_id) = side.home
    LIMIT 1000
) AS r
ORDER BY said.id, r.record_key, side.name;

-- name: settle_candidates
-- $1 tenant, $2 and $3 the pairs, $4 statuses, $5 now.
UPDATE contact.contact_dedup_candidates AS c
SET status = u.status::contact.candidate_status, resolved_at = $5, reviewed_at = $5,
    reviewed_by = contact.acting_user()
FROM (
    SELECT found.place, named.status
    FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS named (a, b, status)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM contact.contact_dedup_candidates
        WHERE tenant_id = $1 AND contact_id_a = named.a AND contact_id_b = named.b LIMIT 1
    ) AS found
) AS u
WHERE c.ctid = u.place;

-- name: find_command
-- What a command that was carried out led to: $1 command, $2 tenant.
SELECT c.public_id, l.applied_version FROM contact.command_log AS l
JOIN contact.contact AS c ON c.id = l.contact_id
WHERE l.command_id = $1 AND l.tenant_id = $2 AND l.entity_type = 'contact';
