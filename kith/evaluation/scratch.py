"""Scratch databases with the whole schema: one is migrated once, the others are copies of it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import asyncpg

from kith.migrate import PACKAGES
from kith.stack import Stack
from shared.postgres.migrate import migrate

EVAL: Final = "kith_eval"
"""Begins the names of the databases that `kith eval` makes."""

SIDE_BY_SIDE: Final = 8
"""Databases dropped at a time: those that wait for a checkpoint share it."""


class Databases:
    """Makes databases that look like production's, and drops them."""

    def __init__(self, stack: Stack, purpose: str) -> None:
        self._stack = stack
        self._purpose = purpose
        self._prefix = f"{purpose}_{os.getpid()}"
        self._template = f"{self._prefix}_{uuid4().hex[:6]}"
        self._made: list[str] = []

    def dsn(self, role: str, database: str) -> str:
        """Return the DSN of a role in one of the databases."""
        return self._stack.postgres_dsn(role, database)

    async def prepare(self) -> None:
        """Make and migrate the template."""
        await self._owner(f'CREATE DATABASE "{self._template}"')
        await migrate(self.dsn("kith_migrator", self._template), PACKAGES)

    async def create(self) -> str:
        """Copy the template; returns the new database's name."""
        name = f"{self._prefix}_{uuid4().hex[:12]}"
        await self._owner(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        self._made.append(name)
        return name

    async def drop(self, name: str) -> None:
        """Drop one of the databases."""
        await self._owner(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.remove(name)

    async def drop_all(self) -> None:
        """Drop everything that was made here; side by side, since each waits for a checkpoint."""
        names = iter((*self._made, self._template))

        async def drop_some() -> None:
            for name in names:
                await self._owner(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

        await asyncio.gather(*(drop_some() for _ in range(SIDE_BY_SIDE)))

    async def drop_left_over(self) -> None:
        """Drop what processes left behind that were killed before they could."""
        connection = await asyncpg.connect(self._stack.postgres_dsn("kith_migrator"))
        try:
            rows = await connection.fetch(
                "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
                f"{self._purpose}_",
            )
            for row in rows:
                pid = row["datname"].removeprefix(f"{self._purpose}_").partition("_")[0]
                if pid.isdecimal() and not _is_alive(int(pid)):
                    await connection.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}"')
        finally:
            await connection.close()

    async def _owner(self, statement: str) -> None:
        connection = await asyncpg.connect(self._stack.postgres_dsn("kith_migrator"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@asynccontextmanager
async def databases(stack: Stack, purpose: str = "test") -> AsyncIterator[Databases]:
    """Make databases for the length of a test session, or of an evaluation."""
    made = Databases(stack, purpose)
    try:
        await made.prepare()
        yield made
    finally:
        with contextlib.suppress(asyncpg.PostgresConnectionError, OSError):
            await made.drop_all()
