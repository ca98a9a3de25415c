"""The matcher, the resolver's third process: which contacts without a shared identifier are one.

It reads the events that the gate's decisions led to, behind it and beside it: comparing people
costs several times as much as the gate, and the gate's signals wait for nobody (ADR 0083).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faststream.asgi import AsgiFastStream

from services.resolver.handlers.matching import Matching
from services.resolver.handlers.settling import Beside, Settling
from services.resolver.settings import MatcherSettings
from services.resolver.store import Store
from shared.events import topics
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.pace import Pace, Rest
from shared.kafka.producer import Producer
from shared.observability import metrics
from shared.postgres.pool import connect
from shared.probes import probe_routes
from shared.process import serve


def create_app(settings: MatcherSettings) -> AsgiFastStream:
    """Wire settings to store, and the events to matching, at its pace."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    store = Store()
    rest = Rest(
        Pace(
            linger=0,
            most=settings.contacts_per_second,
            least=settings.least_contacts_per_second,
            busy=settings.busy_arrivals,
        )
    )
    delivery = Delivery(broker, producer, settings.kafka, "resolver-matching", store)
    matching = Matching(store, rest)
    rest.traffic = delivery.subscribe(
        topics.EVENTS, matching.handle_events, max_records=settings.batch_max_records
    )
    settled = settings.settled_per_second
    quiet = Rest(Pace(linger=0, most=settled, least=1, busy=settled))
    quiet.traffic = Beside(rest.traffic)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        pooled = connect(
            settings.postgres, "kith-matcher", lookups_only=True, transactions_only=True
        )
        async with pooled as pool, producer:
            store.open(pool)
            beside = asyncio.create_task(Settling(matching, quiet).run())
            try:
                yield
            finally:
                beside.cancel()

    async def measure() -> None:
        metrics.SETTLING_PENDING.set(await store.count_drifted())

    probes = probe_routes(delivery, ready={"postgres": store.ping}, measure=[measure])
    return AsgiFastStream(broker, lifespan=lifespan, asgi_routes=probes)


if __name__ == "__main__":
    serve(create_app, MatcherSettings, service="matcher")
