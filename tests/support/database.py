"""Scratch databases with the whole schema: one is migrated once, the others are copies of it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from kith.migrate import PACKAGES
from kith.stack import Stack
from shared.postgres.migrate import migrate


def in_database(dsn: str, database: str) -> str:
    """Point a DSN at another database of the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


class Databases:
    """Makes databases that look like production's, and drops them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._template = f"test_template_{os.getpid()}_{uuid4().hex[:6]}"
        self._made: list[str] = []

    def dsn(self, role: str, database: str) -> str:
        """Return the DSN of a role in one of the databases."""
        return in_database(self._stack.postgres_dsn(role), database)

    async def prepare(self) -> None:
        """Make and migrate the template."""
        await self._owner(f'CREATE DATABASE "{self._template}"')
        await migrate(self.dsn("kith_migrator", self._template), PACKAGES)

    async def create(self) -> str:
        """Copy the template; returns the new database's name."""
        name = f"test_{uuid4().hex[:12]}"
        await self._owner(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        self._made.append(name)
        return name

    async def drop_all(self) -> None:
        """Drop everything that was made here."""
        for name in (*self._made, self._template):
            await self._owner(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _owner(self, statement: str) -> None:
        connection = await asyncpg.connect(self._stack.postgres_dsn("kith_migrator"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def databases(stack: Stack) -> AsyncIterator[Databases]:
    """Make databases for the length of a test session."""
    made = Databases(stack)
    await made.prepare()
    try:
        yield made
    finally:
        await made.drop_all()
