-- What columns are, as an operator said it of a kind of file, kept by name for the next one.

CREATE TABLE ingest.column_mapping (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    choices jsonb NOT NULL CHECK (jsonb_typeof(choices) = 'object'),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, workspace_id, name)
);

ALTER TABLE ingest.column_mapping ENABLE ROW LEVEL SECURITY;
ALTER TABLE ingest.column_mapping FORCE ROW LEVEL SECURITY;

CREATE POLICY column_mapping_own ON ingest.column_mapping TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
CREATE POLICY column_mapping_operator ON ingest.column_mapping FOR SELECT TO kith_cli USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.column_mapping TO kith_ingest;
GRANT SELECT ON ingest.column_mapping TO kith_cli;
