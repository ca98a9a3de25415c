-- name: add_requests
-- Record requests, those of a known key or id aside.  $1 public ids, $2 tenants, $3 workspaces,
-- $4 contacts, $5 sources, $6 statuses, $7 reasons, $8 idempotency keys, $9 questions (JSON),
-- $10 trace contexts; one array element per request.  Returns the ids that are new.
INSERT INTO enrichment.enrichment_requests (
    public_id, tenant_id, workspace_id, entity_type, entity_public_id, source, status, reason,
    idempotency_key, question, traceparent, completed_at
)
SELECT
    one.public_id, one.tenant_id, one.workspace_id, 'contact', one.entity, one.source,
    one.status::enrichment.request_status, one.reason, one.key, one.question::jsonb,
    one.traceparent, CASE WHEN one.status = 'failed' THEN now() END
FROM unnest(
    $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[]
) AS one (
    public_id, tenant_id, workspace_id, entity, source, status, reason, key, question, traceparent
)
ORDER BY one.tenant_id, one.key
ON CONFLICT DO NOTHING
RETURNING public_id;

-- name: find_contact_events
-- The events of contacts, in version order, but for those of activities.  $1 tenants, $2 contacts' public ids, pairwise.
SELECT event.tenant_id, event.entity_public_id, event.event_type, event.payload
FROM (
    SELECT DISTINCT * FROM unnest($1::bigint[], $2::text[])
) AS wanted (tenant_id, public_id)
JOIN contact.contact AS contact
    ON contact.public_id = wanted.public_id AND contact.tenant_id = wanted.tenant_id
JOIN contact.contact_event AS event ON event.entity_id = contact.id
WHERE event.event_type NOT IN ('ActivityRecorded', 'ActivityWithdrawn')
ORDER BY event.entity_id, event.sequence_number;

-- name: claim
-- Take the request that waits longest for vendor $1, for $2 seconds.
WITH due AS (
    SELECT id FROM enrichment.enrichment_requests
    WHERE status = 'pending' AND source = $1 AND not_before <= now()
    ORDER BY not_before, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE enrichment.enrichment_requests AS request SET
    status = 'processing',
    reason = NULL,
    attempts = request.attempts + 1,
    started_at = now(),
    lease_until = now() + make_interval(secs => $2::float8)
FROM due, app.tenant AS tenant, app.workspace AS workspace
WHERE request.id = due.id
    AND tenant.id = request.tenant_id
    AND workspace.id = request.workspace_id
RETURNING request.id, request.public_id, tenant.public_id AS tenant,
    workspace.public_id AS workspace, request.entity_public_id, request.source, request.question,
    request.attempts, request.faults, request.traceparent;

-- name: settle
-- Store what call number $2 of request $1 led to: $3 status, $4 reason, $5 faults, $6 credits,
-- $7 not before, $8 summary (JSON), $9 signal.  A late answer still completes its own call that
-- was given up as unknown.
UPDATE enrichment.enrichment_requests SET
    status = $3::enrichment.request_status,
    reason = $4,
    faults = $5,
    credits_charged = $6,
    not_before = COALESCE($7::timestamptz, not_before),
    response_summary = $8::jsonb,
    signal = $9::bytea,
    question = CASE WHEN $3 = 'pending' THEN question END,
    lease_until = NULL,
    completed_at = CASE WHEN $3 <> 'pending' THEN now() END
WHERE id = $1
    AND attempts = $2
    AND (status = 'processing'
         OR (status = 'failed' AND reason = 'outcome_unknown' AND $3 <> 'pending'))
RETURNING id;

-- name: give_up_lost_calls
-- Fail the calls whose lease is over: killed between call and answer, outcome unknown.
UPDATE enrichment.enrichment_requests SET
    status = 'failed', reason = 'outcome_unknown', question = NULL, lease_until = NULL,
    completed_at = now()
WHERE status = 'processing' AND lease_until < now()
RETURNING public_id, source;

-- name: begin_sending
-- Whether this session alone may send signals; ends with the session.  $1 the lock's number.
-- An advisory lock, since a row lock would need a transaction as long as Kafka takes, and that
-- would hold back every reader of the event table.
SELECT pg_try_advisory_lock($1);

-- name: end_sending
-- Let another session send signals.  $1 the lock's number.
SELECT pg_advisory_unlock($1);

-- name: find_unsent
-- Up to $1 signals that Kafka does not have yet, oldest first.
SELECT id, signal, traceparent FROM enrichment.enrichment_requests
WHERE signal IS NOT NULL
ORDER BY id
LIMIT $1;

-- name: mark_sent
-- Kafka has the signals of requests $1: note when, and forget them.
UPDATE enrichment.enrichment_requests SET signal = NULL, signal_sent_at = now()
WHERE id = ANY($1::bigint[]);
