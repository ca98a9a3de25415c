-- Signals about companies alone (ADR 0101): who waits for one asks the ledger of companies' records.
GRANT SELECT (tenant_id, record_key, content_hash, revision, org_id, applied_version)
    ON contact.org_source_record TO kith_api;
COMMENT ON COLUMN contact.org_source_record.raw IS 'The payload of a signal about companies alone, in the row of the first that it enters, else null: the row of the person''s record that it came with has it, by signal_id.';
COMMENT ON COLUMN contact.org_source_record.applied_version IS 'The version of the company that shows it.';
