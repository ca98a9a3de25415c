"""The read models as a batch writes them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import orjson
from aiokafka import TopicPartition

from services.projector.domain.events import Body, Event
from services.projector.domain.projection import Places, Projection
from services.projector.domain.rows import Row
from shared.postgres.consumers import ConsumerStore
from shared.postgres.errors import translated
from shared.postgres.offsets import OffsetStore
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

SWAP_LOCK: Final = 0x6B_72_65_61_64
"""Advisory lock "kread": batches share it, a rebuild's last step has it alone."""

queries = Queries.load("services.projector.sql")


class Transaction:
    """One batch's reads and writes, wholly or not at all."""

    def __init__(
        self, connection: Connection, offsets: OffsetStore, statements: Queries = queries
    ) -> None:
        self._connection = connection
        self._offsets = offsets
        self._queries = statements

    async def find_states(self, contacts: Sequence[str]) -> dict[str, Body]:
        """Return the states of those that are known, with every workspace's binding."""
        if not contacts:
            return {}
        states: dict[str, Body] = {}
        for row in await self._connection.fetch(self._queries["find_states"], contacts):
            state: Body = orjson.loads(row["detail"])
            state["version"] = row["version"]
            state["updated_at"] = row["updated_at"].isoformat()
            known = states.setdefault(row["public_id"], state)
            known["bindings"].update(state["bindings"])
        return states

    async def confirm(self, rows: Sequence[Row]) -> frozenset[str]:
        """Move contacts on that a batch only confirms; returns those that could be."""
        if not rows:
            return frozenset()
        moved = await self._connection.fetch(self._queries["confirm_views"], rows)
        return frozenset(row["public_id"] for row in moved)

    async def find_events(self, contacts: Sequence[str]) -> list[Event]:
        """Return all events of some contacts from the event table, in version order each."""
        rows = await self._connection.fetch(self._queries["find_events"], contacts)
        return [
            Event(
                row["event_type"],
                orjson.loads(row["payload"]),
                row["tenant"],
                row["workspace"],
                row["recorded_at"],
            )
            for row in rows
        ]

    async def save(self, projection: Projection) -> None:
        """Write what is newer than what is there."""
        for name, rows in (
            ("save_views", projection.views),
            ("save_timeline", projection.timeline),
            ("save_companies", projection.companies),
            ("save_activities", projection.activities),
        ):
            if rows:
                await self._connection.execute(self._queries[name], rows)
        if projection.reshaped:
            names = set(projection.reshaped)
            kept = [(row[2], row[1]) for row in projection.views if row[2] in names]
            await self._connection.execute(
                self._queries["forget_views"],
                projection.reshaped,
                [contact for contact, _ in kept],
                [workspace for _, workspace in kept],
            )
        if projection.erased:
            columns = map(list, zip(*sorted(projection.erased.items()), strict=True))
            await self._connection.execute(self._queries["hollow_timeline"], *columns)
        if projection.gone:
            await self._connection.execute(self._queries["hollow_activities"], projection.gone)
        await self._connection.execute(self._queries["save_progress"], projection.recorded_at)

    async def save_offsets(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Store how far the group has read."""
        await self._offsets.save(self._connection, group, offsets)


class Store(ConsumerStore):
    """The read models, as the handler writes them."""

    schema = "read"

    def __init__(self) -> None:
        self._places = Places()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that no rebuild swaps the tables under."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(queries["share_tables"], SWAP_LOCK)
                yield Transaction(connection, self.offsets)

    async def places(self, events: Iterable[Event]) -> Places:
        """Return all tenants and workspaces, asked again when an event names an unknown one."""
        if not self._places.know_all(events):
            with translated():
                rows = await self._pool.fetch(queries["find_places"])
            self._places = Places(
                {row["tenant"]: row["tenant_id"] for row in rows},
                {row["workspace"]: row["workspace_id"] for row in rows if row["workspace"]},
            )
        return self._places
