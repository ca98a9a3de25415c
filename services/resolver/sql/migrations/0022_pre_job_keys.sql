-- A job that no record tells of any more is found by what makes it the same job as another.

-- step: contact_employment
ALTER TABLE contact.contact_employment ADD COLUMN job_key text;
COMMENT ON COLUMN contact.contact_employment.job_key IS 'Employer (its domain, else its name) and title, folded: the same job has the same key.';
