-- Snapshots of contacts' states, from which the past is read (spec 003, 16.3; ADR 0069).  The table
-- of 0003 has had no writer: what a workspace keeps for itself gets rows of its own.

-- step: what a workspace keeps for itself
ALTER TABLE contact.contact_event_snapshots
    DROP CONSTRAINT contact_event_snapshots_pkey,
    ADD COLUMN workspace_id bigint;
CREATE UNIQUE INDEX contact_event_snapshots_once ON contact.contact_event_snapshots
    (tenant_id, entity_id, event_sequence, workspace_id) NULLS NOT DISTINCT;
DROP POLICY tenant ON contact.contact_event_snapshots;
CREATE POLICY tenant_and_workspace ON contact.contact_event_snapshots FOR SELECT TO kith_api USING (
    tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
    AND (workspace_id IS NULL
         OR workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint)
);
GRANT SELECT ON contact.contact_event_snapshots TO kith_api;
COMMENT ON COLUMN contact.contact_event_snapshots.workspace_id IS 'Null: what all workspaces share; else what this one keeps for itself at that version, if anything.';
COMMENT ON COLUMN contact.contact_event_snapshots.snapshot_at IS 'When the newest event that it includes was recorded.';

-- step: how far the log was looked through
CREATE TABLE contact.snapshot_cursor (
    event_table text PRIMARY KEY CHECK (event_table IN ('contact_event', 'organisation_event')),
    xid xid8 NOT NULL,
    entity_id bigint NOT NULL,
    sequence_number integer NOT NULL
) WITH (fillfactor = 50);
INSERT INTO contact.snapshot_cursor VALUES ('contact_event', '0', 0, 0);
COMMENT ON TABLE contact.snapshot_cursor IS 'Up to which event contacts were looked at for snapshots, in the order of the log; who holds the row looks.';
GRANT SELECT, UPDATE ON contact.snapshot_cursor TO kith_resolver;
GRANT SELECT ON contact.snapshot_cursor TO kith_cli;
