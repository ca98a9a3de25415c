-- Ingest refuses a pushed signal of a source that there is not, while its sender still waits (ADR 0134).
GRANT USAGE ON SCHEMA contact TO kith_ingest;
GRANT SELECT (source_provider) ON contact.data_source TO kith_ingest;
