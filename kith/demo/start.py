"""Bringing everything up: the stack, the schemas, the topics, the services."""

import asyncio
import time
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
LOOK_SECONDS: Final = 2
"""Between two looks whether one of them keeps dying."""
DEATHS: Final = 3
"""A service that has died so often while starting is given up."""
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
    await asyncio.to_thread(_wait_ready, fleet)
    return kafka


def _wait_ready(fleet: Fleet) -> None:
    """Wait for every service; one that keeps dying will not become ready by waiting."""
    deadline = time.monotonic() + READY_SECONDS
    restarts = {running.name: running.restarts for running in fleet.processes()}
    while late := fleet.wait_ready(LOOK_SECONDS):
        dying = [
            running.name
            for running in fleet.processes()
            if running.restarts - restarts.get(running.name, 0) >= DEATHS
        ]
        if dying:
            raise blame(fleet, dying, f"died {DEATHS} times while starting")
        if time.monotonic() > deadline:
            raise blame(fleet, late, f"not ready after {READY_SECONDS} s")


def _unheard(_words: str) -> None:
    """Take a migration's line and say nothing: their number is told at the end."""
