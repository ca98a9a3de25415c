-- What the preview of a large mailbox found is kept beside the file, to be sent without reading it
-- again (ADR 0117): below its beginning, where no piece of it lies, so that it goes with the file.
ALTER TABLE ingest.import_chunk DROP CONSTRAINT import_chunk_begins_check;
COMMENT ON COLUMN ingest.import_chunk.begins IS 'First byte of the piece in its file; below 0: what was found in the file, from the entry of that number, negated.';
