-- What the demo asks the database, as role kith_cli: it reads, and writes nothing.

-- name: get_default_workspace
-- The oldest workspace: the one that a new install has.
SELECT workspace.id AS workspace_id, workspace.public_id AS workspace, tenant.id AS tenant_id,
       tenant.public_id AS tenant
FROM app.workspace AS workspace JOIN app.tenant AS tenant ON tenant.id = workspace.tenant_id
ORDER BY workspace.id LIMIT 1;

-- name: get_moment
-- The database's clock.
SELECT clock_timestamp();

-- name: get_progress
-- How far the resolver, its matching and the projector are: $1 topic of normalised signals, $2 of
-- events.
SELECT
    (SELECT coalesce(sum(next_offset), 0) FROM contact.kafka_offset
     WHERE consumer_group = 'resolver' AND topic = $1)::bigint AS resolved,
    (SELECT coalesce(sum(next_offset), 0) FROM contact.kafka_offset
     WHERE consumer_group = 'resolver-matching' AND topic = $2)::bigint AS matched,
    (SELECT coalesce(sum(next_offset), 0) FROM read.kafka_offset
     WHERE consumer_group = 'projector' AND topic = $2)::bigint AS projected;

-- name: count_readable
-- Contacts in the read model, all workspaces: reads an index with a page for each hundred rows or
-- so, yet too much to ask for ten times a second.
SELECT count(*) FROM read.contact_view;

-- name: find_offsets
-- What the resolver ($1 group, $2 topic) has stored with its batches.
SELECT partition, next_offset FROM contact.kafka_offset WHERE consumer_group = $1 AND topic = $2;

-- name: find_read_offsets
-- What the projector ($1 group, $2 topic) has stored with its batches.
SELECT partition, next_offset FROM read.kafka_offset WHERE consumer_group = $1 AND topic = $2;

-- name: get_outbox
-- The newest event that waits to be published, and the oldest; both null when none does.
SELECT max(seq) AS newest, min(seq) AS oldest FROM contact.outbox;

-- name: find_records
-- The present contact of each source record whose id begins with $2, in tenant $1.
SELECT source_record_id, contact_id FROM contact.source_record
WHERE tenant_id = $1 AND starts_with(source_record_id, $2) AND superseded_at IS NULL;

-- name: find_records_by_key
-- The present contact of each source record with one of the keys $2, in tenant $1.
SELECT record_key, contact_id FROM contact.source_record
WHERE tenant_id = $1 AND record_key = ANY ($2::bytea[]) AND superseded_at IS NULL;

-- name: find_known_keys
-- Which of the keys $2 tenant $1 had before the moment $3.
SELECT DISTINCT record_key FROM contact.source_record
WHERE tenant_id = $1 AND record_key = ANY ($2::bytea[]) AND applied_at < $3;

-- name: count_contacts
-- All living contacts of tenant $1, and those born since $2.
SELECT count(*) AS living, count(*) FILTER (WHERE created_at >= $2) AS born
FROM contact.contact WHERE tenant_id = $1 AND status <> 'merged' AND deleted_at IS NULL;

-- name: find_open_candidates
-- Pairs of tenant $1 that wait for a person.
SELECT contact_id_a, contact_id_b FROM contact.contact_dedup_candidates
WHERE tenant_id = $1 AND status = 'open';

-- name: count_differences
-- Contacts of workspace $2 in tenant $1 that the read model lacks, has in another version, or has
-- though nobody knows them. One that was absorbed stays in the read model: its id redirects.
SELECT count(*)
FROM (
    SELECT contact.public_id, contact.version
    FROM contact.workspace_contact_binding AS binding
    JOIN contact.contact AS contact ON contact.id = binding.contact_id
    WHERE binding.tenant_id = $1 AND binding.workspace_id = $2 AND binding.deleted_at IS NULL
) AS known
FULL JOIN (
    SELECT public_id, version FROM read.contact_view
    WHERE tenant_id = $1 AND workspace_id = $2 AND status <> 'merged'
) AS shown USING (public_id)
WHERE known.version IS DISTINCT FROM shown.version;

-- name: count_enrichments
-- Questions to vendors of tenant $1 since $2, by what became of them: the reason where there is
-- one, else the status.
SELECT coalesce(CASE WHEN status = 'failed' THEN reason END, status::text) AS outcome,
       count(*) AS number
FROM enrichment.enrichment_requests WHERE tenant_id = $1 AND created_at >= $2
GROUP BY outcome ORDER BY outcome;

-- name: find_examples
-- Contacts of tenant $1 that several records speak of: first those with a record of the sources $2,
-- then those with the most records.  $3 how many.
SELECT contact.public_id
FROM contact.source_record AS record
JOIN contact.contact AS contact ON contact.id = record.contact_id
JOIN contact.data_source AS source ON source.id = record.source_id
WHERE record.tenant_id = $1 AND record.superseded_at IS NULL AND contact.status = 'active'
GROUP BY contact.public_id
HAVING count(*) > 1
ORDER BY bool_or(source.source_provider = ANY ($2::text[])) DESC,
    count(*) DESC, contact.public_id
LIMIT $3;

-- name: find_sources
-- The records that speak of the contacts with public ids $2 in tenant $1.
SELECT contact.public_id, encode(record.record_key, 'hex') AS record_key,
       record.source_record_id, source.source_provider AS source
FROM contact.source_record AS record
JOIN contact.contact AS contact ON contact.id = record.contact_id
JOIN contact.data_source AS source ON source.id = record.source_id
WHERE record.tenant_id = $1 AND contact.public_id = ANY ($2::text[])
    AND record.superseded_at IS NULL
ORDER BY contact.public_id, record.applied_at;
