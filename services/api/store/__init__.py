"""What the api reads of the database."""

from services.api.store.store import QUERIES, Store, page_clause

__all__ = ["QUERIES", "Store", "page_clause"]
