-- What follows from a contact's job and address, for lists to ask for (ADR 0097). Rows of before have
-- none of it until their contact changes, or `kith rebuild projector` makes them anew.
ALTER TABLE read.contact_view
    ADD COLUMN seniority text,
    ADD COLUMN departments text[],
    ADD COLUMN timezone text;
COMMENT ON COLUMN read.contact_view.seniority IS 'How high the job is: as a source says, else of the title.';
COMMENT ON COLUMN read.contact_view.departments IS 'Usual names of the department, else of the title''s; null: the row is older than this column.';
COMMENT ON COLUMN read.contact_view.timezone IS 'IANA name: as a source says, else of the address where that is sure.';
CREATE TYPE read.contact_shown_row AS (
    tenant_id bigint, workspace_id bigint, public_id text, version integer, status text,
    display_name text, first_name text, last_name text, headline text, job_title text,
    department text, email_primary text, phone_primary text, company_public_id text,
    company_name text, city text, state text, country text, linkedin_url text, birthday text,
    import_source text, source text, emails text, phones text, detail json,
    created_at timestamptz, updated_at timestamptz, seniority text, departments text, timezone text
);
