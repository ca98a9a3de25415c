"""The relay, the resolver's second process: outbox → `contact.events.v1`, in version order.

One relay leads each shard: it holds the shard's advisory lock on a session of its own, and the
lock dies with the session. A batch is deleted only after Kafka has all of it; a relay that dies
between the two sends it again, and consumers deduplicate by event id and version.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette

from services.resolver.settings import RelaySettings
from services.resolver.store.outbox import Outbox, OutboxRow
from shared.events.codec import packed_recorded_at, unpack_headers
from shared.events.topics import EVENTS as EVENTS_TOPIC
from shared.kafka.producer import Outgoing, Producer
from shared.observability import metrics
from shared.observability.logs import get_logger, where
from shared.probes import ASGIApp, Receive, Scope, Send, probe_routes
from shared.process import serve

log = get_logger(__name__)

EVENTS: Final = EVENTS_TOPIC.name
"""Where events go."""

LITTLE: Final = 500
"""Events; a round of fewer has emptied the outbox, and the next one may wait for company."""

ELECTION_S: Final = 1.0
"""Between two tries to lead the shards that others lead, seconds."""

FIRST_DELAY_S: Final = 0.2
"""Back-off after the first failure, seconds; doubles up to `LONGEST_DELAY_S`."""

LONGEST_DELAY_S: Final = 5.0
"""Longest back-off, seconds."""

OBSERVED: Final = 8
"""One event in so many is timed: a share of them tells the ages, and each costs 3 us."""

STUCK_S: Final = 60.0
"""Without a finished round or a retry for so long, the process counts as stuck, seconds."""


class Relay:
    """Publishes what the shards it leads hold."""

    def __init__(self, outbox: Outbox, producer: Producer, gather_s: float = 0.0) -> None:
        """Wait for `gather_s` after a round of little: one costs as much as a hundred events."""
        self._outbox = outbox
        self._producer = producer
        self._gather_s = gather_s
        self._stopping = asyncio.Event()
        self._moved_at = time.monotonic()

    async def run(self) -> None:
        """Lead and publish until told to stop; failures are retried with back-off."""
        delay = FIRST_DELAY_S
        while not self._stopping.is_set():
            try:
                async with self._outbox.session() as session:
                    async for published in self._rounds(session):
                        delay = FIRST_DELAY_S
                        self._moved_at = time.monotonic()
                        if published < LITTLE:
                            await self._wait(self._gather_s)
            except Exception as error:  # noqa: BLE001  # a loop that ended would hold back all events
                self._moved_at = time.monotonic()
                log.warning("relay_retry", error=where(error), delay_s=delay)
                await self._wait(delay)
                delay = min(delay * 2, LONGEST_DELAY_S)

    def stop(self) -> None:
        """Finish the round in flight, then end."""
        self._stopping.set()

    async def alive(self) -> None:
        """Raise when nothing moves any more."""
        if time.monotonic() - self._moved_at > STUCK_S:
            msg = "no round finished"
            raise RuntimeError(msg)

    async def _rounds(self, session: "Outbox.Session") -> AsyncIterator[int]:
        """Publish round by round; yields how many events each round published."""
        elected_at = 0.0
        while not self._stopping.is_set():
            if time.monotonic() - elected_at > ELECTION_S:
                elected_at = time.monotonic()
                await session.elect()
            yield await self._publish(session) if session.leads else 0

    async def _publish(self, session: "Outbox.Session") -> int:
        rows = await session.read()
        if not rows:
            return 0
        await self._producer.send_batch(
            [
                Outgoing(EVENTS, row.key.encode(), row.value, unpack_headers(row.headers))
                for row in rows
            ]
        )
        await session.delete(rows)
        for shard, sent in Counter(row.shard for row in rows).items():
            metrics.OUTBOX_PUBLISHED.labels(str(shard)).inc(sent)
        _observe(rows[::OBSERVED])
        return len(rows)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _observe(rows: Iterable[OutboxRow]) -> None:
    now = time.time()
    observe = metrics.END_TO_END_SECONDS.labels("event").observe
    for row in rows:
        observe(now - packed_recorded_at(row.headers).timestamp())


def create_app(settings: RelaySettings) -> ASGIApp:
    """Wire the relay: no topic is consumed, a loop runs for as long as the process does.

    No FastStream here: it will not run without a broker, and nothing is consumed.
    """
    outbox = Outbox(settings.postgres)
    producer = Producer(settings.kafka)
    relay = Relay(outbox, producer, settings.kafka.gather_ms / 1000)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with outbox, producer:
            loop = asyncio.create_task(relay.run())
            try:
                yield
            finally:
                relay.stop()
                await loop

    http = Starlette(lifespan=lifespan)
    probes = dict(
        probe_routes(
            ready={"postgres": outbox.ping}, alive={"relay": relay.alive}, measure=[outbox.measure]
        )
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await probes.get(scope.get("path", ""), http)(scope, receive, send)

    return app


if __name__ == "__main__":
    serve(create_app, RelaySettings, service="relay")
