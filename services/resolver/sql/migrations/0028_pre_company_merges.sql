-- Companies merge and come apart as contacts do: as groups of homes (ADR 0060).

-- step: merges, as they were named and as they come out
ALTER TABLE contact.org_merge_log
    ADD COLUMN named_into_id bigint NOT NULL,
    ADD COLUMN named_from_id bigint NOT NULL,
    ADD COLUMN by_person boolean NOT NULL;
CREATE INDEX org_merge_log_named_into ON contact.org_merge_log (named_into_id)
    WHERE split_at IS NULL;
COMMENT ON COLUMN contact.org_merge_log.named_into_id IS 'The company as it was named: what the merge unites, whoever stood for it then.';

-- step: commands about companies
ALTER TABLE contact.command_log
    ADD COLUMN entity_type contact.entity_kind NOT NULL DEFAULT 'contact';
COMMENT ON COLUMN contact.command_log.contact_id IS 'The contact or company, as entity_type says.';
