-- What workspaces keep of companies (ADR 0102).

-- name: find_company_bindings
-- What is kept of a company and of all that stand behind it, each with the company that took it up:
-- $1 tenant, $2 workspace, $3 the company that stands for itself.
SELECT home.id AS company_id, coalesce(taken.merged_into_id, home.merged_into_id) AS survivor_id,
    coalesce(bound.labels, '{}') AS labels, coalesce(bound.labels_removed, '{}') AS labels_removed,
    coalesce(bound.label_order, '{}') AS label_order,
    coalesce(bound.custom_fields, '{}')::text AS custom_fields, bound.notes
FROM contact.organisation AS home
LEFT JOIN contact.org_merge_log AS taken ON taken.tenant_id = $1
    AND taken.merged_from_id = home.id AND taken.split_at IS NULL
LEFT JOIN contact.org_bindings AS bound ON bound.org_id = home.id AND bound.tenant_id = $1
    AND bound.workspace_id = $2 AND bound.deleted_at IS NULL
WHERE (home.id = $3 OR home.merged_into_id = $3) AND home.tenant_id = $1
ORDER BY home.id;

-- name: keep_of_company
-- $1 tenant, $2 workspace, $3 company, $4 labels, $5 labels that were taken off, $6 the order of
-- labels, $7 custom fields, $8 notes, $9 now. Whose word it is: acting_user().
INSERT INTO contact.org_bindings AS b
    (tenant_id, workspace_id, org_id, data_owner, labels, labels_removed, label_order,
     custom_fields, notes, created_at, updated_at)
VALUES ($1, $2, $3, 'user', $4::text[], $5::text[], $6::text[], $7::text::jsonb, $8, $9, $9)
ON CONFLICT (tenant_id, org_id, workspace_id) WHERE deleted_at IS NULL DO UPDATE SET
    data_owner = 'user', labels = excluded.labels, labels_removed = excluded.labels_removed,
    label_order = excluded.label_order, custom_fields = excluded.custom_fields,
    notes = excluded.notes, updated_at = excluded.updated_at
RETURNING id;

-- name: audit_company_binding
-- $1 tenant, $2 binding, $3 workspace, $4 fields, $5 old and $6 new values, $7 the command, $8 now.
INSERT INTO contact.contact_field_audit
    (tenant_id, entity_type, entity_id, workspace_id, field_name, old_value, new_value, cause,
     changed_at)
SELECT $1, 'org_binding', $2, $3, u.field_name, u.old_value, u.new_value, $7, $8
FROM unnest($4::text[], $5::text[], $6::text[]) AS u (field_name, old_value, new_value);
