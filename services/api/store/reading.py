"""Transactions in which the api reads: each names its tenant and workspace first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.auth import Place
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.api.sql")
"""All statements, by name."""

MAX_HITS: Final = 1_000
"""Most contacts or companies that a search text is narrowed down to."""


class Reading:
    """Reads on behalf of one place at a time, as role `kith_api`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def _reading(self, place: Place) -> AsyncIterator[Connection]:
        with translated():
            async with (
                self._pool.acquire() as connection,
                connection.transaction(readonly=True),
            ):
                await connection.execute(
                    QUERIES["enter"], str(place.tenant_id), str(place.workspace_id)
                )
                yield connection


def ids_of(place: Place) -> tuple[int, int]:
    """Return a place as statements take it, `$1` and `$2`."""
    return place.tenant_id, place.workspace_id


def like(text: str) -> str:
    """Write a pattern for what has a text in it, whose own signs stand for themselves."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
