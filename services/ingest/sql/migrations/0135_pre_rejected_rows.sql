-- What was rejected is given back, also where it was rejected behind the preview: few rows of many,
-- which nothing but reading all of an import's found.

-- step: by the row itself
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_row_refused
    ON ingest.import_row (import_id, number) WHERE verdict = 'rejected';

-- step: by what became of it
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_verdict_refused
    ON ingest.import_verdict (import_id, number) WHERE verdict = 'rejected';
