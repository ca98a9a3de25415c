"""The production path in one process: the gate, the relay and matching, called without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import ConsumerRecord

from services.resolver.handlers.matching import Matching
from services.resolver.handlers.signals import Signals
from services.resolver.store import Store
from services.resolver.store.outbox import Outbox
from shared.auth import Place
from shared.events import topics
from shared.events.codec import unpack_headers
from shared.events.command import ApproveMerge, RejectMerge
from shared.identifiers.ulids import ulids
from shared.kafka.batch import Batch, next_offsets
from shared.kafka.pace import restless
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings

EVENTS_AT_ONCE: Final = 100
"""Events that matching takes in one go, as `MATCHER_BATCH_MAX_RECORDS` has it by default."""


class Pipeline:
    """One resolver and one relay, called in turns."""

    def __init__(self, store: Store, place: Place, outbox: Outbox.Session) -> None:
        self._store = store
        self.place: Final = place
        self._outbox = outbox
        self._signals = Signals(store)
        self._matching = Matching(store, restless)
        self._offsets = {topics.SIGNALS_NORMALIZED.name: 0, topics.EVENTS.name: 0}

    async def admit(self, signals: Sequence[tuple[list[tuple[str, bytes]], bytes]]) -> None:
        """Hand a batch of normalised signals, (headers, body), to the gate; then match."""
        batch = self._batch(topics.SIGNALS_NORMALIZED.name, "resolver", signals)
        if rejected := await self._signals.handle_signals(batch):
            raise rejected[0].error
        while await self._store.reconsider():
            pass
        await self.match()

    async def match(self) -> None:
        """Publish what is in the outbox to matching, until nothing follows from it."""
        while await self.match_next():
            pass

    async def settle(self) -> None:
        """Do what matching does where nothing arrives: decide again what statistics have moved."""
        while await self._matching.settle():
            await self.match()

    async def match_next(self) -> int:
        """Publish a round of the outbox to matching; returns how many events it had."""
        rows = await self._outbox.read()
        for start in range(0, len(rows), EVENTS_AT_ONCE):
            events = [
                (unpack_headers(row.headers), row.value)
                for row in rows[start : start + EVENTS_AT_ONCE]
            ]
            batch = self._batch(topics.EVENTS.name, "resolver-matching", events)
            if rejected := await self._matching.handle_events(batch):
                raise rejected[0].error
        if rows:
            await self._outbox.delete(rows)
        return len(rows)

    async def judge(self, one: str, other: str, *, is_one: bool) -> None:
        """Decide a pair as a person would; what follows is matched later."""
        model = ApproveMerge if is_one else RejectMerge
        (ulid,) = ulids(1)
        command = model(
            command_id=f"cmd_{ulid}",
            tenant=self.place.tenant,
            workspace=self.place.workspace,
            issued_at=datetime.now(UTC),
            contact_id=one,
            other_id=other,
        )
        await self._store.judge(command, self.place)

    def _batch(
        self, topic: str, group: str, values: Sequence[tuple[list[tuple[str, bytes]], bytes]]
    ) -> Batch:
        records = []
        for headers, value in values:
            records.append(_record(topic, self._offsets[topic], headers, value))
            self._offsets[topic] += 1
        return Batch(records, group, next_offsets(records))


def _record(
    topic: str, offset: int, headers: list[tuple[str, bytes]], value: bytes
) -> ConsumerRecord[Any, Any]:
    """Make a record as aiokafka would give it."""
    return ConsumerRecord(topic, 0, offset, 0, 0, None, value, None, 0, len(value), tuple(headers))


@asynccontextmanager
async def open_pipeline(resolver_dsn: str, relay_dsn: str) -> AsyncIterator[Pipeline]:
    """Open the path into the only workspace of a database."""
    settings = PostgresSettings.model_validate({"dsn": resolver_dsn})
    relay = Outbox(PostgresSettings.model_validate({"dsn": relay_dsn}))
    async with (
        connect(settings, "kith-eval", lookups_only=True, transactions_only=True) as pool,
        relay,
        relay.session() as outbox,
    ):
        store = Store()
        store.open(pool)
        place = await store.directory.resolve(None, None)
        await outbox.elect()
        yield Pipeline(store, place, outbox)
