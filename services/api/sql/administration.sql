-- What the operator's command line does in schema app, as role kith_cli.

-- name: create_tenant
-- A tenant named $2 with public id $1.
INSERT INTO app.tenant (public_id, name) VALUES ($1, $2) RETURNING id;

-- name: create_workspace
-- A workspace named $2 with public id $1, in the tenant with public id $3; no row: no such tenant.
INSERT INTO app.workspace (public_id, tenant_id, name)
SELECT $1, tenant.id, $2 FROM app.tenant AS tenant WHERE tenant.public_id = $3
RETURNING id;

-- name: find_workspaces
-- All tenants and their workspaces, oldest first.
SELECT tenant.public_id AS tenant, tenant.name AS tenant_name, workspace.public_id AS workspace,
    workspace.name AS workspace_name, workspace.id AS workspace_id, workspace.tenant_id
FROM app.tenant AS tenant
LEFT JOIN app.workspace AS workspace ON workspace.tenant_id = tenant.id
ORDER BY tenant.id, workspace.id;

-- name: create_key
-- A key with public id $1 for workspace $3 of tenant $2: name $4, hash $5, scopes $6, good until $7,
-- of user $8, with $9 requests a minute and $10 a day.
INSERT INTO app.api_key (
    public_id, tenant_id, workspace_id, name, hash, scopes, expires_at, user_id, per_minute, per_day
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: find_keys
-- All keys, oldest first; never their hashes.
SELECT key.public_id, key.name, key.scopes, workspace.public_id AS workspace, key.created_at,
    key.last_used_at, key.expires_at, key.revoked_at, key.user_id, key.per_minute, key.per_day,
    key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > now()) AS valid
FROM app.api_key AS key
JOIN app.workspace AS workspace ON workspace.id = key.workspace_id
ORDER BY key.id;

-- name: revoke_key
-- End the key with public id $1 now; no row: there is no such valid key.
UPDATE app.api_key SET revoked_at = now()
WHERE public_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING id;

-- name: retire_key
-- Let the key with public id $1 end at $2, or earlier where it ends earlier; returns what a
-- successor needs, no row: there is no such valid key.
UPDATE app.api_key SET expires_at = LEAST(expires_at, $2)
WHERE public_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING tenant_id, workspace_id, name, scopes, user_id, per_minute, per_day;

-- name: limit_key
-- Let the key with public id $1 send $2 requests a minute and $3 a day, null: as by default; no
-- row: there is no such valid key.
UPDATE app.api_key SET per_minute = $2, per_day = $3
WHERE public_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING id;
