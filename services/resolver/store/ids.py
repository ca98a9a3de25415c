"""Ids for new rows, drawn from PostgreSQL's sequences in blocks: no round trip per batch."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from services.resolver.domain.model import Ids
from services.resolver.store.queries import QUERIES
from shared.identifiers.ulids import ulids
from shared.postgres.pool import Connection

BLOCK: Final = 2_000
"""Ids drawn at a time."""


class IdBlocks:
    """This process's stock of ids; what is left over when it ends is a gap, and harmless."""

    def __init__(self) -> None:
        self._contacts: deque[int] = deque()
        self._companies: deque[int] = deque()
        self._bindings: deque[int] = deque()

    async def take(self, connection: Connection, signals: int) -> Ids:
        """Return ids enough for so many signals, each with up to 50 jobs at new companies."""
        while min(map(len, (self._contacts, self._companies, self._bindings))) < signals:
            for row in await connection.fetch(QUERIES["take_ids"], max(BLOCK, signals)):
                self._contacts.append(row["contact"])
                self._companies.append(row["company"])
                self._bindings.append(row["binding"])
        return Ids(
            contacts=_named("con_", self._contacts),
            companies=_named("cmp_", self._companies),
            bindings=_drain(self._bindings),
            events=_event_ids(signals),
        )


def _drain(stock: deque[int]) -> Iterator[int]:
    while stock:
        yield stock.popleft()


def _named(prefix: str, stock: deque[int]) -> Iterator[tuple[int, str]]:
    while stock:
        for ulid in ulids(min(64, len(stock))):
            yield stock.popleft(), prefix + ulid


def _event_ids(signals: int) -> Iterator[str]:
    while True:
        for ulid in ulids(max(16, signals)):
            yield "evt_" + ulid
