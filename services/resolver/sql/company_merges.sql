-- name: lock_companies
-- One decision about companies at a time in a tenant: $1 class of the locks, $2 tenant.
SELECT pg_advisory_xact_lock($1::int, $2::int);

-- name: find_company_roots
-- Companies by public id, and who stands for them: $1 tenant, $2 public ids.
SELECT id, public_id, coalesce(merged_into_id, id) AS root FROM contact.organisation
WHERE tenant_id = $1 AND public_id = ANY($2::text[]) AND deleted_at IS NULL;

-- name: find_company_homes
-- All homes of companies that stand for themselves: $1 ids.
SELECT o.id, o.public_id, o.version, coalesce(o.born_name, o.name) AS born_name, o.primary_domain,
       o.created_at, o.parent_org_id, coalesce(o.merged_into_id, o.id) AS root,
       s.source_provider AS source, s.priority
FROM contact.organisation AS o JOIN contact.data_source AS s ON s.id = o.source_id
WHERE o.id = ANY($1::bigint[]) OR o.merged_into_id = ANY($1::bigint[])
ORDER BY o.id;

-- name: find_company_merges
-- Merges in force among these homes, oldest first: $1 ids.
SELECT merge_id, named_into_id, named_from_id, by_person FROM contact.org_merge_log
WHERE named_into_id = ANY($1::bigint[]) AND split_at IS NULL ORDER BY id;

-- name: find_company_relations
-- What people said of these homes, with the names of both ends: $1 ids.
SELECT r.from_org_id, r.to_org_id, r.kind::text, r.since, r.until, f.public_id AS from_name,
       t.public_id AS to_name
FROM contact.org_relation AS r
JOIN contact.organisation AS f ON f.id = r.from_org_id
JOIN contact.organisation AS t ON t.id = r.to_org_id
WHERE r.from_org_id = ANY($1::bigint[]) OR r.to_org_id = ANY($1::bigint[])
ORDER BY r.id;

-- name: find_company_roots_by_id
-- Who stands for companies: $1 ids.
SELECT id, coalesce(merged_into_id, id) AS root FROM contact.organisation
WHERE id = ANY($1::bigint[]);

-- name: find_above
-- Who is above each company that stands for itself, by the parents of all its homes, itself among
-- them: $1 ids.
WITH RECURSIVE above (company, root) AS (
    SELECT one, one FROM unnest($1::bigint[]) AS one
    UNION
    SELECT a.company, coalesce(p.merged_into_id, p.id)
    FROM above AS a
    JOIN contact.organisation AS o ON o.id = a.root OR o.merged_into_id = a.root
    JOIN contact.organisation AS p ON p.id = o.parent_org_id
)
SELECT company, root FROM above;

-- name: find_companies_apart
-- Pairs that a person keeps apart and that name one of these homes: $1 tenant, $2 ids.
SELECT entity_id_a, entity_id_b FROM contact.identity_judgement
WHERE tenant_id = $1 AND entity_type = 'organisation' AND judgement = 'cannot_link'
    AND withdrawn_at IS NULL
    AND (entity_id_a = ANY($2::bigint[]) OR entity_id_b = ANY($2::bigint[]));

-- name: find_open_company_candidates
-- $1 ids.
SELECT org_id_a, org_id_b FROM contact.org_dedup_candidates
WHERE status = 'open' AND (org_id_a = ANY($1::bigint[]) OR org_id_b = ANY($1::bigint[]));

-- name: update_companies
-- $1 ids, $2 versions, $3 who stands for them or null, $4 now.
UPDATE contact.organisation AS o
SET version = u.version, merged_into_id = u.root, updated_at = $4,
    status = CASE WHEN u.root IS NULL THEN 'active' ELSE 'merged' END::contact.contact_status
FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS u (id, version, root)
WHERE o.id = u.id;

-- name: set_parents
-- $1 ids, $2 parents or null.
UPDATE contact.organisation AS o SET parent_org_id = u.parent
FROM unnest($1::bigint[], $2::bigint[]) AS u (id, parent) WHERE o.id = u.id;

-- name: relate_companies
-- $1 tenant, $2 from, $3 to, $4 kind, $5 since, $6 until, $7 now.
INSERT INTO contact.org_relation
    (tenant_id, from_org_id, to_org_id, kind, since, until, source_id, created_at)
SELECT $1, $2, $3, $4::text::contact.org_relation_kind, $5, $6,
       (SELECT id FROM contact.data_source WHERE source_provider = 'manual_entry'), $7;

-- name: unrelate_companies
-- $1 tenant, $2 from, $3 to, $4 kind.
DELETE FROM contact.org_relation
WHERE tenant_id = $1 AND from_org_id = $2 AND to_org_id = $3
    AND kind = $4::text::contact.org_relation_kind;

-- name: log_company_merge
-- $1 tenant, $2 merge, $3 survivor, $4 absorbed, $5 and $6 the two as they were named, $7 why,
-- $8 snapshot, $9 now.
INSERT INTO contact.org_merge_log
    (tenant_id, merge_id, merged_into_id, merged_from_id, named_into_id, named_from_id, by_person,
     merge_reason, absorbed_org_snapshot, merged_at)
VALUES ($1, $2, $3, $4, $5, $6, true, $7, $8, $9);

-- name: log_company_split
-- $1 tenant, $2 merge, $3 now.
UPDATE contact.org_merge_log SET split_at = $3, split_by = contact.acting_user()
WHERE tenant_id = $1 AND merge_id = $2 AND split_at IS NULL;

-- name: unresolve_company_merges
-- Free the place of whom a merge absorbs where that is about to change: $1 tenant, $2 merges,
-- $3 survivors, $4 absorbed.
UPDATE contact.org_merge_log AS l SET merged_from_id = -l.id
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (merge_id, survivor, absorbed)
WHERE l.tenant_id = $1 AND l.merge_id = u.merge_id AND l.split_at IS NULL
    AND l.merged_from_id <> u.absorbed;

-- name: resolve_company_merges
-- What merges in force come to now that one is undone: $1 tenant, $2 merges, $3 survivors,
-- $4 absorbed.
UPDATE contact.org_merge_log AS l
SET merged_into_id = u.survivor, merged_from_id = u.absorbed
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (merge_id, survivor, absorbed)
WHERE l.tenant_id = $1 AND l.merge_id = u.merge_id AND l.split_at IS NULL
    AND (l.merged_into_id, l.merged_from_id) <> (u.survivor, u.absorbed);

-- name: withdraw_company_judgements
-- A newer word about these pairs follows: $1 tenant, $2 and $3 the pairs, $4 now.
UPDATE contact.identity_judgement AS j
SET withdrawn_at = $4, withdrawn_by = contact.acting_user()
FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b)
WHERE j.tenant_id = $1 AND j.entity_type = 'organisation' AND j.entity_id_a = u.a
    AND j.entity_id_b = u.b AND j.withdrawn_at IS NULL;

-- name: judge_companies
-- $1 tenant, $2 and $3 the pairs, $4 the judgement, $5 why, $6 the command, $7 now.
INSERT INTO contact.identity_judgement
    (tenant_id, entity_type, judgement, entity_id_a, entity_id_b, reason, cause, decided_at)
SELECT $1, 'organisation', $4::text::contact.judgement, u.a, u.b, $5, $6, $7
FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b);

-- name: settle_company_candidates
-- $1 tenant, $2 and $3 the pairs, $4 status, $5 now.
UPDATE contact.org_dedup_candidates AS c
SET status = $4::text::contact.candidate_status, resolved_at = $5, reviewed_at = $5,
    reviewed_by = contact.acting_user()
FROM unnest($2::bigint[], $3::bigint[]) AS u (a, b)
WHERE c.tenant_id = $1 AND c.org_id_a = u.a AND c.org_id_b = u.b AND c.status = 'open';

-- name: find_company_command
-- What a command that was carried out led to: $1 command, $2 tenant.
SELECT o.public_id, l.applied_version FROM contact.command_log AS l
JOIN contact.organisation AS o ON o.id = l.contact_id
WHERE l.command_id = $1 AND l.tenant_id = $2 AND l.entity_type = 'organisation';

-- name: log_company_command
-- $1 command, $2 tenant, $3 company, $4 the version that it led to, $5 now.
INSERT INTO contact.command_log
    (command_id, tenant_id, contact_id, applied_version, applied_at, entity_type)
VALUES ($1, $2, $3, $4, $5, 'organisation');
