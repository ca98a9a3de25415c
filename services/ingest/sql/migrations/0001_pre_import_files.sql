-- Schema ingest: what became of each file that was imported.
-- A report names lines, fields and reasons, never values: the file itself is not kept.

CREATE SCHEMA IF NOT EXISTS ingest;
GRANT USAGE ON SCHEMA ingest TO kith_ingest, kith_cli;

CREATE TABLE ingest.import_file (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^imp_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    file_digest bytea NOT NULL CHECK (length(file_digest) = 16),
    report jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX import_file_by_digest
    ON ingest.import_file (tenant_id, workspace_id, file_digest, id DESC);

ALTER TABLE ingest.import_file ENABLE ROW LEVEL SECURITY;
ALTER TABLE ingest.import_file FORCE ROW LEVEL SECURITY;

CREATE POLICY import_file_own ON ingest.import_file TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
CREATE POLICY import_file_operator ON ingest.import_file FOR SELECT TO kith_cli USING (true);

GRANT SELECT, INSERT ON ingest.import_file TO kith_ingest;
GRANT SELECT ON ingest.import_file TO kith_cli;
