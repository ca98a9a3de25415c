"""SQL of schema `enrichment`: `queries.sql` by name, `migrations/` forward only."""
