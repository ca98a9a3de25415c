-- Indexes of tables that hold rows already, built while they are written.  Those of spec 004 that
-- cost much on the hot path are elsewhere: ADR 0042 has the measurements.

-- step: those whom a survivor absorbed
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_merged_into
    ON contact.contact (merged_into_id) WHERE merged_into_id IS NOT NULL;

-- step: at most one primary identifier of a type
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS contact_identifier_one_primary
    ON contact.contact_identifier (tenant_id, contact_id, identifier_type)
    WHERE is_primary AND deleted_at IS NULL;

-- step: at most one primary job
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS contact_employment_one_primary
    ON contact.contact_employment (tenant_id, contact_id) WHERE is_primary;

-- Of what people set in a workspace; a binding that a signal made is in none of the five.
-- step: a person's contacts
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_owner
    ON contact.workspace_contact_binding (workspace_id, contact_owner_id)
    WHERE contact_owner_id IS NOT NULL;

-- step: favourites
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_favorite
    ON contact.workspace_contact_binding (workspace_id, contact_id) WHERE is_favorite;

-- step: by stage
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_stage
    ON contact.workspace_contact_binding (workspace_id, stage) WHERE stage <> 'new';

-- step: by seniority
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_seniority
    ON contact.workspace_contact_binding (workspace_id, seniority) WHERE seniority IS NOT NULL;

-- step: by label
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_labels
    ON contact.workspace_contact_binding USING gin (workspace_id, labels) WHERE labels <> '{}';

-- step: companies by domain
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_primary_domain
    ON contact.organisation (tenant_id, primary_domain) WHERE primary_domain IS NOT NULL;

-- step: companies by LinkedIn's number
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_linkedin_uid
    ON contact.organisation (tenant_id, linkedin_uid) WHERE linkedin_uid IS NOT NULL;

-- step: subsidiaries
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_parent
    ON contact.organisation (parent_org_id) WHERE parent_org_id IS NOT NULL;

-- step: companies absorbed
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_merged_into
    ON contact.organisation (merged_into_id) WHERE merged_into_id IS NOT NULL;

-- step: words of company names
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_name_words
    ON contact.organisation USING gin (tenant_id, to_tsvector('english', name));

-- step: spelling of company names
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_name_trigrams
    ON contact.organisation USING gin (tenant_id, name public.gin_trgm_ops);

-- step: the review queue, best first
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_dedup_candidates_queue
    ON contact.contact_dedup_candidates (tenant_id, confidence_score DESC NULLS LAST, id)
    WHERE status = 'open';
