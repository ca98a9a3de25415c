"""The indexes, and the event table they are made from."""

from services.indexer.store.events import SWAP_LOCK, Store, Transaction
from services.indexer.store.graph import Graph
from services.indexer.store.index import Index
from services.indexer.store.meilisearch import Meilisearch
from services.indexer.store.search import Search

__all__ = ["SWAP_LOCK", "Graph", "Index", "Meilisearch", "Search", "Store", "Transaction"]
