-- What happened between people: the ledger of activities, and what 0003 lacks of them (ADR 0054).
-- The tables of 0003 are empty: no release before this one wrote them.

-- step: sources
INSERT INTO contact.data_source (source_provider, source_type, priority, description) VALUES
    ('calendar', 'integration', 15, 'Calendar events: iCalendar files, Google, Microsoft'),
    ('call_log', 'manual', 10, 'Logs of calls and messages'),
    ('web_tracking', 'integration', 10, 'Forms, page views, in-app use')
ON CONFLICT (source_provider) DO NOTHING;

-- step: activity
ALTER TABLE contact.activity
    ADD COLUMN status text CHECK (status IN (
        'confirmed', 'tentative', 'cancelled', 'answered', 'missed', 'declined', 'voicemail')),
    ADD COLUMN all_day boolean NOT NULL DEFAULT false,
    ADD COLUMN snippet text,
    ADD COLUMN location text,
    ADD COLUMN participants integer NOT NULL DEFAULT 0,
    ADD COLUMN stated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN deleted_at timestamptz;
COMMENT ON COLUMN contact.activity.detail IS 'Whatever else the source says: the signal''s `attributes`.';
COMMENT ON COLUMN contact.activity.participants IS 'How many took part, whether or not they are contacts.';
COMMENT ON COLUMN contact.activity.stated_at IS 'When the source stated the present version.';
COMMENT ON COLUMN contact.activity.deleted_at IS 'When the source deleted it: it is on no timeline any more.';

-- step: contact_activities
ALTER TABLE contact.contact_activities
    DROP CONSTRAINT contact_activities_pkey,
    DROP CONSTRAINT contact_activities_role_check,
    ADD COLUMN participant_no smallint NOT NULL,
    ADD COLUMN record_key bytea CHECK (octet_length(record_key) = 16),
    ADD COLUMN attendance text CHECK (attendance IN (
        'needs_action', 'accepted', 'declined', 'tentative', 'delegated', 'attended', 'no_show')),
    ADD COLUMN applied_version integer NOT NULL CHECK (applied_version >= 1),
    ADD CONSTRAINT contact_activities_role_check CHECK (role IN (
        'from', 'to', 'cc', 'bcc', 'reply_to', 'organizer', 'attendee', 'caller', 'callee',
        'about')),
    ADD PRIMARY KEY (activity_id, participant_no);
COMMENT ON COLUMN contact.contact_activities.contact_id IS 'Whose timeline it was put on: a contact that has been absorbed since shows at its survivor, and has it back when the merge is undone.';
COMMENT ON COLUMN contact.contact_activities.participant_no IS 'Place in the activity''s list of participants, from 0.';
COMMENT ON COLUMN contact.contact_activities.record_key IS 'The source record that the participant is; null where the source named the contact itself.';
COMMENT ON COLUMN contact.contact_activities.applied_version IS 'The version of the contact whose event tells of it.';

-- step: ledger
CREATE TABLE contact.activity_record (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    source_id smallint NOT NULL,
    record_key bytea NOT NULL CHECK (octet_length(record_key) = 16),
    revision integer NOT NULL CHECK (revision >= 1),
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 16),
    source_record_id text,
    source_version bigint,
    signal_id text NOT NULL,
    stated_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    applied_at timestamptz NOT NULL,
    superseded_at timestamptz,
    activity_id bigint NOT NULL REFERENCES contact.activity (id) ON DELETE CASCADE,
    import_id text COLLATE "C",
    raw json NOT NULL,
    rejected json,
    PRIMARY KEY (tenant_id, record_key, revision)
);
CREATE INDEX activity_record_activity ON contact.activity_record (activity_id);
CREATE INDEX activity_record_import
    ON contact.activity_record (tenant_id, import_id) WHERE import_id IS NOT NULL;
COMMENT ON TABLE contact.activity_record IS 'The ledger of activities: one row per delivery that was applied, as source_record is of contacts.';
COMMENT ON COLUMN contact.activity_record.stated_at IS 'When the source stated it: the newer statement of a record is the one that counts.';

ALTER TABLE contact.activity_record ENABLE ROW LEVEL SECURITY;
CREATE POLICY resolver ON contact.activity_record TO kith_resolver
    USING (true) WITH CHECK (true);
CREATE POLICY operator ON contact.activity_record FOR SELECT TO kith_cli USING (true);
CREATE POLICY tenant_and_workspace ON contact.activity_record FOR SELECT TO kith_api USING (
    tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
    AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact.activity_record TO kith_resolver;
GRANT USAGE ON SEQUENCE contact.activity_id_seq TO kith_resolver;
GRANT SELECT ON contact.activity_record TO kith_cli;
GRANT SELECT (tenant_id, workspace_id, record_key, revision, content_hash, activity_id)
    ON contact.activity_record TO kith_api;
GRANT SELECT ON contact.activity, contact.contact_activities TO kith_api;

-- step: rows of a batch
CREATE TYPE contact.activity_row AS (
    id bigint, public_id text, tenant_id bigint, workspace_id bigint, activity_type text,
    direction text, status text, occurred_at timestamptz, ended_at timestamptz, all_day boolean,
    subject text, snippet text, thread_key text, location text, detail jsonb, source_id smallint,
    record_key bytea, participants int, stated_at timestamptz, is_deleted boolean
);
CREATE TYPE contact.participation_row AS (
    activity_id bigint, participant_no smallint, tenant_id bigint, workspace_id bigint,
    contact_id bigint, activity_type text, role text, attendance text, record_key bytea,
    occurred_at timestamptz, applied_version int
);
CREATE TYPE contact.activity_record_row AS (
    tenant_id bigint, workspace_id bigint, source_id smallint, record_key bytea, revision int,
    content_hash bytea, source_record_id text, source_version bigint, signal_id text,
    stated_at timestamptz, received_at timestamptz, activity_id bigint, import_id text, raw json,
    rejected json, stale boolean
);
