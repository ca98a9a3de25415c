"""The outbox as the relay sees it: a small queue per shard, deleted on publish."""

import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Final, NamedTuple, Self

import asyncpg

from services.resolver.domain.publishing import Floor
from services.resolver.store.queries import QUERIES
from services.resolver.store.writing import RELAY_SHARDS
from shared.observability import metrics
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool, connect
from shared.postgres.settings import PostgresSettings

ROUND: Final = 1_000
"""Events published in one round."""

LOOK_S: Final = 0.25
"""Between two looks at who is writing, seconds: what was deleted since is read over."""

AFRESH_S: Final = 60.0
"""After so many seconds the outbox is read from its beginning again: were it ever wrong to begin
later, an event would be late and none would be lost."""

LEASE: Final = 0x72656C61
"""Class of the shards' advisory locks: "rela"."""


class OutboxRow(NamedTuple):
    """An event to publish, as `read_outbox` selects it."""

    shard: int
    seq: int
    key: str
    headers: str
    value: bytes


class Outbox:
    """Reads and empties `contact.outbox`, role `kith_relay`."""

    class Session:
        """One database session; leads the shards whose locks it holds."""

        def __init__(self, connection: Connection) -> None:
            self._connection = connection
            self.leads: list[int] = []
            self.floor = Floor()
            self._began_at = time.monotonic()
            self._looked_at = 0.0

        async def elect(self) -> None:
            """Try to lead every shard that nobody leads."""
            for shard in range(RELAY_SHARDS):
                if shard in self.leads:
                    continue
                with translated():
                    won = await self._connection.fetchval(QUERIES["lead_shard"], LEASE, shard)
                if won:
                    self.leads.append(shard)
                    self._begin()
                metrics.RELAY_IS_LEADER.labels(str(shard)).set(won)

        async def read(self) -> list[OutboxRow]:
            """Return the oldest events of the shards led, in order per shard."""
            now = time.monotonic()
            if now - self._began_at > AFRESH_S:
                self._begin()
            with translated():
                if now - self._looked_at > LOOK_S:
                    self._looked_at = now
                    [seen] = await self._connection.fetch(QUERIES["look_around"])
                    self.floor.see(seen["oldest"], seen["newest"])
                rows = await self._connection.fetch(
                    QUERIES["read_outbox"], self.leads, ROUND, self.floor.seq
                )
            return list(map(OutboxRow._make, rows))

        async def delete(self, rows: Sequence[OutboxRow]) -> None:
            """Forget what Kafka has acknowledged: all of a round."""
            with translated():
                await self._connection.execute(
                    QUERIES["delete_published"],
                    [row.shard for row in rows],
                    [row.seq for row in rows],
                )
            counts = Counter(row.shard for row in rows)
            self.floor.publish(
                {row.shard: row.seq for row in rows},
                frozenset(shard for shard, count in counts.items() if count == ROUND),
            )

        def _begin(self) -> None:
            self.floor = Floor()
            self._began_at = time.monotonic()

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._pool: Pool

    async def __aenter__(self) -> Self:
        """Open the pool."""
        self._pool = await self._stack.enter_async_context(
            connect(self._settings, "kith-relay", lookups_only=True, by_key=True)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool."""
        await self._stack.aclose()

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Outbox.Session"]:
        """Open a session; its leases end with it."""
        with translated():
            connection = await self._pool.acquire()
        try:
            yield Outbox.Session(connection)
        finally:
            for shard in range(RELAY_SHARDS):
                metrics.RELAY_IS_LEADER.labels(str(shard)).set(0)
            # Closed, not returned: the leases must not live on in an idle connection.
            with contextlib.suppress(asyncpg.InterfaceError):  # lost, and so are its leases
                connection.terminate()
            await self._pool.release(connection)

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        with translated():
            await self._pool.execute("SELECT 1")

    async def measure(self) -> None:
        """Set the gauges that say how far behind publication is."""
        with translated():
            rows = await self._pool.fetch(QUERIES["measure_outbox"])
            writing = await self._pool.fetchval(QUERIES["oldest_writing_transaction"])
        found = {row["shard"]: row for row in rows}
        for shard in range(RELAY_SHARDS):
            row = found.get(shard)
            metrics.OUTBOX_PENDING_ROWS.labels(str(shard)).set(row["pending"] if row else 0)
            metrics.OUTBOX_OLDEST_AGE_SECONDS.labels(str(shard)).set(row["age"] if row else 0)
        metrics.OLDEST_WRITING_XACT_SECONDS.set(writing)
