-- Verdicts stand beside rows (ADR 0080), so that nearly all rows of an import have none of their own,
-- and the index of those without was the primary key once more: written for each row that is staged.

-- step: the same as the primary key
DROP INDEX CONCURRENTLY IF EXISTS ingest.import_row_open;
