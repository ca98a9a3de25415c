"""Take snapshots of contacts' states: look through the log, fold, write; in bounded steps."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, cast

import asyncpg

from services.resolver.domain.snapshots import DAILY, EVERY, FROM, Kept, Snapshot, take
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.contact import ContactEvent
from shared.events.fold import VersionGapError
from shared.events.state import ContactSnapshot, PrivateSnapshot, state_from
from shared.events.structs import Reader
from shared.observability.logs import get_logger, where
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

log = get_logger(__name__)

STATEMENTS: Final = Queries.load("services.resolver.sql", "snapshots.sql")
"""The statements of `services/resolver/sql/snapshots.sql`, by name."""

PAGE: Final = 5_000
"""Events of the log looked at in one step: of most, no more than that they are there."""

CONTACTS: Final = 10
"""Contacts of which snapshots are taken in one step, at most."""

EVENTS: Final = 2 * EVERY
"""Events of each that are folded in one step: nothing else runs while they are, some 20 ms."""

_READERS: Final = {model.__name__: Reader(model) for model in topics.EVENTS.messages.values()}
"""Event type in the table → what reads it."""

_read_state: Final = Reader(ContactSnapshot).read
_read_private: Final = Reader(PrivateSnapshot).read


class Snapshotter:
    """Takes one step inside one transaction."""

    def __init__(self, connection: Connection, unreadable: set[int]) -> None:
        self._connection = connection
        self._unreadable = unreadable
        """Contacts whose events this release cannot fold: their past is replayed, if at all."""

    async def step(self) -> int | None:
        """Look at the next page of the log; returns how many contacts' snapshots were taken.

        None: there is nothing to look at, or another process looks. A page is left behind once
        none of its contacts is due any more.
        """
        cursor = await self._connection.fetchrow(STATEMENTS["take_cursor"])
        if cursor is None:
            return None
        page = await self._connection.fetchrow(STATEMENTS["read_page"], *cursor, PAGE, FROM)
        if page is None:
            return None
        *end, named = page
        contacts = [one for one in named if one not in self._unreadable]
        due: Sequence[asyncpg.Record] = ()
        if contacts:
            yesterday = datetime.now(UTC) - DAILY
            due = await self._connection.fetch(
                STATEMENTS["find_due"], contacts, EVERY, yesterday, CONTACTS + 1
            )
        is_done = await self._take(due[:CONTACTS])
        if is_done and len(due) <= CONTACTS:
            await self._connection.execute(STATEMENTS["move_cursor"], *end)
        return len(due[:CONTACTS])

    async def _take(self, due: Sequence[asyncpg.Record]) -> bool:
        """Take the contacts' next snapshots; returns whether none of them has more to come."""
        if not due:
            return True
        private = await self._private(due)
        later: dict[int, list[asyncpg.Record]] = {
            contact: list(rows)
            for contact, rows in groupby(
                await self._connection.fetch(
                    STATEMENTS["find_later"],
                    [row["id"] for row in due],
                    [row["event_sequence"] or 0 for row in due],
                    EVENTS,
                ),
                key=itemgetter("id"),
            )
        }
        taken: list[tuple[int, int, Snapshot]] = []
        is_done = True
        for row in due:
            events = later[row["id"]]
            is_all = len(events) < EVENTS
            is_done &= is_all
            kept = _kept(row, private.get(row["id"], {}))
            told = ((_event(one), one["recorded_at"]) for one in events)
            try:
                snapshots = list(take(kept, told, is_all=is_all))
            except (KeyError, PoisonMessageError, VersionGapError) as error:
                self._unreadable.add(row["id"])
                log.warning("contact_without_snapshot", contact_id=row["id"], error=where(error))
            else:
                taken += [(row["tenant_id"], row["id"], one) for one in snapshots]
        if not taken:
            return is_done
        columns = zip(
            *(
                (tenant, contact, one.version, one.workspace, one.state, one.snapshot_at)
                for tenant, contact, one in taken
            ),
            strict=True,
        )
        await self._connection.execute(STATEMENTS["insert_snapshots"], *map(list, columns))
        return is_done

    async def _private(
        self, due: Sequence[asyncpg.Record]
    ) -> dict[int, dict[str, PrivateSnapshot]]:
        """Read what workspaces kept for themselves at the newest snapshots, by contact."""
        having = [
            (row["tenant_id"], row["id"], row["event_sequence"])
            for row in due
            if row["event_sequence"] is not None
        ]
        found: dict[int, dict[str, PrivateSnapshot]] = {}
        if having:
            columns = [list(column) for column in zip(*having, strict=True)]
            for row in await self._connection.fetch(STATEMENTS["find_private"], *columns):
                by_workspace = found.setdefault(row["entity_id"], {})
                by_workspace[row["workspace"]] = _read_private(row["state"])
        return found


def _kept(row: asyncpg.Record, private: Mapping[str, PrivateSnapshot]) -> Kept:
    if row["state"] is None:
        return Kept()
    return Kept(state_from(_read_state(row["state"]), private), row["snapshot_at"])


def _event(row: asyncpg.Record) -> ContactEvent:
    return cast("ContactEvent", _READERS[row["event_type"]].read(row["payload"]))
