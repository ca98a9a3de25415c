"""A database made by deploy/sql/roles.sql alone takes every migration, run by its owner."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from kith.migrate import PACKAGES
from kith.stack import Stack
from shared.postgres.migrate import migrate
from tests.deploy.declared import DEPLOY
from tests.support.stack import running_stack

DATABASE = "kith_roles_test"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres"]) as stack:
        yield stack


@pytest.fixture
async def bare(stack: Stack) -> AsyncIterator[str]:
    """Make a database without anything: from `template0`, which nobody has prepared."""
    admin = await asyncpg.connect(stack.postgres_dsn("postgres", "postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    await admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    yield DATABASE
    await admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    await admin.close()


@pytest.mark.stack
async def test_roles_then_migrations_on_an_empty_database(stack: Stack, bare: str) -> None:
    """The order of deploy/README.md and of docker-compose.yml, and both may be run again."""
    superuser = await asyncpg.connect(stack.postgres_dsn("postgres", bare))
    try:
        for _ in range(2):
            await superuser.execute((DEPLOY / "sql/roles.sql").read_text())
    finally:
        await superuser.close()
    owner = stack.postgres_dsn("kith_migrator", bare)
    assert await migrate(owner, PACKAGES) > 0
    assert await migrate(owner, PACKAGES) == 0
