"""The enricher, assembled: what gets built is built here, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faststream.asgi import AsgiFastStream

from services.enricher.domain.rules import AutoRule
from services.enricher.handlers.contacts import ContactEvents
from services.enricher.handlers.lookups import Lookups
from services.enricher.handlers.loop import Watch, running
from services.enricher.handlers.orders import EnrichmentOrders
from services.enricher.handlers.signals import SignalSender
from services.enricher.providers.apollo import SOURCE, Apollo
from services.enricher.settings import Settings
from services.enricher.store import Store
from shared import cache
from shared.events import topics
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.producer import Producer
from shared.postgres.pool import connect
from shared.probes import probe_routes


def create_app(settings: Settings) -> AsgiFastStream:
    """Wire settings to store and vendor, every topic to its handler, and the loops."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    store = Store()
    rule = AutoRule(settings.auto, settings.auto_share, settings.auto_sources)
    delivery = Delivery(broker, producer, settings.kafka, "enricher", store)
    delivery.subscribe(topics.EVENTS, ContactEvents(store, rule, SOURCE), heeded=rule.enabled)
    delivery.subscribe(topics.ENRICHMENT_REQUESTS, EnrichmentOrders(store, frozenset({SOURCE})))

    watch = Watch()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with connect(settings.postgres, "kith-enricher", lookups_only=True) as pool, producer:
            store.open(pool)
            sender = SignalSender(store, producer)
            async with (
                running(sender.loops(settings.poll_seconds), watch),
                lookups(settings, store, watch),
            ):
                yield

    return AsgiFastStream(
        broker,
        lifespan=lifespan,
        asgi_routes=probe_routes(
            delivery, ready={"postgres": store.ping}, alive={"loops": watch.check}
        ),
    )


@asynccontextmanager
async def lookups(settings: Settings, store: Store, watch: Watch) -> AsyncIterator[None]:
    """Ask Apollo while the context lasts; without a key requests wait."""
    if settings.vendor_key is None:
        yield
        return
    async with (
        cache.connect(settings.redis) as redis,
        Apollo.connect(
            str(settings.vendor_url),
            settings.vendor_key.get_secret_value(),
            settings.call_timeout_seconds,
        ) as apollo,
    ):
        work = Lookups(
            store,
            apollo,
            cache.RateLimit(redis, SOURCE, settings.max_calls_per_second),
            settings.digest.digests(),
            concurrency=settings.concurrency,
            lease_seconds=settings.lease_seconds,
        )
        async with running(work.loops(settings.poll_seconds), watch, work.drain):
            yield
