-- name: share_company_decisions
-- No decision about companies is under way in these tenants while this transaction lasts: $1 class
-- of the locks, $2 tenants.
SELECT pg_advisory_xact_lock_shared($1::int, one::int) FROM unnest($2::bigint[]) AS one;

-- name: find_company_revisions
-- What the ledger holds of companies' records, as far as a delivery is compared with it: the present
-- version, the newest, and what was said then already, each by an index; oldest first. $1 tenants,
-- $2 record keys, $3 content hashes, $4 when it was stated.
SELECT DISTINCT u.tenant_id, u.record_key, r.revision, r.content_hash, r.occurred_at,
    r.superseded_at IS NULL AS current, r.org_id, r.workspace_id, r.import_id,
    r.undone_at IS NOT NULL AS is_undone
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::timestamptz[])
    AS u (tenant_id, record_key, content_hash, occurred_at)
CROSS JOIN LATERAL (
    (SELECT * FROM contact.org_source_record
     WHERE tenant_id = u.tenant_id AND record_key = u.record_key AND superseded_at IS NULL
     LIMIT 1)
    UNION ALL
    (SELECT * FROM contact.org_source_record
     WHERE tenant_id = u.tenant_id AND record_key = u.record_key
     ORDER BY revision DESC LIMIT 1)
    UNION ALL
    SELECT * FROM contact.org_source_record
    WHERE tenant_id = u.tenant_id AND record_key = u.record_key
        AND content_hash = u.content_hash AND occurred_at = u.occurred_at
) AS r
ORDER BY u.tenant_id, u.record_key, r.revision;

-- name: find_company_holders
-- Which companies are known by identifiers: $1 tenants, $2 types, $3 values.
SELECT i.tenant_id, i.identifier_type::text AS kind, i.normalized_value AS value, i.org_id
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u (tenant_id, kind, value)
JOIN contact.org_identifier AS i ON i.tenant_id = u.tenant_id
    AND i.identifier_type = u.kind::contact.org_identifier_type AND i.normalized_value = u.value
    AND i.deleted_at IS NULL;

-- name: find_standing
-- Who stands for companies: $1 ids.
SELECT id, coalesce(merged_into_id, id) AS root FROM contact.organisation
WHERE id = ANY($1::bigint[]);

-- name: find_told_companies
-- Companies that stand for themselves, and all that stand behind them: $1 ids.
SELECT o.id, o.public_id, o.tenant_id, t.public_id AS tenant, o.version, o.primary_domain, o.name,
    coalesce(o.born_name, o.name) AS born_name, o.created_at, o.updated_at, o.merged_into_id,
    s.source_provider AS source, s.priority
FROM contact.organisation AS o
JOIN contact.data_source AS s ON s.id = o.source_id
JOIN app.tenant AS t ON t.id = o.tenant_id
WHERE o.id = ANY($1::bigint[]) OR o.merged_into_id = ANY($1::bigint[]);

-- name: find_company_claims
-- What current records say of companies: $1 ids.
SELECT r.org_id, r.record_key, r.confidence, r.occurred_at, r.facts::text AS facts,
    s.source_provider AS source, s.priority
FROM contact.org_source_record AS r
JOIN contact.data_source AS s ON s.id = r.source_id
WHERE r.org_id = ANY($1::bigint[]) AND r.superseded_at IS NULL;

-- name: insert_company_records
-- $1 JSON array of rows, $2 now.
INSERT INTO contact.org_source_record
    (tenant_id, source_id, record_key, revision, content_hash, source_record_id, signal_id,
     occurred_at, received_at, applied_at, superseded_at, org_id, applied_version, confidence,
     facts, workspace_id, import_id, raw, rejected)
SELECT u.tenant_id, u.source_id, decode(u.record_key, 'hex'), u.revision,
    decode(u.content_hash, 'hex'), u.source_record_id, u.signal_id, u.occurred_at, u.received_at, $2,
    CASE WHEN u.superseded THEN $2::timestamptz END, u.org_id, u.applied_version, u.confidence,
    u.facts, u.workspace_id, u.import_id, u.raw, u.rejected
FROM json_to_recordset($1::text::json) AS u (
    tenant_id bigint, source_id smallint, record_key text, revision integer, content_hash text,
    source_record_id text, signal_id text, occurred_at timestamptz, received_at timestamptz,
    superseded boolean, org_id bigint, applied_version integer, confidence real, facts jsonb,
    workspace_id bigint, import_id text, raw json, rejected json);

-- name: supersede_company_records
-- Newer ones stand in their place: $1 tenants, $2 record keys, $3 revisions, $4 now.
UPDATE contact.org_source_record AS r SET superseded_at = $4
FROM unnest($1::bigint[], $2::bytea[], $3::integer[]) AS u (tenant_id, record_key, revision)
WHERE r.tenant_id = u.tenant_id AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: note_company_also_told
-- Others told the same: $1 tenants, $2 record keys, $3 revisions, $4 workspaces, $5 imports, empty
-- where it was none.
UPDATE contact.org_source_record AS r SET also_told = coalesce(r.also_told, '{}') || u.others
FROM (
    SELECT held.tenant_id, held.record_key, held.revision, array_agg(DISTINCT said.name) AS others
    FROM unnest($1::bigint[], $2::bytea[], $3::integer[], $4::bigint[], $5::text[])
        AS named (tenant_id, record_key, revision, workspace_id, import_id)
    CROSS JOIN LATERAL (SELECT named.workspace_id || '/' || named.import_id AS name) AS said
    JOIN contact.org_source_record AS held USING (tenant_id, record_key, revision)
    WHERE said.name <> ALL (coalesce(held.also_told, '{}'))
    GROUP BY held.tenant_id, held.record_key, held.revision
) AS u
WHERE r.tenant_id = u.tenant_id AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: know_companies_by
-- What another company is known by stays that company's: $1 tenants, $2 types, $3 values,
-- $4 companies, $5 sources, $6 confidences, $7 now.
INSERT INTO contact.org_identifier
    (tenant_id, identifier_type, normalized_value, org_id, source_id, confidence, created_at)
SELECT tenant_id, kind::contact.org_identifier_type, value, org_id, source_id, confidence, $7
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::smallint[], $6::real[])
    AS u (tenant_id, kind, value, org_id, source_id, confidence)
ON CONFLICT (tenant_id, identifier_type, normalized_value) WHERE deleted_at IS NULL DO NOTHING;

-- name: propose_companies
-- Companies that one record names both, unless a person keeps them apart: $1 tenants, $2 and $3 the
-- pairs, $4 what the record says of both, $5 now.
INSERT INTO contact.org_dedup_candidates
    (tenant_id, org_id_a, org_id_b, reason, evidence, created_at)
SELECT u.tenant_id, u.a, u.b, 'identifiers_of_several_companies', u.evidence::jsonb, $5
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS u (tenant_id, a, b, evidence)
WHERE NOT EXISTS (
    SELECT FROM contact.identity_judgement AS j
    WHERE j.tenant_id = u.tenant_id AND j.entity_type = 'organisation' AND j.entity_id_a = u.a
        AND j.entity_id_b = u.b AND j.judgement = 'cannot_link' AND j.withdrawn_at IS NULL)
ON CONFLICT DO NOTHING;

-- name: save_company_profiles
-- What companies show now: $1 JSON array of rows, $2 now.
UPDATE contact.organisation AS o SET
    version = u.version, updated_at = $2,
    born_name = coalesce(o.born_name, CASE WHEN u.name <> o.name THEN o.name END),
    name = u.name, primary_domain = coalesce(u.domain, o.primary_domain), industry = u.industry,
    website = u.website, logo_url = u.logo_url, size_range = u.size_range,
    employee_count = u.employee_count, founded_year = u.founded_year,
    revenue_range = u.revenue_range, city = u.city, state = u.state, country = u.country,
    total_funding_cents = u.total_funding_cents, latest_funding_stage = u.latest_funding_stage,
    latest_funding_date = u.latest_funding_date, linkedin_url = u.linkedin_url,
    linkedin_uid = substring(u.linkedin_url FROM '/company/([^/?#]+)'),
    stock_symbol = u.stock_symbol, enrichment_score = u.enrichment_score,
    last_enriched_at = greatest(o.last_enriched_at, u.enriched_at)
FROM jsonb_to_recordset($1::text::jsonb) AS u (
    id bigint, version integer, name text, domain text, industry text, website text, logo_url text,
    size_range text, employee_count integer, founded_year smallint, revenue_range text, city text,
    state text, country text, total_funding_cents bigint,
    latest_funding_stage contact.funding_type, latest_funding_date date, linkedin_url text,
    stock_symbol text, enrichment_score smallint, enriched_at timestamptz)
WHERE o.id = u.id;

-- name: find_company_import
-- Records that an import told, first or as well, and that still count: $1 tenant, $2 workspace,
-- $3 import, $4 how many at most.
(SELECT record_key FROM contact.org_source_record
 WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND undone_at IS NULL LIMIT $4)
UNION
(SELECT record_key FROM contact.org_source_record
 WHERE tenant_id = $1 AND also_told @> ARRAY[$2::bigint || '/' || $3::text] LIMIT $4);

-- name: forget_company_also_told
-- It told the same as others, and does not any more: $1 tenant, $2 workspace, $3 import, $4 record
-- keys.
UPDATE contact.org_source_record
SET also_told = nullif(array_remove(also_told, $2::bigint || '/' || $3::text), '{}')
WHERE tenant_id = $1 AND record_key = ANY($4::bytea[])
    AND also_told @> ARRAY[$2::bigint || '/' || $3::text];

-- name: pass_on_company_records
-- What others told as well is theirs now: $1 tenant, $2 workspace, $3 import, $4 record keys.
UPDATE contact.org_source_record
SET workspace_id = split_part(also_told[1], '/', 1)::bigint,
    import_id = nullif(substr(also_told[1], strpos(also_told[1], '/') + 1), ''),
    also_told = nullif(also_told[2:], '{}')
WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND record_key = ANY($4::bytea[])
    AND undone_at IS NULL AND also_told IS NOT NULL;

-- name: find_company_versions
-- Which versions of these records the import told alone: $1 tenant, $2 workspace, $3 import,
-- $4 record keys.
SELECT record_key, revision FROM contact.org_source_record
WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND record_key = ANY($4::bytea[])
    AND undone_at IS NULL;

-- name: find_company_homes_of
-- Which companies any version of records spoke of: $1 tenant, $2 record keys.
SELECT DISTINCT org_id FROM contact.org_source_record
WHERE tenant_id = $1 AND record_key = ANY($2::bytea[]);

-- name: count_company_import
-- $1 tenant, $2 workspace, $3 import.
SELECT (SELECT count(*) FROM contact.org_source_record
        WHERE tenant_id = $1 AND workspace_id = $2 AND import_id = $3 AND undone_at IS NULL)
    + (SELECT count(*) FROM contact.org_source_record
       WHERE tenant_id = $1 AND also_told @> ARRAY[$2::bigint || '/' || $3::text]);

-- name: undo_company_records
-- They count no more: $1 tenant, $2 record keys, $3 revisions, $4 now.
UPDATE contact.org_source_record AS r
SET undone_at = $4, superseded_at = coalesce(r.superseded_at, $4)
FROM unnest($2::bytea[], $3::integer[]) AS u (record_key, revision)
WHERE r.tenant_id = $1 AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: restore_company_records
-- Of records without a present version the newest that counts is it again: $1 tenant, $2 record keys.
-- One that came too late when it came was never present, and is the newest of what is left all the
-- same.
UPDATE contact.org_source_record AS r SET superseded_at = NULL
FROM (
    SELECT DISTINCT ON (record_key) record_key, revision
    FROM contact.org_source_record
    WHERE tenant_id = $1 AND record_key = ANY($2::bytea[]) AND undone_at IS NULL
    ORDER BY record_key, occurred_at DESC, revision DESC
) AS last
WHERE r.tenant_id = $1 AND r.record_key = last.record_key AND r.revision = last.revision
    AND NOT EXISTS (
        SELECT FROM contact.org_source_record AS present
        WHERE present.tenant_id = $1 AND present.record_key = r.record_key
            AND present.superseded_at IS NULL);
