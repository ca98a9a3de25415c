-- name: create_import
-- Begin an import: $1 public id, $2 tenant, $3 workspace, $4 terms, $5 bytes of its file or null
-- where nobody said, $6 hours that it is kept.
INSERT INTO ingest.import_file
    (public_id, tenant_id, workspace_id, state, terms, file_bytes, expires_at)
VALUES ($1, $2, $3, 'receiving', $4::jsonb, $5, now() + make_interval(hours => $6))
RETURNING id;

-- name: get_import
-- $1 public id; the walls see to whose it may be.
SELECT f.*, now() AS asked_at,
       (SELECT e.public_id FROM ingest.import_file AS e
        WHERE e.tenant_id = f.tenant_id AND e.workspace_id = f.workspace_id
            AND e.file_digest = f.file_digest AND e.id < f.id
            AND e.state IN ('executing', 'done')
        ORDER BY e.id DESC LIMIT 1) AS same_file_as
FROM ingest.import_file AS f WHERE f.public_id = $1;

-- name: find_imports
-- The newest first: $1 tenant, $2 workspace, $3 before this one or null, $4 how many.
SELECT f.*, now() AS asked_at, NULL::text AS same_file_as FROM ingest.import_file AS f
WHERE f.tenant_id = $1 AND f.workspace_id = $2
    AND ($3::text IS NULL
         OR f.id < (SELECT b.id FROM ingest.import_file AS b WHERE b.public_id = $3))
ORDER BY f.id DESC LIMIT $4;

-- name: receive
-- It is this piece's turn, and no other's that begins there: $1 import, $2 bytes before, $3 bytes now.
UPDATE ingest.import_file SET received_bytes = $3, progress_at = now()
WHERE id = $1 AND state = 'receiving' AND received_bytes = $2
RETURNING id;

-- name: begin_reading
-- The file is whole, or is to be read anew: $1 import, $2 digest of the file or null to keep it,
-- $3 bytes, $4 how it is read, $5 terms, $6 whether it is one of activities.
UPDATE ingest.import_file
SET state = 'reading', file_digest = coalesce($2, file_digest), file_bytes = $3,
    reading = $4::jsonb, terms = $5::jsonb, of_activities = $6, staged = 0, classes = '{}',
    warnings = 0, told = '{}', choices = '{}', progress_at = now(), not_before = now(), leased_by = NULL, lease_until = NULL
WHERE id = $1 AND state IN ('receiving', 'ready') AND erased_at IS NULL
RETURNING id;

-- name: fail
-- Say why an import comes to nothing, and forget what was kept to be sent: $1 import, $2 failure,
-- $3 the worker that holds it or null.
WITH failed AS (
    UPDATE ingest.import_file
    SET state = 'failed', failure = $2::jsonb, finished_at = now(), progress_at = now(),
        leased_by = NULL, lease_until = NULL
    WHERE id = $1 AND state IN ('receiving', 'reading') AND leased_by IS NOT DISTINCT FROM $3
    RETURNING id
), kept AS (
    DELETE FROM ingest.import_chunk
    WHERE import_id = $1 AND begins < 0 AND EXISTS (SELECT FROM failed)
)
SELECT id FROM failed;

-- name: look_everywhere
-- For this transaction: look for work in every workspace.
SELECT set_config('kith.any_place', 'on', true);

-- name: claim
-- Take the import that waits longest: $1 worker, $2 seconds that it is this worker's.
UPDATE ingest.import_file AS f
SET leased_by = $1, lease_until = now() + make_interval(secs => $2)
FROM app.tenant AS t, app.workspace AS w
WHERE f.id = (
    SELECT id FROM ingest.import_file
    WHERE state IN ('reading', 'executing', 'undoing') AND not_before <= now()
        AND (lease_until IS NULL OR lease_until < now())
    ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
) AND t.id = f.tenant_id AND w.id = f.workspace_id
RETURNING f.*, t.public_id AS tenant, w.public_id AS workspace;

-- name: release
-- Let go of an import: $1 import, $2 worker, $3 seconds until it is worth another try.
UPDATE ingest.import_file
SET leased_by = NULL, lease_until = NULL, not_before = now() + make_interval(secs => $3)
WHERE id = $1 AND leased_by = $2;

-- name: note_staged
-- So far the rows are staged: $1 import, $2 worker, $3 rows before, $4 rows now, $5 classes,
-- $6 warnings, $7 seconds that it stays this worker's.
UPDATE ingest.import_file
SET staged = $4, classes = $5::jsonb, warnings = $6, progress_at = now(),
    lease_until = now() + make_interval(secs => $7)
WHERE id = $1 AND leased_by = $2 AND state = 'reading' AND staged = $3
RETURNING id;

-- name: note_fields
-- In which columns a definition is followed: $1 import, $2 worker, $3 column → type.
UPDATE ingest.import_file SET reading = reading || jsonb_build_object('fields', $3::jsonb)
WHERE id = $1 AND leased_by = $2 AND state = 'reading'
RETURNING id;

-- name: renew
-- The work goes on: $1 import, $2 worker, $3 seconds that it stays this worker's.
UPDATE ingest.import_file SET lease_until = now() + make_interval(secs => $3)
WHERE id = $1 AND leased_by = $2 AND state IN ('reading', 'executing', 'undoing')
RETURNING id;

-- name: end_reading
-- All is staged: $1 import, $2 worker, $3 classes, $4 the state that follows.
UPDATE ingest.import_file
SET state = $4::text::ingest.import_state, classes = $3::jsonb, progress_at = now(),
    executed_at = CASE WHEN $4 = 'executing' THEN now() END,
    leased_by = NULL, lease_until = NULL, not_before = now()
WHERE id = $1 AND leased_by = $2 AND state = 'reading'
RETURNING id;

-- name: delete_rows
-- Read anew: $1 import.
WITH keys AS (DELETE FROM ingest.import_row_key WHERE import_id = $1),
people AS (DELETE FROM ingest.import_person WHERE import_id = $1)
DELETE FROM ingest.import_row WHERE import_id = $1;

-- name: insert_rows
-- $1 import, $2 tenant, $3 workspace; then, row by row: $4 numbers, $5 lines, $6 classes, $7 fields,
-- $8 reasons, $9 identities, $10 records, $11 contents, $12 signals, $13 raws, $14 notes,
-- $15 previews, $16 creators, $17 contacts, $18 choices.
INSERT INTO ingest.import_row
    (import_id, tenant_id, workspace_id, number, line, class, field, reason, identity, record_key,
     content_hash, signal, raw, notes, preview, creator, contact, choice)
SELECT $1, $2, $3, u.number, u.line, u.class::ingest.row_class, u.field, u.reason, u.identity,
       u.record_key, u.content_hash, u.signal, u.raw, u.notes, u.preview, u.creator, u.contact,
       u.choice
FROM unnest($4::integer[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::bytea[],
            $10::bytea[], $11::bytea[], $12::text[], $13::text[], $14::text[], $15::text[],
            $16::integer[], $17::text[], $18::text[])
    AS u (number, line, class, field, reason, identity, record_key, content_hash, signal, raw,
          notes, preview, creator, contact, choice);

-- name: insert_keys
-- $1 import, $2 tenant, $3 workspace, $4 keys, $5 numbers.
INSERT INTO ingest.import_row_key (import_id, tenant_id, workspace_id, key, number)
SELECT $1, $2, $3, u.key, u.number FROM unnest($4::bigint[], $5::integer[]) AS u (key, number)
ON CONFLICT DO NOTHING;

-- name: hollow_erased
-- Of who was erased since the file came nothing is staged, nor are others shown beside them: $1
-- import, $2 above this number.
WITH theirs AS (
    SELECT k.number FROM ingest.import_erased AS e
    JOIN ingest.import_row_key AS k ON k.import_id = $1 AND k.key = e.key AND k.number > $2
    WHERE e.import_id = $1
    UNION
    SELECT r.number FROM ingest.import_erased AS e
    JOIN ingest.import_row AS r ON r.import_id = $1 AND r.record_key = e.record_key AND r.number > $2
        AND r.signal IS NOT NULL
    WHERE e.import_id = $1
), hollow AS (
    UPDATE ingest.import_row AS r
    SET identity = NULL, signal = NULL, raw = NULL, preview = NULL, notes = NULL,
        verdict = 'skipped', reason = 'of somebody who was erased'
    FROM theirs WHERE r.import_id = $1 AND r.number = theirs.number AND r.signal IS NOT NULL
    RETURNING r.number
), keys AS (
    DELETE FROM ingest.import_row_key AS k USING hollow
    WHERE k.import_id = $1 AND k.number = hollow.number
), gone AS (
    SELECT array_agg(contact) AS contacts, array_agg('%' || contact || '%') AS patterns
    FROM ingest.import_erased WHERE import_id = $1 AND contact IS NOT NULL HAVING count(*) > 0
), others AS (
    UPDATE ingest.import_row AS r
    SET preview = CASE WHEN r.class = 'conflict' THEN '{}'
        ELSE ingest.less_alike(r.preview, gone.contacts) END
    FROM gone
    WHERE r.import_id = $1 AND r.number > $2
        AND (r.class = 'conflict' OR r.preview LIKE '%"alike":[{%')
        AND r.preview LIKE ANY (gone.patterns)
        AND NOT EXISTS (SELECT FROM theirs WHERE theirs.number = r.number)
)
UPDATE ingest.import_file SET erased_at = coalesce(erased_at, now())
WHERE id = $1 AND EXISTS (SELECT FROM hollow);

-- name: find_context
-- Earlier rows that name an identifier of these, and the rows that would make their contacts:
-- $1 import, $2 keys, $3 below this number, $4 how many.
WITH beside AS MATERIALIZED (
    SELECT DISTINCT k.number FROM unnest($2::bigint[]) AS u (key)
    CROSS JOIN LATERAL (
        SELECT number FROM ingest.import_row_key
        WHERE import_id = $1 AND key = u.key AND number < $3 LIMIT $4
    ) AS k
),
named AS MATERIALIZED (
    SELECT number FROM beside
    UNION
    SELECT r.creator FROM beside CROSS JOIN LATERAL (
        SELECT creator FROM ingest.import_row
        WHERE import_id = $1 AND number = beside.number LIMIT 1
    ) AS r
    WHERE r.creator IS NOT NULL
    ORDER BY 1 LIMIT $4
)
SELECT r.number, r.line, r.creator, r.signal FROM named CROSS JOIN LATERAL (
    SELECT number, line, creator, signal FROM ingest.import_row
    WHERE import_id = $1 AND number = named.number AND signal IS NOT NULL LIMIT 1
) AS r
ORDER BY r.number;

-- name: find_earlier_choices
-- What was left out by choice when it was imported before, content and all: $1 tenant,
-- $2 workspace, $3 records, $4 contents.
SELECT u.place, e.choice
FROM unnest($3::bytea[], $4::bytea[]) WITH ORDINALITY AS u (record_key, content_hash, place)
CROSS JOIN LATERAL (
    SELECT choice FROM ingest.import_row
    WHERE tenant_id = $1 AND workspace_id = $2 AND record_key = u.record_key
        AND content_hash = u.content_hash AND choice IN ('skip', 'mine') AND verdict = 'skipped'
    ORDER BY import_id DESC LIMIT 1
) AS e;

-- name: find_twins
-- Numbers of the rows of a file that are called alike: $1 import.
SELECT unnest(array_agg(t.number)) AS number FROM ingest.import_row AS t
WHERE t.import_id = $1 AND t.identity IS NOT NULL
GROUP BY t.identity HAVING count(*) > 1;

-- name: get_identified
-- Rows by number, as they are called: $1 import, $2 numbers.
SELECT r.number, r.line, r.identity, r.signal FROM unnest($2::integer[]) AS u (number)
CROSS JOIN LATERAL (
    SELECT number, line, identity, signal FROM ingest.import_row
    WHERE import_id = $1 AND number = u.number LIMIT 1
) AS r
ORDER BY r.number;

-- name: replace_rows
-- Rows that were previewed anew: $1 import, $2 numbers, $3 records, $4 signals, $5 classes,
-- $6 reasons, $7 previews, $8 creators, $9 contacts. Each is looked up by itself: joined, all rows
-- of the import were read for every one of them.
UPDATE ingest.import_row AS r
SET record_key = u.record_key, signal = u.signal, class = u.class::ingest.row_class,
    reason = u.reason, preview = u.preview, creator = u.creator, contact = u.contact
FROM (
    SELECT found.place, said.*
    FROM unnest($2::integer[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::integer[], $9::text[])
        AS said (number, record_key, signal, class, reason, preview, creator, contact)
    CROSS JOIN LATERAL (
        SELECT o.ctid AS place FROM ingest.import_row AS o
        WHERE o.import_id = $1 AND o.number = said.number LIMIT 1
    ) AS found
) AS u
WHERE r.ctid = u.place AND r.signal IS NOT NULL;

-- name: count_classes
-- $1 import.
SELECT class::text, count(*)::integer AS rows FROM ingest.import_row
WHERE import_id = $1 GROUP BY class;

-- name: find_rows
-- Rows for people, in order: $1 import, $2 above this number, $3 classes or null, $4 verdicts or
-- null, $5 how many.
SELECT r.number, r.line, r.class::text, r.field, coalesce(v.reason, r.reason) AS reason, r.notes,
       r.preview, r.creator, r.choice, r.chosen, coalesce(v.contact, r.contact) AS contact,
       coalesce(v.verdict, r.verdict)::text AS verdict, coalesce(v.events, r.events) AS events,
       r.signal
FROM ingest.import_row AS r
LEFT JOIN LATERAL (
    SELECT verdict, contact, reason, events FROM ingest.import_verdict
    WHERE import_id = $1 AND number = r.number LIMIT 1
) AS v ON true
WHERE r.import_id = $1 AND r.number > $2
    AND ($3::text[] IS NULL OR r.class::text = ANY($3))
    AND ($4::text[] IS NULL OR coalesce(v.verdict, r.verdict)::text = ANY($4))
ORDER BY r.number LIMIT $5;

-- name: find_choosable
-- What there is to choose of rows: $1 import, $2 numbers.
SELECT number, class::text, preview FROM ingest.import_row
WHERE import_id = $1 AND number = ANY($2::integer[]);

-- name: choose_classes
-- $1 import, $2 choices by class, over those that were made.
UPDATE ingest.import_file SET choices = choices || $2::jsonb
WHERE id = $1 AND state = 'ready'
RETURNING id;

-- name: choose_rows
-- $1 import, $2 numbers, $3 choices, $4 what else was said.
UPDATE ingest.import_row AS r SET choice = u.choice, chosen = u.chosen
FROM (
    SELECT found.place, said.choice, said.chosen
    FROM unnest($2::integer[], $3::text[], $4::text[]) AS said (number, choice, chosen)
    CROSS JOIN LATERAL (
        SELECT o.ctid AS place FROM ingest.import_row AS o
        WHERE o.import_id = $1 AND o.number = said.number LIMIT 1
    ) AS found
) AS u
WHERE r.ctid = u.place;

-- name: execute
-- $1 import.
UPDATE ingest.import_file
SET state = 'executing', executed_at = now(), progress_at = now(), not_before = now()
WHERE id = $1 AND state = 'ready'
RETURNING id;

-- name: leave_out
-- Give a verdict to what is not sent: $1 import, $2 classes whose rows are left out by choice, of the
-- rows above $3 and up to $4. Tells how many of each.
WITH given AS (
    UPDATE ingest.import_row
    SET verdict = CASE WHEN class = 'rejected' THEN 'rejected' ELSE 'skipped' END::ingest.row_verdict,
        reason = CASE
            WHEN class IN ('rejected', 'blank', 'left_out') THEN reason
            WHEN choice = 'mine' THEN 'the contact stays as it is, by choice'
            ELSE 'left out by choice'
        END
    WHERE import_id = $1 AND number > $3 AND number <= $4 AND verdict IS NULL AND (
        class IN ('rejected', 'blank', 'left_out') OR choice IN ('skip', 'mine')
        OR (choice IS NULL AND class::text = ANY($2::text[]))
    )
    RETURNING verdict
)
SELECT verdict::text, count(*)::integer AS rows FROM given GROUP BY verdict;

-- name: find_sendable
-- Rows to be sent: $1 import, $2 above this number, $3 how many.
SELECT number, line, signal, raw, preview, choice FROM ingest.import_row
WHERE import_id = $1 AND number > $2 AND verdict IS NULL AND signal IS NOT NULL
ORDER BY number LIMIT $3;

-- name: note_sent
-- Kafka has the rows up to a number: $1 import, $2 worker, $3 the number, $4 seconds that it stays
-- this worker's.
UPDATE ingest.import_file
SET sent_to = $3, progress_at = now(), lease_until = now() + make_interval(secs => $4)
WHERE id = $1 AND leased_by = $2 AND state = 'executing'
RETURNING id;

-- name: find_open
-- Rows that were sent and have no verdict: $1 import, $2 above this number, $3 how many.
SELECT r.number, r.line, r.record_key, r.content_hash, r.choice
FROM ingest.import_row AS r
LEFT JOIN LATERAL (
    SELECT verdict FROM ingest.import_verdict
    WHERE import_id = $1 AND number = r.number LIMIT 1
) AS v ON true
WHERE r.import_id = $1 AND r.number > $2 AND r.verdict IS NULL AND v.verdict IS NULL
ORDER BY r.number LIMIT $3;

-- name: settle_rows
-- What became of rows: $1 import, $2 tenant, $3 workspace; then, row by row: $4 numbers, $5 verdicts,
-- $6 contacts, $7 reasons, $8 events, $9 whether nothing is left to be done.
INSERT INTO ingest.import_verdict AS v
    (import_id, tenant_id, workspace_id, number, verdict, contact, reason, events, settled)
SELECT $1, $2, $3, u.number, u.verdict::ingest.row_verdict, u.contact, u.reason, u.events, u.settled
FROM unnest($4::integer[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::boolean[])
    AS u (number, verdict, contact, reason, events, settled)
ON CONFLICT (import_id, number) DO UPDATE
SET verdict = excluded.verdict, contact = coalesce(excluded.contact, v.contact),
    reason = excluded.reason, events = excluded.events, settled = excluded.settled;

-- name: add_verdicts
-- Rows were given verdicts: $1 import, $2 worker, $3 how many of each, $4 events, $5 seconds that it
-- stays this worker's.
UPDATE ingest.import_file AS f
SET verdicts = (
        SELECT coalesce(jsonb_object_agg(
            name,
            coalesce((f.verdicts ->> name)::integer, 0) + coalesce(($3::jsonb ->> name)::integer, 0)
        ), '{}')
        FROM jsonb_object_keys(f.verdicts || $3::jsonb) AS name
    ),
    events = f.events + $4, lease_until = now() + make_interval(secs => $5),
    progress_at = CASE WHEN $3::jsonb = '{}' THEN f.progress_at ELSE now() END
WHERE f.id = $1 AND f.leased_by = $2 AND f.state = 'executing'
RETURNING f.id;

-- name: count_verdicts
-- Count anew what became of rows: $1 import, $2 worker, $3 seconds that it stays this worker's.
UPDATE ingest.import_file AS f
SET verdicts = told.verdicts, events = told.events, lease_until = now() + make_interval(secs => $3)
FROM (
    SELECT coalesce(jsonb_object_agg(verdict, rows), '{}') AS verdicts,
           coalesce(sum(events), 0)::integer AS events
    FROM (
        SELECT verdict, count(*) AS rows, sum(events) AS events
        FROM (
            SELECT verdict, events FROM ingest.import_verdict WHERE import_id = $1
            UNION ALL
            SELECT r.verdict, r.events FROM ingest.import_row AS r
            LEFT JOIN LATERAL (
                SELECT number FROM ingest.import_verdict
                WHERE import_id = $1 AND number = r.number LIMIT 1
            ) AS v ON true
            WHERE r.import_id = $1 AND r.verdict IS NOT NULL AND v.number IS NULL
        ) AS given
        GROUP BY verdict
    ) AS counted
) AS told
WHERE f.id = $1 AND f.leased_by = $2 AND f.state = 'executing'
RETURNING f.id;

-- name: wait_for_verdicts
-- Rows have no verdict yet: $1 import, $2 worker, $3 seconds that it stays this worker's, $4 the number
-- before the first of them. Tells for how long nothing moved.
UPDATE ingest.import_file
SET lease_until = now() + make_interval(secs => $3), concluded_to = greatest(concluded_to, $4)
WHERE id = $1 AND leased_by = $2 AND state = 'executing'
RETURNING now() - progress_at AS idle;

-- name: find_unsettled
-- Rows whose choice is still to be carried out: $1 import, $2 how many. Of who was erased meanwhile
-- nothing was chosen any more.
SELECT r.number, r.line, r.choice, r.chosen, coalesce(v.contact, r.contact) AS contact, r.preview,
       r.signal, coalesce(v.verdict, r.verdict)::text AS verdict,
       coalesce(v.events, r.events) AS events
FROM (
    SELECT number FROM ingest.import_verdict WHERE import_id = $1 AND NOT settled
    UNION
    SELECT number FROM ingest.import_row WHERE import_id = $1 AND NOT settled
) AS open
CROSS JOIN LATERAL (
    SELECT * FROM ingest.import_row WHERE import_id = $1 AND number = open.number LIMIT 1
) AS r
LEFT JOIN LATERAL (
    SELECT verdict, contact, reason, events, settled FROM ingest.import_verdict
    WHERE import_id = $1 AND number = r.number LIMIT 1
) AS v ON true
WHERE r.chosen IS NOT NULL AND NOT coalesce(v.settled, r.settled)
ORDER BY r.number LIMIT $2;

-- name: finish
-- All is done, and what was kept to be sent goes with it: whoever is killed behind that leaves
-- nothing. $1 import, $2 worker, $3 the state before, $4 the state that follows, $5 what undoing told.
WITH finished AS (
    UPDATE ingest.import_file
    SET state = $4::text::ingest.import_state, finished_at = now(), progress_at = now(),
        undo = coalesce($5::jsonb, undo), leased_by = NULL, lease_until = NULL
    WHERE id = $1 AND leased_by = $2 AND state = $3::text::ingest.import_state
    RETURNING id
), kept AS (
    DELETE FROM ingest.import_chunk
    WHERE import_id = $1 AND begins < 0 AND EXISTS (SELECT FROM finished)
)
SELECT id FROM finished;

-- name: begin_undo
-- $1 import.
UPDATE ingest.import_file
SET state = 'undoing', progress_at = now(), not_before = now(), undo = '{"retracted": 0}'
WHERE id = $1 AND state = 'done'
RETURNING id;

-- name: note_undo
-- $1 import, $2 worker, $3 what undoing told so far, $4 seconds that it stays this worker's.
UPDATE ingest.import_file
SET undo = $3::jsonb, progress_at = now(), lease_until = now() + make_interval(secs => $4)
WHERE id = $1 AND leased_by = $2 AND state = 'undoing'
RETURNING id;

-- name: discard
-- $1 import.
UPDATE ingest.import_file SET state = 'discarded', finished_at = now(), progress_at = now()
WHERE id = $1 AND state IN ('receiving', 'reading', 'ready', 'failed')
RETURNING id;

-- name: find_expired
-- Imports whose time is up, with their places, the longest due first: $1 how many. What is worked on
-- is left alone, but for what could not be read for a day.
SELECT f.id, f.tenant_id, f.workspace_id, f.state::text, t.public_id AS tenant,
       w.public_id AS workspace
FROM ingest.import_file AS f
JOIN app.tenant AS t ON t.id = f.tenant_id
JOIN app.workspace AS w ON w.id = f.workspace_id
WHERE f.purged_at IS NULL AND (f.expires_at < now() OR f.state = 'discarded')
    AND (f.state NOT IN ('reading', 'executing', 'undoing')
         OR (f.state = 'reading' AND f.progress_at < now() - interval '1 day'))
ORDER BY f.expires_at LIMIT $1;

-- name: forget_keys
-- Forget which identifiers rows name; tells of how many it was: $1 import, $2 at most so many.
WITH gone AS (
    DELETE FROM ingest.import_row_key WHERE ctid = ANY (ARRAY(
        SELECT k.ctid FROM ingest.import_row_key AS k WHERE k.import_id = $1 LIMIT $2
    )) RETURNING 1
)
SELECT count(*) FROM gone;

-- name: forget_erased
-- Forget who was erased while the file was read; tells of how many it was: $1 import, $2 at most so many.
WITH gone AS (
    DELETE FROM ingest.import_erased WHERE ctid = ANY (ARRAY(
        SELECT e.ctid FROM ingest.import_erased AS e WHERE e.import_id = $1 LIMIT $2
    )) RETURNING 1
)
SELECT count(*) FROM gone;

-- name: get_last_row
-- $1 import.
SELECT coalesce(max(number), 0) FROM ingest.import_row WHERE import_id = $1;

-- name: forget_rows
-- Keep what became of rows and nothing that says of whom they speak: $1 import, of the rows above $2
-- and up to $3.
UPDATE ingest.import_row
SET identity = NULL, signal = NULL, raw = NULL, preview = NULL, chosen = NULL, settled = true
WHERE import_id = $1 AND number > $2 AND number <= $3;

-- name: note_purged
-- $1 import.
UPDATE ingest.import_file
SET purged_at = now(), terms = terms - 'own', told = told - 'own',
    state = CASE WHEN state IN ('receiving', 'reading', 'ready') THEN 'discarded' ELSE state END
WHERE id = $1;

-- name: find_files_to_forget
-- Imports whose files nobody needs any more, with their places, once they have been read as often as
-- they are: where a row told of somebody who was erased; of activities that are over, unless something
-- is to be given back as it was rejected; and of what was never recognised. $1 how many.
SELECT f.id, f.tenant_id, f.workspace_id, t.public_id AS tenant, w.public_id AS workspace
FROM (
    SELECT id, tenant_id, workspace_id FROM ingest.import_file
    WHERE erased_at IS NOT NULL AND file_forgotten_at IS NULL
        AND state NOT IN ('receiving', 'reading')
        AND NOT (of_activities AND state = 'executing')
    UNION
    SELECT id, tenant_id, workspace_id FROM ingest.import_file
    WHERE file_forgotten_at IS NULL AND purged_at IS NULL AND (
        (of_activities AND state IN ('done', 'undoing', 'undone', 'failed'))
        OR (file_digest IS NULL AND state = 'failed')
    ) AND NOT (
        state IN ('done', 'failed') AND file_digest IS NOT NULL AND (
            coalesce((classes ->> 'rejected')::integer, 0) > 0
            OR coalesce((verdicts ->> 'rejected')::integer, 0) > 0
        )
    )
) AS f
JOIN app.tenant AS t ON t.id = f.tenant_id
JOIN app.workspace AS w ON w.id = f.workspace_id
ORDER BY f.id LIMIT $1;

-- name: is_file_over
-- Whether nobody needs the file of an import of activities that is over: $1 import.
SELECT erased_at IS NOT NULL OR (
    coalesce((classes ->> 'rejected')::integer, 0) = 0
    AND coalesce((verdicts ->> 'rejected')::integer, 0) = 0
) AS is_over
FROM ingest.import_file WHERE id = $1;

-- name: note_file_forgotten
-- $1 import.
UPDATE ingest.import_file SET file_forgotten_at = now() WHERE id = $1
RETURNING id;

-- name: put_chunk
-- $1 import, $2 tenant, $3 workspace, $4 where it begins, $5 bytes, $6 its name where they are kept
-- elsewhere. One that lies there was put down without its turn.
INSERT INTO ingest.import_chunk (import_id, tenant_id, workspace_id, begins, data, name)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (import_id, begins) DO UPDATE SET data = excluded.data, name = excluded.name;

-- name: find_chunk_names
-- The pieces of a file that is kept elsewhere, from a byte on: $1 import, $2 the byte.
SELECT begins, name FROM ingest.import_chunk
WHERE import_id = $1 AND begins >= $2 AND name IS NOT NULL ORDER BY begins;

-- name: find_chunk
-- The piece of a file that begins at or behind a byte: $1 import, $2 the byte.
SELECT begins, data FROM ingest.import_chunk
WHERE import_id = $1 AND begins >= $2 ORDER BY begins LIMIT 1;

-- name: delete_chunks
-- $1 import.
DELETE FROM ingest.import_chunk WHERE import_id = $1;

-- name: issue_key
-- A key for the resolver, of this workspace: $1 public id of the key, $2 workspace, $3 hash.
SELECT app.issue_import_key($1, $2, $3) AS issued;

-- name: find_rejects
-- Rows that were not taken, by the preview or behind it, and where the row behind each begins:
-- $1 import, $2 above this number, $3 how many. Each way of being rejected has an index of its own:
-- looked for in one condition, all rows of the import were read, with the verdict of each.
SELECT r.number, r.line, r.field, coalesce(v.reason, r.reason) AS reason, n.line AS end_line
FROM (
    (SELECT number FROM ingest.import_row
     WHERE import_id = $1 AND number > $2 AND class = 'rejected' ORDER BY number LIMIT $3)
    UNION
    (SELECT own.number FROM ingest.import_row AS own
     LEFT JOIN LATERAL (
         SELECT verdict FROM ingest.import_verdict
         WHERE import_id = $1 AND number = own.number LIMIT 1
     ) AS later ON true
     WHERE own.import_id = $1 AND own.number > $2 AND own.verdict = 'rejected'
         AND coalesce(later.verdict, 'rejected') = 'rejected'
     ORDER BY own.number LIMIT $3)
    UNION
    (SELECT number FROM ingest.import_verdict
     WHERE import_id = $1 AND number > $2 AND verdict = 'rejected' ORDER BY number LIMIT $3)
) AS found
CROSS JOIN LATERAL (
    SELECT number, line, field, reason FROM ingest.import_row
    WHERE import_id = $1 AND number = found.number LIMIT 1
) AS r
LEFT JOIN LATERAL (
    SELECT reason FROM ingest.import_verdict
    WHERE import_id = $1 AND number = found.number LIMIT 1
) AS v ON true
LEFT JOIN LATERAL (
    SELECT line FROM ingest.import_row
    WHERE import_id = $1 AND number = found.number + 1 LIMIT 1
) AS n ON true
ORDER BY r.number LIMIT $3;

-- name: find_noted
-- Rows of which values were left out: $1 import, $2 how many.
SELECT line, notes FROM ingest.import_row
WHERE import_id = $1 AND notes IS NOT NULL ORDER BY number LIMIT $2;
