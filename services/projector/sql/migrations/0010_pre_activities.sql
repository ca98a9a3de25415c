-- What a contact took part in, as one workspace reads it: the fold of the events that tell of
-- activities (ADR 0054).  Keyed by public ids, as everything here.
CREATE TABLE read.activity (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    contact_public_id text COLLATE "C" NOT NULL,
    activity_public_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    kind text NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL,
    source text NOT NULL DEFAULT '',
    is_withdrawn boolean NOT NULL DEFAULT false,
    detail json NOT NULL DEFAULT '{}',
    PRIMARY KEY (contact_public_id, activity_public_id)
) WITH (toast_tuple_target = 8160);
CREATE INDEX activity_page_idx
    ON read.activity (contact_public_id, occurred_at DESC, activity_public_id DESC)
    WHERE NOT is_withdrawn;
CREATE INDEX activity_people_idx ON read.activity (activity_public_id) WHERE NOT is_withdrawn;
COMMENT ON TABLE read.activity IS 'What a contact took part in, one row per activity.';
COMMENT ON COLUMN read.activity.version IS 'The version of the contact whose event said so: older ones change nothing.';
COMMENT ON COLUMN read.activity.is_withdrawn IS 'It is no longer the contact''s: kept, so that an older event that comes again changes nothing.';
COMMENT ON COLUMN read.activity.detail IS 'What the event told besides: direction, title, snippet, roles, others …';

CREATE TYPE read.activity_row AS (
    tenant_id bigint, workspace_id bigint, contact_public_id text, activity_public_id text,
    version integer, kind text, occurred_at timestamptz, source text, is_withdrawn boolean,
    detail json
);

ALTER TABLE read.activity ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON read.activity FOR SELECT TO kith_api USING (
    tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
    AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
);
CREATE POLICY writer ON read.activity TO kith_projector USING (true) WITH CHECK (true);
CREATE POLICY operator ON read.activity FOR SELECT TO kith_cli USING (true);
GRANT SELECT, INSERT, UPDATE ON read.activity TO kith_projector;
GRANT SELECT ON read.activity TO kith_api, kith_cli;
