-- What a workspace keeps of its own: fields, tags, groups; and who changed its view of whom.
-- Spec 003, 12; spec 004, gap table contact_field_audit; DESIGN 9.

-- Fields of a workspace's own making.  Their values live in the binding's custom_fields under the
-- field's key; a value that does not fit its type is refused by the resolver.
CREATE TYPE contact.field_type AS ENUM (
    'text', 'long_text', 'number', 'boolean', 'date', 'timestamp', 'choice', 'choices', 'url',
    'email', 'phone'
);

CREATE TABLE contact.custom_field (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^fld_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    entity_type contact.entity_kind NOT NULL,
    key text COLLATE "C" NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 255),
    type contact.field_type NOT NULL,
    choices text[],
    position integer NOT NULL DEFAULT 0,
    created_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    UNIQUE (tenant_id, workspace_id, entity_type, key),
    CHECK ((type IN ('choice', 'choices')) = (choices IS NOT NULL)),
    CHECK (cardinality(choices) BETWEEN 1 AND 500)
);

-- At most 200 that are not archived (spec 003, 23.2).  The lock makes two writers count in turn.
CREATE FUNCTION contact.refuse_too_many_fields() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    crowded record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(
        format('custom_field %s %s %s', place.tenant_id, place.workspace_id, place.entity_type), 0))
    FROM (SELECT DISTINCT tenant_id, workspace_id, entity_type FROM written ORDER BY 1, 2, 3)
        AS place;
    SELECT kept.entity_type, count(*) AS fields INTO crowded
    FROM contact.custom_field AS kept
    WHERE kept.archived_at IS NULL AND (kept.tenant_id, kept.workspace_id, kept.entity_type) IN
        (SELECT tenant_id, workspace_id, entity_type FROM written)
    GROUP BY kept.tenant_id, kept.workspace_id, kept.entity_type
    HAVING count(*) > 200 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a workspace may have 200 fields of its own per %, not %; archive some',
            crowded.entity_type, crowded.fields USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER at_most_200_new AFTER INSERT ON contact.custom_field
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION contact.refuse_too_many_fields();
CREATE TRIGGER at_most_200_changed AFTER UPDATE ON contact.custom_field
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION contact.refuse_too_many_fields();

CREATE TABLE contact.tag (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^tag_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    color text CHECK (color ~ '^#[0-9a-f]{6}$'),
    is_ai_suggested boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, workspace_id, name)
);
COMMENT ON TABLE contact.tag IS 'The truth about labels; labels[] of the bindings is the copy that lists filter by.';

CREATE TYPE contact.tag_source AS ENUM ('manual', 'ai_suggested', 'import', 'rule');

CREATE TABLE contact.contact_tags (
    contact_id bigint NOT NULL,
    tag_id bigint NOT NULL REFERENCES contact.tag (id) ON DELETE CASCADE,
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    source contact.tag_source NOT NULL,
    confidence real NOT NULL DEFAULT 1.0 CHECK (confidence BETWEEN 0 AND 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (contact_id, tag_id),
    CHECK (source <> 'manual' OR confidence = 1.0)
);
CREATE INDEX contact_tags_tag ON contact.contact_tags (tag_id);

CREATE TABLE contact.contact_group (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^grp_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    description text CHECK (char_length(description) <= 10000),
    owner_id bigint,
    is_smart boolean NOT NULL DEFAULT false,
    query_def jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, workspace_id, name),
    CHECK (is_smart = (query_def IS NOT NULL))
);
COMMENT ON COLUMN contact.contact_group.query_def IS 'The filter whose hits are the members of a smart group; a manual group has none.';

CREATE TABLE contact.group_members (
    group_id bigint NOT NULL REFERENCES contact.contact_group (id) ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    added_by bigint,
    PRIMARY KEY (group_id, contact_id)
);
CREATE INDEX group_members_contact ON contact.group_members (contact_id);

-- Every change of a binding, field by field.  The resolver writes these rows itself, with user,
-- source and cause; a trigger of 0009 writes them for anybody else.
CREATE TABLE contact.contact_field_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL,
    entity_type text NOT NULL CHECK (entity_type IN ('contact_binding', 'org_binding')),
    entity_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    field_name text NOT NULL,
    old_value text,
    new_value text,
    changed_by bigint,
    source_id smallint,
    cause text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_audit_entity ON contact.contact_field_audit (entity_type, entity_id);
CREATE INDEX idx_audit_workspace ON contact.contact_field_audit (workspace_id, changed_at DESC);
CREATE INDEX idx_audit_field ON contact.contact_field_audit (field_name, changed_at DESC);
COMMENT ON COLUMN contact.contact_field_audit.entity_id IS 'workspace_contact_binding.id or org_bindings.id.';
COMMENT ON COLUMN contact.contact_field_audit.changed_by IS 'The person; null: enrichment or the system.';
COMMENT ON COLUMN contact.contact_field_audit.cause IS 'The signal or command; for a change past the resolver, the database role.';

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'custom_field', 'tag', 'contact_tags', 'contact_group', 'group_members',
        'contact_field_audit'
    ] LOOP
        EXECUTE format('ALTER TABLE contact.%I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY resolver ON contact.%I TO kith_resolver
            USING (true) WITH CHECK (true)', one);
        EXECUTE format('CREATE POLICY operator ON contact.%I FOR SELECT TO kith_cli
            USING (true)', one);
        EXECUTE format('CREATE POLICY tenant_and_workspace ON contact.%I FOR SELECT TO kith_api
            USING (
                tenant_id = NULLIF(current_setting(''kith.tenant_id'', true), '''')::bigint
                AND workspace_id = NULLIF(current_setting(''kith.workspace_id'', true), '''')::bigint
            )', one);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON contact.%I TO kith_resolver', one);
        EXECUTE format('GRANT SELECT ON contact.%I TO kith_cli', one);
    END LOOP;
    -- What was changed by whom is written once.
    REVOKE UPDATE ON contact.contact_field_audit FROM kith_resolver;
END
$$;
