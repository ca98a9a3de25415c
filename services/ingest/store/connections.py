"""Accounts elsewhere, schema `ingest`: credentials and cursors are encrypted on their way there."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from services.ingest.domain.connections import Records
from services.ingest.store.vault import Vault
from shared.auth import Place
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.ingest.sql", "connections.sql")
"""All statements about connections, by name."""

LEASE: Final = timedelta(minutes=5)
"""A run has its connection for so long after its last page; a killed run's is free then."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A connection that this process reads, and nobody else meanwhile."""

    connection: str
    token: UUID
    place: Place


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a run needs to know."""

    kind: str
    settings: dict[str, Any]
    credentials: dict[str, Any]
    cursor: dict[str, Any] | None
    every: timedelta
    failures: int


class Connections:
    """Reads and writes connections, as role `kith_ingest`."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self.vault = vault

    async def save(
        self,
        place: Place,
        public_id: str,
        *,
        kind: str,
        name: str,
        settings: dict[str, Any],
        credentials: dict[str, Any],
        every: timedelta,
    ) -> str:
        """Keep a connection, in place of one of the same kind and name; return its id."""
        async with self._inside(place) as connection:
            kept: str = await connection.fetchval(
                QUERIES["save_connection"],
                public_id,
                place.tenant_id,
                place.workspace_id,
                kind,
                name,
                orjson.dumps(settings).decode(),
                self.vault.seal(credentials),
                round(every.total_seconds()),
            )
        return kept

    async def find(self, place: Place) -> list[dict[str, Any]]:
        """List the connections of a workspace; credentials and cursors stay where they are."""
        async with self._inside(place) as connection:
            rows = await connection.fetch(
                QUERIES["find_connections"], place.tenant_id, place.workspace_id
            )
        return [{**dict(row), "counts": orjson.loads(row["counts"])} for row in rows]

    async def delete(self, place: Place, public_id: str) -> bool:
        """Forget a connection; tell whether there was one."""
        return await self._change("delete_connection", place, public_id)

    async def switch(self, place: Place, public_id: str, *, enabled: bool) -> bool:
        """Turn a connection on, to be read at once, or off; tell whether there is one."""
        return await self._change("switch_connection", place, public_id, enabled)

    async def claim(self, token: UUID) -> Claim | None:
        """Take the connection that is longest due, of any tenant, if one is."""
        with translated():
            row = await self._pool.fetchrow(QUERIES["claim_connection"], token, LEASE)
        if row is None:
            return None
        place = Place(row["tenant_id"], row["workspace_id"], row["tenant"], row["workspace"])
        return Claim(row["public_id"], token, place)

    async def read(self, claim: Claim) -> Claimed | None:
        """Read a claimed connection; None when it was taken away. Raises `VaultError`."""
        async with self._inside(claim.place) as connection:
            row = await connection.fetchrow(QUERIES["read_claimed"], claim.connection, claim.token)
        if row is None:
            return None
        return Claimed(
            row["kind"],
            orjson.loads(row["settings"]),
            self.vault.unseal(row["credentials"]),
            self.vault.unseal(row["cursor"]) if row["cursor"] else None,
            timedelta(seconds=row["every_seconds"]),
            row["failures"],
        )

    async def save_progress(
        self, claim: Claim, cursor: dict[str, Any] | None, counts: Mapping[str, int]
    ) -> bool:
        """Note how far a run is, with what it brought; tell whether it still has the connection."""
        async with self._inside(claim.place) as connection:
            kept = await connection.fetchval(
                QUERIES["save_progress"],
                claim.connection,
                claim.token,
                self.vault.seal(cursor) if cursor is not None else None,
                orjson.dumps(counts).decode(),
                LEASE,
            )
        return kept is not None

    async def records(self, claim: Claim) -> tuple[int, bool]:
        """Return how many entries an address book has, and whether any number of them may go."""
        async with self._inside(claim.place) as connection:
            row = await connection.fetchrow(QUERIES["count_records"], claim.connection)
        return (row["known"], row["approved"]) if row else (0, False)

    async def find_gone(self, claim: Claim, records: Records) -> list[str]:
        """Return the known entries that are gone: told, or not seen by a full reading."""
        async with self._inside(claim.place) as connection:
            rows = await connection.fetch(
                QUERIES["find_gone"], claim.connection, records.reading, list(records.gone)
            )
        return [row["record_id"] for row in rows]

    async def see_records(self, claim: Claim, records: Records) -> None:
        """Note which entries there are."""
        place = (claim.connection, claim.token)
        async with self._inside(claim.place) as connection:
            await connection.execute(
                QUERIES["see_records"], *place, records.reading, list(records.seen)
            )

    async def forget_records(self, claim: Claim, gone: Sequence[str]) -> None:
        """Note that entries were taken back; an approval was for these."""
        place = (claim.connection, claim.token)
        async with self._inside(claim.place) as connection:
            await connection.execute(QUERIES["forget_records"], *place, list(gone))
            await connection.execute(QUERIES["use_approval"], *place)

    async def approve_removals(self, place: Place, public_id: str) -> bool:
        """Let the next run take back as much as it must; tell whether there is a connection."""
        return await self._change("approve_removals", place, public_id)

    async def save_credentials(self, claim: Claim, credentials: dict[str, Any]) -> None:
        """Keep credentials that the other side renewed."""
        async with self._inside(claim.place) as connection:
            await connection.execute(
                QUERIES["save_credentials"],
                claim.connection,
                claim.token,
                self.vault.seal(credentials),
            )

    async def end(
        self, claim: Claim, failure: str | None, again_in: timedelta, *, enabled: bool = True
    ) -> None:
        """Give a connection back."""
        async with self._inside(claim.place) as connection:
            await connection.execute(
                QUERIES["end_run"], claim.connection, claim.token, failure, again_in, enabled
            )

    async def _change(self, statement: str, place: Place, *arguments: object) -> bool:
        async with self._inside(place) as connection:
            found = await connection.fetchval(
                QUERIES[statement], place.tenant_id, place.workspace_id, *arguments
            )
        return found is not None

    @asynccontextmanager
    async def _inside(self, place: Place) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(QUERIES["enter"], place.tenant_id, place.workspace_id)
                yield connection
