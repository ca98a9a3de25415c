-- What several imports told of a company stays when one of them is taken back, and an import is its
-- workspace's (ADR 0086). A record has one present version, whoever races.

-- step: whose it is, and who else told the same
ALTER TABLE contact.org_source_record
    ADD COLUMN workspace_id bigint,
    ADD COLUMN also_told text[] COLLATE "C";
COMMENT ON COLUMN contact.org_source_record.workspace_id IS 'Where it was told first: an import is taken back in its workspace alone.';
COMMENT ON COLUMN contact.org_source_record.also_told IS 'Others that told exactly this, each a workspace''s id, a stroke, and the import or nothing: the record stays when the first one is taken back.';

-- step: whose the rows are that came before
UPDATE contact.org_source_record AS r SET workspace_id = s.workspace_id
FROM contact.source_record AS s
WHERE s.tenant_id = r.tenant_id AND s.signal_id = r.signal_id AND r.workspace_id IS NULL;

-- step: who told the same
CREATE INDEX CONCURRENTLY IF NOT EXISTS org_source_record_also_told
    ON contact.org_source_record USING gin (also_told) WHERE also_told IS NOT NULL;

-- step: one present version
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS org_source_record_present
    ON contact.org_source_record (tenant_id, record_key) WHERE superseded_at IS NULL;

-- step: versions that say the same
CREATE INDEX CONCURRENTLY IF NOT EXISTS org_source_record_said
    ON contact.org_source_record (tenant_id, record_key, content_hash, occurred_at);
