-- What a value had joined is decided again when it turns out to be shared (ADR 0059).

-- step: queue
CREATE TABLE contact.reconsideration (
    tenant_id bigint NOT NULL,
    identifier_type contact.identifier_type NOT NULL,
    normalized_value text COLLATE "C" NOT NULL,
    contact_id bigint NOT NULL,
    tenant text NOT NULL,
    cause text NOT NULL,
    received_at timestamptz NOT NULL,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, identifier_type, normalized_value, contact_id)
);
CREATE INDEX reconsideration_due ON contact.reconsideration (due_at, contact_id);
COMMENT ON TABLE contact.reconsideration IS 'Contacts that took records by a value found out to be shared, until those are decided again; a row goes when nothing is left to do.';
COMMENT ON COLUMN contact.reconsideration.created_at IS 'When the value was found out: what the machine merged later, it merged knowing that.';
COMMENT ON COLUMN contact.reconsideration.due_at IS 'Whoever could not be decided about goes to the end of the queue.';
ALTER TABLE contact.reconsideration ENABLE ROW LEVEL SECURITY;
CREATE POLICY resolver ON contact.reconsideration TO kith_resolver USING (true) WITH CHECK (true);
CREATE POLICY operator ON contact.reconsideration FOR SELECT TO kith_cli USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact.reconsideration TO kith_resolver;
GRANT SELECT ON contact.reconsideration TO kith_cli;

-- step: a delivery may belong where its name is borne
ALTER TABLE contact.record_home DROP CONSTRAINT record_home_evidence_check;
ALTER TABLE contact.record_home ADD CONSTRAINT record_home_evidence_check
    CHECK (evidence IN ('own', 'record', 'identifier', 'name', 'person', 'none')) NOT VALID;

-- step: what is there says so already
ALTER TABLE contact.record_home VALIDATE CONSTRAINT record_home_evidence_check;
