"""Ingest on real Kafka and PostgreSQL, its HTTP side called without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from kith.topics import ensure_topics, specs
from services.ingest.handlers.signals import Signals
from shared.kafka import KafkaSettings
from tests.support.database import databases
from tests.support.importing import Caller, Importing, importing
from tests.support.kafka import KafkaLab, kafka_lab
from tests.support.stack import running_stack

ROLES = ("kith_cli", "kith_ingest", "kith_resolver", "kith_migrator")


@dataclass
class Ingest:
    """What the tests call, and what they look at afterwards."""

    handler: Signals
    client: httpx.AsyncClient
    reader: httpx.AsyncClient
    """A caller whose key lacks the scope."""
    kafka: KafkaLab


@asynccontextmanager
async def running() -> AsyncIterator[Importing]:
    """Run ingest and a resolver on a database of their own."""
    with running_stack(["postgres", "kafka"]) as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)
        await ensure_topics(kafka, specs())
        async with databases(stack) as made:
            name = await made.create()
            async with importing(kafka, {role: made.dsn(role, name) for role in ROLES}) as system:
                yield system


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[Importing]:
    """Of many tenants."""
    async with running() as system:
        yield system


@pytest.fixture
async def caller(system: Importing) -> AsyncIterator[Caller]:
    """Somebody of a tenant that nobody else uses."""
    async with system.caller() as caller:
        yield caller


@pytest.fixture(scope="session")
async def kafka(system: Importing) -> AsyncIterator[KafkaLab]:
    """Look at Kafka from outside: at what ingest sends."""
    async with kafka_lab(system.tools.settings.kafka) as lab:
        yield lab


@pytest.fixture(scope="session")
async def ingest() -> AsyncIterator[Ingest]:
    """Of the one tenant that an install begins with."""
    async with (
        running() as system,
        kafka_lab(system.tools.settings.kafka) as lab,
        system.client("signals:write", "contacts:read") as client,
        system.client("contacts:read") as reader,
    ):
        yield Ingest(system.signals(), client, reader, lab)
