"""The indexes, and the event table they are made from."""

from services.indexer.store.events import Store
from services.indexer.store.graph import Graph
from services.indexer.store.index import Index
from services.indexer.store.meilisearch import Meilisearch
from services.indexer.store.rebuild import rebuild_graph, rebuild_search, rebuild_state
from services.indexer.store.search import Search
from services.indexer.store.state import StateTopic

__all__ = [
    "Graph",
    "Index",
    "Meilisearch",
    "Search",
    "StateTopic",
    "Store",
    "rebuild_graph",
    "rebuild_search",
    "rebuild_state",
]
