"""The whole schema on real PostgreSQL, with a row in every table."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from kith.stack import Stack
from shared.auth import Place
from tests.support.database import Databases, databases, in_database
from tests.support.planted import ROWS, ULID, plant
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres"]) as stack:
        yield stack


@pytest.fixture(scope="session")
async def made(stack: Stack) -> AsyncIterator[Databases]:
    async with databases(stack) as made:
        yield made


@pytest.fixture
async def dsn(stack: Stack) -> AsyncIterator[str]:
    """Make an empty database; its DSN is that of the role that migrates."""
    name = f"empty_{uuid4().hex[:12]}"
    maker = await asyncpg.connect(stack.postgres_dsn("kith_migrator"))
    await maker.execute(f'CREATE DATABASE "{name}"')
    yield in_database(stack.postgres_dsn("kith_migrator"), name)
    await maker.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await maker.close()


@pytest.fixture
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@dataclass(frozen=True)
class Planted:
    """A database with one row of `here` in every table."""

    databases: Databases
    name: str
    owner: asyncpg.Connection
    """The superuser, whom no wall stops."""
    here: Place
    beside: Place
    """Another workspace of the same tenant."""
    elsewhere: Place
    """Another tenant."""

    def dsn(self, role: str) -> str:
        """Return a role's DSN."""
        return self.databases.dsn(role, self.name)


@asynccontextmanager
async def planted_in(made: Databases) -> AsyncIterator[Planted]:
    """Make a database and plant every table of it."""
    name = await made.create()
    owner = await asyncpg.connect(made.dsn("postgres", name))
    try:
        place = await owner.fetchrow("SELECT tenant_id, id FROM app.workspace")
        assert place
        here = Place(place["tenant_id"], place["id"], "", "")
        await owner.execute(
            "INSERT INTO app.tenant (id, public_id, name) OVERRIDING SYSTEM VALUE"
            f" VALUES (77, 'ten_{ULID}', 'elsewhere');"
            "INSERT INTO app.workspace (id, public_id, tenant_id, name) OVERRIDING SYSTEM VALUE"
            f" VALUES (88, 'wsp_{ULID}', {here.tenant_id}, 'beside'),"
            f" (99, 'wsp_{ULID[:-1]}W', 77, 'elsewhere')"
        )
        for table in ROWS:
            if statement := plant(table, here):
                await owner.execute(statement)
        beside = Place(here.tenant_id, 88, "", "")
        yield Planted(made, name, owner, here, beside, Place(77, 99, "", ""))
    finally:
        await owner.close()


@pytest.fixture
async def planted(made: Databases) -> AsyncIterator[Planted]:
    async with planted_in(made) as planted:
        yield planted


@pytest.fixture(scope="session")
async def standing(made: Databases) -> AsyncIterator[Planted]:
    """For tests that change nothing."""
    async with planted_in(made) as planted:
        yield planted


__all__ = ["Planted"]
