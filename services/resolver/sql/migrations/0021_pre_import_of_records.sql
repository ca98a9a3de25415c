-- What an import brought can be taken back: the ledger says which import that was (DESIGN 3.1).

-- step: source_record
ALTER TABLE contact.source_record ADD COLUMN import_id text COLLATE "C";
COMMENT ON COLUMN contact.source_record.import_id IS 'The import that brought the delivery, `imp_…`; null: none did.';

-- step: what an import brought
CREATE INDEX CONCURRENTLY IF NOT EXISTS source_record_import
    ON contact.source_record (tenant_id, import_id) WHERE import_id IS NOT NULL;
