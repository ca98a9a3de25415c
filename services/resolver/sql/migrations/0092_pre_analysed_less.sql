-- The tables that every signal adds to, kept as the measurements ask for (docs/benchmarks.md):
-- rows stay in line and uncompressed up to 8 kB, since compressing an event costs more than the rest of
-- its insert; what no plan hangs on, being long or compared only beside a key, is not sorted by ANALYZE;
-- and young tables, which grow by half within seconds, are not analysed for every tenth of it.

-- step: events of contacts
DO $$
BEGIN
    FOR n IN 0..7 LOOP
        EXECUTE format('ALTER TABLE contact.contact_event_%s
            SET (toast_tuple_target = 8160, autovacuum_analyze_scale_factor = 0.5),
            ALTER COLUMN payload SET STATISTICS 0, ALTER COLUMN event_id SET STATISTICS 0,
            ALTER COLUMN cause SET STATISTICS 0, ALTER COLUMN actor_id SET STATISTICS 0,
            ALTER COLUMN entity_public_id SET STATISTICS 0', n);
    END LOOP;
END
$$;

-- step: the ledger
ALTER TABLE contact.source_record
    SET (toast_tuple_target = 8160, autovacuum_analyze_scale_factor = 0.5),
    ALTER COLUMN content_hash SET STATISTICS 0, ALTER COLUMN signal_id SET STATISTICS 0,
    ALTER COLUMN facts SET STATISTICS 0, ALTER COLUMN raw SET STATISTICS 0,
    ALTER COLUMN rejected SET STATISTICS 0;

-- step: the outbox
ALTER TABLE contact.outbox
    ALTER COLUMN key SET STATISTICS 0, ALTER COLUMN headers SET STATISTICS 0,
    ALTER COLUMN value SET STATISTICS 0;

-- step: identifiers
ALTER TABLE contact.contact_identifier SET (autovacuum_analyze_scale_factor = 0.5);

-- step: bindings
ALTER TABLE contact.workspace_contact_binding SET (autovacuum_analyze_scale_factor = 0.5);
