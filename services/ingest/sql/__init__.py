"""SQL of ingest: what it remembers about imported files."""
