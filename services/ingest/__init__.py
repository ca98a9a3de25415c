"""ingest: any source → well-formed signals.

consumes  contact.signals.v1 (group `ingest`); HTTP: POST /v1/signals, /v1/activities, /v1/imports
produces  contact.signals.normalized.v1, contact.signals.normalized.bulk.v1 (files)
asks      the resolver: POST /v1/decisions, /v1/verdicts, /v1/commands, on behalf of imports
owns      schema ingest: imports, their files and rows; it touches no contact
"""
