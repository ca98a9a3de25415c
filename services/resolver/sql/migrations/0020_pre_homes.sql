-- Merges that can be undone in any order: contacts are groups of homes (ADR 0043).

-- step: contact
ALTER TABLE contact.contact
    ADD COLUMN absorbed_as contact.contact_status,
    ADD COLUMN reshaped_at timestamptz;
COMMENT ON COLUMN contact.contact.absorbed_as IS 'The status that an absorbed contact had by itself, and has again after a split.';
COMMENT ON COLUMN contact.contact.reshaped_at IS 'When it was last merged or split: who found it before that looks again.';

-- step: contact_merge_log
ALTER TABLE contact.contact_merge_log
    ADD COLUMN named_into_id bigint NOT NULL,
    ADD COLUMN named_from_id bigint NOT NULL,
    ADD COLUMN by_person boolean NOT NULL;
CREATE INDEX contact_merge_log_named_into ON contact.contact_merge_log (named_into_id)
    WHERE split_at IS NULL;
CREATE INDEX contact_merge_log_named_from ON contact.contact_merge_log (named_from_id)
    WHERE split_at IS NULL;
COMMENT ON COLUMN contact.contact_merge_log.named_into_id IS 'The contact as it was named: what the merge unites, whoever stood for it then.';
COMMENT ON COLUMN contact.contact_merge_log.merged_from_id IS 'What the merge comes to, given the others in force: it changes when one of them is undone.';

-- step: homes
CREATE TABLE contact.record_home (
    tenant_id bigint NOT NULL,
    record_key bytea NOT NULL CHECK (octet_length(record_key) = 16),
    revision integer NOT NULL CHECK (revision >= 1),
    home_id bigint NOT NULL,
    place integer NOT NULL CHECK (place >= 0),
    evidence text NOT NULL
        CHECK (evidence IN ('own', 'record', 'identifier', 'person', 'none')),
    PRIMARY KEY (tenant_id, record_key, revision)
) WITH (fillfactor = 80);
CREATE INDEX record_home_home ON contact.record_home (home_id);
COMMENT ON TABLE contact.record_home IS 'Which contact a delivery would belong to had nothing been merged; only deliveries of contacts that were ever merged or split are here.';
COMMENT ON COLUMN contact.record_home.place IS 'Its place among the deliveries of its contact; those without a row came later.';
COMMENT ON COLUMN contact.record_home.evidence IS 'Why it belongs there; none: nothing said so, it stayed with the survivor.';

CREATE TABLE contact.identifier_home (
    tenant_id bigint NOT NULL,
    identifier_type contact.identifier_type NOT NULL,
    normalized_value text COLLATE "C" NOT NULL,
    home_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, identifier_type, normalized_value)
) WITH (fillfactor = 80);
CREATE INDEX identifier_home_home ON contact.identifier_home (home_id);
COMMENT ON TABLE contact.identifier_home IS 'Which contact an identifier would be with had nothing been merged.';

CREATE TABLE contact.binding_home (
    contact_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    stage contact.stage NOT NULL,
    contact_owner_id bigint,
    is_favorite boolean NOT NULL,
    data_owner contact.data_owner NOT NULL,
    PRIMARY KEY (contact_id, workspace_id)
);
COMMENT ON TABLE contact.binding_home IS 'What people set on a binding before its contact was merged; the binding shows both sides'' meanwhile.';

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['record_home', 'identifier_home', 'binding_home'] LOOP
        EXECUTE format('ALTER TABLE contact.%I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY resolver ON contact.%I TO kith_resolver
            USING (true) WITH CHECK (true)', one);
        EXECUTE format('CREATE POLICY operator ON contact.%I FOR SELECT TO kith_cli
            USING (true)', one);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON contact.%I TO kith_resolver', one);
        EXECUTE format('GRANT SELECT ON contact.%I TO kith_cli', one);
    END LOOP;
END
$$;
