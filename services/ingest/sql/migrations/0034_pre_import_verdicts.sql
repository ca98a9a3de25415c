-- What became of rows that were sent, beside the rows: a verdict rewrote all that its row says, 3 kB.
-- Rows that are not sent have their verdict with them, as have those of imports before.

CREATE TABLE ingest.import_verdict (
    import_id bigint NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    verdict ingest.row_verdict NOT NULL,
    contact text COLLATE "C",
    reason text NOT NULL DEFAULT '',
    events integer NOT NULL DEFAULT 0,
    settled boolean NOT NULL DEFAULT true,
    PRIMARY KEY (import_id, number)
);
CREATE INDEX import_verdict_unsettled ON ingest.import_verdict (import_id, number) WHERE NOT settled;
COMMENT ON TABLE ingest.import_verdict IS 'What the resolver made of a row of a file; goes over what the row itself has.';
COMMENT ON COLUMN ingest.import_verdict.settled IS 'False: what was chosen for the row is still to be carried out.';

ALTER TABLE ingest.import_verdict ENABLE ROW LEVEL SECURITY;
ALTER TABLE ingest.import_verdict FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ingest.import_verdict TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.import_verdict TO kith_ingest;

-- An operator looks at what became of rows.
CREATE POLICY operator ON ingest.import_verdict FOR SELECT TO kith_cli USING (true);
GRANT SELECT ON ingest.import_verdict TO kith_cli;

-- Looked up by key alone, as rows are (0033).
ALTER TABLE ingest.import_verdict
    ALTER COLUMN import_id SET STATISTICS 10,
    ALTER COLUMN number SET STATISTICS 10,
    ALTER COLUMN tenant_id SET STATISTICS 10,
    ALTER COLUMN workspace_id SET STATISTICS 10,
    ALTER COLUMN verdict SET STATISTICS 10,
    ALTER COLUMN contact SET STATISTICS 0,
    ALTER COLUMN reason SET STATISTICS 0,
    ALTER COLUMN events SET STATISTICS 0,
    ALTER COLUMN settled SET STATISTICS 10;

ALTER TABLE ingest.import_file ADD COLUMN concluded_to integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN ingest.import_file.concluded_to IS 'Every row up to this number has its verdict: looks for the others begin behind it.';
