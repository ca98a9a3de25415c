-- Erasing reaches what was never sent, too: rows that a preview says are the person's, and what
-- previews of others show of them (ADR 0076).  Rows were looked up by record without an index, all
-- of them for every order; and a file in a directory stayed where it was.

-- step: whose record a row is
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_row_record
    ON ingest.import_row (record_key) WHERE signal IS NOT NULL;

-- step: whom a row would change
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_row_contact
    ON ingest.import_row (contact) WHERE signal IS NOT NULL AND contact IS NOT NULL;

-- step: files that are to go
ALTER TABLE ingest.import_file
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN file_forgotten_at timestamptz;
COMMENT ON COLUMN ingest.import_file.erased_at IS 'When somebody was erased whom a row of it told of: its file is forgotten once it has been read.';
COMMENT ON COLUMN ingest.import_file.file_forgotten_at IS 'When the file was, wherever files are kept.';

-- step: to be found
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_file_to_forget
    ON ingest.import_file (id) WHERE erased_at IS NOT NULL AND file_forgotten_at IS NULL;

-- step: by the owner alone
DO $$
BEGIN
    EXECUTE format('CREATE POLICY erasing_marks ON ingest.import_file FOR UPDATE TO %I USING (true)',
        current_user);
END
$$;

-- step: forget
-- Forget what rows of these records say, and rows that were to change these contacts, in every
-- workspace of a tenant, with what rows in conflict show of them.  What was not sent is not sent any
-- more. Files go as well, once they have been read: one cannot be erased in part. Returns how many
-- rows it was.
CREATE FUNCTION ingest.forget_people(tenant_id bigint, record_keys bytea[], contacts text[])
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
        WHERE f.id = r.import_id AND r.import_id = one.import_id AND r.number = one.number;
        imports := imports || one.import_id;
        numbers := numbers || one.number;
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
REVOKE ALL ON FUNCTION ingest.forget_people(bigint, bytea[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.forget_people(bigint, bytea[], text[]) TO kith_resolver;

-- step: what it replaces
DROP FUNCTION ingest.forget_records(bigint, bytea[]);
