-- The resolver writes the audit of its own changes of bindings, a batch at a time (DESIGN 9).
CREATE TYPE contact.audit_row AS (
    tenant_id bigint, binding_id bigint, workspace_id bigint, field_name text, old_value text,
    new_value text, source_id smallint, cause text
);
