-- Which entries each address book elsewhere has: who is missing from a full reading was deleted there.
-- And whether an operator let a connection take back more than its share.

CREATE TABLE ingest.remote_record (
    connection_id bigint NOT NULL REFERENCES ingest.remote_connection (id) ON DELETE CASCADE,
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    record_id text COLLATE "C" NOT NULL CHECK (length(record_id) BETWEEN 1 AND 255),
    -- The full reading that saw it last, or the one before which it was told as changed.
    reading text COLLATE "C" NOT NULL,
    PRIMARY KEY (connection_id, record_id)
);

ALTER TABLE ingest.remote_record ENABLE ROW LEVEL SECURITY;

CREATE POLICY remote_record_own ON ingest.remote_record TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.remote_record TO kith_ingest;

ALTER TABLE ingest.remote_connection
    ADD COLUMN removals_approved boolean NOT NULL DEFAULT false;
