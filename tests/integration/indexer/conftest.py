"""The indexer on real PostgreSQL and Neo4j, its handler called as delivery calls it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from kith.stack import Stack
from services.indexer.handlers import handle_events
from services.indexer.settings import Neo4jSettings
from services.indexer.store import Graph, Index, Store
from shared.kafka.batch import Batch, Rejected
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.database import Databases, databases
from tests.support.events import Log, a_log
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres", "neo4j"]) as stack:
        yield stack


@pytest.fixture(scope="session")
async def made(stack: Stack) -> AsyncIterator[Databases]:
    async with databases(stack) as made:
        yield made


@pytest.fixture(scope="session")
def neo4j(stack: Stack) -> Neo4jSettings:
    user, password = stack.neo4j_auth
    return Neo4jSettings.model_validate(
        {"uri": stack.neo4j_uri, "user": user, "password": password}
    )


@pytest.fixture
async def graph(neo4j: Neo4jSettings) -> AsyncIterator[Graph]:
    graph = Graph(neo4j)
    yield graph
    await graph.close()


async def _at_once(_documents: int, _started: float) -> None:
    """Do not rest."""


class Indexer:
    """One indexer process's handler, its database, and others' views of it."""

    def __init__(self, store: Store, owner: asyncpg.Connection, log: Log, owner_dsn: str) -> None:
        self.store = store
        self.owner = owner
        self.log = log
        self.owner_dsn = owner_dsn

    async def handle(self, batch: Batch, index: Index) -> list[Rejected]:
        """Hand over a batch, without rest."""
        return list(await handle_events(batch, self.store, index, _at_once, "search"))

    async def find(self, query: str, workspace: str | None = None) -> list[str]:
        """Search as the api does."""
        number = self.log.workspaces[workspace or self.log.workspace]
        rows: list[Any] = await self.owner.fetch(
            "SELECT contact_public_id FROM search.find_contacts($1, $2, $3, 10)",
            self.log.tenant_id,
            number,
            query,
        )
        return [row[0] for row in rows]


@pytest.fixture
async def indexer(made: Databases) -> AsyncIterator[Indexer]:
    database = await made.create()
    owner_dsn = made.dsn("kith_migrator", database)
    owner = await asyncpg.connect(owner_dsn)
    settings = PostgresSettings.model_validate({"dsn": made.dsn("kith_indexer", database)})
    async with connect(settings, "test-indexer") as pool:
        store = Store()
        store.open(pool)
        yield Indexer(store, owner, await a_log(owner), owner_dsn)
    await owner.close()
