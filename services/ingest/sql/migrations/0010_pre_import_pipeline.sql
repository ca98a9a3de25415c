-- Files are staged, previewed, decided about row by row, sent, reported on, and taken back (ADR
-- 0050).  Rows hold personal data until their import's time is up; reports never do.

CREATE TYPE ingest.import_state AS ENUM (
    'receiving', 'reading', 'ready', 'executing', 'done', 'failed', 'undoing', 'undone', 'discarded'
);

-- What is there already went straight to Kafka: it is done, and its report says all there is.
ALTER TABLE ingest.import_file
    ADD COLUMN state ingest.import_state NOT NULL DEFAULT 'done',
    ADD COLUMN terms jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN file_bytes bigint CHECK (file_bytes >= 0),
    ADD COLUMN received_bytes bigint NOT NULL DEFAULT 0 CHECK (received_bytes >= 0),
    ADD COLUMN reading jsonb,
    ADD COLUMN failure jsonb,
    ADD COLUMN staged integer NOT NULL DEFAULT 0 CHECK (staged >= 0),
    ADD COLUMN classes jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN warnings integer NOT NULL DEFAULT 0 CHECK (warnings >= 0),
    ADD COLUMN choices jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN sent_to integer NOT NULL DEFAULT 0 CHECK (sent_to >= 0),
    ADD COLUMN verdicts jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN events integer NOT NULL DEFAULT 0,
    ADD COLUMN undo jsonb,
    ADD COLUMN executed_at timestamptz,
    ADD COLUMN finished_at timestamptz,
    ADD COLUMN progress_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN purged_at timestamptz,
    ADD COLUMN not_before timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN leased_by text,
    ADD COLUMN lease_until timestamptz,
    ALTER COLUMN file_digest DROP NOT NULL,
    ALTER COLUMN report DROP NOT NULL;
COMMENT ON COLUMN ingest.import_file.terms IS 'What the caller said of the file: source, tag, region, columns.';
COMMENT ON COLUMN ingest.import_file.report IS 'Of imports before there was a pipeline.';
COMMENT ON COLUMN ingest.import_file.staged IS 'Rows that were read and previewed so far.';
COMMENT ON COLUMN ingest.import_file.sent_to IS 'Rows up to this number are on their way; written after Kafka has them, so that a row may be sent twice and never not at all.';
COMMENT ON COLUMN ingest.import_file.lease_until IS 'When a worker that does not renew it counts as gone.';

CREATE INDEX import_file_work ON ingest.import_file (not_before)
    WHERE state IN ('reading', 'executing', 'undoing');
CREATE INDEX import_file_expiry ON ingest.import_file (expires_at)
    WHERE purged_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX import_file_page ON ingest.import_file (tenant_id, workspace_id, id DESC);

-- A worker looks for work of every workspace, and says so; for the work itself it enters one.
CREATE POLICY import_file_work ON ingest.import_file TO kith_ingest
    USING (current_setting('kith.any_place', true) = 'on')
    WITH CHECK (current_setting('kith.any_place', true) = 'on');
GRANT UPDATE ON ingest.import_file TO kith_ingest;

CREATE TYPE ingest.row_class AS ENUM (
    'new', 'update', 'duplicate', 'conflict', 'rejected', 'blank'
);
CREATE TYPE ingest.row_verdict AS ENUM (
    'created', 'updated', 'merged', 'in_review', 'unchanged', 'skipped', 'rejected'
);

CREATE TABLE ingest.import_row (
    import_id bigint NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    line integer NOT NULL CHECK (line >= 0),
    class ingest.row_class NOT NULL,
    field text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    identity bytea,
    record_key bytea CHECK (octet_length(record_key) = 16),
    content_hash bytea CHECK (octet_length(content_hash) = 16),
    signal text,
    raw text,
    notes text,
    preview text,
    creator integer,
    choice text CHECK (choice IN ('accept', 'skip', 'mine', 'theirs', 'apart', 'merge', 'fields')),
    chosen text,
    contact text COLLATE "C",
    verdict ingest.row_verdict,
    events integer NOT NULL DEFAULT 0,
    settled boolean NOT NULL DEFAULT true,
    PRIMARY KEY (import_id, number)
) WITH (fillfactor = 90);
CREATE INDEX import_row_told ON ingest.import_row (import_id, number)
    WHERE class IN ('conflict', 'rejected');
CREATE INDEX import_row_open ON ingest.import_row (import_id, number) WHERE verdict IS NULL;
CREATE INDEX import_row_unsettled ON ingest.import_row (import_id, number) WHERE NOT settled;
CREATE INDEX import_row_earlier ON ingest.import_row (tenant_id, workspace_id, record_key)
    WHERE choice IN ('skip', 'mine');
COMMENT ON TABLE ingest.import_row IS 'A row of a file: what it would lead to, what was chosen, what became of it.';
COMMENT ON COLUMN ingest.import_row.line IS 'Where it begins in the file, from 1.';
COMMENT ON COLUMN ingest.import_row.creator IS 'The row that would make the contact that this one is told of.';
COMMENT ON COLUMN ingest.import_row.settled IS 'False: what was chosen for it is still to be carried out, once the resolver has it.';

-- Which rows of a file name the same identifier: they are previewed beside one another.
CREATE TABLE ingest.import_row_key (
    import_id bigint NOT NULL,
    key bigint NOT NULL,
    number integer NOT NULL,
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    PRIMARY KEY (import_id, key, number)
);
COMMENT ON COLUMN ingest.import_row_key.key IS 'Keyed digest of an identifier, its first eight bytes.';

-- The file itself, piece by piece as it came.
CREATE TABLE ingest.import_chunk (
    import_id bigint NOT NULL,
    begins bigint NOT NULL CHECK (begins >= 0),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (import_id, begins)
);
ALTER TABLE ingest.import_chunk ALTER COLUMN data SET STORAGE EXTERNAL;

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['import_row', 'import_row_key', 'import_chunk'] LOOP
        EXECUTE format('ALTER TABLE ingest.%I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE ingest.%I FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY own ON ingest.%I TO kith_ingest
            USING (
                tenant_id = NULLIF(current_setting(''kith.tenant_id'', true), '''')::bigint
                AND workspace_id = NULLIF(current_setting(''kith.workspace_id'', true), '''')::bigint
            )
            WITH CHECK (
                tenant_id = NULLIF(current_setting(''kith.tenant_id'', true), '''')::bigint
                AND workspace_id = NULLIF(current_setting(''kith.workspace_id'', true), '''')::bigint
            )', one);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.%I TO kith_ingest', one);
    END LOOP;
    -- An operator looks at what became of rows, not at files.
    CREATE POLICY operator ON ingest.import_row FOR SELECT TO kith_cli USING (true);
    GRANT SELECT (import_id, number, tenant_id, workspace_id, line, class, field, reason, choice,
                  contact, verdict, events) ON ingest.import_row TO kith_cli;
END
$$;
