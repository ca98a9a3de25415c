"""Whether consuming makes progress, and how far behind it is."""

import time
from collections.abc import Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka.subscription import Subscription
from shared.observability import metrics

STUCK_AFTER_S: Final = 60.0
"""With work to do and no sign of life for so long, a process is dead (runtime 2.8), seconds."""

FRESH_S: Final = 30.0
"""How recent Kafka's answer must be to believe in lag, seconds: its absence is not our death."""


class Progress:
    """Answers the probes; reads the subscriptions, changes nothing."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._subscriptions = subscriptions
        self._shown: set[tuple[str, str, str]] = set()

    @property
    def assigned(self) -> bool:
        """Whether every group has answered with an assignment."""
        return all(one.assigned for one in self._subscriptions)

    async def stuck(self) -> list[str]:
        """Name the topics that do not move although there is work; empty: alive."""
        return [f"{one.topic} ({one.group})" for one in self._subscriptions if await _is_stuck(one)]

    async def measure(self) -> None:
        """Bring the lag metrics up to date."""
        shown: set[tuple[str, str, str]] = set()
        now_ms = time.time() * 1000
        for one in self._subscriptions:
            for place, lag in (await _lags(one)).items():
                labels = (one.group, one.topic, str(place.partition))
                shown.add(labels)
                _, timestamp = one.applied.get(place, (0, now_ms))
                age = max(0.0, (now_ms - timestamp) / 1000) if lag else 0.0
                metrics.LAG_RECORDS.labels(*labels).set(lag)
                metrics.LAG_SECONDS.labels(*labels).set(age)
        for labels in self._shown - shown:
            metrics.LAG_RECORDS.remove(*labels)
            metrics.LAG_SECONDS.remove(*labels)
        self._shown = shown


async def _is_stuck(one: Subscription) -> bool:
    consumer = one.consumer
    if consumer is None:
        return False
    tasks = one.subscriber.tasks
    if one.subscriber.running and tasks and all(task.done() for task in tasks):
        return True
    if time.monotonic() - one.moved_at < STUCK_AFTER_S:
        return False
    return one.in_flight or any((await _lags(one, fresh_only=True)).values())


async def _lags(one: Subscription, *, fresh_only: bool = False) -> dict[TopicPartition, int]:
    """Return records behind per assigned partition, those in flight included."""
    consumer = one.consumer
    lags: dict[TopicPartition, int] = {}
    if consumer is None:
        return lags
    now_ms = time.time() * 1000
    for place in consumer.assignment():
        end = consumer.highwater(place)
        polled = consumer.last_poll_timestamp(place)
        if end is None or (fresh_only and (not polled or now_ms - polled > FRESH_S * 1000)):
            continue
        try:
            # With nothing in flight the consumer's own position counts: it has passed the markers
            # of transactions, which are never handed to anyone.
            start = None if one.in_flight else await consumer.position(place)
        except KafkaError:
            continue
        applied = one.applied.get(place)
        if start is None:
            start = applied[0] if applied else None
        if start is not None:
            lags[place] = max(0, end - start)
    return lags
