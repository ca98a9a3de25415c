-- Schema read: what people read about contacts and companies, folded from their events.
-- Everything here may be dropped and rebuilt from contact.contact_event.

CREATE SCHEMA IF NOT EXISTS read;
GRANT USAGE ON SCHEMA read TO kith_projector, kith_indexer, kith_api, kith_cli;

-- One row per contact and workspace that knows it.  Keyed by public ids, as events are: the
-- resolver's numbers stay the resolver's.  Indexes serve two jobs only, finding a contact's rows
-- and paging one workspace; every further one costs each new contact about 3 us.
CREATE TABLE read.contact_view (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    public_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    status text NOT NULL,
    stage text NOT NULL DEFAULT 'new',
    display_name text,
    first_name text,
    last_name text,
    headline text,
    job_title text,
    department text,
    email_primary text,
    phone_primary text,
    company_public_id text,
    company_name text,
    city text,
    state text,
    country text,
    linkedin_url text,
    birthday text,
    import_source text,
    source text NOT NULL,
    emails text[] NOT NULL DEFAULT '{}',
    phones text[] NOT NULL DEFAULT '{}',
    detail json NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (public_id, workspace_id)
) WITH (
    -- Room for the next version beside the present one (HOT), and rows kept in line and
    -- uncompressed up to 8 kB: compressing each costs more than all else about it.
    fillfactor = 70, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05
);
CREATE INDEX contact_view_page_idx ON read.contact_view (tenant_id, workspace_id, public_id);
COMMENT ON TABLE read.contact_view IS 'A contact as one workspace sees it: the fold of its events.';
COMMENT ON COLUMN read.contact_view.state IS 'The region of the address, as in `city`, `state`, `country`.';
COMMENT ON COLUMN read.contact_view.detail IS 'The fold itself: fields, provenance (an index into origins), identifiers, employments, candidates, and this workspace''s binding. Type json, not jsonb: it is written and read as a whole, and parsing it cost 30 us a row.';

-- Field -> where its value came from, from a row's `detail`.
CREATE FUNCTION read.provenance(detail json) RETURNS json
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT COALESCE(json_object_agg(field.key, detail -> 'origins' -> field.value::integer), '{}')
    FROM json_each_text(detail -> 'provenance') AS field
$$;

CREATE TABLE read.timeline (
    tenant_id bigint NOT NULL,
    contact_public_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    workspace_id bigint,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    source text,
    summary json NOT NULL,
    PRIMARY KEY (contact_public_id, version)
) WITH (toast_tuple_target = 8160);
COMMENT ON TABLE read.timeline IS 'What happened to a contact, one row per event.';
COMMENT ON COLUMN read.timeline.workspace_id IS 'The workspace whose event it is; null when it concerns all of the tenant''s.';

CREATE TABLE read.company_view (
    tenant_id bigint NOT NULL,
    public_id text COLLATE "C" NOT NULL PRIMARY KEY,
    version integer NOT NULL CHECK (version > 0),
    name text NOT NULL,
    domain text,
    source text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX company_view_page_idx ON read.company_view (tenant_id, public_id);
COMMENT ON TABLE read.company_view IS 'A company as its tenant sees it.';

CREATE TABLE read.projection_state (
    name text PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON COLUMN read.projection_state.recorded_at IS 'When kith first saw the newest signal that this projection shows.';

CREATE TABLE read.kafka_offset (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

-- Rows as a batch sends them: one array of rows costs the client half of an array per column.
CREATE TYPE read.view_row AS (
    tenant_id bigint, workspace_id bigint, public_id text, version integer, status text,
    display_name text, first_name text, last_name text, headline text, job_title text,
    department text, email_primary text, phone_primary text, company_public_id text,
    company_name text, city text, state text, country text, linkedin_url text, birthday text,
    import_source text, source text, emails text[], phones text[], detail json,
    created_at timestamptz, updated_at timestamptz
);
CREATE TYPE read.timeline_row AS (
    tenant_id bigint, contact_public_id text, version integer, workspace_id bigint,
    event_type text, occurred_at timestamptz, recorded_at timestamptz, source text, summary json
);
CREATE TYPE read.company_row AS (
    tenant_id bigint, public_id text, version integer, name text, domain text, source text,
    created_at timestamptz
);

-- Walls: the api sees one tenant, and of it one workspace and what all share.
ALTER TABLE read.contact_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE read.timeline ENABLE ROW LEVEL SECURITY;
ALTER TABLE read.company_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE read.projection_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE read.kafka_offset ENABLE ROW LEVEL SECURITY;

CREATE POLICY wall ON read.contact_view FOR SELECT TO kith_api USING (
    tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
    AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
);
CREATE POLICY wall ON read.timeline FOR SELECT TO kith_api USING (
    tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
    AND (
        workspace_id IS NULL
        OR workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    )
);
CREATE POLICY wall ON read.company_view FOR SELECT TO kith_api USING (
    tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
);
CREATE POLICY everyone ON read.projection_state FOR SELECT TO kith_api, kith_indexer USING (true);
CREATE POLICY writer ON read.contact_view TO kith_projector USING (true) WITH CHECK (true);
CREATE POLICY writer ON read.timeline TO kith_projector USING (true) WITH CHECK (true);
CREATE POLICY writer ON read.company_view TO kith_projector USING (true) WITH CHECK (true);
CREATE POLICY writer ON read.projection_state TO kith_projector USING (true) WITH CHECK (true);
CREATE POLICY writer ON read.kafka_offset TO kith_projector USING (true) WITH CHECK (true);
CREATE POLICY operator ON read.contact_view FOR SELECT TO kith_cli USING (true);
CREATE POLICY operator ON read.timeline FOR SELECT TO kith_cli USING (true);
CREATE POLICY operator ON read.company_view FOR SELECT TO kith_cli USING (true);
CREATE POLICY operator ON read.projection_state FOR SELECT TO kith_cli USING (true);
CREATE POLICY operator ON read.kafka_offset FOR SELECT TO kith_cli USING (true);

GRANT SELECT, INSERT, UPDATE ON read.contact_view, read.timeline, read.company_view,
    read.projection_state, read.kafka_offset TO kith_projector;
GRANT SELECT ON read.contact_view, read.timeline, read.company_view, read.projection_state
    TO kith_api;
GRANT SELECT ON read.projection_state TO kith_indexer;
GRANT SELECT ON read.contact_view, read.timeline, read.company_view, read.projection_state,
    read.kafka_offset TO kith_cli;
