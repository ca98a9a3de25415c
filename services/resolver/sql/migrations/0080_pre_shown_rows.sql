-- Rows of bindings with what is derived of a job and an address, and where a photo is (ADR 0097). The
-- type before stays: the release before sends rows of it.
CREATE TYPE contact.shown_row AS (
    id bigint, tenant_id bigint, workspace_id bigint, contact_id bigint, first_name text,
    last_name text, full_name text, title text, headline text, primary_email text,
    primary_phone text, city text, state text, country text, org_id bigint, org_name text,
    import_source text, labels text[], notes text, custom_fields jsonb, seniority text,
    departments text, timezone text, avatar_url text
);
COMMENT ON TYPE contact.shown_row IS 'departments are joined by commas: an array within a row costs the client 1 us.';
COMMENT ON COLUMN contact.workspace_contact_binding.seniority IS 'As a source says it, else derived from the title.';
COMMENT ON COLUMN contact.workspace_contact_binding.departments IS 'By their usual names, derived from the department, else from the title.';
COMMENT ON COLUMN contact.workspace_contact_binding.timezone IS 'IANA name, for example Europe/Berlin: as a source says it, else derived from the address where that is sure.';
COMMENT ON COLUMN contact.workspace_contact_binding.avatar_url IS 'Where a source shows a photo, http or https; never fetched.';
