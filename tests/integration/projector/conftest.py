"""The projector on real PostgreSQL, its handler called as delivery calls it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import orjson
import pytest

from kith.stack import Stack
from services.projector.handlers import handle_events
from services.projector.store import Store
from shared.kafka.batch import Batch, Rejected
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.database import Databases, databases
from tests.support.events import Log, a_log
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres"]) as stack:
        yield stack


@pytest.fixture(scope="session")
async def made(stack: Stack) -> AsyncIterator[Databases]:
    async with databases(stack) as made:
        yield made


class Projector:
    """One projector process's handler, its database, and the owner's view of it."""

    def __init__(self, store: Store, owner: asyncpg.Connection, log: Log, owner_dsn: str) -> None:
        self.store = store
        self.owner = owner
        self.log = log
        self.owner_dsn = owner_dsn

    async def handle(self, batch: Batch) -> list[Rejected]:
        """Hand over a batch."""
        return list(await handle_events(batch, self.store))

    async def views(self) -> list[dict[str, Any]]:
        """Read all contact views, the fold as JSON: its keys have no order."""
        rows = await self.owner.fetch(
            "SELECT * FROM read.contact_view ORDER BY public_id, workspace_id"
        )
        return [{**row, "detail": orjson.loads(row["detail"])} for row in rows]

    async def everything(self) -> list[Any]:
        """Read all that a redelivery must not change."""
        return [
            await self.owner.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
            for table in (
                "read.contact_view",
                "read.timeline",
                "read.company_view",
                "read.activity",
            )
        ]


@pytest.fixture
async def projector(made: Databases) -> AsyncIterator[Projector]:
    database = await made.create()
    dsn = made.dsn("kith_projector", database)
    owner_dsn = made.dsn("kith_migrator", database)
    owner = await asyncpg.connect(owner_dsn)
    settings = PostgresSettings.model_validate({"dsn": dsn})
    async with connect(settings, "test-projector") as pool:
        store = Store()
        store.open(pool)
        yield Projector(store, owner, await a_log(owner), owner_dsn)
    await owner.close()


@pytest.fixture
async def api(projector: Projector, made: Databases) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the api does."""
    database = projector.owner_dsn.rpartition("/")[2]
    connection = await asyncpg.connect(made.dsn("kith_api", database))
    yield connection
    await connection.close()
