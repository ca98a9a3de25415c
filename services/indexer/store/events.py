"""The event table as the indexer reads it, and its offsets.

A message only says that a contact has changed. What it has become is folded anew from the event
table: with a second of linger most contacts are folded once for all their events, no state needs
to be kept beside the indexes, and neither a gap nor a repetition in the stream can matter.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from operator import itemgetter
from typing import Final, cast

import asyncpg
from aiokafka import TopicPartition

from services.indexer.domain.changes import Contact
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.contact import (
    ContactDeleted,
    ContactEvent,
    ContactsMerged,
    ContactsSplit,
    FactRetracted,
)
from shared.events.fold import VersionGapError, fold
from shared.events.structs import Reader
from shared.postgres.consumers import ConsumerStore
from shared.postgres.errors import translated
from shared.postgres.offsets import OffsetStore
from shared.postgres.pool import Connection, let_go
from shared.postgres.queries import Queries

SWAP_LOCK: Final = 0x6B_73_72_63_68
"""Advisory lock "ksrch": batches share it, a rebuild's last step has it alone."""

queries = Queries.load("services.indexer.sql")

_READERS: Final = {model.__name__: Reader(model) for model in topics.EVENTS.messages.values()}
"""Event type in the table → what reads it."""

_RESHAPING: Final = frozenset(
    one.__name__ for one in (ContactsMerged, ContactsSplit, FactRetracted, ContactDeleted)
)


class Transaction:
    """One batch's reads and writes in PostgreSQL."""

    def __init__(
        self, connection: Connection, offsets: OffsetStore, workspaces: dict[str, tuple[int, int]]
    ) -> None:
        self.connection = connection
        self._offsets = offsets
        self._workspaces = workspaces

    async def find_contacts(self, contacts: Sequence[str]) -> list[Contact]:
        """Fold contacts from their events; one without any is left out."""
        if not contacts:
            return []
        rows = await self.connection.fetch(queries["find_events"], contacts)
        # What follows takes its time, in Python and at the index's own server.
        await let_go(self.connection)
        return [_contact(list(group)) for _, group in groupby(rows, key=itemgetter("public_id"))]

    async def workspace(self, public_id: str) -> tuple[int, int]:
        """Return a workspace's (tenant, workspace) numbers."""
        if public_id not in self._workspaces:
            rows = await self.connection.fetch(queries["find_places"])
            self._workspaces.update(
                {row["workspace"]: (row["tenant_id"], row["workspace_id"]) for row in rows}
            )
        if public_id not in self._workspaces:
            raise PoisonMessageError("unknown_tenant", "workspace is not known here")
        return self._workspaces[public_id]

    async def save_offsets(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Store how far the group has read."""
        await self._offsets.save(self.connection, group, offsets)


class Store(ConsumerStore):
    """PostgreSQL, as the handler uses it."""

    schema = "search"

    def __init__(self) -> None:
        self._workspaces: dict[str, tuple[int, int]] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that no rebuild swaps an index under."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(queries["share_indexes"], SWAP_LOCK)
                yield Transaction(connection, self.offsets, self._workspaces)

    async def read_model_age(self) -> float | None:
        """Return how old signals are when the read model shows them, seconds; None: none come."""
        with translated():
            age: float | None = await self._pool.fetchval(queries["read_model_age"])
        return age


def _contact(rows: Sequence[asyncpg.Record]) -> Contact:
    events = [_event(row) for row in rows]
    try:
        # Versions that are missing tell of activities.
        state = fold(None, events, gaps=True)
    except VersionGapError:
        state = None
    if state is None:
        raise PoisonMessageError("invalid", "the contact's first events are in no table")
    reshaped = any(row["event_type"] in _RESHAPING for row in rows)
    return Contact(rows[0]["tenant"], state, reshaped)


def _event(row: asyncpg.Record) -> ContactEvent:
    reader = _READERS.get(row["event_type"])
    if reader is None:
        raise PoisonMessageError("unknown_version", "is no event type known here")
    return cast("ContactEvent", reader.read(row["payload"]))
