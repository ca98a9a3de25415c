"""The indexer's one handler, once per index.

Each index has a consumer group of its own: while Neo4j is away its group backs off and its lag
grows, and search goes on. The price, reading the topic twice, is small at the indexer's pace.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from services.indexer.domain.changes import Changes, Mention, read_mention
from services.indexer.domain.pace import Pace, budget
from services.indexer.store import Index, Store
from shared.errors import PoisonMessageError
from shared.kafka.batch import Batch, Rejected
from shared.observability import metrics

LOOK_S: Final = 0.5
"""Between two looks at what arrives, seconds: how soon an index yields, and how soon it is back."""

OBSERVED: Final = 8
"""One event in so many is timed: a share of them tells the ages, and each costs a microsecond."""

Resting = Callable[[int, float], Awaitable[None]]
"""Waits after a batch of so many contacts that began at that moment of the monotonic clock."""


async def handle_events(
    batch: Batch, store: Store, index: Index, rest: Resting, path: str
) -> Sequence[Rejected]:
    """Bring an index up to the contacts that a batch names, then rest a while."""
    started = time.monotonic()
    mentions, rejected = _read(batch)
    ids = sorted({mention.contact_id for mention in mentions if mention.contact_id is not None})
    companies = [mention.company for mention in mentions if mention.company is not None]
    async with store.transaction() as tx:
        changes = Changes(await tx.find_contacts(ids), companies)
        await index.save(tx, changes)
        await tx.save_offsets(batch.group, batch.next_offsets)
    _observe(mentions[::OBSERVED], path)
    await rest(len(ids), started)
    return rejected


def _read(batch: Batch) -> tuple[list[Mention], list[Rejected]]:
    mentions: list[Mention] = []
    rejected: list[Rejected] = []
    for record in batch.records:
        try:
            mentions.append(read_mention(record.headers, record.value))
        except PoisonMessageError as error:
            rejected.append(Rejected(record, error))
    return mentions, rejected


def _observe(mentions: Sequence[Mention], path: str) -> None:
    now = time.time()
    observe = metrics.END_TO_END_SECONDS.labels(path).observe
    for mention in mentions:
        if mention.recorded_at is not None:
            observe(now - mention.recorded_at.timestamp())


class Traffic(Protocol):
    """What arrives on a topic, and whether its consumer has to go; a Kafka subscription is one."""

    @property
    def stopping(self) -> bool:
        """Whether nobody should rest any longer."""

    async def arrived(self) -> int | None:
        """Count the records that the topic ever got; None while Kafka does not say."""

    def moved(self) -> None:
        """Note a sign of life: resting is on purpose."""


class Ages(Protocol):
    """What knows how far the read model is; the store does."""

    async def read_model_age(self) -> float | None:
        """Return how old signals are when they are shown, seconds; None while none come."""


class Rest:
    """Rests until the contacts of a batch are within the budget, which it reviews meanwhile."""

    traffic: Traffic
    """Set when the topic is subscribed to."""

    def __init__(self, pace: Pace, store: Ages) -> None:
        self._pace = pace
        self._store = store
        self._looked_at = 0.0
        self._arrived: int | None = None
        self._arriving: float | None = None

    async def __call__(self, documents: int, started: float) -> None:
        """Rest after a batch of so many contacts; `started` is by the monotonic clock."""
        owed, paid_at = float(documents), started
        while not self.traffic.stopping:
            rate = await self._budget()
            now = time.monotonic()
            owed -= (now - paid_at) * rate
            paid_at = now
            left = max(owed / rate, started + self._pace.linger - now)
            if left <= 0:
                return
            self.traffic.moved()
            await asyncio.sleep(min(left, LOOK_S))

    async def _budget(self) -> float:
        return budget(await self._look(), await self._store.read_model_age(), self._pace)

    async def _look(self) -> float | None:
        """Return the events that arrive a second, measured anew when the last look is old."""
        now = time.monotonic()
        passed = now - self._looked_at
        if passed >= LOOK_S:
            arrived = await self.traffic.arrived()
            if arrived is not None and self._arrived is not None:
                self._arriving = max(0, arrived - self._arrived) / passed
            if arrived is not None:
                self._arrived, self._looked_at = arrived, now
        return self._arriving
