-- Custom fields of workspaces (ADR 0089): what values have to be.

-- name: lock_fields
-- Nobody else makes or changes a workspace's fields: $1 class, $2 workspace.
SELECT pg_advisory_xact_lock($1::integer, ($2::bigint % 2147483647)::integer);

-- name: lock_fields_shared
-- What a workspace's fields are stays until this is over: $1 class, $2 workspace.
SELECT pg_advisory_xact_lock_shared($1::integer, ($2::bigint % 2147483647)::integer);

-- name: find_fields
-- The fields of contacts and of companies, archived ones too: $1 tenant, $2 workspace.
SELECT public_id, entity_type::text, key, label, type::text, options, currency, description, is_required,
    archived_at, created_at, updated_at
FROM contact.custom_field
WHERE tenant_id = $1 AND workspace_id = $2
ORDER BY key;

-- name: insert_field
-- $1 tenant, $2 workspace, $3 public id, $4 of what, $5 key, $6 label, $7 type, $8 options, $9
-- currency, $10 description, $11 whether it is required, $12 now. Whose it is: acting_user().
INSERT INTO contact.custom_field
    (tenant_id, workspace_id, public_id, entity_type, key, label, type, options, currency,
     description, is_required, created_by, created_at, updated_at)
VALUES ($1, $2, $3, $4::text::contact.entity_kind, $5, $6, $7::text::contact.field_type, $8, $9,
    $10, $11, contact.acting_user(), $12, $12);

-- name: change_field
-- $1 tenant, $2 workspace, $3 public id, $4 label, $5 type, $6 options, $7 currency, $8 description,
-- $9 whether it is required, $10 since when it is archived, $11 now.
UPDATE contact.custom_field
SET label = $4, type = $5::text::contact.field_type, options = $6, currency = $7,
    description = $8, is_required = $9, archived_at = $10, updated_at = $11
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: find_values
-- The values that contacts have of field $3 in tenant $1 and workspace $2, and one of whom each is.
SELECT bound.custom_fields -> $3 AS value, min(bound.contact_id) AS id
FROM contact.workspace_contact_binding AS bound
WHERE bound.tenant_id = $1 AND bound.workspace_id = $2 AND bound.deleted_at IS NULL
    AND bound.custom_fields ? $3
GROUP BY bound.custom_fields -> $3;

-- name: find_company_values
-- The values that companies have of field $3 in tenant $1 and workspace $2, and one of which each is.
SELECT bound.custom_fields -> $3 AS value, min(bound.org_id) AS id
FROM contact.org_bindings AS bound
WHERE bound.tenant_id = $1 AND bound.workspace_id = $2 AND bound.deleted_at IS NULL
    AND bound.custom_fields ? $3
GROUP BY bound.custom_fields -> $3;

-- name: find_asking
-- Smart groups whose queries name a text anywhere: $1 tenant, $2 workspace, $3 text.
SELECT public_id, query_def::text AS query_def FROM contact.contact_group
WHERE tenant_id = $1 AND workspace_id = $2 AND is_smart
    AND strpos(query_def::text, to_jsonb($3::text)::text) > 0;

-- name: name_contacts
-- $1 contacts.
SELECT public_id FROM contact.contact WHERE id = ANY($1::bigint[]) ORDER BY public_id;

-- name: name_companies
-- $1 companies.
SELECT public_id FROM contact.organisation WHERE id = ANY($1::bigint[]) ORDER BY public_id;

-- name: find_manual_groups
-- Which of groups $3 people put contacts into: $1 tenant, $2 workspace.
SELECT public_id FROM contact.contact_group
WHERE tenant_id = $1 AND workspace_id = $2 AND NOT is_smart AND public_id = ANY($3::text[]);
