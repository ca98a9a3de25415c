-- Columns that spec 003 (5.2 to 5.5, 7.4, 7.5, 8.1) and spec 004 name and 0001 lacks.  A step per
-- table: no more than one of them is ever locked.  A new column with a constant default rewrites
-- nothing; checks are made valid in a step of their own, which lets writers write.

-- step: contact
ALTER TABLE contact.contact
    ADD COLUMN merged_into_id bigint,
    ADD COLUMN created_by bigint,
    ADD CONSTRAINT contact_merged CHECK ((status = 'merged') = (merged_into_id IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT contact_not_into_itself CHECK (merged_into_id <> id) NOT VALID;
COMMENT ON COLUMN contact.contact.merged_into_id IS 'The survivor that an absorbed contact redirects to, never itself absorbed.';
COMMENT ON COLUMN contact.contact.created_by IS 'The person who made it; null: made by a signal.';

-- step: contact, checks
ALTER TABLE contact.contact
    VALIDATE CONSTRAINT contact_merged, VALIDATE CONSTRAINT contact_not_into_itself;

-- step: contact_identifier
CREATE TYPE contact.identifier_status AS ENUM ('active', 'inactive', 'unverified');
ALTER TABLE contact.contact_identifier
    ADD COLUMN label text,
    ADD COLUMN is_primary boolean NOT NULL DEFAULT false,
    ADD COLUMN status contact.identifier_status NOT NULL DEFAULT 'active',
    ADD COLUMN verified boolean NOT NULL DEFAULT false,
    ADD COLUMN valid_from date,
    ADD COLUMN valid_until date,
    ADD COLUMN updated_at timestamptz,
    ADD CONSTRAINT contact_identifier_confidence CHECK (confidence BETWEEN 0 AND 1) NOT VALID,
    ADD CONSTRAINT contact_identifier_validity CHECK (valid_until >= valid_from) NOT VALID;
COMMENT ON COLUMN contact.contact_identifier.status IS 'An inactive one still resolves: only deleted_at takes it out of the gate.';

-- step: contact_identifier, checks
ALTER TABLE contact.contact_identifier
    VALIDATE CONSTRAINT contact_identifier_confidence,
    VALIDATE CONSTRAINT contact_identifier_validity;

-- step: contact_email
ALTER TABLE contact.contact_email
    ADD COLUMN valid_from date,
    ADD COLUMN valid_until date,
    ADD CONSTRAINT contact_email_validity CHECK (valid_until >= valid_from) NOT VALID;

-- step: contact_email, checks
ALTER TABLE contact.contact_email VALIDATE CONSTRAINT contact_email_validity;

-- step: contact_phones
ALTER TABLE contact.contact_phones
    ADD COLUMN valid_from date,
    ADD COLUMN valid_until date,
    ADD CONSTRAINT contact_phones_validity CHECK (valid_until >= valid_from) NOT VALID;

-- step: contact_phones, checks
ALTER TABLE contact.contact_phones VALIDATE CONSTRAINT contact_phones_validity;

-- step: contact_employment
ALTER TABLE contact.contact_employment
    ADD COLUMN is_primary boolean NOT NULL DEFAULT false,
    ADD COLUMN confidence real NOT NULL DEFAULT 1.0,
    ADD COLUMN created_by bigint,
    ADD CONSTRAINT contact_employment_confidence CHECK (confidence BETWEEN 0 AND 1) NOT VALID;
COMMENT ON COLUMN contact.contact_employment.is_primary IS 'The one of several current jobs that fills the binding''s title and company (DESIGN 9).';

-- step: contact_employment, checks
ALTER TABLE contact.contact_employment VALIDATE CONSTRAINT contact_employment_confidence;

-- step: workspace_contact_binding
ALTER TABLE contact.workspace_contact_binding
    ADD COLUMN seniority text,
    ADD COLUMN departments text[] NOT NULL DEFAULT '{}',
    ADD COLUMN timezone text,
    ADD COLUMN avatar_url text,
    ADD COLUMN lead_source text,
    ADD COLUMN engagement_score real NOT NULL DEFAULT 0,
    ADD COLUMN intelligence_score real NOT NULL DEFAULT 0,
    ADD COLUMN bound_by_user_id bigint,
    ADD COLUMN synced_at timestamptz,
    ADD CONSTRAINT workspace_contact_binding_scores CHECK (
        engagement_score BETWEEN 0 AND 1 AND intelligence_score BETWEEN 0 AND 1) NOT VALID;
COMMENT ON COLUMN contact.workspace_contact_binding.timezone IS 'IANA name, for example Europe/Berlin.';
COMMENT ON COLUMN contact.workspace_contact_binding.lead_source IS 'How the contact came to this workspace (spec 003, 5.2).';
COMMENT ON COLUMN contact.workspace_contact_binding.synced_at IS 'When clients last had it.';

-- step: workspace_contact_binding, checks
ALTER TABLE contact.workspace_contact_binding
    VALIDATE CONSTRAINT workspace_contact_binding_scores;

-- step: source_record
ALTER TABLE contact.source_record
    ADD COLUMN captured_by bigint,
    ADD COLUMN undone_at timestamptz;
COMMENT ON COLUMN contact.source_record.captured_by IS 'The person whose capture or upload it was; null: an automated source.';
COMMENT ON COLUMN contact.source_record.undone_at IS 'When its import was undone: a redelivery stays a duplicate, a later import opens it again (DESIGN 3.1).';

-- step: organisation
ALTER TABLE contact.organisation
    ADD COLUMN status contact.contact_status NOT NULL DEFAULT 'active',
    ADD COLUMN merged_into_id bigint,
    ADD COLUMN website text,
    ADD COLUMN logo_url text,
    ADD COLUMN industry text,
    ADD COLUMN size_range text,
    ADD COLUMN employee_count integer,
    ADD COLUMN founded_year smallint,
    ADD COLUMN revenue_range text,
    ADD COLUMN city text,
    ADD COLUMN state text,
    ADD COLUMN country text,
    ADD COLUMN total_funding_cents bigint,
    ADD COLUMN latest_funding_stage contact.funding_type,
    ADD COLUMN latest_funding_date date,
    ADD COLUMN linkedin_uid text COLLATE "C",
    ADD COLUMN linkedin_url text,
    ADD COLUMN stock_symbol text COLLATE "C",
    ADD COLUMN dedup_hash text,
    ADD COLUMN enrichment_score smallint NOT NULL DEFAULT 0,
    ADD COLUMN last_enriched_at timestamptz,
    ADD CONSTRAINT organisation_merged
        CHECK ((status = 'merged') = (merged_into_id IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT organisation_not_into_itself CHECK (merged_into_id <> id) NOT VALID,
    ADD CONSTRAINT organisation_not_its_own_parent CHECK (parent_org_id <> id) NOT VALID,
    ADD CONSTRAINT organisation_numbers CHECK (
        employee_count >= 0 AND total_funding_cents >= 0 AND enrichment_score BETWEEN 0 AND 100
        AND founded_year BETWEEN 1000 AND 9999) NOT VALID;
COMMENT ON COLUMN contact.organisation.merged_into_id IS 'The survivor that an absorbed company redirects to, never itself absorbed.';
COMMENT ON COLUMN contact.organisation.total_funding_cents IS 'Hundredths of a US dollar.';

-- step: organisation, checks
ALTER TABLE contact.organisation
    VALIDATE CONSTRAINT organisation_merged,
    VALIDATE CONSTRAINT organisation_not_into_itself,
    VALIDATE CONSTRAINT organisation_not_its_own_parent,
    VALIDATE CONSTRAINT organisation_numbers;

-- step: org_identifier
ALTER TABLE contact.org_identifier
    ADD COLUMN source_id smallint,
    ADD COLUMN confidence real NOT NULL DEFAULT 1.0,
    ADD CONSTRAINT org_identifier_confidence CHECK (confidence BETWEEN 0 AND 1) NOT VALID;

-- step: org_identifier, checks
ALTER TABLE contact.org_identifier VALIDATE CONSTRAINT org_identifier_confidence;

-- step: contact_dedup_candidates
ALTER TABLE contact.contact_dedup_candidates
    ADD COLUMN confidence_score double precision,
    ADD COLUMN tier contact.match_tier,
    ADD COLUMN decision_id bigint,
    ADD COLUMN reviewed_by bigint,
    ADD COLUMN reviewed_at timestamptz,
    ADD CONSTRAINT contact_dedup_candidates_confidence
        CHECK (confidence_score BETWEEN 0 AND 1) NOT VALID;
COMMENT ON COLUMN contact.contact_dedup_candidates.evidence IS 'match_signals of spec 003, 7.4, as the queue shows them.';
COMMENT ON COLUMN contact.contact_dedup_candidates.status IS 'open: pending of spec 003, 7.4; retired: one of the two was merged, split or erased meanwhile.';

-- step: contact_dedup_candidates, checks
ALTER TABLE contact.contact_dedup_candidates
    VALIDATE CONSTRAINT contact_dedup_candidates_confidence;
