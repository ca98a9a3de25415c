"""How far every stage is, asked of Kafka and PostgreSQL, which may be down at the moment."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from kith.stack import Stack
from shared.events import topics
from shared.kafka.batch import ConsumerRecord

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

T = TypeVar("T")

PATIENCE_S: Final = 90.0
"""A stage that has come no further for this time never will, seconds; how long all of it takes is
the machine's affair."""
PAUSE_S: Final = 0.1
"""Between two questions, seconds."""
ANSWER_S: Final = 5.0
"""An answer that takes longer is asked for again, on a new connection, seconds."""

Offsets = dict[TopicPartition, int]

_AWAY: Final = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Pipeline:
    """Watches one system from outside."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._consumer: Any = None
        self._admin: Any = None
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._disconnect()

    # Questions.

    async def ends(self, *names: str) -> Offsets:
        """Return where topics end."""

        async def ask() -> Offsets:
            consumer = await self._reader()
            places = [place for name in names for place in _places(name)]
            return await consumer.end_offsets(places)  # type: ignore[no-any-return]

        return await self._insist(ask)

    async def done(self, group: str) -> Offsets:
        """Return what a group has committed."""

        async def ask() -> Offsets:
            if self._admin is None:
                self._admin = AIOKafkaAdminClient(bootstrap_servers=self.stack.kafka_bootstrap)
                await self._admin.start()
            found = await self._admin.list_consumer_group_offsets(group)
            return {place: one.offset for place, one in found.items()}

        return await self._insist(ask)

    async def value(self, statement: str, *arguments: object) -> Any:
        """Ask PostgreSQL for one value."""

        async def ask() -> Any:
            if self._connection is None:
                dsn = self.stack.postgres_dsn("kith_migrator")
                self._connection = await asyncpg.connect(dsn, timeout=ANSWER_S)
            return await self._connection.fetchval(statement, *arguments)

        return await self._insist(ask)

    async def is_behind(self, group: str, topic: str) -> bool:
        """Tell whether a group has not read all of a topic."""
        ends, done = await self.ends(topic), await self.done(group)
        return any(done.get(place, 0) < end for place, end in ends.items())

    async def read(self, topic: str, since: Offsets) -> list[ConsumerRecord]:
        """Read everything that a topic has gained since it ended there."""
        ends = await self.ends(topic)
        consumer = await self._reader()
        left = {place for place, end in ends.items() if since.get(place, 0) < end}
        records: list[ConsumerRecord] = []
        consumer.assign(list(left))
        for place in left:
            consumer.seek(place, since.get(place, 0))
        while left:
            for some in (await consumer.getmany(timeout_ms=500)).values():
                records.extend(some)
            left = {place for place in left if await consumer.position(place) < ends[place]}
        return records

    # Waiting.

    async def caught_up(self, groups: tuple[str, ...]) -> None:
        """Wait until all that is in Kafka now has come to these readers of events.

        Signals that come meanwhile are not waited for.
        """
        await self._passed("ingest", await self.ends(topics.SIGNALS.name))
        await self._passed("resolver", await self.ends(topics.SIGNALS_NORMALIZED.name))
        last = await self.value("SELECT coalesce(max(seq), 0) FROM contact.outbox")
        await none_left("relay", lambda: self._unpublished(last))
        events = await self.ends(topics.EVENTS.name)
        for group in groups:
            await self._passed(group, events)

    async def _unpublished(self, last: int) -> int:
        left = await self.value("SELECT count(*) FROM contact.outbox WHERE seq <= $1", last)
        return int(left)

    async def _passed(self, group: str, ends: Offsets) -> None:
        async def unread() -> int:
            done = await self.done(group)
            return sum(max(0, end - done.get(place, 0)) for place, end in ends.items())

        await none_left(group, unread)

    # Connections.

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer, each time on new connections."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await asyncio.wait_for(ask(), ANSWER_S)
            except _AWAY:
                if time.monotonic() > deadline:
                    raise
                await self._disconnect()
                await asyncio.sleep(PAUSE_S)

    async def _reader(self) -> Any:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=self.stack.kafka_bootstrap,
                enable_auto_commit=False,
                max_partition_fetch_bytes=4 * 1024 * 1024,
            )
            await self._consumer.start()
        return self._consumer

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        admin, self._admin = self._admin, None
        connection, self._connection = self._connection, None
        with contextlib.suppress(*_AWAY):
            if consumer is not None:
                await asyncio.wait_for(consumer.stop(), ANSWER_S)
        with contextlib.suppress(*_AWAY):
            if admin is not None:
                await asyncio.wait_for(admin.close(), ANSWER_S)
        if connection is not None:
            connection.terminate()


async def none_left(
    stage: str, count: Callable[[], Awaitable[int]], patience_s: float = PATIENCE_S
) -> None:
    """Wait until a stage has nothing left to do, for as long as that still grows less."""
    least, since = await count(), time.monotonic()
    while least:
        await asyncio.sleep(PAUSE_S)
        left = await count()
        if left < least:
            least, since = left, time.monotonic()
        elif time.monotonic() - since > patience_s:
            message = f"{stage} did not catch up: {left} left for {patience_s:.0f} s"
            raise TimeoutError(message)


def _places(topic: str) -> list[TopicPartition]:
    """List a topic's partitions; a dead-letter topic has one."""
    known = {one.name: one.partitions for one in topics.ALL}
    return [TopicPartition(topic, n) for n in range(known.get(topic, 1))]
