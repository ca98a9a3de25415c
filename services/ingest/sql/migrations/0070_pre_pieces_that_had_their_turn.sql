-- Two requests may write the same place of a file, one of them late.  Where files are kept elsewhere the
-- late one replaced what the other had been told was kept.  Now every piece there has a name of its own,
-- and only those are read that stand here.

-- step: names of pieces
ALTER TABLE ingest.import_chunk ADD COLUMN name text COLLATE "C";
COMMENT ON COLUMN ingest.import_chunk.name IS 'What the piece is called in the directory or bucket that files are kept in; null: its bytes are here.';
