-- What statistics may decide otherwise once the base has grown is decided again at quiet moments (ADR
-- 0110): by how many records there were when a contact was last compared, of those alone whom anybody
-- was nearly alike.
CREATE TABLE contact.last_matched (
    contact_id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    records bigint NOT NULL
);
CREATE INDEX last_matched_due ON contact.last_matched (tenant_id, records);
COMMENT ON TABLE contact.last_matched IS 'Contacts that matching might decide otherwise with other statistics; a row goes when it would not.';
COMMENT ON COLUMN contact.last_matched.records IS 'Records that the tenant had when the contact was last compared.';
ALTER TABLE contact.last_matched ENABLE ROW LEVEL SECURITY;
CREATE POLICY resolver ON contact.last_matched TO kith_resolver USING (true) WITH CHECK (true);
CREATE POLICY operator ON contact.last_matched FOR SELECT TO kith_cli USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact.last_matched TO kith_resolver;
GRANT SELECT ON contact.last_matched TO kith_cli;
