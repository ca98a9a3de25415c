-- Erasing reaches whoever a file names that is still on its way (ADR 0103).  Rows of a table were found by
-- the record or the contact that a preview said: not of somebody whom it took for new, nor by another
-- source; and neither rows nor entries of a portion that was being staged, or was yet to be read.

-- step: who was erased while a file is on its way
CREATE TABLE ingest.import_erased (
    import_id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    key bigint,
    record_key bytea CHECK (octet_length(record_key) = 16),
    CHECK (num_nonnulls(key, record_key) = 1),
    UNIQUE NULLS NOT DISTINCT (import_id, key, record_key)
);
COMMENT ON TABLE ingest.import_erased IS 'Who was erased before all of a file had been read: nothing of theirs is staged any more.';
COMMENT ON COLUMN ingest.import_erased.key IS 'Keyed digest of an identifier, as in import_row_key; or, in its place, whose record it is.';

ALTER TABLE ingest.import_erased ENABLE ROW LEVEL SECURITY;
ALTER TABLE ingest.import_erased FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ingest.import_erased TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
GRANT SELECT, INSERT, DELETE ON ingest.import_erased TO kith_ingest;
DO $$
BEGIN
    EXECUTE format('CREATE POLICY erasing ON ingest.import_erased TO %I USING (true)', current_user);
END
$$;

-- step: forget
-- As before (0066), and whatever rows name them in files that are not carried out yet.  Files that are
-- still read are held first: a portion that is being staged is seen whole, or sees who was erased.
-- Who does not know of identifiers yet gives none.
DROP FUNCTION ingest.forget_people(bigint, bytea[], text[]);
CREATE FUNCTION ingest.forget_people(
    tenant_id bigint, record_keys bytea[], contacts text[], identifier_keys bigint[] DEFAULT '{}'
)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    one record;
    imports bigint[] := '{}';
    numbers integer[] := '{}';
BEGIN
    PERFORM FROM ingest.import_file AS f
    WHERE f.tenant_id = tenant_id AND f.state IN ('receiving', 'reading')
    ORDER BY f.id FOR UPDATE;
    INSERT INTO ingest.import_erased (import_id, tenant_id, workspace_id, key, record_key)
    SELECT f.id, f.tenant_id, f.workspace_id, u.key, u.record_key
    FROM ingest.import_file AS f
    CROSS JOIN (
        SELECT key, NULL::bytea AS record_key FROM unnest(identifier_keys) AS key
        UNION ALL
        SELECT NULL, record_key FROM unnest(record_keys) AS record_key
    ) AS u
    WHERE f.tenant_id = tenant_id AND f.state IN ('receiving', 'reading')
    ON CONFLICT DO NOTHING;
    -- Each value is looked up by itself: nothing is known of how many rows have one. And a row is
    -- written by its key, also where a worker has written it meanwhile.
    FOR one IN
        SELECT r.import_id, r.number FROM unnest(record_keys) AS u (record_key)
        CROSS JOIN LATERAL (
            SELECT o.import_id, o.number, o.tenant_id FROM ingest.import_row AS o
            WHERE o.record_key = u.record_key AND o.signal IS NOT NULL OFFSET 0
        ) AS r
        WHERE r.tenant_id = tenant_id
        UNION
        SELECT r.import_id, r.number FROM unnest(contacts) AS u (contact)
        CROSS JOIN LATERAL (
            SELECT o.import_id, o.number, o.tenant_id FROM ingest.import_row AS o
            WHERE o.contact = u.contact AND o.signal IS NOT NULL OFFSET 0
        ) AS r
        WHERE r.tenant_id = tenant_id
        UNION
        SELECT k.import_id, k.number FROM ingest.import_file AS f
        CROSS JOIN unnest(identifier_keys) AS u (key)
        CROSS JOIN LATERAL (
            SELECT o.import_id, o.number FROM ingest.import_row_key AS o
            WHERE o.import_id = f.id AND o.key = u.key OFFSET 0
        ) AS k
        WHERE f.tenant_id = tenant_id AND f.state IN ('reading', 'ready', 'executing')
            AND f.purged_at IS NULL
        ORDER BY 1, 2
    LOOP
        UPDATE ingest.import_row AS r
        SET identity = NULL, signal = NULL, raw = NULL, preview = NULL, chosen = NULL, notes = NULL,
            settled = true,
            verdict = CASE WHEN r.verdict IS NULL AND r.number > f.sent_to
                THEN 'skipped'::ingest.row_verdict ELSE r.verdict END,
            reason = CASE WHEN r.verdict IS NULL AND r.number > f.sent_to
                THEN 'of somebody who was erased' ELSE r.reason END
        FROM ingest.import_file AS f
        WHERE f.id = r.import_id AND r.import_id = one.import_id AND r.number = one.number
            AND r.signal IS NOT NULL;
        IF FOUND THEN
            imports := imports || one.import_id;
            numbers := numbers || one.number;
        END IF;
    END LOOP;
    UPDATE ingest.import_row AS r SET preview = '{}'
    FROM ingest.import_file AS f
    WHERE f.tenant_id = tenant_id AND f.purged_at IS NULL AND r.import_id = f.id
        AND r.class = 'conflict' AND r.preview LIKE ANY (
            SELECT '%' || name || '%' FROM unnest(contacts) AS name);
    DELETE FROM ingest.import_row_key AS k
    USING unnest(imports, numbers) AS u (import_id, number)
    WHERE k.import_id = u.import_id AND k.number = u.number;
    UPDATE ingest.import_file AS f SET erased_at = coalesce(f.erased_at, now())
    WHERE f.id = ANY(imports);
    DELETE FROM ingest.import_chunk AS c USING ingest.import_file AS f
    WHERE c.import_id = f.id AND f.id = ANY(imports) AND f.state NOT IN ('receiving', 'reading');
    RETURN cardinality(numbers);
END
$$;
REVOKE ALL ON FUNCTION ingest.forget_people(bigint, bytea[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.forget_people(bigint, bytea[], text[], bigint[]) TO kith_resolver;

-- step: forget those who take part
-- As before (0072); and a file of which something was rejected is kept when it is carried out, to give
-- that back (ADR 0104): it goes too.
CREATE OR REPLACE FUNCTION ingest.forget_participants(
    tenant_id bigint, record_keys bytea[], contacts text[], identifier_keys bigint[] DEFAULT '{}'
)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    people bigint[];
    imports bigint[];
    found bigint;
BEGIN
    SELECT array_agg(DISTINCT key) INTO people FROM (
        SELECT unnest(identifier_keys) AS key
        UNION ALL
        SELECT p.key FROM ingest.import_person AS p
        WHERE p.tenant_id = tenant_id AND p.record_key = ANY(record_keys)
        UNION ALL
        SELECT p.key FROM ingest.import_person AS p
        WHERE p.tenant_id = tenant_id AND p.contact = ANY(contacts)
    ) AS said;
    PERFORM FROM ingest.import_file AS f
    WHERE f.id IN (
        SELECT p.import_id FROM ingest.import_person AS p
        WHERE p.tenant_id = tenant_id AND p.key = ANY(people)
    )
    ORDER BY f.id FOR UPDATE;
    WITH named AS (
        UPDATE ingest.import_person AS p SET is_erased = true, contact = NULL
        WHERE p.tenant_id = tenant_id AND p.key = ANY(people) AND NOT p.is_erased
        RETURNING p.import_id
    )
    SELECT coalesce(array_agg(DISTINCT import_id), '{}'), count(*) INTO imports, found FROM named;
    UPDATE ingest.import_row AS r SET preview = NULL
    WHERE r.import_id = ANY(imports) AND r.preview IS NOT NULL;
    UPDATE ingest.import_file AS f
    SET erased_at = coalesce(f.erased_at, now()), file_forgotten_at = NULL,
        state = CASE WHEN f.state = 'ready' THEN 'failed' ELSE f.state END,
        failure = CASE WHEN f.state = 'ready' THEN jsonb_build_object(
            'reason', 'erased', 'field', 'file', 'detail',
            'somebody who takes part was erased, and the file with them; import it without them'
        ) ELSE f.failure END,
        finished_at = CASE WHEN f.state = 'ready' THEN now() ELSE f.finished_at END,
        progress_at = now()
    WHERE f.id = ANY(imports) AND (f.state IN ('reading', 'ready', 'executing')
        OR (f.state IN ('done', 'failed') AND f.file_forgotten_at IS NULL));
    DELETE FROM ingest.import_chunk AS c USING ingest.import_file AS f
    WHERE c.import_id = f.id AND f.id = ANY(imports)
        AND f.state NOT IN ('receiving', 'reading', 'executing');
    RETURN found;
END
$$;
