-- What is known of a person beyond e-mails, phones and jobs; what they do; and their events'
-- snapshots.  Spec 003, 5.4, 8.3 and 16.3; spec 004, sub-tables and gap tables.  Foreign keys to
-- contact.contact follow in 0007, so that this migration holds no lock on a hot table.

CREATE TABLE contact.contact_addresses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    street text,
    city text,
    state text,
    postal_code text,
    country text CHECK (country ~ '^[A-Z]{2}$'),
    country_as_given text,
    label text,
    valid_from date,
    valid_until date,
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_until >= valid_from),
    CHECK (num_nonnulls(street, city, state, postal_code, country, country_as_given) > 0)
);
-- By digest: five texts of 255 characters are more than an index entry holds.
CREATE UNIQUE INDEX contact_addresses_once ON contact.contact_addresses (
    tenant_id, contact_id,
    md5(coalesce(street, '') || chr(31) || coalesce(city, '') || chr(31) || coalesce(state, '')
        || chr(31) || coalesce(postal_code, '') || chr(31)
        || coalesce(country, country_as_given, ''))
);
CREATE INDEX contact_addresses_contact ON contact.contact_addresses (contact_id);
COMMENT ON COLUMN contact.contact_addresses.country IS 'ISO 3166-1 alpha-2, where the given one is known.';

CREATE TYPE contact.key_date_type AS ENUM ('birthday', 'work_anniversary', 'first_met', 'custom');

CREATE TABLE contact.contact_key_dates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    type contact.key_date_type NOT NULL,
    date date NOT NULL,
    year_known boolean NOT NULL DEFAULT true,
    label text,
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (year_known OR date BETWEEN '1604-01-01' AND '1604-12-31'),
    CHECK (type <> 'custom' OR label IS NOT NULL),
    CHECK (char_length(label) <= 255)
);
CREATE UNIQUE INDEX contact_key_dates_once
    ON contact.contact_key_dates (tenant_id, contact_id, type, coalesce(label, ''), date);
CREATE INDEX contact_key_dates_contact ON contact.contact_key_dates (contact_id);
COMMENT ON COLUMN contact.contact_key_dates.year_known IS 'False: the source gave day and month only; the year is 1604, a leap year, as address books write it.';

CREATE TYPE contact.social_platform AS ENUM (
    'linkedin', 'twitter', 'github', 'facebook', 'instagram', 'other'
);

CREATE TABLE contact.contact_social_profiles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    platform contact.social_platform NOT NULL,
    url text CHECK (octet_length(url) <= 2048),
    username text,
    valid_from date,
    valid_until date,
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(url, username) > 0),
    CHECK (valid_until >= valid_from)
);
CREATE UNIQUE INDEX contact_social_profiles_once ON contact.contact_social_profiles
    (tenant_id, contact_id, platform, md5(coalesce(url, username)));
CREATE INDEX contact_social_profiles_contact ON contact.contact_social_profiles (contact_id);

CREATE TABLE contact.contact_education (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    school_name text NOT NULL CHECK (char_length(school_name) BETWEEN 1 AND 255),
    degree text CHECK (char_length(degree) <= 255),
    field_of_study text CHECK (char_length(field_of_study) <= 255),
    start_date date,
    end_date date,
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (end_date >= start_date)
);
CREATE UNIQUE INDEX contact_education_once ON contact.contact_education (
    tenant_id, contact_id,
    md5(school_name || chr(31) || coalesce(degree, '') || chr(31) || coalesce(field_of_study, ''))
);
CREATE INDEX contact_education_contact ON contact.contact_education (contact_id);

CREATE TABLE contact.contact_skills (
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    skill_name text NOT NULL CHECK (char_length(skill_name) BETWEEN 1 AND 255),
    endorsements integer NOT NULL DEFAULT 0 CHECK (endorsements >= 0),
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (contact_id, skill_name)
);

CREATE TABLE contact.contact_certifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    authority text CHECK (char_length(authority) <= 255),
    license_number text CHECK (char_length(license_number) <= 255),
    start_date date,
    end_date date,
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (end_date >= start_date)
);
CREATE UNIQUE INDEX contact_certifications_once ON contact.contact_certifications (
    tenant_id, contact_id,
    md5(name || chr(31) || coalesce(authority, '') || chr(31) || coalesce(license_number, ''))
);
CREATE INDEX contact_certifications_contact ON contact.contact_certifications (contact_id);

CREATE TYPE contact.language_proficiency AS ENUM (
    'native', 'full_professional', 'professional', 'limited', 'elementary'
);

CREATE TABLE contact.contact_languages (
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    language text NOT NULL CHECK (char_length(language) BETWEEN 1 AND 255),
    proficiency contact.language_proficiency,
    source_id smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (contact_id, language)
);

CREATE TABLE contact.contact_social_posts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    platform contact.social_platform NOT NULL,
    post_url text NOT NULL CHECK (octet_length(post_url) <= 2048),
    posted_at timestamptz,
    content_snippet text CHECK (char_length(content_snippet) <= 1000),
    source_id smallint NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX contact_social_posts_once
    ON contact.contact_social_posts (tenant_id, contact_id, md5(post_url));
CREATE INDEX contact_social_posts_timeline
    ON contact.contact_social_posts (contact_id, posted_at DESC);
COMMENT ON TABLE contact.contact_social_posts IS 'A cache of what a source showed of a public post.';

-- What happened between people: kept once, linked to everyone who took part.
CREATE TYPE contact.activity_type AS ENUM (
    'email', 'meeting', 'call', 'message', 'note', 'form', 'page_view', 'in_app', 'stage_change'
);
CREATE TYPE contact.activity_direction AS ENUM ('inbound', 'outbound', 'internal');

CREATE TABLE contact.activity (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^act_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    activity_type contact.activity_type NOT NULL,
    direction contact.activity_direction,
    thread_key text,
    subject text,
    detail jsonb NOT NULL DEFAULT '{}',
    actor_id bigint,
    source_id smallint NOT NULL,
    record_key bytea NOT NULL CHECK (octet_length(record_key) = 16),
    occurred_at timestamptz NOT NULL,
    ended_at timestamptz,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (ended_at >= occurred_at),
    UNIQUE (tenant_id, record_key)
);
COMMENT ON COLUMN contact.activity.record_key IS 'Keyed digest of (tenant, workspace, source, source record id), as in source_record: the same message again is the same activity.';

CREATE TABLE contact.contact_activities (
    activity_id bigint NOT NULL REFERENCES contact.activity (id) ON DELETE CASCADE,
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    activity_type contact.activity_type NOT NULL,
    role text NOT NULL CHECK (role IN (
        'from', 'to', 'cc', 'reply_to', 'organizer', 'attendee', 'caller', 'callee', 'about'
    )),
    actor_id bigint,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (activity_id, contact_id, role)
);
CREATE INDEX contact_activities_timeline
    ON contact.contact_activities (contact_id, workspace_id, occurred_at DESC);
COMMENT ON TABLE contact.contact_activities IS 'An activity on the timeline of one contact; type, actor and time are copies, so that the timeline is one index.';

-- State at some version: point-in-time reads begin here (spec 003, 16.3).
CREATE TABLE contact.contact_event_snapshots (
    tenant_id bigint NOT NULL,
    entity_id bigint NOT NULL,
    event_sequence integer NOT NULL CHECK (event_sequence >= 1),
    state jsonb NOT NULL,
    snapshot_at timestamptz NOT NULL,
    PRIMARY KEY (entity_id, event_sequence)
);
CREATE INDEX contact_event_snapshots_at
    ON contact.contact_event_snapshots (entity_id, snapshot_at DESC);
COMMENT ON COLUMN contact.contact_event_snapshots.snapshot_at IS 'When the newest event that it includes occurred.';

-- Who was erased, in no one's words: a restore from a backup erases them again before it serves.
CREATE TABLE contact.contact_erasure (
    contact_public_id text COLLATE "C" PRIMARY KEY,
    tenant_id bigint NOT NULL,
    ground text NOT NULL CHECK (ground IN ('data_subject', 'court', 'retention', 'other')),
    requested_by bigint,
    requested_at timestamptz NOT NULL,
    erased_at timestamptz,
    erased_rows jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX contact_erasure_tenant ON contact.contact_erasure (tenant_id, requested_at);
COMMENT ON TABLE contact.contact_erasure IS 'Free of personal data: a public id says nothing once its contact is gone.';
COMMENT ON COLUMN contact.contact_erasure.erased_rows IS 'Store → number of rows erased there.';

DO $$
DECLARE
    one text;
    shared_wall CONSTANT text := 'tenant_id = NULLIF(current_setting(''kith.tenant_id'', true), '''')::bigint';
    private_wall CONSTANT text := shared_wall
        || ' AND workspace_id = NULLIF(current_setting(''kith.workspace_id'', true), '''')::bigint';
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'contact_addresses', 'contact_key_dates', 'contact_social_profiles', 'contact_education',
        'contact_skills', 'contact_certifications', 'contact_languages', 'contact_social_posts',
        'activity', 'contact_activities', 'contact_event_snapshots', 'contact_erasure'
    ] LOOP
        EXECUTE format('ALTER TABLE contact.%I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY resolver ON contact.%I TO kith_resolver
            USING (true) WITH CHECK (true)', one);
        EXECUTE format('CREATE POLICY operator ON contact.%I FOR SELECT TO kith_cli
            USING (true)', one);
        IF one IN ('activity', 'contact_activities') THEN
            EXECUTE format('CREATE POLICY tenant_and_workspace ON contact.%I FOR SELECT TO kith_api
                USING (%s)', one, private_wall);
        ELSE
            EXECUTE format('CREATE POLICY tenant ON contact.%I FOR SELECT TO kith_api
                USING (%s)', one, shared_wall);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON contact.%I TO kith_resolver', one);
        EXECUTE format('GRANT SELECT ON contact.%I TO kith_cli', one);
    END LOOP;
END
$$;
