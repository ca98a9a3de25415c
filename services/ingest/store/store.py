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

    async def find_sources(self) -> frozenset[str]:
        """Return the names of all sources; they are the same for every tenant."""
        with translated():
            rows = await self._pool.fetch(QUERIES["find_sources"])
        return frozenset(row["source_provider"] for row in rows)

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

    async def find_mappings(self, place: Place) -> dict[str, dict[str, str]]:
        """Return the saved mappings of a workspace by name."""
        async with self._inside(place) as connection:
            rows = await connection.fetch(
                QUERIES["find_mappings"], place.tenant_id, place.workspace_id
            )
        return {row["name"]: orjson.loads(row["choices"]) for row in rows}

    async def find_mapping(self, place: Place, name: str) -> dict[str, str] | None:
        """Return a saved mapping, column → target."""
        async with self._inside(place) as connection:
            found: str | None = await connection.fetchval(
                QUERIES["find_mapping"], place.tenant_id, place.workspace_id, name
            )
        return None if found is None else orjson.loads(found)

    async def save_mapping(self, place: Place, name: str, choices: dict[str, str]) -> None:
        """Keep a mapping under its name, in place of one that was there."""
        async with self._inside(place) as connection:
            await connection.execute(
                QUERIES["save_mapping"],
                place.tenant_id,
                place.workspace_id,
                name,
                orjson.dumps(choices).decode(),
            )

    async def delete_mapping(self, place: Place, name: str) -> bool:
        """Forget a mapping; tell whether there was one."""
        async with self._inside(place) as connection:
            found: str | None = await connection.fetchval(
                QUERIES["delete_mapping"], place.tenant_id, place.workspace_id, name
            )
        return found is not None

    @asynccontextmanager
    async def _inside(self, place: Place) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(QUERIES["enter"], place.tenant_id, place.workspace_id)
                yield connection
