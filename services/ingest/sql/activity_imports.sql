-- name: note_entries
-- So far the entries are staged: $1 import, $2 worker, $3 rows before, $4 rows now, $5 classes,
-- $6 warnings, $7 what else is told, $8 seconds that it stays this worker's.
UPDATE ingest.import_file
SET staged = $4, classes = $5::jsonb, warnings = $6, told = $7::jsonb, progress_at = now(),
    lease_until = now() + make_interval(secs => $8)
WHERE id = $1 AND leased_by = $2 AND state = 'reading' AND staged = $3
RETURNING id;

-- name: insert_entries
-- $1 import, $2 tenant, $3 workspace; then, row by row: $4 numbers, $5 lines, $6 classes, $7 fields,
-- $8 reasons, $9 notes, $10 what is asked of them, $11 previews.
INSERT INTO ingest.import_row
    (import_id, tenant_id, workspace_id, number, line, class, field, reason, notes, asked, preview)
SELECT $1, $2, $3, u.number, u.line, u.class::ingest.row_class, u.field, u.reason, u.notes, u.asked,
       u.preview
FROM unnest($4::integer[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[])
    AS u (number, line, class, field, reason, notes, asked, preview);

-- name: insert_people
-- $1 import, $2 tenant, $3 workspace; then, one by one: $4 records, $5 keys, $6 contacts.
-- Who was erased since the file came is so by every name that is still read.
INSERT INTO ingest.import_person
    (import_id, tenant_id, workspace_id, record_key, key, contact, is_erased)
SELECT $1, $2, $3, u.record_key, u.key, CASE WHEN NOT is_erased THEN u.contact END, is_erased
FROM unnest($4::bytea[], $5::bigint[], $6::text[]) AS u (record_key, key, contact)
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM ingest.import_person AS e
        WHERE e.import_id = $1 AND e.key = u.key AND e.is_erased
    ) OR EXISTS (
        SELECT FROM ingest.import_erased AS e
        WHERE e.import_id = $1 AND (e.key = u.key OR e.record_key = u.record_key)
    ) AS is_erased
) AS known
ON CONFLICT DO NOTHING;

-- name: note_erased
-- Where somebody who takes part was erased before their entry was read, the file is as if they had been
-- erased behind it, and no more is shown of its entries: $1 import.
WITH erased AS (
    UPDATE ingest.import_file SET erased_at = coalesce(erased_at, now())
    WHERE id = $1 AND EXISTS (
        SELECT FROM ingest.import_person WHERE import_id = $1 AND is_erased
    )
    RETURNING id
)
UPDATE ingest.import_row AS r SET preview = NULL FROM erased
WHERE r.import_id = erased.id AND r.preview IS NOT NULL;

-- name: count_people
-- Who takes part, each once by whatever name: $1 import.
SELECT (count(*) FILTER (WHERE is_known))::integer AS known,
       (count(*) FILTER (WHERE NOT is_known))::integer AS new
FROM (
    SELECT bool_or(contact IS NOT NULL) AS is_known FROM ingest.import_person
    WHERE import_id = $1 GROUP BY key
) AS people;

-- name: end_entries
-- All is staged: $1 import, $2 worker, $3 classes, $4 what else is told, $5 the state that follows.
-- Where somebody was erased meanwhile the file is not kept for a choice.
UPDATE ingest.import_file
SET state = CASE WHEN erased_at IS NOT NULL AND $5 = 'ready' THEN 'failed' ELSE $5::text END
        ::ingest.import_state,
    failure = CASE WHEN erased_at IS NOT NULL AND $5 = 'ready' THEN jsonb_build_object(
        'reason', 'erased', 'field', 'file', 'detail',
        'somebody who takes part was erased, and the file with them; import it without them') END,
    classes = $3::jsonb, told = $4::jsonb, progress_at = now(),
    executed_at = CASE WHEN $5 = 'executing' THEN now() END,
    leased_by = NULL, lease_until = NULL, not_before = now()
WHERE id = $1 AND leased_by = $2 AND state = 'reading'
RETURNING id;

-- name: find_sendable_entries
-- Which entries are to be sent, and what is asked of them: $1 import, $2 from this number, $3 to this.
SELECT number, asked FROM ingest.import_row
WHERE import_id = $1 AND number >= $2 AND number <= $3 AND verdict IS NULL;

-- name: get_kept_entries
-- What the preview found, from an entry on: $1 import, $2 the entry's number.
SELECT data FROM ingest.import_chunk WHERE import_id = $1 AND begins = -$2::bigint;

-- name: find_skipped_entries
-- Which of these entries are not sent: $1 import, $2 numbers.
SELECT number FROM ingest.import_row
WHERE import_id = $1 AND number = ANY($2::integer[]) AND verdict = 'skipped';

-- name: find_erased
-- Records of people who were erased since the file came: $1 import.
SELECT record_key FROM ingest.import_person
WHERE import_id = $1 AND is_erased
    AND (SELECT erased_at IS NOT NULL FROM ingest.import_file WHERE id = $1);

-- name: skip_entries
-- Entries that are not sent after all: $1 import, $2 numbers, $3 verdict, $4 why. Tells of how many
-- it was.
WITH skipped AS (
    UPDATE ingest.import_row SET verdict = $3::text::ingest.row_verdict, reason = $4
    WHERE import_id = $1 AND number = ANY($2::integer[]) AND verdict IS NULL
    RETURNING 1
)
SELECT count(*)::integer AS rows FROM skipped;

-- name: get_idle
-- For how long an import has not moved, and whether its time is up: $1 import.
SELECT now() - progress_at AS idle, coalesce(expires_at < now(), false) AS is_due FROM ingest.import_file WHERE id = $1;

-- name: find_open_entries
-- Entries that were sent and have no verdict: $1 import, $2 above this number, $3 how many.
SELECT r.number, r.asked FROM ingest.import_row AS r
LEFT JOIN LATERAL (
    SELECT verdict FROM ingest.import_verdict
    WHERE import_id = $1 AND number = r.number LIMIT 1
) AS v ON true
WHERE r.import_id = $1 AND r.number > $2 AND r.verdict IS NULL AND v.verdict IS NULL
ORDER BY r.number LIMIT $3;

-- name: forget_people
-- Forget who takes part; tells of how many it was: $1 import, $2 at most so many.
WITH gone AS (
    DELETE FROM ingest.import_person WHERE ctid = ANY (ARRAY(
        SELECT p.ctid FROM ingest.import_person AS p WHERE p.import_id = $1 LIMIT $2
    )) RETURNING 1
)
SELECT count(*) FROM gone;
