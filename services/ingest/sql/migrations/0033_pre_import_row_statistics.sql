-- Rows of imports are looked up by key alone: no plan goes by what they say. Analysed like any other
-- table, 100,000 of them took 18 s at a time while they were imported, under a snapshot that kept
-- every published event in the outbox (ADR 0072).

ALTER TABLE ingest.import_row
    ALTER COLUMN import_id SET STATISTICS 10,
    ALTER COLUMN number SET STATISTICS 10,
    ALTER COLUMN tenant_id SET STATISTICS 10,
    ALTER COLUMN workspace_id SET STATISTICS 10,
    ALTER COLUMN line SET STATISTICS 0,
    ALTER COLUMN class SET STATISTICS 10,
    ALTER COLUMN field SET STATISTICS 0,
    ALTER COLUMN reason SET STATISTICS 0,
    ALTER COLUMN identity SET STATISTICS 0,
    ALTER COLUMN record_key SET STATISTICS 0,
    ALTER COLUMN content_hash SET STATISTICS 0,
    ALTER COLUMN signal SET STATISTICS 0,
    ALTER COLUMN raw SET STATISTICS 0,
    ALTER COLUMN notes SET STATISTICS 0,
    ALTER COLUMN preview SET STATISTICS 0,
    ALTER COLUMN creator SET STATISTICS 0,
    ALTER COLUMN choice SET STATISTICS 10,
    ALTER COLUMN chosen SET STATISTICS 0,
    ALTER COLUMN contact SET STATISTICS 0,
    ALTER COLUMN verdict SET STATISTICS 10,
    ALTER COLUMN events SET STATISTICS 0,
    ALTER COLUMN settled SET STATISTICS 10;
