"""What ingest reads and writes, schema `ingest`."""

from services.ingest.store.store import Store

__all__ = ["Store"]
