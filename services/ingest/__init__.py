"""ingest: any source → well-formed signals.

consumes  contact.signals.v1 (group `ingest`); HTTP: POST /v1/signals, /v1/activities, /v1/imports,
          /v1/mail, /v1/connections
produces  contact.signals.normalized.v1, contact.signals.normalized.bulk.v1 (files)
asks      the resolver: POST /v1/decisions, /v1/verdicts, /v1/activities/…, /v1/commands, on behalf
          of imports;
          Gmail and Microsoft Graph, on behalf of connections
owns      schema ingest: imports, their files and rows, connections; it touches no contact
"""
