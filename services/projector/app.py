"""The projector, assembled: what gets built is built here, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from faststream.asgi import AsgiFastStream

from services.projector.handlers import handle_events
from services.projector.settings import Settings
from services.projector.store import Store
from shared.events import topics
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.producer import Producer
from shared.postgres.pool import connect
from shared.probes import probe_routes


def create_app(settings: Settings) -> AsgiFastStream:
    """Wire settings to store, and the events to their handler."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    store = Store()
    delivery = Delivery(broker, producer, settings.kafka, "projector", store)
    delivery.subscribe(topics.EVENTS, partial(handle_events, store=store), steady=True)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        pooled = connect(
            settings.postgres,
            "kith-projector",
            lookups_only=True,
            by_key=True,
            transactions_only=True,
        )
        async with pooled as pool, producer:
            store.open(pool)
            yield

    return AsgiFastStream(
        broker,
        lifespan=lifespan,
        asgi_routes=probe_routes(delivery, ready={"postgres": store.ping}),
    )
