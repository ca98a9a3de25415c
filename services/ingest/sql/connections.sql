-- name: enter
-- Say for this transaction which tenant and workspace it is about: $1 tenant, $2 workspace.
SELECT set_config('kith.tenant_id', $1::bigint::text, true),
    set_config('kith.workspace_id', $2::bigint::text, true);

-- name: save_connection
-- Keep a connection, in place of one of the same kind and name, whose reading goes on where it was:
-- $1 public id, $2 tenant, $3 workspace, $4 kind, $5 name, $6 settings, $7 credentials, $8 seconds.
INSERT INTO ingest.remote_connection
    (public_id, tenant_id, workspace_id, kind, name, settings, credentials, every_seconds)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)
ON CONFLICT (tenant_id, workspace_id, kind, name) DO UPDATE
SET settings = EXCLUDED.settings, credentials = EXCLUDED.credentials,
    every_seconds = EXCLUDED.every_seconds, enabled = true, failures = 0, last_failure = NULL,
    next_run_at = now()
RETURNING public_id;

-- name: find_connections
-- List the connections of a workspace: $1 tenant, $2 workspace.
SELECT public_id, kind, name, enabled, every_seconds, next_run_at, claimed_until > now() AS running,
    last_attempt_at, last_run_at, failures, last_failure, counts
FROM ingest.remote_connection
WHERE tenant_id = $1 AND workspace_id = $2
ORDER BY kind, name;

-- name: delete_connection
-- Forget a connection: $1 tenant, $2 workspace, $3 public id.
DELETE FROM ingest.remote_connection
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3
RETURNING public_id;

-- name: switch_connection
-- Turn a connection on, so that it is read at once, or off: $1 tenant, $2 workspace, $3 public id, $4 on.
UPDATE ingest.remote_connection
SET enabled = $4, next_run_at = CASE WHEN $4 THEN now() ELSE next_run_at END,
    claim = CASE WHEN $4 THEN claim END, claimed_until = CASE WHEN $4 THEN claimed_until END
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3
RETURNING public_id;

-- name: claim_connection
-- Take the connection that is longest due: $1 claim, $2 for how long.
SELECT public_id, tenant_id, tenant, workspace_id, workspace FROM ingest.claim_connection($1, $2);

-- name: read_claimed
-- Read what a run needs of a connection, while it has it: $1 public id, $2 claim.
SELECT kind, settings, credentials, cursor, every_seconds, failures
FROM ingest.remote_connection
WHERE public_id = $1 AND claim = $2 AND enabled;

-- name: save_progress
-- Note how far a run is and what it brought, and keep the connection for longer; nothing happens if
-- another run has it: $1 public id, $2 claim, $3 cursor, $4 counts to add, $5 for how long.
UPDATE ingest.remote_connection AS connection
SET cursor = $3, claimed_until = now() + $5,
    counts = connection.counts || COALESCE((
        SELECT jsonb_object_agg(
            added.key, COALESCE((connection.counts ->> added.key)::bigint, 0) + added.value::bigint)
        FROM jsonb_each_text($4::jsonb) AS added), '{}')
WHERE connection.public_id = $1 AND connection.claim = $2
RETURNING connection.public_id;

-- name: save_credentials
-- Keep credentials that the other side renewed: $1 public id, $2 claim, $3 credentials.
UPDATE ingest.remote_connection SET credentials = $3
WHERE public_id = $1 AND claim = $2
RETURNING public_id;

-- name: end_run
-- Give a connection back after a run: $1 public id, $2 claim, $3 failure or null, $4 when to run
-- again, $5 whether it stays enabled.
UPDATE ingest.remote_connection
SET claim = NULL, claimed_until = NULL, next_run_at = now() + $4, enabled = enabled AND $5,
    failures = CASE WHEN $3::text IS NULL THEN 0 ELSE failures + 1 END, last_failure = $3,
    last_run_at = CASE WHEN $3::text IS NULL THEN now() ELSE last_run_at END
WHERE public_id = $1 AND claim = $2;

-- name: see_records
-- Note which entries a page told of, while this run has the connection: $1 public id, $2 claim, $3
-- the full reading, $4 ids.
INSERT INTO ingest.remote_record AS known
    (connection_id, tenant_id, workspace_id, record_id, reading)
SELECT c.id, c.tenant_id, c.workspace_id, u.record_id, $3
FROM ingest.remote_connection AS c CROSS JOIN unnest($4::text[]) AS u (record_id)
WHERE c.public_id = $1 AND c.claim = $2
ON CONFLICT (connection_id, record_id) DO UPDATE SET reading = EXCLUDED.reading
WHERE known.reading <> EXCLUDED.reading AND EXCLUDED.reading <> '';

-- name: forget_records
-- Forget entries that were taken back: $1 public id, $2 claim, $3 ids.
DELETE FROM ingest.remote_record AS known
USING ingest.remote_connection AS c
WHERE c.public_id = $1 AND c.claim = $2 AND known.connection_id = c.id
    AND known.record_id = ANY($3::text[]);

-- name: count_records
-- How many entries a connection has, and whether any number of them may go: $1 public id.
SELECT (SELECT count(*) FROM ingest.remote_record WHERE connection_id = c.id) AS known,
    c.removals_approved AS approved
FROM ingest.remote_connection AS c WHERE c.public_id = $1;

-- name: find_gone
-- Which known entries are gone: those told ($3), and after a full reading ($2) those it did not see:
-- $1 public id.
SELECT known.record_id
FROM ingest.remote_record AS known
JOIN ingest.remote_connection AS c ON c.id = known.connection_id
WHERE c.public_id = $1
    AND (known.record_id = ANY($3::text[]) OR ($2 <> '' AND known.reading <> $2))
ORDER BY known.record_id;

-- name: approve_removals
-- Let the next run take back as much as it must, and read it now: $1 tenant, $2 workspace, $3 public id.
UPDATE ingest.remote_connection
SET removals_approved = true, enabled = true, next_run_at = now(), last_failure = NULL
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3
RETURNING public_id;

-- name: use_approval
-- What was approved is done: $1 public id, $2 claim.
UPDATE ingest.remote_connection SET removals_approved = false
WHERE public_id = $1 AND claim = $2;
