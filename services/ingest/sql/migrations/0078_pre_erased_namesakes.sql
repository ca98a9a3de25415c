-- Erasing reaches what previews show of a namesake, too (ADR 0103).  Previews of others forgot whoever
-- was erased only where a row was in conflict; the row of somebody new kept showing a namesake's name,
-- and was put up for review with a contact that was gone.

-- step: rows that are shown beside a namesake
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_row_alike
    ON ingest.import_row (import_id, number) WHERE preview LIKE '%"alike":[{%';

-- step: whose contact it was
-- A portion may have been asked about before somebody was erased, and is staged behind it.
ALTER TABLE ingest.import_erased
    ADD COLUMN contact text COLLATE "C",
    DROP CONSTRAINT import_erased_check,
    ADD CONSTRAINT import_erased_check CHECK (num_nonnulls(key, record_key, contact) = 1),
    DROP CONSTRAINT import_erased_import_id_key_record_key_key,
    ADD CONSTRAINT import_erased_once UNIQUE NULLS NOT DISTINCT (import_id, key, record_key, contact);
COMMENT ON COLUMN ingest.import_erased.key IS 'Keyed digest of an identifier, as in import_row_key; or, in its place, whose record it is, or which contact.';

-- step: all but these
-- What is left of a preview without some namesakes: only their list is written anew, since what else
-- a preview holds may be no text that the database can read.
CREATE FUNCTION ingest.less_alike(preview text, contacts text[])
RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT replace(preview, '"alike":' || shown.alike, '"alike":' || coalesce(kept.alike, '[]'))
    FROM (SELECT (preview::json -> 'alike')::text AS alike) AS shown
    CROSS JOIN LATERAL (
        SELECT json_agg(u.one ORDER BY u.place)::text AS alike
        FROM json_array_elements(shown.alike::json) WITH ORDINALITY AS u (one, place)
        WHERE (u.one ->> 'contact') IS NULL OR u.one ->> 'contact' <> ALL (contacts)
    ) AS kept
$$;
REVOKE ALL ON FUNCTION ingest.less_alike(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.less_alike(text, text[]) TO kith_ingest;

-- step: forget
-- As before (0073), and namesakes.
CREATE OR REPLACE FUNCTION ingest.forget_people(
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
    INSERT INTO ingest.import_erased (import_id, tenant_id, workspace_id, key, record_key, contact)
    SELECT f.id, f.tenant_id, f.workspace_id, u.key, u.record_key, u.contact
    FROM ingest.import_file AS f
    CROSS JOIN (
        SELECT key, NULL::bytea AS record_key, NULL::text AS contact
        FROM unnest(identifier_keys) AS key
        UNION ALL
        SELECT NULL, record_key, NULL FROM unnest(record_keys) AS record_key
        UNION ALL
        SELECT NULL, NULL, contact FROM unnest(contacts) AS contact
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
    UPDATE ingest.import_row AS r SET preview = ingest.less_alike(r.preview, contacts)
    FROM ingest.import_file AS f
    WHERE f.tenant_id = tenant_id AND f.purged_at IS NULL AND r.import_id = f.id
        AND r.preview LIKE '%"alike":[{%' AND r.preview LIKE ANY (
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
