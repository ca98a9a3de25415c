-- name: reference
-- Every source with its priority.
SELECT id, source_provider, priority, source_type::text FROM contact.data_source;

-- name: act_for
-- Say whose order this transaction carries out: $1 the user's number.
SELECT set_config('kith.user_id', $1, true);

-- name: take_ids
-- $1 how many; ids are drawn in blocks and kept by the process, gaps are harmless.
SELECT nextval('contact.contact_id_seq') AS contact,
       nextval('contact.organisation_id_seq') AS company,
       nextval('contact.workspace_contact_binding_id_seq') AS binding
FROM generate_series(1, $1::int);

-- name: lock
-- $1 keys, sorted by the caller: advisory locks, since a row lock would assign a transaction id
-- before the batch knows all its contacts (runtime 2.1).
SELECT count(pg_advisory_xact_lock(key)) FROM unnest($1::bigint[]) AS key;

-- name: find_holders
-- Who holds these identifiers: $1 keys.
SELECT u.tenant_id, u.kind, u.value, i.contact_id
FROM unnest($1::contact.identifier_key[]) AS u
CROSS JOIN LATERAL (
    SELECT contact_id FROM contact.contact_identifier
    WHERE tenant_id = u.tenant_id AND identifier_type = u.kind::contact.identifier_type
        AND normalized_value = u.value AND deleted_at IS NULL
    LIMIT 1
) AS i;

-- name: find_gating
-- Who holds these identifiers, and which of them several people were seen with; while that is
-- suspected only, the contacts that stand for them now: $1 keys.
SELECT u.tenant_id, u.kind, u.value, i.contact_id, s.sharing::text,
       ARRAY(
           SELECT DISTINCT coalesce(c.merged_into_id, c.id)
           FROM contact.shared_identifier_contact AS w
           JOIN contact.contact AS c ON c.id = w.contact_id
           WHERE s.sharing = 'suspected' AND c.status <> 'deleted' AND w.tenant_id = u.tenant_id
               AND w.identifier_type = u.kind::contact.identifier_type
               AND w.normalized_value = u.value
           ORDER BY 1
       ) AS contacts
FROM unnest($1::contact.identifier_key[]) AS u
LEFT JOIN LATERAL (
    SELECT contact_id FROM contact.contact_identifier
    WHERE tenant_id = u.tenant_id AND identifier_type = u.kind::contact.identifier_type
        AND normalized_value = u.value AND deleted_at IS NULL
    LIMIT 1
) AS i ON true
LEFT JOIN LATERAL (
    SELECT sharing FROM contact.shared_identifier
    WHERE tenant_id = u.tenant_id AND identifier_type = u.kind::contact.identifier_type
        AND normalized_value = u.value
    LIMIT 1
) AS s ON true
WHERE i.contact_id IS NOT NULL OR s.sharing IS NOT NULL;

-- name: find_revisions
-- What the ledger holds of these records, oldest first. Of what was replaced, as much as can be
-- repeated by what was stated between two moments, and the last for its number: a record may have
-- been told anew ten thousand times. $1 names, $2 and $3 the earliest and the latest statement of each.
SELECT u.tenant_id, u.record_key, r.*
FROM unnest($1::contact.record_name[], $2::timestamptz[], $3::timestamptz[])
    AS u (tenant_id, record_key, earliest, latest)
CROSS JOIN LATERAL (
    SELECT revision, content_hash, occurred_at, source_version,
           superseded_at IS NULL AS current, contact_id, applied_version, import_id,
           undone_at IS NOT NULL AS is_undone
    FROM contact.source_record AS s
    WHERE s.tenant_id = u.tenant_id AND s.record_key = u.record_key
        AND (superseded_at IS NULL OR undone_at IS NOT NULL
             OR occurred_at BETWEEN u.earliest AND u.latest
             OR revision = (SELECT max(revision) FROM contact.source_record
                            WHERE tenant_id = u.tenant_id AND record_key = u.record_key))
    ORDER BY revision OFFSET 0
) AS r;

-- name: get_contacts
-- With whether they were merged or split since the caller may have begun to read: $1 ids.
SELECT id, tenant_id, public_id, version, status::text, reshaped_at,
       coalesce(reshaped_at > now() - interval '1 minute', false) AS reshaped
FROM contact.contact
WHERE id = ANY($1::bigint[]);

-- name: find_claims
-- What every current source record says of these contacts: $1 contact ids.
SELECT contact_id, record_key, source_id, workspace_id, confidence, occurred_at, facts
FROM contact.source_record WHERE contact_id = ANY($1::bigint[]) AND superseded_at IS NULL;

-- name: find_claims_since
-- What current source records have come to say of contacts: $1 contact ids, $2 versions.
SELECT u.contact_id, r.*
FROM unnest($1::bigint[], $2::integer[]) AS u (contact_id, version)
CROSS JOIN LATERAL (
    SELECT record_key, source_id, workspace_id, confidence, occurred_at, facts
    FROM contact.source_record AS s
    WHERE s.contact_id = u.contact_id AND superseded_at IS NULL AND applied_version > u.version
    OFFSET 0
) AS r;

-- name: find_bindings
-- $1 contact ids.
SELECT contact_id, workspace_id, id, data_owner = 'user' AS is_owned
FROM contact.workspace_contact_binding
WHERE contact_id = ANY($1::bigint[]) AND deleted_at IS NULL;

-- name: find_asked_pairs
-- Pairs of these contacts that a person was asked about already: those ever put up for review, and
-- those that a person keeps apart, or whom they absorbed.  The lower id is first: $1 contact ids,
-- $2 their tenants.
WITH home AS (
    SELECT id, id AS root FROM unnest($1::bigint[]) AS u (id)
    UNION ALL
    SELECT id, merged_into_id FROM contact.contact WHERE merged_into_id = ANY($1::bigint[])
)
SELECT contact_id_a, contact_id_b FROM contact.contact_dedup_candidates
WHERE contact_id_a = ANY($1::bigint[]) AND contact_id_b = ANY($1::bigint[])
UNION ALL
SELECT least(one.root, other.root), greatest(one.root, other.root)
FROM contact.identity_judgement AS apart
JOIN home AS one ON one.id = apart.entity_id_a
JOIN home AS other ON other.id = apart.entity_id_b
WHERE apart.tenant_id = ANY($2::bigint[]) AND apart.entity_type = 'contact'
    AND apart.entity_id_a = ANY(ARRAY(SELECT id FROM home))
    AND apart.judgement = 'cannot_link' AND apart.withdrawn_at IS NULL
    AND other.root <> one.root;

-- name: find_companies
-- $1 keys: domains and normalised names.
SELECT u.tenant_id, u.kind, u.value, o.id, o.public_id, o.name
FROM unnest($1::contact.identifier_key[]) AS u
CROSS JOIN LATERAL (
    SELECT org_id FROM contact.org_identifier
    WHERE tenant_id = u.tenant_id AND identifier_type = u.kind::contact.org_identifier_type
        AND normalized_value = u.value AND deleted_at IS NULL
    LIMIT 1
) AS i
CROSS JOIN LATERAL (
    SELECT id, public_id, name FROM contact.organisation WHERE id = i.org_id LIMIT 1
) AS o;

-- name: get_company_ids
-- $1 public ids.
SELECT public_id, id FROM contact.organisation WHERE public_id = ANY($1::text[]);

-- name: supersede
-- $1 names, $2 now.
UPDATE contact.source_record r SET superseded_at = $2
FROM unnest($1::contact.revision_name[]) AS u
WHERE r.tenant_id = u.tenant_id AND r.record_key = u.record_key AND r.revision = u.revision;

-- name: insert_ledger
-- One row per delivery; what was stale at birth is superseded at once: $1 rows, $2 now, $3 the
-- import of each.
INSERT INTO contact.source_record (
    tenant_id, workspace_id, source_id, record_key, revision, content_hash, source_record_id,
    source_version, signal_id, occurred_at, received_at, contact_id, applied_version, confidence,
    import_source, facts, raw, rejected, applied_at, superseded_at, import_id)
SELECT tenant_id, workspace_id, source_id, record_key, revision, content_hash, source_record_id,
       source_version, signal_id, occurred_at, received_at, contact_id, applied_version,
       confidence, import_source, facts, raw, rejected, $2::timestamptz,
       CASE WHEN stale THEN $2::timestamptz END, u.import_id
FROM unnest($1::contact.ledger_row[], $3::text[])
    AS u (tenant_id, workspace_id, source_id, record_key, revision, content_hash,
          source_record_id, source_version, signal_id, occurred_at, received_at, contact_id,
          applied_version, confidence, import_source, facts, raw, rejected, stale, import_id);

-- name: write_contacts
-- New contacts, changed ones, and new identifiers of both, in one go: a statement more is a wait more,
-- twice where the processors are busy: $1 rows, $2 changes, $3 identifiers, $4 now.
WITH made AS (
    INSERT INTO contact.contact
        (id, tenant_id, public_id, status, source_id, version, created_at, updated_at)
    SELECT id, tenant_id, public_id, status::contact.contact_status, source_id, version, $4, $4
    FROM unnest($1::contact.contact_row[])
),
changed AS (
    UPDATE contact.contact c
    SET version = u.version, status = u.status::contact.contact_status, updated_at = $4
    FROM unnest($2::contact.contact_change[]) AS u
    WHERE c.id = u.id
)
INSERT INTO contact.contact_identifier
    (tenant_id, identifier_type, normalized_value, contact_id, source_id, confidence,
     assumed_region, created_at)
SELECT tenant_id, kind::contact.identifier_type, value, contact_id, source_id, confidence,
       assumed_region, $4
FROM unnest($3::contact.identifier_row[]);

-- name: write_details
-- What contacts have several of, and new views of contacts, in one go. An e-mail or a phone that is
-- there already is told in another way, or again; the first binding of a contact is its
-- authoritative one: $1 e-mails, $2 phones, $3 jobs, $4 what makes each the same job as another,
-- $5 bindings, $6 latest data, $7 now.
WITH mail AS (
    INSERT INTO contact.contact_email AS e
        (tenant_id, contact_id, email, label, is_primary, source_id, created_at)
    SELECT tenant_id, contact_id, value, label, is_primary, source_id, $7
    FROM unnest($1::contact.point_row[])
    ON CONFLICT (contact_id, email) DO UPDATE
    SET label = excluded.label, is_primary = excluded.is_primary, source_id = excluded.source_id,
        status = CASE WHEN e.valid_until IS NULL THEN e.status ELSE 'unverified' END,
        valid_until = NULL
),
phone AS (
    INSERT INTO contact.contact_phones AS p
        (tenant_id, contact_id, e164_number, label, is_primary, source_id, created_at)
    SELECT tenant_id, contact_id, value, label, is_primary, source_id, $7
    FROM unnest($2::contact.point_row[])
    ON CONFLICT (contact_id, e164_number) DO UPDATE
    SET label = excluded.label, is_primary = excluded.is_primary, source_id = excluded.source_id,
        status = CASE WHEN p.valid_until IS NULL THEN p.status ELSE 'unverified' END,
        valid_until = NULL
),
job AS (
    INSERT INTO contact.contact_employment
        (tenant_id, contact_id, org_id, company_name, title, department, start_date, end_date,
         is_current, source_id, created_at, job_key)
    SELECT tenant_id, contact_id, org_id, company_name, title, department, start_date, end_date,
           is_current, source_id, $7, job_key
    FROM unnest($3::contact.employment_row[], $4::text[])
        AS u (tenant_id, contact_id, org_id, company_name, title, department, start_date, end_date,
              is_current, source_id, job_key)
),
binding AS (
    INSERT INTO contact.workspace_contact_binding
        (id, tenant_id, workspace_id, contact_id, first_name, last_name, full_name, title,
         headline, primary_email, primary_phone, city, state, country, current_org_id,
         current_org_name, import_source, labels, notes, custom_fields, seniority, departments,
         timezone, avatar_url, created_at, updated_at)
    SELECT id, tenant_id, workspace_id, contact_id, first_name, last_name, full_name, title,
           headline, primary_email, primary_phone, city, state, country, org_id, org_name,
           import_source, labels, notes, custom_fields, seniority,
           string_to_array(departments, ','), timezone, avatar_url, $7, $7
    FROM unnest($5::contact.shown_row[])
)
INSERT INTO contact.contact_latest_data
    (contact_id, workspace_contact_binding_id, tenant_id, updated_at)
SELECT contact_id, binding_id, tenant_id, $7 FROM unnest($6::contact.latest_row[]);

-- name: save_enriched
-- When vendors told of contacts, where that is newer: $1 contacts, $2 times.
UPDATE contact.contact AS c SET last_enriched_at = u.told_at
FROM unnest($1::bigint[], $2::timestamptz[]) AS u (id, told_at)
WHERE c.id = u.id AND (c.last_enriched_at IS NULL OR c.last_enriched_at < u.told_at);

-- name: save_sharing
-- How many people were seen with an identifier; a person's word on it stands: $1 tenants, $2 types, $3 values, $4 sharing,
-- $5 how many contacts, $6 now.
INSERT INTO contact.shared_identifier AS s
    (tenant_id, identifier_type, normalized_value, sharing, reason, contacts, first_seen_at,
     changed_at)
SELECT u.tenant_id, u.kind::contact.identifier_type, u.value, u.sharing::contact.sharing,
       'fan_out', u.contacts, $6, $6
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[])
    AS u (tenant_id, kind, value, sharing, contacts)
ON CONFLICT (tenant_id, identifier_type, normalized_value) DO UPDATE
SET sharing = excluded.sharing, contacts = excluded.contacts, changed_at = excluded.changed_at
WHERE s.reason = 'fan_out';

-- name: insert_sharing_contacts
-- Who was seen with an identifier: $1 tenants, $2 types, $3 values, $4 contacts.
INSERT INTO contact.shared_identifier_contact
    (tenant_id, identifier_type, normalized_value, contact_id)
SELECT u.tenant_id, u.kind::contact.identifier_type, u.value, u.contact_id
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
    AS u (tenant_id, kind, value, contact_id)
ON CONFLICT DO NOTHING;

-- name: retire_identifiers
-- These gate no more: $1 keys, $2 now. Each is looked up by itself: joined, a young table is read
-- whole. Whoever writes an identifier holds its lock or its contact's: a row is still where it was
-- found.
UPDATE contact.contact_identifier AS i
SET deleted_at = $2
FROM (
    SELECT found.place FROM unnest($1::contact.identifier_key[]) AS named
    CROSS JOIN LATERAL (
        SELECT held.ctid AS place FROM contact.contact_identifier AS held
        WHERE held.tenant_id = named.tenant_id AND held.normalized_value = named.value
            AND held.identifier_type = named.kind::contact.identifier_type
            AND held.deleted_at IS NULL
        LIMIT 1
    ) AS found
) AS u
WHERE i.ctid = u.place;

-- name: say_identifiers
-- Identifiers that a record says again, or none says any more; those resolve all the same:
-- $1 tenants, $2 types, $3 values, $4 sources, null where none says it, $5 confidences, $6 whether
-- the region was assumed, $7 now. Each is looked up by itself, as above.
UPDATE contact.contact_identifier AS i
SET status = CASE WHEN u.source_id IS NULL THEN 'inactive' WHEN i.status = 'inactive' THEN 'active'
             ELSE i.status END::contact.identifier_status,
    valid_until = CASE WHEN u.source_id IS NULL THEN coalesce(i.valid_until, $7::date) END,
    source_id = coalesce(u.source_id, i.source_id),
    confidence = coalesce(u.confidence, i.confidence),
    assumed_region = coalesce(u.assumed_region, i.assumed_region),
    updated_at = $7
FROM (
    SELECT said.source_id, said.confidence, said.assumed_region, found.place
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::real[], $6::boolean[])
        AS said (tenant_id, kind, value, source_id, confidence, assumed_region)
    CROSS JOIN LATERAL (
        SELECT held.ctid AS place FROM contact.contact_identifier AS held
        WHERE held.tenant_id = said.tenant_id AND held.normalized_value = said.value
            AND held.identifier_type = said.kind::contact.identifier_type
            AND held.deleted_at IS NULL
        LIMIT 1
    ) AS found
) AS u
WHERE i.ctid = u.place;

-- name: queue_reconsideration
-- Contacts that may have taken records by a value found out to be shared, or that matching may
-- have merged by it: $1 tenant, $2 type, $3 value, $4 contacts, $5 its blocking key or null,
-- $6 the tenant's public id, $7 what found it out, $8 when kith first saw that, $9 its trace
-- context, $10 when it was found out.
INSERT INTO contact.reconsideration
    (tenant_id, identifier_type, normalized_value, contact_id, tenant, cause, received_at,
     traceparent, created_at, due_at)
SELECT $1::bigint, $2::text::contact.identifier_type, $3, who.contact_id, $6, $7, $8::timestamptz,
       $9, $10::timestamptz, $10
FROM (
    SELECT unnest($4::bigint[]) AS contact_id
    UNION
    SELECT contact_id FROM contact.blocking_key WHERE tenant_id = $1 AND key = $5::bigint
) AS who
ON CONFLICT DO NOTHING;

-- name: set_email_statuses
-- What was found out of e-mails: $1 contacts, $2 e-mails, $3 statuses.
UPDATE contact.contact_email AS e SET status = u.status
FROM unnest($1::bigint[], $2::text[], $3::text[]::contact.email_status[])
    AS u (contact_id, value, status)
WHERE e.contact_id = u.contact_id AND e.email = u.value AND e.valid_until IS NULL
    AND e.status <> u.status;

-- name: set_phone_statuses
-- What was found out of phones: $1 contacts, $2 numbers, $3 statuses.
UPDATE contact.contact_phones AS p SET status = u.status
FROM unnest($1::bigint[], $2::text[], $3::text[]::contact.phone_status[])
    AS u (contact_id, value, status)
WHERE p.contact_id = u.contact_id AND p.e164_number = u.value AND p.valid_until IS NULL
    AND p.status <> u.status;

-- name: drop_emails
-- No record says these any more: what was found out about them stays: $1 contacts, $2 e-mails,
-- $3 now.
UPDATE contact.contact_email AS e SET valid_until = $3::date
FROM unnest($1::bigint[], $2::text[]) AS u (contact_id, value)
WHERE e.contact_id = u.contact_id AND e.email = u.value AND e.valid_until IS NULL;

-- name: drop_phones
-- No record says these any more: what was found out about them stays: $1 contacts, $2 phones,
-- $3 now.
UPDATE contact.contact_phones AS p SET valid_until = $3::date
FROM unnest($1::bigint[], $2::text[]) AS u (contact_id, value)
WHERE p.contact_id = u.contact_id AND p.e164_number = u.value AND p.valid_until IS NULL;

-- name: insert_companies
-- $1 rows, $2 now.
INSERT INTO contact.organisation
    (id, tenant_id, public_id, name, primary_domain, source_id, version, created_at, updated_at)
SELECT id, tenant_id, public_id, name, domain, source_id, 1, $2, $2
FROM unnest($1::contact.company_row[]);

-- name: insert_company_identifiers
-- A name that another company has stays that company's: $1 rows, $2 now.
INSERT INTO contact.org_identifier
    (tenant_id, identifier_type, normalized_value, org_id, created_at)
SELECT tenant_id, kind::contact.org_identifier_type, value, org_id, $2
FROM unnest($1::contact.company_identifier_row[])
ON CONFLICT (tenant_id, identifier_type, normalized_value) WHERE deleted_at IS NULL DO NOTHING;

-- name: insert_company_candidates
-- New companies whose name another has already: a person says whether they are one, since a name
-- alone merges nobody: $1 ids, $2 normalised names, $3 now.
INSERT INTO contact.org_dedup_candidates
    (tenant_id, org_id_a, org_id_b, reason, evidence, created_at)
SELECT o.tenant_id, least(o.id, i.org_id), greatest(o.id, i.org_id), 'same_name',
       jsonb_build_array(o.name, other.name), $3
FROM unnest($1::bigint[], $2::text[]) AS u (id, name_key)
JOIN contact.organisation AS o ON o.id = u.id
JOIN contact.org_identifier AS i ON i.tenant_id = o.tenant_id
    AND i.identifier_type = 'name_normalized' AND i.deleted_at IS NULL
    AND i.normalized_value = u.name_key
JOIN contact.organisation AS other ON other.id = i.org_id
WHERE i.org_id <> o.id
ON CONFLICT DO NOTHING;

-- name: drop_employments
-- No record tells of these jobs any more; one written before keys were is known by its words, and one
-- of before keys had a start by that, too: $1 contacts, $2 what makes them the same job.
DELETE FROM contact.contact_employment AS e
USING unnest($1::bigint[], $2::text[]) AS u (contact_id, job_key)
WHERE e.contact_id = u.contact_id
    AND CASE
        WHEN e.job_key IS NULL
            THEN concat_ws(chr(31), lower(concat(e.company_name, chr(31), e.title)), e.start_date)
        WHEN split_part(e.job_key, chr(31), 3) = '' THEN concat_ws(chr(31), e.job_key, e.start_date)
        ELSE e.job_key
    END = u.job_key;

-- name: update_bindings
-- The import source stays what it was at first: $1 rows, $2 now.
UPDATE contact.workspace_contact_binding b
SET first_name = u.first_name, last_name = u.last_name, full_name = u.full_name, title = u.title,
    headline = u.headline, primary_email = u.primary_email, primary_phone = u.primary_phone,
    city = u.city, state = u.state, country = u.country, current_org_id = u.org_id,
    current_org_name = u.org_name, labels = u.labels, notes = u.notes,
    custom_fields = u.custom_fields, seniority = u.seniority,
    departments = string_to_array(u.departments, ','), timezone = u.timezone,
    avatar_url = u.avatar_url, updated_at = $2
FROM unnest($1::contact.shown_row[]) AS u
WHERE b.id = u.id;

-- name: insert_audit
-- $1 rows, $2 now.
INSERT INTO contact.contact_field_audit
    (tenant_id, entity_type, entity_id, workspace_id, field_name, old_value, new_value, source_id,
     cause, changed_at)
SELECT tenant_id, 'contact_binding', binding_id, workspace_id, field_name, old_value, new_value,
       source_id, cause, $2
FROM unnest($1::contact.audit_row[]);

-- name: flip_latest_data
-- Another binding of these contacts counts most now: $1 contacts, $2 bindings, $3 now.
UPDATE contact.contact_latest_data AS l
SET workspace_contact_binding_id = u.binding_id, updated_at = $3
FROM unnest($1::bigint[], $2::bigint[]) AS u (contact_id, binding_id)
WHERE l.contact_id = u.contact_id AND l.workspace_contact_binding_id <> u.binding_id;

-- name: insert_candidates
-- $1 rows, $2 now, $3 the reason of each.
INSERT INTO contact.contact_dedup_candidates
    (tenant_id, contact_id_a, contact_id_b, reason, evidence, created_at)
SELECT u.tenant_id, u.a, u.b, u.reason, u.evidence, $2
FROM unnest($1::contact.candidate_row[], $3::text[]) AS u (tenant_id, a, b, evidence, reason)
ON CONFLICT DO NOTHING;

-- name: publish_contact_events
-- The event and its message in one go, so that the body travels once; rows in the order of the
-- plan, which is version order per contact: $1 rows, $2 now. A transaction has its id before it
-- takes the first number of the outbox: from where that is read hangs on it (`Floor`).
WITH told AS MATERIALIZED (
    SELECT * FROM unnest($1::contact.event_row[]) WHERE pg_current_xact_id() IS NOT NULL
),
kept AS (
    INSERT INTO contact.contact_event
        (tenant_id, entity_id, entity_public_id, sequence_number, event_id, event_type, payload,
         workspace_id, cause, occurred_at, recorded_at)
    SELECT tenant_id, entity_id, public_id, sequence_number, event_id, event_type,
           payload::jsonb, workspace_id, cause, occurred_at, $2
    FROM told
)
INSERT INTO contact.outbox (shard, key, headers, value)
SELECT shard, public_id, headers, convert_to(payload, 'UTF8') FROM told;

-- name: publish_company_events
-- The event and its message in one go, so that the body travels once; rows in the order of the
-- plan, which is version order per company: $1 rows, $2 now. A transaction has its id before it
-- takes the first number of the outbox: from where that is read hangs on it (`Floor`).
WITH told AS MATERIALIZED (
    SELECT * FROM unnest($1::contact.event_row[]) WHERE pg_current_xact_id() IS NOT NULL
),
kept AS (
    INSERT INTO contact.organisation_event
        (tenant_id, entity_id, entity_public_id, sequence_number, event_id, event_type, payload,
         workspace_id, cause, occurred_at, recorded_at)
    SELECT tenant_id, entity_id, public_id, sequence_number, event_id, event_type,
           payload::jsonb, workspace_id, cause, occurred_at, $2
    FROM told
)
INSERT INTO contact.outbox (shard, key, headers, value)
SELECT shard, public_id, headers, convert_to(payload, 'UTF8') FROM told;

-- name: find_named
-- Contacts by public id: $1 tenants, $2 public ids.
SELECT c.tenant_id, c.public_id, c.id
FROM unnest($1::bigint[], $2::text[]) AS u (tenant_id, public_id)
JOIN contact.contact c ON c.public_id = u.public_id AND c.tenant_id = u.tenant_id;

-- name: find_asked
-- Who stands for contacts that vendors were asked about: $1 tenants, $2 public ids.
SELECT c.tenant_id, c.public_id, coalesce(c.merged_into_id, c.id) AS id
FROM unnest($1::bigint[], $2::text[]) AS u (tenant_id, public_id)
JOIN contact.contact c ON c.public_id = u.public_id AND c.tenant_id = u.tenant_id;

-- name: find_commands
-- Commands already carried out: $1 command ids.
SELECT command_id FROM contact.command_log WHERE command_id = ANY($1::text[]);

-- name: log_commands
-- $1 rows, $2 now.
INSERT INTO contact.command_log (command_id, tenant_id, contact_id, applied_version, applied_at)
SELECT command_id, tenant_id, contact_id, applied_version, $2
FROM unnest($1::contact.command_row[]);

-- name: count_open_candidates
-- Pairs that wait for a decision.
SELECT count(*) FROM contact.contact_dedup_candidates WHERE status = 'open';

-- name: lead_shard
-- $1 class of the leases, $2 shard: true when this session leads it now.
SELECT pg_try_advisory_lock($1::int, $2::int);

-- name: read_outbox
-- The oldest $2 events of each shard in $1 with a number above $3, in order: per contact that is
-- version order, since the row was written while the contact was locked.
SELECT o.shard, o.seq, o.key, o.headers, o.value
FROM unnest($1::smallint[]) AS led (shard)
CROSS JOIN LATERAL (
    SELECT shard, seq, key, headers, value FROM contact.outbox
    WHERE outbox.shard = led.shard AND outbox.seq > $3 ORDER BY shard, seq LIMIT $2
) AS o;

-- name: look_around
-- The oldest transaction id in use, and a new one: whoever has written has one in between.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
       pg_current_xact_id()::text::bigint AS newest;

-- name: delete_published
--- By name, not up to the last one: a transaction that began before may commit after.
--- $1 shards, $2 their events' numbers. Each is looked up by itself: joined, the whole queue was read
--- for every one of them, since the planner has mostly seen this table empty.
DELETE FROM contact.outbox WHERE ctid = ANY (ARRAY(
    SELECT found.ctid FROM unnest($1::smallint[], $2::bigint[]) AS u (shard, seq)
    CROSS JOIN LATERAL (
        SELECT o.ctid FROM contact.outbox o WHERE o.shard = u.shard AND o.seq = u.seq LIMIT 1
    ) AS found
));

-- name: measure_outbox
-- How many events wait in each shard, and for how long, seconds.
SELECT shard, count(*) AS pending,
       extract(epoch FROM now() - min(created_at))::float8 AS age
FROM contact.outbox GROUP BY shard;

-- name: oldest_writing_transaction
-- Age of the oldest transaction that has written, seconds: it holds back all readers by xid8.
SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float8
FROM pg_stat_activity WHERE backend_xid IS NOT NULL;
