-- What an import brought can be taken back: its rows in the ledger are marked (undone_at), and
-- contacts of which nothing is left are deleted (ADR 0053).

-- step: what of an import counts still, contact by contact
CREATE INDEX CONCURRENTLY IF NOT EXISTS source_record_import_in_force
    ON contact.source_record (tenant_id, import_id, contact_id)
    WHERE import_id IS NOT NULL AND undone_at IS NULL;

-- step: status
ALTER TYPE contact.contact_status ADD VALUE IF NOT EXISTS 'deleted';
