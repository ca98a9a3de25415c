"""What the api reads of the database."""

from services.api.store.ordering import page_clause
from services.api.store.reading import QUERIES
from services.api.store.store import Store

__all__ = ["QUERIES", "Store", "page_clause"]
