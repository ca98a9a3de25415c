-- name: enter
-- Say for this transaction which tenant and workspace it is about: $1 tenant, $2 workspace.
SELECT set_config('kith.tenant_id', $1::bigint::text, true),
    set_config('kith.workspace_id', $2::bigint::text, true);

-- name: find_sources
-- Find what every source is called that values may come from.
SELECT source_provider FROM contact.data_source;

-- name: find_import
-- Find what became of an import: $1 its public id.
SELECT public_id, report, created_at FROM ingest.import_file WHERE public_id = $1;

-- name: find_earlier
-- Find the last import of the same file: $1 tenant, $2 workspace, $3 digest of the file.
SELECT public_id FROM ingest.import_file
WHERE tenant_id = $1 AND workspace_id = $2 AND file_digest = $3
ORDER BY id DESC LIMIT 1;

-- name: append_import
-- Note an import: $1 public id, $2 tenant, $3 workspace, $4 digest of the file, $5 report.
INSERT INTO ingest.import_file (public_id, tenant_id, workspace_id, file_digest, report)
VALUES ($1, $2, $3, $4, $5::jsonb);

-- name: find_mappings
-- List the saved mappings of a workspace: $1 tenant, $2 workspace.
SELECT name, choices FROM ingest.column_mapping
WHERE tenant_id = $1 AND workspace_id = $2
ORDER BY name;

-- name: find_mapping
-- Find a saved mapping: $1 tenant, $2 workspace, $3 name.
SELECT choices FROM ingest.column_mapping
WHERE tenant_id = $1 AND workspace_id = $2 AND name = $3;

-- name: save_mapping
-- Keep a mapping under its name: $1 tenant, $2 workspace, $3 name, $4 choices.
INSERT INTO ingest.column_mapping (tenant_id, workspace_id, name, choices)
VALUES ($1, $2, $3, $4::jsonb)
ON CONFLICT (tenant_id, workspace_id, name)
DO UPDATE SET choices = EXCLUDED.choices, updated_at = now();

-- name: delete_mapping
-- Forget a saved mapping: $1 tenant, $2 workspace, $3 name.
DELETE FROM ingest.column_mapping
WHERE tenant_id = $1 AND workspace_id = $2 AND name = $3
RETURNING name;
