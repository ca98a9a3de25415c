"""What ingest remembers about imported files, schema `ingest`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson

from shared.auth import Place
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.ingest.sql")
"""All statements, by name."""


class Store:
    """Reads and writes on behalf of one place at a time, as role `kith_ingest`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Ask the database for a sign of life."""
        with translated():
            await self._pool.fetchval("SELECT 1")

    async def find_import(self, place: Place, import_id: str) -> dict[str, Any] | None:
        """Return the report of an import of this workspace."""
        async with self._inside(place) as connection:
            row = await connection.fetchrow(QUERIES["find_import"], import_id)
        return orjson.loads(row["report"]) if row else None

    async def find_earlier(self, place: Place, file_digest: bytes) -> str | None:
        """Return the id of the last import of the very same file, if there was one."""
        async with self._inside(place) as connection:
            found: str | None = await connection.fetchval(
                QUERIES["find_earlier"], place.tenant_id, place.workspace_id, file_digest
            )
        return found

    async def append_import(
        self, place: Place, import_id: str, file_digest: bytes, report: dict[str, Any]
    ) -> None:
        """Note what became of a file."""
        async with self._inside(place) as connection:
            await connection.execute(
                QUERIES["append_import"],
                import_id,
                place.tenant_id,
                place.workspace_id,
                file_digest,
                orjson.dumps(report).decode(),
            )

    @asynccontextmanager
    async def _inside(self, place: Place) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(QUERIES["enter"], place.tenant_id, place.workspace_id)
                yield connection
