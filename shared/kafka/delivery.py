"""At-least-once delivery of batches: the one place that reads the error tree.

    handler returns          → dead-letter what it rejected → commit
    TransientError           → back off, the same batch again, without limit
    SourceUnavailableError   → back off for longer, the batch again
    anything else            → halve the batch until single records fail; dead-letter those

Nothing is committed before it is applied and its dead letters are acknowledged.  FastStream would
swallow an exception and go on to the next batch, so that nothing but a cancellation leaves here.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from shared.errors import PoisonMessageError, SourceUnavailableError, TransientError
from shared.events.topics import Topic
from shared.kafka.batch import (
    Batch,
    ConsumerRecord,
    Handler,
    OffsetStore,
    Rejected,
    next_offsets,
)
from shared.kafka.dead_letters import dead_letter, without_body
from shared.kafka.lenient import lenient
from shared.kafka.passing import Passing
from shared.kafka.producer import Outgoing, Producer
from shared.kafka.progress import Progress
from shared.kafka.settings import KafkaSettings
from shared.kafka.subscription import AbandonedError, Subscription
from shared.observability import metrics
from shared.observability.logs import get_logger

__all__ = ["Batch", "ConsumerRecord", "Delivery", "Handler", "OffsetStore", "Rejected"]

log = get_logger(__name__)

FIRST_DELAY_S: Final = 0.1
"""Back-off after the first transient fault, seconds; it doubles up to `LONGEST_DELAY_S`."""

LONGEST_DELAY_S: Final = 15.0
"""Longest back-off, seconds: well below the minute in which a process must show life."""

UNAVAILABLE_DELAY_S: Final = 15.0
"""Back-off while nothing would succeed, seconds."""

NOTICE_S: Final = 0.2
"""How soon a back-off notices that the process is stopping, seconds."""

MAX_POLL_INTERVAL_MS: Final = 24 * 3_600_000
"""A handler may back off for hours while a dependency is down without leaving the group: heartbeats
run beside it, and whether the process lives is judged by `Progress`, not by polling."""

GATHERED: Final = 1 << 18
"""Bytes for whose sake Kafka lets a consumer of steady traffic wait, for up to `gather_ms`: more
than come by then unless there is a backlog."""

AHEAD_STEADY: Final = 1 << 20
AHEAD: Final = 1 << 18
"""Bytes of a partition that a consumer holds ready: who is behind holds so many of each."""

UNHURRIED_MS: Final = 500
"""How long Kafka waits for the first record before it says that there is none."""


class Delivery:
    """Subscribes handlers to topics and keeps the promises of DESIGN 3 for them."""

    def __init__(
        self,
        broker: KafkaBroker,
        producer: Producer,
        settings: KafkaSettings,
        service: str,
        offsets: OffsetStore | None = None,
    ) -> None:
        self._broker = broker
        self._producer = producer
        self._settings = settings
        self._service = service
        self._offsets = offsets
        self.subscriptions: list[Subscription] = []
        self.progress = Progress(self.subscriptions)
        """What the probes and the lag metrics ask."""

    def subscribe(
        self,
        topic: Topic,
        handler: Handler,
        *,
        group: str | None = None,
        max_records: int | None = None,
        heeded: bool = True,
        steady: bool = False,
    ) -> Subscription:
        """Hand the topic's records to a handler, in batches, one batch at a time.

        When they are not `heeded`, none is read: now and then the handler gets an empty batch that
        says how far the topic is.  Where traffic is `steady` records gather in Kafka, which answers
        with what came within `gather_ms`, else here, between two batches: each answer, and each
        batch, costs as much as dozens of records.
        """
        group = group or self._service
        if group not in topic.consumers:
            msg = f"{group} is not a consumer of {topic.name}: add it to shared.events.topics"
            raise ValueError(msg)
        settings = self._settings
        patience_s = settings.rebalance_timeout_ms / 1000 * 0.75
        if heeded:
            subscription = Subscription(
                topic.name,
                group,
                self._offsets,
                patience_s=patience_s,
                gather_s=0.0 if steady else settings.gather_ms / 1000,
            )
        else:
            subscription = _passing(topic.name, group, handler, patience_s)
        work = _Work(subscription, handler, self._producer, settings.handler_error_limit)
        subscription.process = work.deliver
        subscription.subscriber = self._consume(subscription, max_records, steady=steady)
        self.subscriptions.append(subscription)
        return subscription

    def _consume(self, subscription: Subscription, max_records: int | None, *, steady: bool) -> Any:
        """Return FastStream's subscriber that fetches for a subscription, which alone commits."""
        settings = self._settings
        subscriber = self._broker.subscriber(
            subscription.topic,
            batch=True,
            group_id=subscription.group,
            max_records=max_records or settings.batch_max_records,
            batch_timeout_ms=settings.poll_timeout_ms,
            fetch_min_bytes=GATHERED if steady else 1,
            fetch_max_wait_ms=settings.gather_ms if steady else UNHURRIED_MS,
            max_partition_fetch_bytes=AHEAD_STEADY if steady else AHEAD,
            auto_offset_reset="earliest",
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            rebalance_timeout_ms=settings.rebalance_timeout_ms,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            listener=subscription,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            parser=_leave_alone,
            decoder=_records,
        )
        subscriber(subscription.handle)
        fetch = lenient(subscriber.get_msg)

        async def gathered(consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
            await subscription.gather()
            return await fetch(consumer)

        vars(subscriber)["get_msg"] = gathered
        return subscriber


def _passing(topic: str, group: str, handler: Handler, patience_s: float) -> Passing:
    passing = Passing(topic, group, None, patience_s=patience_s)

    async def note(ends: dict[TopicPartition, int]) -> None:
        await handler(Batch((), group, ends))

    passing.note = note
    return passing


async def _leave_alone(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """Parse nothing: FastStream's own parser loses a batch to one header that is not UTF-8."""
    return KafkaMessage(body=b"", raw_message=records, consumer=_NoConsumer())


async def _records(message: KafkaMessage) -> Any:
    return message.raw_message


class _NoConsumer:
    """FastStream may not commit or seek; `Subscription` does."""

    async def commit(self) -> None:
        raise NotImplementedError

    def seek(self, partition: object, offset: int) -> None:
        raise NotImplementedError


class _TooManyBugsError(Exception):
    """Our own code fails on one record after another."""


class _Work:
    """The life of one batch: attempts, halving, dead letters."""

    def __init__(
        self, subscription: Subscription, handler: Handler, producer: Producer, bug_limit: int
    ) -> None:
        self._subscription = subscription
        self._handler = handler
        self._producer = producer
        self._bug_limit = bug_limit
        self._bugs = 0

    async def deliver(self, records: Sequence[ConsumerRecord]) -> None:
        """Apply a batch and set aside what it rejects; raises `AbandonedError` only."""
        topic = self._subscription.topic
        while True:
            try:
                rejected = await self._apply(records)
            except _TooManyBugsError:
                log.error("consuming stopped: the handler fails on every record", topic=topic)  # noqa: TRY400
                await self._back_off("source_unavailable", UNAVAILABLE_DELAY_S)
            else:
                return await self._finish(records, rejected)

    async def _finish(
        self, records: Sequence[ConsumerRecord], rejected: Sequence[Rejected]
    ) -> None:
        group, topic = self._subscription.group, self._subscription.topic
        if rejected:
            await self._set_aside(rejected)
            for one in rejected:
                metrics.DEAD_LETTERS.labels(topic, group, one.error.reason).inc()
                log.warning(
                    "dead letter",
                    topic=topic,
                    group=group,
                    partition=one.record.partition,
                    offset=one.record.offset,
                    reason=one.error.reason,
                    field=one.error.field,
                )
            metrics.MESSAGES.labels(group, "dead_letter").inc(len(rejected))
        metrics.MESSAGES.labels(group, "ok").inc(len(records) - len(rejected))

    async def _apply(self, records: Sequence[ConsumerRecord]) -> list[Rejected]:
        try:
            rejected = await self._insist(records)
        except AbandonedError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, one record may be to blame
            if len(records) == 1:
                return [self._blame(records[0], error)]
            middle = len(records) // 2
            return [*await self._apply(records[:middle]), *await self._apply(records[middle:])]
        if len(rejected) < len(records):
            self._bugs = 0
        return list(rejected)

    async def _insist(self, records: Sequence[ConsumerRecord]) -> Sequence[Rejected]:
        """Call the handler until it has an answer of its own."""
        batch = Batch(records, self._subscription.group, next_offsets(records))
        delay = FIRST_DELAY_S
        while True:
            self._subscription.moved()
            try:
                return await self._handler(batch)
            except TransientError as error:
                wait = max(delay * random.uniform(0.5, 1.0), error.retry_after or 0.0)  # noqa: S311
                delay = min(delay * 2, LONGEST_DELAY_S)
                await self._back_off("transient", wait, error)
            except SourceUnavailableError as error:
                await self._back_off("source_unavailable", UNAVAILABLE_DELAY_S, error)

    def _blame(self, record: ConsumerRecord, error: Exception) -> Rejected:
        if isinstance(error, PoisonMessageError):
            return Rejected(record, error)
        if self._bugs >= self._bug_limit:
            raise _TooManyBugsError from error
        self._bugs += 1
        log.error("handler failed on a record", topic=record.topic, error=error)
        poison = PoisonMessageError("handler_error", type(error).__name__)
        poison.__cause__ = error
        return Rejected(record, poison)

    async def _set_aside(self, rejected: Sequence[Rejected]) -> None:
        """Write dead letters until Kafka has them."""
        now = datetime.now(UTC)
        letters = [dead_letter(one, self._subscription.group, now) for one in rejected]
        try:
            await self._send(letters)
        except PoisonMessageError:
            for letter in letters:
                try:
                    await self._send([letter])
                except PoisonMessageError:  # a compression bomb: larger than any topic takes
                    await self._send([without_body(letter)])

    async def _send(self, letters: Sequence[Outgoing]) -> None:
        delay = FIRST_DELAY_S
        while True:
            try:
                await self._producer.send_batch(letters)
            except (TransientError, SourceUnavailableError) as error:
                await self._back_off("transient", delay, error)
                delay = min(delay * 2, LONGEST_DELAY_S)
            else:
                return

    async def _back_off(self, kind: str, seconds: float, error: Exception | None = None) -> None:
        subscription = self._subscription
        metrics.DELIVERY_RETRIES.labels(subscription.group, kind).inc()
        log.warning(
            "backing off",
            topic=subscription.topic,
            kind=kind,
            delay_s=round(seconds, 2),
            error=error,
        )
        remaining = seconds
        while remaining > 0:
            if subscription.stopping:
                raise AbandonedError
            subscription.moved()
            await asyncio.sleep(min(NOTICE_S, remaining))
            remaining -= NOTICE_S
