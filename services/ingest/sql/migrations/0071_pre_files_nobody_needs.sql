-- A file that nobody needs any more was deleted once, when its import was over: a kill in between, or
-- storage that failed, left it where it was.  Now such files are looked for.

-- step: to be found
CREATE INDEX CONCURRENTLY IF NOT EXISTS import_file_over
    ON ingest.import_file (id)
    WHERE file_forgotten_at IS NULL AND purged_at IS NULL AND (
        (of_activities AND state IN ('done', 'undoing', 'undone', 'failed'))
        OR (file_digest IS NULL AND state = 'failed')
    );
