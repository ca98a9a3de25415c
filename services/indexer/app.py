"""The indexer, assembled: what gets built is built here, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from faststream.asgi import AsgiFastStream

from services.indexer.handlers import handle_events
from services.indexer.settings import Settings
from services.indexer.store import Graph, Index, Meilisearch, Search, StateTopic, Store
from shared.events import topics
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.pace import Pace, Rest
from shared.kafka.producer import Producer
from shared.postgres.pool import connect
from shared.probes import probe_routes


def create_app(settings: Settings) -> AsgiFastStream:
    """Wire settings to store and indexes, and the events to each index."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    store = Store()
    delivery = Delivery(broker, producer, settings.kafka, "indexer", store)
    graph = Graph(settings.neo4j) if settings.neo4j.uri else None
    meilisearch = Meilisearch(settings.meilisearch) if settings.meilisearch.url else None
    pace = Pace(
        linger=settings.linger_ms / 1000,
        most=settings.documents_per_second,
        least=settings.least_documents_per_second,
        busy=settings.busy_arrivals,
        patience=settings.yield_above_ms / 1000,
    )
    indexes: dict[str, Index | None] = {
        "search": Search(),
        "graph": graph,
        "meilisearch": meilisearch,
        "state": StateTopic(producer) if settings.state else None,
    }
    for name, index in indexes.items():
        if index is not None:
            rest = Rest(pace, store)
            rest.traffic = delivery.subscribe(
                topics.EVENTS,
                partial(handle_events, store=store, index=index, rest=rest, path=name),
                group=f"indexer-{name}",
                max_records=settings.batch_max_records,
            )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            store.open(
                await stack.enter_async_context(
                    connect(settings.postgres, "kith-indexer", lookups_only=True)
                )
            )
            await stack.enter_async_context(producer)
            for closing in (graph, meilisearch):
                if closing is not None:
                    stack.push_async_callback(closing.close)
            yield

    return AsgiFastStream(
        broker,
        lifespan=lifespan,
        asgi_routes=probe_routes(delivery, ready={"postgres": store.ping}),
    )
