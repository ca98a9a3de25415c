-- Where a new contact may find whom it is alike: every record's blocking keys.  Measured with two
-- million keys: 26 us to write the five keys of a record, 26 us to find their 18 contacts; unique
-- and with the contact in the index it is 37 and 41 us, at five times the size (ADR 0042).
CREATE TABLE contact.blocking_key (
    tenant_id bigint NOT NULL,
    key bigint NOT NULL,
    contact_id bigint NOT NULL,
    record_key bytea NOT NULL CHECK (octet_length(record_key) = 16)
);
CREATE INDEX blocking_key_block ON contact.blocking_key (tenant_id, key);
CREATE INDEX blocking_key_contact ON contact.blocking_key (contact_id);
COMMENT ON COLUMN contact.blocking_key.key IS 'Digest of the key, 64 bits: two keys with one digest cost a comparison, no more.';
COMMENT ON COLUMN contact.blocking_key.contact_id IS 'Who holds the record now: merges and splits move it along.';

CREATE TABLE contact.hot_block (
    tenant_id bigint NOT NULL,
    key bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
COMMENT ON TABLE contact.hot_block IS 'Keys with too many contacts to tell anybody apart: neither written nor asked any more.';

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['blocking_key', 'hot_block'] LOOP
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
