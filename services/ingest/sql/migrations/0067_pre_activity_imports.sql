-- Mail, calendars and logs are imports like any other: previewed, chosen about, resumed and reported on
-- entry by entry (ADR 0094).  What an entry says is not staged: its row says where it stands in the
-- file, what it would be, and by which digests the resolver knows what became of it.

-- step: a class and a verdict of their own
ALTER TYPE ingest.row_class ADD VALUE IF NOT EXISTS 'left_out';
ALTER TYPE ingest.row_verdict ADD VALUE IF NOT EXISTS 'recorded';

-- step: entries
ALTER TABLE ingest.import_file
    ADD COLUMN of_activities boolean NOT NULL DEFAULT false,
    ADD COLUMN told jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN ingest.import_file.of_activities IS 'Its file holds mail, meetings, calls or messages; its rows are sent from a second reading of it.';
COMMENT ON COLUMN ingest.import_file.told IS 'Of a file of activities: entries left out by reason, signatures, people, the user''s own addresses.';
ALTER TABLE ingest.import_row ADD COLUMN asked text;
COMMENT ON COLUMN ingest.import_row.asked IS 'Of an activity: by what the resolver is asked what became of it, digests and moments alone.';
ALTER TABLE ingest.import_row ALTER COLUMN asked SET STATISTICS 0;

-- step: who takes part
-- Who takes part in a file's activities, each record of a person once: for counts, and so that nothing
-- is sent of somebody who was erased meanwhile.
CREATE TABLE ingest.import_person (
    import_id bigint NOT NULL,
    record_key bytea NOT NULL CHECK (octet_length(record_key) = 16),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    key bigint NOT NULL,
    contact text COLLATE "C",
    is_erased boolean NOT NULL DEFAULT false,
    PRIMARY KEY (import_id, record_key)
);
COMMENT ON COLUMN ingest.import_person.key IS 'Keyed digest of the first identifier, its first eight bytes: one person may be called by several names.';
COMMENT ON COLUMN ingest.import_person.contact IS 'Whom the workspace knew by it when the file was read.';
CREATE INDEX import_person_record ON ingest.import_person (record_key);
CREATE INDEX import_person_contact ON ingest.import_person (contact) WHERE contact IS NOT NULL;

ALTER TABLE ingest.import_person ENABLE ROW LEVEL SECURITY;
ALTER TABLE ingest.import_person FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ingest.import_person TO kith_ingest
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
    WITH CHECK (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.import_person TO kith_ingest;
DO $$
BEGIN
    EXECUTE format('CREATE POLICY erasing_people ON ingest.import_person TO %I USING (true)',
        current_user);
END
$$;

-- step: forget those who take part
-- Forget what files of activities that were not carried out yet say of these people: what a preview
-- shows goes, a file that waits for a choice fails and goes as a whole, and of what is being read or
-- sent their entries are left out.  Returns how many of their records it was.
CREATE FUNCTION ingest.forget_participants(tenant_id bigint, record_keys bytea[], contacts text[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    imports bigint[];
    found bigint;
BEGIN
    WITH named AS (
        UPDATE ingest.import_person AS p SET is_erased = true, contact = NULL
        WHERE p.tenant_id = tenant_id AND NOT p.is_erased
            AND (p.record_key = ANY(record_keys) OR p.contact = ANY(contacts))
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
REVOKE ALL ON FUNCTION ingest.forget_participants(bigint, bytea[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.forget_participants(bigint, bytea[], text[]) TO kith_resolver;
