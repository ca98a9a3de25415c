"""Bringing everything up: the stack, the schemas, the topics, the services."""

import asyncio
from typing import Final

from kith.demo.errors import blame
from kith.demo.screen import Screen
from kith.migrate import PACKAGES
from kith.stack import Fleet, Stack
from kith.topics import ensure_topics, specs
from shared.kafka import KafkaSettings
from shared.postgres.migrate import migrate

READY_SECONDS: Final = 90
"""How long the services may take to say that they are ready."""
REPLICAS: Final = {"resolver": 2}
SERVICE_ENVIRONMENT: Final = {
    "enricher": {
        "ENRICHER_AUTO": "true",
        "ENRICHER_VENDOR_KEY": "demo",
        "ENRICHER_MAX_CALLS_PER_SECOND": "5",
    }
}
"""Vendors are asked about the people of files, slowly: a call costs more than ten signals."""


async def start_everything(stack: Stack, fleet: Fleet, screen: Screen) -> KafkaSettings:
    """Start what does not run yet, and wait until all of it is ready."""
    screen.step("starting PostgreSQL, Kafka, Valkey and Neo4j")
    await asyncio.to_thread(stack.start, None, screen.part)
    kafka = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap, client_id="kith-demo")
    screen.step("making schemas and topics")
    applied, changes = await asyncio.gather(
        migrate(stack.postgres_dsn("kith_migrator"), PACKAGES, report=_unheard),
        ensure_topics(kafka, specs()),
    )
    screen.part("schemas", f"{applied} migrations applied")
    screen.part("topics", f"{len(changes)} created or changed")
    screen.step("starting the services")
    await asyncio.to_thread(
        fleet.start, replicas=REPLICAS, env=SERVICE_ENVIRONMENT, progress=screen.part
    )
    late = await asyncio.to_thread(fleet.wait_ready, READY_SECONDS)
    if late:
        raise blame(fleet, late, f"not ready after {READY_SECONDS} s")
    return kafka


def _unheard(_words: str) -> None:
    """Take a migration's line and say nothing: their number is told at the end."""
