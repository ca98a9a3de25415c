-- What an import brought of activities can be taken back as well (ADR 0070): rows of their ledger are
-- marked, a version that comes back is kept, and it is known who else told the same.

-- step: marks
ALTER TABLE contact.activity_record
    ADD COLUMN undone_at timestamptz,
    ADD COLUMN also_told text[] COLLATE "C",
    ADD COLUMN kept jsonb;
COMMENT ON COLUMN contact.activity_record.undone_at IS 'When its import was taken back: it counts no more.';
COMMENT ON COLUMN contact.activity_record.also_told IS 'Other imports that told exactly this, empty text for whatever is no import: the activity stays when the first one is taken back.';
COMMENT ON COLUMN contact.activity_record.kept IS 'The activity and who took part, as they were when a newer version replaced this one.';

-- step: what of an import counts still
CREATE INDEX CONCURRENTLY IF NOT EXISTS activity_record_import_in_force
    ON contact.activity_record (tenant_id, import_id)
    WHERE import_id IS NOT NULL AND undone_at IS NULL;

-- step: who told the same
CREATE INDEX CONCURRENTLY IF NOT EXISTS activity_record_also_told
    ON contact.activity_record USING gin (also_told) WHERE also_told IS NOT NULL;

-- step: imports taken back
CREATE TABLE contact.retracted_import (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    import_id text COLLATE "C" NOT NULL,
    retracted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, workspace_id, import_id)
);
COMMENT ON TABLE contact.retracted_import IS 'Imports that were taken back: what of them is still on its way is passed by when it comes.';
ALTER TABLE contact.retracted_import ENABLE ROW LEVEL SECURITY;
CREATE POLICY resolver ON contact.retracted_import TO kith_resolver USING (true) WITH CHECK (true);
CREATE POLICY operator ON contact.retracted_import FOR SELECT TO kith_cli USING (true);
GRANT SELECT, INSERT, DELETE ON contact.retracted_import TO kith_resolver;
GRANT SELECT ON contact.retracted_import TO kith_cli;
