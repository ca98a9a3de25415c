-- Rows of contacts as a batch sends them, their lists joined by the unit separator: an array within
-- a row costs the client 1 us, and PostgreSQL as much.
CREATE TYPE read.contact_row AS (
    tenant_id bigint, workspace_id bigint, public_id text, version integer, status text,
    display_name text, first_name text, last_name text, headline text, job_title text,
    department text, email_primary text, phone_primary text, company_public_id text,
    company_name text, city text, state text, country text, linkedin_url text, birthday text,
    import_source text, source text, emails text, phones text, detail json,
    created_at timestamptz, updated_at timestamptz
);
