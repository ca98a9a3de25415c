-- What was left out of a signal about companies alone is kept with its payload, as a person's is.
ALTER TABLE contact.org_source_record ADD COLUMN rejected json;
ALTER TABLE contact.org_source_record ALTER COLUMN rejected SET STATISTICS 0;
COMMENT ON COLUMN contact.org_source_record.rejected IS 'Where raw is: field and reason of every value of that payload that was left out.';
