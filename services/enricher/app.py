"""The enricher, assembled: what gets built is built here, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from faststream.asgi import AsgiFastStream

from services.enricher.domain.rules import AutoRule
from services.enricher.handlers.contacts import ContactEvents
from services.enricher.handlers.lookups import Lookups
from services.enricher.handlers.loop import Loop
from services.enricher.handlers.orders import EnrichmentOrders
from services.enricher.handlers.signals import SignalSender
from services.enricher.providers.apollo import SOURCE, Apollo
from services.enricher.settings import Settings
from services.enricher.store import Store
from shared import cache
from shared.auth import Directory
from shared.events import topics
from shared.identifiers.digests import Digests
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.producer import Producer
from shared.postgres.pool import connect
from shared.probes import probe_routes

DRAIN_S: Final = 10.5
"""How long a stop waits for calls in flight, seconds; longer than any call may take."""


def create_app(settings: Settings) -> AsgiFastStream:
    """Wire settings to store and vendor, every topic to its handler, and start the loops."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    store = Store()
    delivery = Delivery(broker, producer, settings.kafka, "enricher", store.offsets)
    directory = Directory(store.pool)
    rule = AutoRule(settings.auto, settings.auto_share, store.vendors, settings.auto_sources)
    delivery.subscribe(topics.EVENTS, ContactEvents(store, directory, rule, SOURCE))
    delivery.subscribe(
        topics.ENRICHMENT_REQUESTS, EnrichmentOrders(store, directory, frozenset({SOURCE}))
    )
    return AsgiFastStream(broker)
