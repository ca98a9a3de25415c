-- Erasing reaches people by whatever name a file of activities calls them (ADR 0076).  A record of
-- somebody who takes part is its content, the name that is displayed included: of somebody who was
-- new when the file was read only those records were known that had been sent.

-- step: by identifier
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_person_key
    ON ingest.import_person (key, import_id);

-- step: forget those who take part
-- As before (0067), and all records of whoever is found, in every import of the tenant: those of one
-- identifier are one person's.  Imports are held first: a portion that is being staged is seen
-- whole, or sees who was erased.  Who does not know of identifiers yet gives none.
DROP FUNCTION ingest.forget_participants(bigint, bytea[], text[]);
CREATE FUNCTION ingest.forget_participants(
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
    WHERE f.id = ANY(imports) AND f.state IN ('reading', 'ready', 'executing');
    DELETE FROM ingest.import_chunk AS c USING ingest.import_file AS f
    WHERE c.import_id = f.id AND f.id = ANY(imports)
        AND f.state NOT IN ('receiving', 'reading', 'executing');
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION ingest.forget_participants(bigint, bytea[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.forget_participants(bigint, bytea[], text[], bigint[])
    TO kith_resolver;
