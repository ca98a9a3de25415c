-- name: share_tables
-- Keep the tables from being swapped by a rebuild until this transaction ends. $1: the lock.
SELECT pg_advisory_xact_lock_shared($1);

-- name: find_places
-- Public ids of all tenants and their workspaces.
SELECT t.id AS tenant_id, t.public_id AS tenant, w.id AS workspace_id, w.public_id AS workspace
FROM app.tenant AS t
LEFT JOIN app.workspace AS w ON w.tenant_id = t.id;

-- name: find_states
-- Contacts as they were last folded, a row per workspace. $1: public ids.
SELECT public_id, version, updated_at, detail
FROM read.contact_view
WHERE public_id = ANY($1::text[]);

-- name: confirm_views
-- Move on the contacts that are at the version before, in all their workspaces, if the one that
-- the events come from is among them. $1: rows.
UPDATE read.contact_view AS v
SET version = u.to_version, updated_at = greatest(v.updated_at, u.occurred_at)
FROM unnest($1::read.confirmed_row[]) AS u
WHERE v.public_id = u.public_id AND v.version = u.from_version
    AND EXISTS (
        SELECT FROM read.contact_view AS b
        WHERE b.public_id = u.public_id AND b.workspace_id = u.workspace_id
            AND b.version = u.from_version
    )
RETURNING v.public_id;

-- name: find_events
-- All events of some contacts, to fill a gap. $1: public ids.
SELECT e.event_type, e.payload, t.public_id AS tenant, w.public_id AS workspace, e.recorded_at
FROM contact.contact AS c
JOIN contact.contact_event AS e ON e.entity_id = c.id
JOIN app.tenant AS t ON t.id = e.tenant_id
LEFT JOIN app.workspace AS w ON w.id = e.workspace_id
WHERE c.public_id = ANY($1::text[])
ORDER BY e.entity_id, e.sequence_number;

-- name: save_views
-- Write contacts, each newer than what is there or not at all. $1: rows, their lists joined by the
-- unit separator.
INSERT INTO read.contact_view AS v (
    tenant_id, workspace_id, public_id, version, status, display_name, first_name, last_name,
    headline, job_title, department, email_primary, phone_primary, company_public_id,
    company_name, city, state, country, linkedin_url, birthday, import_source, source, emails,
    phones, detail, created_at, updated_at, seniority, departments, timezone
)
SELECT
    u.tenant_id, u.workspace_id, u.public_id, u.version, u.status, u.display_name, u.first_name,
    u.last_name, u.headline, u.job_title, u.department, u.email_primary, u.phone_primary,
    u.company_public_id, u.company_name, u.city, u.state, u.country, u.linkedin_url, u.birthday,
    u.import_source, u.source, string_to_array(u.emails, chr(31)),
    string_to_array(u.phones, chr(31)), u.detail, u.created_at, u.updated_at, u.seniority,
    string_to_array(u.departments, chr(31)), u.timezone
FROM unnest($1::read.contact_shown_row[]) AS u
ON CONFLICT (public_id, workspace_id) DO UPDATE SET
    version = excluded.version, status = excluded.status,
    display_name = excluded.display_name, first_name = excluded.first_name,
    last_name = excluded.last_name, headline = excluded.headline,
    job_title = excluded.job_title, department = excluded.department,
    email_primary = excluded.email_primary, phone_primary = excluded.phone_primary,
    company_public_id = excluded.company_public_id, company_name = excluded.company_name,
    city = excluded.city, state = excluded.state, country = excluded.country,
    linkedin_url = excluded.linkedin_url, birthday = excluded.birthday,
    import_source = excluded.import_source, source = excluded.source, emails = excluded.emails, phones = excluded.phones,
    detail = excluded.detail, updated_at = excluded.updated_at, seniority = excluded.seniority,
    departments = excluded.departments, timezone = excluded.timezone
WHERE excluded.version > v.version;

-- name: forget_views
-- Forget contacts in workspaces that know them no longer. $1: contacts, $2 and $3: contact and
-- workspace of those that still do.
DELETE FROM read.contact_view AS v
WHERE v.public_id = ANY($1::text[])
    AND NOT EXISTS (
        SELECT FROM unnest($2::text[], $3::bigint[]) AS u (public_id, workspace_id)
        WHERE u.public_id = v.public_id AND u.workspace_id = v.workspace_id
    );

-- name: save_timeline
-- Write what happened; what is there already stays. $1: rows.
INSERT INTO read.timeline (
    tenant_id, contact_public_id, version, workspace_id, event_type, occurred_at, recorded_at,
    source, summary
)
SELECT u.* FROM unnest($1::read.timeline_row[]) AS u
ON CONFLICT (contact_public_id, version) DO NOTHING;

-- name: save_companies
-- Write companies, each newer than what is there or not at all. $1: rows.
INSERT INTO read.company_view AS v (
    tenant_id, public_id, version, name, domain, source, created_at, survivor_public_id, relations,
    updated_at, profile
)
SELECT u.* FROM unnest($1::read.company_profile_row[]) AS u
ON CONFLICT (public_id) DO UPDATE SET
    version = excluded.version, name = excluded.name, domain = excluded.domain,
    survivor_public_id = excluded.survivor_public_id, relations = excluded.relations,
    updated_at = excluded.updated_at, profile = excluded.profile
WHERE excluded.version > v.version;

-- name: save_activities
-- Write what contacts took part in, each newer than what is there or not at all. $1: rows.
INSERT INTO read.activity AS a (
    tenant_id, workspace_id, contact_public_id, activity_public_id, version, kind, occurred_at,
    source, is_withdrawn, detail
)
SELECT u.* FROM unnest($1::read.activity_row[]) AS u
ON CONFLICT (contact_public_id, activity_public_id) DO UPDATE SET
    version = excluded.version, kind = excluded.kind, occurred_at = excluded.occurred_at,
    source = excluded.source, is_withdrawn = excluded.is_withdrawn, detail = excluded.detail
WHERE excluded.version > a.version;

-- name: hollow_timeline
-- That something happened stays, and nothing that says of whom it told: $1 contacts, $2 versions below
-- which they are hollow.
UPDATE read.timeline AS t SET summary = '{}'
FROM unnest($1::text[], $2::integer[]) AS u (public_id, version)
WHERE t.contact_public_id = u.public_id AND t.version < u.version;

-- name: hollow_activities
-- What erased contacts took part in: $1 contacts.
UPDATE read.activity SET kind = '', source = '', is_withdrawn = true, detail = '{}'
WHERE contact_public_id = ANY($1::text[]);

-- name: find_activities
-- What contacts took part in, to be checked. $1: public ids.
SELECT contact_public_id, activity_public_id, version, kind, occurred_at, is_withdrawn
FROM read.activity
WHERE contact_public_id = ANY($1::text[]);

-- name: save_progress
-- Say how far the read models are. $1: newest recorded time shown.
INSERT INTO read.projection_state AS s (name, recorded_at)
VALUES ('projector', $1)
ON CONFLICT (name) DO UPDATE SET
    recorded_at = greatest(excluded.recorded_at, s.recorded_at), updated_at = now();

-- name: find_page_of_states
-- Contacts as they are shown, to be checked: at most $2 rows' worth after contact $1, whole
-- contacts only.
SELECT v.*, w.public_id AS workspace,
    ARRAY(
        SELECT t.version FROM read.timeline AS t
        WHERE t.contact_public_id = v.public_id AND t.version <= v.version
    ) AS events
FROM read.contact_view AS v
JOIN app.workspace AS w ON w.id = v.workspace_id
WHERE v.public_id IN (
    SELECT DISTINCT p.public_id FROM read.contact_view AS p
    WHERE p.public_id > $1 ORDER BY p.public_id LIMIT $2
)
ORDER BY v.public_id;

-- name: find_missing
-- Contacts with events and no row at all, but for those of the last minute and deleted ones.
SELECT c.public_id
FROM contact.contact AS c
WHERE c.status <> 'deleted' AND c.created_at < now() - interval '1 minute'
    AND NOT EXISTS (SELECT FROM read.contact_view AS v WHERE v.public_id = c.public_id)
    AND EXISTS (SELECT FROM contact.contact_event AS e WHERE e.entity_id = c.id);

-- name: find_page_of_derived
-- What rows derive from, and what they have of it: behind contact $1 and workspace $2, $3 rows.
SELECT public_id, workspace_id, version, detail -> 'fields' AS fields, seniority, departments, timezone
FROM read.contact_view
WHERE (public_id, workspace_id) > ($1::text COLLATE "C", $2::bigint)
ORDER BY public_id, workspace_id LIMIT $3;

-- name: save_derived
-- Give rows what follows from them, those alone that nobody writes and that are as they were read;
-- row by row: $1 contacts, $2 workspaces, $3 versions, $4 seniorities, $5 departments joined by
-- U+001F, $6 time zones. Tells which it was.
WITH free AS (
    SELECT v.public_id, v.workspace_id, u.seniority, u.departments, u.timezone
    FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[])
        AS u (public_id, workspace_id, version, seniority, departments, timezone)
    JOIN read.contact_view AS v
        ON v.public_id = u.public_id AND v.workspace_id = u.workspace_id AND v.version = u.version
    FOR UPDATE OF v SKIP LOCKED
)
UPDATE read.contact_view AS v
SET seniority = free.seniority, departments = string_to_array(free.departments, chr(31)),
    timezone = free.timezone
FROM free
WHERE v.public_id = free.public_id AND v.workspace_id = free.workspace_id
RETURNING v.public_id;
