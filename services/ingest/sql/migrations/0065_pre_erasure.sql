-- What imports keep of a person that is erased (spec 003, 8.3; ADR 0076).  The resolver, which erases,
-- calls this function in its transaction: it may not touch these tables otherwise.

DO $$
BEGIN
    -- The tables' owner is bound by their walls too; it looks at them for this function alone.
    EXECUTE format('CREATE POLICY erasing_rows ON ingest.import_row TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY erasing_keys ON ingest.import_row_key TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY erasing_files ON ingest.import_chunk TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY erasing_reports ON ingest.import_file FOR SELECT TO %I USING (true)',
        current_user);
END
$$;

-- Forget what rows of these records say, in every workspace of a tenant, and the files that they came
-- in once those have been read: a file cannot be erased in part.  Returns how many rows it was.
CREATE FUNCTION ingest.forget_records(tenant_id bigint, record_keys bytea[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    imports bigint[];
    found bigint;
BEGIN
    WITH named AS (
        UPDATE ingest.import_row AS r
        SET identity = NULL, signal = NULL, raw = NULL, preview = NULL, chosen = NULL, notes = NULL,
            settled = true
        WHERE r.tenant_id = tenant_id AND r.record_key = ANY(record_keys)
        RETURNING r.import_id, r.number
    ), keys AS (
        DELETE FROM ingest.import_row_key AS k USING named
        WHERE k.import_id = named.import_id AND k.number = named.number
    )
    SELECT array_agg(DISTINCT import_id), count(*) INTO imports, found FROM named;
    DELETE FROM ingest.import_chunk AS c USING ingest.import_file AS f
    WHERE c.import_id = f.id AND f.id = ANY(imports) AND f.state NOT IN ('receiving', 'reading');
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION ingest.forget_records(bigint, bytea[]) FROM PUBLIC;
GRANT USAGE ON SCHEMA ingest TO kith_resolver;
GRANT EXECUTE ON FUNCTION ingest.forget_records(bigint, bytea[]) TO kith_resolver;
