"""One consumer group's hold on one topic: assignment, offsets, and what is in flight.

aiokafka rebalances in the background while a handler runs, so that the listener here makes a
rebalance wait for the batch in flight and its commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from typing_extensions import override

from shared.kafka.batch import ConsumerRecord, OffsetStore, last_records
from shared.observability import metrics, traces
from shared.observability.logs import get_logger

log = get_logger(__name__)

ALIGN_RETRY_S: Final = 1.0
"""Between attempts to learn the stored offsets after an assignment, seconds."""

REDELIVER_S: Final = 1.0
"""Before a batch is read again after delivery itself failed, seconds."""


class AbandonedError(Exception):
    """The batch was given up while it backed off: its partitions leave or the process stops."""


Process = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
"""Applies a batch and its dead letters; raises nothing but `AbandonedError`."""


class Subscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """Hands batches to `process`, then commits them, partition by partition."""

    def __init__(
        self,
        topic: str,
        group: str,
        offsets: OffsetStore | None,
        *,
        patience_s: float,
        gather_s: float = 0.0,
    ) -> None:
        self.topic = topic
        self.group = group
        self.subscriber: Any = None
        """FastStream's subscriber; it holds the consumer once started."""
        self.process: Process
        self.assigned = False
        """Whether the group has answered, be it with no partition."""
        self.moved_at = time.monotonic()
        """When something was last attempted or done."""
        self.applied: dict[TopicPartition, tuple[int, int]] = {}
        """Partition → next offset and the timestamp (ms) of the last record applied."""
        self.leaving = asyncio.Event()
        """Set while a rebalance waits: whoever backs off gives up its batch."""
        self._offsets = offsets
        self._patience_s = patience_s
        self._gather_s = gather_s
        self._began_at = 0.0
        self._epoch = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.aligned = False
        """Whether every partition starts where it should: until then nothing is handed on."""
        self._aligning: asyncio.Task[None] | None = None

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The consumer while the subscriber runs."""
        return None if self.subscriber is None else self.subscriber.consumer

    @property
    def in_flight(self) -> bool:
        """Whether a batch is being worked on."""
        return not self._idle.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the process is stopping or the partitions are leaving."""
        return self.leaving.is_set() or not self.subscriber.running

    def moved(self) -> None:
        """Note a sign of life."""
        self.moved_at = time.monotonic()

    async def gather(self) -> None:
        """Let records come together before the next batch is fetched, if the last one was early.

        A batch costs Kafka, the database and the next hop as much as dozens of records, so that
        steady traffic is taken in at most so many batches a second; who comes alone never waits.
        """
        left = self._began_at + self._gather_s - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)

    async def arrived(self) -> int | None:
        """Count the records that the topic ever got, in all partitions; None: Kafka is not there.

        Asked of Kafka: the consumer's own high-water marks stand still while it reads nothing.
        """
        consumer = self.consumer
        numbers = None if consumer is None else consumer.partitions_for_topic(self.topic)
        if consumer is None or not numbers:
            return None
        try:
            ends = await consumer.end_offsets([TopicPartition(self.topic, one) for one in numbers])
        except KafkaError:
            return None
        return int(sum(ends.values()))

    async def handle(self, records: Sequence[ConsumerRecord]) -> None:
        """Take one batch from FastStream; never raises, but is cancelled when a stop is overdue."""
        if not self.aligned:
            # Fetched between the assignment and the listener's pause: read again from there.
            self._rewind(records)
            return
        epoch = self._epoch
        self._idle.clear()
        self.moved()
        self._began_at = time.monotonic()
        started = time.perf_counter()
        try:
            with traces.batch_span(
                "process", self.topic, self.group, len(records), _traceparents(records)
            ):
                await self.process(records)
            await self._commit(epoch, records)
        except AbandonedError:
            log.info("batch abandoned", topic=self.topic, group=self.group, count=len(records))
        except Exception:
            log.exception("delivery failed", topic=self.topic, group=self.group)
            self._rewind(records)
            await asyncio.sleep(REDELIVER_S)
        else:
            metrics.BATCH_SECONDS.labels(self.group).observe(time.perf_counter() - started)
            metrics.BATCH_SIZE.labels(self.group).observe(len(records))
        finally:
            self.moved()
            self._idle.set()

    async def _commit(self, epoch: int, records: Sequence[ConsumerRecord]) -> None:
        """Commit what is applied; after a failure the records are read again."""
        last = last_records(records)
        try:
            if epoch != self._epoch or self.consumer is None:
                # An old commit would move another member's, or our own newer, offset back.
                raise IllegalStateError("the partitions left meanwhile")
            await self.consumer.commit({place: one.offset + 1 for place, one in last.items()})
        except KafkaError as error:
            metrics.COMMIT_FAILURES.labels(self.group, self.topic).inc()
            log.warning("commit failed", topic=self.topic, group=self.group, error=error)
            return
        for place, one in last.items():
            self.applied[place] = (one.offset + 1, one.timestamp)

    def _rewind(self, records: Sequence[ConsumerRecord]) -> None:
        first: dict[TopicPartition, int] = {}
        for record in records:
            first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        for place, offset in first.items():
            try:
                if self.consumer is not None:
                    self.consumer.seek(place, offset)
            except IllegalStateError:
                continue  # it left meanwhile: whoever has it reads from the committed offset

    @override
    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let the batch in flight finish and commit before the partitions leave."""
        self.moved()
        self.leaving.set()
        if self._aligning is not None:
            self._aligning.cancel()
        try:
            await asyncio.wait_for(self._idle.wait(), self._patience_s)
        except TimeoutError:
            log.warning("batch still in flight", topic=self.topic, group=self.group)
        self._epoch += 1
        self.aligned = False
        self.leaving.clear()
        self.applied.clear()
        if revoked:
            metrics.REBALANCES.labels(self.group, self.topic).inc()

    @override
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start each partition at the lower of Kafka's offset and the one in the database."""
        self.moved()
        self.assigned = True
        places = list(assigned)
        metrics.ASSIGNED_PARTITIONS.labels(self.group, self.topic).set(len(places))
        if self._offsets is None or not places or self.consumer is None:
            self.aligned = True
            return
        # The database may be away for longer than this callback may take: pause, and see to it
        # in the background.
        self.consumer.pause(*places)
        metrics.PAUSED_PARTITIONS.labels(self.group, self.topic).set(len(places))
        self._aligning = asyncio.create_task(self._align(self.consumer, self._offsets, places))

    async def _align(
        self, consumer: AIOKafkaConsumer, store: OffsetStore, places: list[TopicPartition]
    ) -> None:
        while True:
            try:
                stored = await store.load(self.group, self.topic)
                committed = {place: await consumer.committed(place) for place in places}
                for place in places:
                    await _start_at(consumer, place, stored.get(place.partition), committed[place])
                consumer.resume(*places)
            except Exception as error:  # noqa: BLE001  # giving up would leave them paused for ever
                if not self.subscriber.running:
                    return
                log.warning(
                    "stored offsets unknown", topic=self.topic, group=self.group, error=error
                )
                self.moved()
                await asyncio.sleep(ALIGN_RETRY_S)
            else:
                break
        self.aligned = True
        self.moved()
        metrics.PAUSED_PARTITIONS.labels(self.group, self.topic).set(0)


async def _start_at(
    consumer: AIOKafkaConsumer, place: TopicPartition, stored: int | None, committed: int | None
) -> None:
    """Seek to the lower offset; one that is missing counts as the beginning.

    A database restored from a backup lacks what Kafka thinks is done; a new Kafka lacks what the
    database thinks is done.  Reading again is harmless, skipping is not: the stored one may also be
    ahead in the midst of a batch that its handler applies part by part (`shared.kafka.batch`), and
    what was rejected before that is no dead letter yet.
    """
    if stored is None or committed is None:
        if stored is not None or committed is not None:
            await consumer.seek_to_beginning(place)
        return
    if stored < committed:
        log.warning(
            "reading again what the database lost", topic=place.topic, partition=place.partition
        )
        consumer.seek(place, stored)


def _traceparents(records: Sequence[ConsumerRecord]) -> Iterable[bytes | None]:
    for record in records:
        for name, value in record.headers:
            if name == "traceparent":
                yield value
                break
