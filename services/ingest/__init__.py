"""ingest: any source → well-formed signals.

consumes  contact.signals.v1 (group `ingest`); HTTP: POST /v1/signals, POST /v1/imports
produces  contact.signals.normalized.v1, contact.signals.normalized.bulk.v1 (files)
owns      schema ingest: what became of each imported file; it touches no contact
"""
