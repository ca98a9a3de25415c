"""The resolver on real PostgreSQL, its handler called as delivery calls it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import pytest
import uvicorn
from aiokafka import ConsumerRecord
from typer.testing import CliRunner, Result

from kith.administration import create_key
from kith.cli import app
from kith.stack import Stack
from services.resolver.handlers.signals import Signals
from services.resolver.routes import create_http
from services.resolver.store import Store
from shared.auth import KeyRing
from shared.events import topics
from shared.events.activity import NormalizedActivity
from shared.events.codec import encode
from shared.events.signal import NormalizedCompanySignal, NormalizedSignal
from shared.kafka.batch import Batch, Rejected, next_offsets
from shared.postgres.pool import Pool, connect
from shared.postgres.settings import PostgresSettings
from tests.support.activities import an_activity
from tests.support.database import Databases, databases
from tests.support.signals import a_signal
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres", "kafka"]) as stack:
        yield stack


@pytest.fixture(scope="session")
async def made(stack: Stack) -> AsyncIterator[Databases]:
    async with databases(stack) as made:
        yield made


def record_of(
    value: bytes | None, offset: int, topic: str, headers: list[tuple[str, bytes]] | None = None
) -> ConsumerRecord[Any, Any]:
    """Make a record as aiokafka would give it."""
    headers = headers if headers is not None else [("ce_type", b"kith.signal.normalized.v1")]
    return ConsumerRecord(
        topic, 0, offset, 0, 0, None, value, None, 0, len(value or b""), tuple(headers)
    )


class Resolver:
    """One resolver process's handler and database."""

    def __init__(self, pool: Pool, tenant: str, workspace: str) -> None:
        self.store = Store()
        self.store.open(pool)
        self.signals = Signals(self.store)
        self.tenant = tenant
        self.workspace = workspace
        self._offset = 0

    def a_signal(self, record: str = "r1", **said: Any) -> NormalizedSignal:
        """Make a signal of this installation's tenant and workspace."""
        said.setdefault("workspace", self.workspace)
        return a_signal(record, tenant=self.tenant, **said)

    def an_activity(
        self, record: str = "a1", *people: dict[str, Any], **said: Any
    ) -> NormalizedActivity:
        """Make an activity of this installation's tenant and workspace."""
        said.setdefault("workspace", self.workspace)
        return an_activity(record, *people, tenant=self.tenant, **said)

    async def happen(
        self, *signals: NormalizedSignal | NormalizedActivity | NormalizedCompanySignal
    ) -> list[Rejected]:
        """Hand signals and activities over as one batch, each under its type."""
        records = []
        for one in signals:
            kind = topics.TYPE_BY_MODEL[type(one)].encode()
            topic = topics.SIGNALS_NORMALIZED.name
            records.append(record_of(encode(one), self._offset, topic, [("ce_type", kind)]))
            self._offset += 1
        return list(
            await self.signals.handle_signals(Batch(records, "resolver", next_offsets(records)))
        )

    async def resolve(self, *signals: NormalizedSignal) -> list[Rejected]:
        """Hand signals over as one batch."""
        return await self.handle([encode(one) for one in signals])

    async def handle(self, values: list[bytes | None]) -> list[Rejected]:
        """Hand values over as one batch."""
        records = []
        for value in values:
            records.append(record_of(value, self._offset, topics.SIGNALS_NORMALIZED.name))
            self._offset += 1
        batch = Batch(records, "resolver", next_offsets(records))
        return list(await self.signals.handle_signals(batch))


class Home:
    """A database of a test's own."""

    def __init__(self, databases: Databases, name: str, tenant: str, workspace: str) -> None:
        self._databases = databases
        self._name = name
        self.tenant = tenant
        self.workspace = workspace

    def dsn(self, role: str) -> str:
        """Return a role's DSN."""
        return self._databases.dsn(role, self._name)

    @asynccontextmanager
    async def resolver(self) -> AsyncIterator[Resolver]:
        """Open one resolver; several may be open at once."""
        settings = PostgresSettings.model_validate({"dsn": self.dsn("kith_resolver")})
        async with connect(settings, "test-resolver", lookups_only=True) as pool:
            yield Resolver(pool, self.tenant, self.workspace)

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Look at the database as the operator's role."""
        connection = await asyncpg.connect(self.dsn("kith_cli"))
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def value(self, statement: str, *values: Any) -> Any:
        """Look at one value."""
        return (await self.fetch(statement, *values))[0][0]

    async def execute(self, statement: str, *values: Any) -> None:
        """Change something, as the owner."""
        connection = await asyncpg.connect(self.dsn("kith_migrator"))
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


@pytest.fixture
async def home(made: Databases) -> Home:
    return await new_home(made)


async def new_home(made: Databases) -> Home:
    """Make a database with one tenant and one workspace."""
    name = await made.create()
    connection = await asyncpg.connect(made.dsn("kith_cli", name))
    try:
        row = await connection.fetchrow(
            "SELECT t.public_id AS tenant, w.public_id AS workspace"
            " FROM app.tenant t JOIN app.workspace w ON w.tenant_id = t.id"
        )
    finally:
        await connection.close()
    assert row
    return Home(made, name, row["tenant"], row["workspace"])


@pytest.fixture
async def resolver(home: Home) -> AsyncIterator[Resolver]:
    async with home.resolver() as resolver:
        yield resolver


class Terminal:
    """The `kith` command, with a resolver that listens."""

    def __init__(self, home: Home, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self._environment = {
            "POSTGRES_DSN": home.dsn("kith_cli"),
            "RESOLVER_URL": url,
            "KITH_API_KEY": key,
        }

    async def kith(self, *words: str) -> Result:
        """Run a command as an operator would."""
        runner = CliRunner(env=self._environment)
        return await asyncio.to_thread(runner.invoke, app, list(words))

    async def read(self, *words: str) -> list[dict[str, Any]]:
        """Run a command and read its JSON."""
        result = await self.kith(*words, "--json")
        assert result.exit_code == 0, result.output
        return [orjson.loads(line) for line in result.output.splitlines()]


@pytest.fixture
async def terminal(home: Home, resolver: Resolver) -> AsyncIterator[Terminal]:
    http = create_http()
    http.state.store = resolver.store
    http.state.pool = resolver.store._pool
    http.state.keys = KeyRing(resolver.store._pool)
    server = uvicorn.Server(uvicorn.Config(http, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it by a flag only
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    scopes = ["contacts:read", "contacts:write"]
    key = await create_key(connection, home.workspace, "review", scopes, None)
    await connection.close()
    yield Terminal(home, f"http://127.0.0.1:{port}", key.token)
    server.should_exit = True
    await serving


__all__ = ["Home", "Resolver", "Terminal", "new_home", "record_of"]
