"""The enricher on real PostgreSQL, Kafka and Valkey, against the vendor simulator as a process."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from ulid import ULID

from kith.stack import Stack
from kith.topics import ensure_topics, specs
from services.enricher.domain.question import Question
from services.enricher.domain.request import NewRequest
from services.enricher.store import Store
from shared.kafka import KafkaSettings
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.database import Databases, databases
from tests.support.kafka import KafkaLab, kafka_lab
from tests.support.stack import running_stack

VENDOR_KEY = "test-key"


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@asynccontextmanager
async def process(module: str, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module as a process of its own; it is killed with the context."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env={**os.environ, **env}, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def answering(url: str, seconds: float = 20.0) -> None:
    """Wait until a process answers."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(int(seconds / 0.05)):
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise AssertionError(f"{url} does not answer")


@dataclass
class Vendor:
    """The simulator, seen from outside."""

    url: str

    async def report(self, subject: str | None = None) -> dict[str, Any]:
        """Tell what it was asked about a person, and what it charged."""
        params = {"subject": subject} if subject else {}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.url}/_simulator/calls", params=params)
        report: dict[str, Any] = answer.json()
        return report

    async def count(self, subject: str) -> int:
        """Count the calls about a person."""
        return int((await self.report(subject))["count"])


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres", "kafka", "valkey"]) as stack:
        yield stack


@dataclass(frozen=True)
class Database:
    """A database that nobody else uses."""

    made: Databases
    name: str

    def dsn(self, role: str = "kith_migrator") -> str:
        """Give the DSN of one of the services' roles."""
        return self.made.dsn(role, self.name)

    @asynccontextmanager
    async def connected(
        self, role: str = "kith_migrator"
    ) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Connect as a role."""
        connection = await asyncpg.connect(self.dsn(role))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture(scope="session")
async def database(stack: Stack) -> AsyncIterator[Database]:
    async with databases(stack) as made:
        yield Database(made, await made.create())


@pytest.fixture(scope="session")
async def declared_topics(stack: Stack) -> None:
    """Make the topics that the service as a process reads."""
    await ensure_topics(KafkaSettings(bootstrap_servers=stack.kafka_bootstrap), specs())


@pytest.fixture(scope="session")
async def lab(stack: Stack) -> AsyncIterator[KafkaLab]:
    async with kafka_lab(KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)) as lab:
        yield lab


@pytest.fixture(scope="session")
async def vendor() -> AsyncIterator[Vendor]:
    port = free_port()
    env = {"HTTP_PORT": str(port), "SIMULATOR_LATENCY_SECONDS": "0", "SIMULATOR_SLOW_SECONDS": "2"}
    async with process("kith.simulators.vendor", **env):
        vendor = Vendor(f"http://127.0.0.1:{port}")
        await answering(f"{vendor.url}/healthz")
        yield vendor


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """Open the enricher's store as its own role, on an empty table."""
    async with database.connected() as owner:
        await owner.execute("TRUNCATE enrichment.enrichment_requests, enrichment.kafka_offset")
    settings = PostgresSettings.model_validate({"dsn": database.dsn("kith_enricher")})
    async with connect(settings, "test-enricher") as pool:
        store = Store()
        store.open(pool)
        yield store


@dataclass
class Bench:
    """Puts requests on the table and looks what became of them."""

    store: Store
    database: Database
    tenant: str
    workspace: str
    sent: dict[str, str] = field(default_factory=dict)

    def request(self, behaviour: str, key: str | None = None) -> NewRequest:
        """Make a request about a person whom the simulator treats as `behaviour` says."""
        email = f"{behaviour}+{uuid4().hex[:12]}@example.com"
        public_id = f"req_{ULID()}"
        self.sent[public_id] = email
        return NewRequest(
            public_id=public_id,
            tenant_id=1,
            workspace_id=1,
            contact_id=f"con_{ULID()}",
            source="apollo",
            idempotency_key=key or uuid4().hex,
            question=Question(email=email, first_name="Ada", last_name="Lovelace"),
        )

    async def add(self, *behaviours: str) -> list[NewRequest]:
        """Record one request for each behaviour."""
        requests = [self.request(behaviour) for behaviour in behaviours]
        await self.store.add(requests, "enricher", {})
        return requests

    async def row(self, public_id: str) -> asyncpg.Record:
        """Read a request as the owner of the table."""
        async with self.database.connected() as owner:
            row = await owner.fetchrow(
                "SELECT * FROM enrichment.enrichment_requests WHERE public_id = $1", public_id
            )
        assert row is not None
        return row

    async def settled(self, public_id: str, seconds: float = 20.0) -> asyncpg.Record:
        """Wait until a request is answered for good."""
        async with asyncio.timeout(seconds):
            while True:
                row = await self.row(public_id)
                if row["completed_at"] is not None:
                    return row
                await asyncio.sleep(0.05)

    async def until(self, public_id: str, holds: Callable[[asyncpg.Record], bool]) -> None:
        """Wait until something holds for a request."""
        async with asyncio.timeout(20):
            while not holds(await self.row(public_id)):  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.01)


@pytest.fixture
async def bench(store: Store, database: Database) -> Bench:
    async with database.connected() as owner:
        # The policies of `app` hold for its owner as for anyone only through grants.
        tenant = await owner.fetchrow("SELECT id, public_id FROM app.tenant")
        workspace = await owner.fetchrow("SELECT id, public_id FROM app.workspace")
    assert tenant is not None
    assert workspace is not None
    assert (tenant["id"], workspace["id"]) == (1, 1)
    return Bench(store, database, tenant["public_id"], workspace["public_id"])
