"""The resolver, assembled: what gets built is built here, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from faststream.asgi import AsgiFastStream

from services.resolver.handlers.commands import handle_commands
from services.resolver.handlers.signals import Signals
from services.resolver.handlers.snapshots import Snapshots
from services.resolver.routes import create_http
from services.resolver.settings import Settings
from services.resolver.store import Store
from shared.auth import KeyRing
from shared.events import topics
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.pace import Share
from shared.kafka.producer import Producer
from shared.observability import metrics
from shared.postgres.pool import connect
from shared.probes import ASGIApp, probe_routes
from shared.process import with_http


def create_app(settings: Settings) -> ASGIApp:
    """Wire settings to store, and every topic to its handler."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    store = Store(settings.digest.digests())
    share = Share(
        settings.bulk_share, settings.bulk_least_share, settings.bulk_yield_above_ms / 1000
    )
    signals = Signals(store, share, settings.bulk_live_records)
    delivery = Delivery(broker, producer, settings.kafka, "resolver", store)
    delivery.subscribe(topics.SIGNALS_NORMALIZED, signals.handle_signals, steady=True)
    share.consuming = delivery.subscribe(
        topics.SIGNALS_NORMALIZED_BULK,
        signals.handle_bulk,
        group="resolver-bulk",
        max_records=settings.bulk_max_records,
    )
    delivery.subscribe(topics.COMMANDS, partial(handle_commands, store=store))
    http = create_http()
    http.state.store = store

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        pooled = connect(
            settings.postgres, "kith-resolver", lookups_only=True, transactions_only=True
        )
        async with pooled as pool, producer:
            store.open(pool)
            http.state.pool = pool
            http.state.keys = KeyRing(pool)
            beside = [
                asyncio.create_task(signals.reconsideration.run()),
                asyncio.create_task(Snapshots(store, settings.snapshot_interval_s).run()),
            ]
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()

    async def measure() -> None:
        metrics.FILES_SHARE.set(share.present)
        metrics.MERGE_CANDIDATES_PENDING.set(await store.count_open_candidates())
        metrics.RECONSIDERATIONS_PENDING.set(await store.count_reconsiderations())

    probes = probe_routes(delivery, ready={"postgres": store.ping}, measure=[measure])
    return with_http(AsgiFastStream(broker, lifespan=lifespan, asgi_routes=probes), http)
