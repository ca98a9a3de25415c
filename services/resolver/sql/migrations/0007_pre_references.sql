-- Foreign keys of the tables that are seldom written.  Measured: 5 us a row of the referring
-- table, and half a microsecond a row for every update of contact.contact with all of them; hot
-- tables stay without (ADR 0007, ADR 0042).  A step per table referred to: the lock that keeps its
-- writers out lasts as long as the step, and the referring tables are still empty.

-- step: to contact
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'contact_key_dates', 'contact_social_profiles', 'contact_education', 'contact_skills',
        'contact_certifications', 'contact_languages', 'contact_social_posts',
        'contact_activities', 'contact_tags', 'group_members', 'shared_identifier_contact'
    ] LOOP
        EXECUTE format('ALTER TABLE contact.%I ADD FOREIGN KEY (contact_id)
            REFERENCES contact.contact (id) ON DELETE CASCADE', one);
    END LOOP;
    -- Whoever erases a survivor has to erase the snapshots of what it absorbed: no cascade.
    ALTER TABLE contact.contact_merge_log
        ADD FOREIGN KEY (merged_into_id) REFERENCES contact.contact (id);
END
$$;

-- step: to organisation
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN VALUES
        ('org_funding_event', 'org_id', 'CASCADE'), ('org_technologies', 'org_id', 'CASCADE'),
        ('org_phones', 'org_id', 'CASCADE'), ('org_bindings', 'org_id', 'CASCADE'),
        ('org_relation', 'from_org_id', 'CASCADE'), ('org_relation', 'to_org_id', 'CASCADE'),
        ('org_history', 'org_id', 'CASCADE'), ('org_history', 'other_org_id', 'SET NULL'),
        ('org_source_record', 'org_id', 'CASCADE'),
        ('org_dedup_candidates', 'org_id_a', 'CASCADE'),
        ('org_dedup_candidates', 'org_id_b', 'CASCADE'),
        ('org_merge_log', 'merged_into_id', 'NO ACTION'),
        ('organisation', 'merged_into_id', 'NO ACTION')
    LOOP
        EXECUTE format('ALTER TABLE contact.%I ADD FOREIGN KEY (%I)
            REFERENCES contact.organisation (id) ON DELETE %s',
            one.column1, one.column2, one.column3);
    END LOOP;
END
$$;
