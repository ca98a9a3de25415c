"""A group that for now heeds nothing on its topic, and keeps up with it all the same.

What arrives meanwhile is of no interest later either, so that the group's offsets move with the
ends of its partitions. Nothing is fetched: reading and dropping a record would cost a consumer, and
Kafka, as much as reading one that matters.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from typing_extensions import override

from shared.kafka.subscription import Subscription
from shared.observability import metrics
from shared.observability.logs import get_logger

log = get_logger(__name__)

PASS_S: Final = 2.0
"""Between two looks at where the partitions end, seconds."""

Note = Callable[[dict[TopicPartition, int]], Awaitable[None]]
"""Stores how far a group is."""


class Passing(Subscription):
    """Commits the ends of its partitions, now and then, and hands on nothing."""

    note: Note

    @override
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Stop fetching; never aligned, so that what was fetched before is not handed on."""
        self.moved()
        self.assigned = True
        places = list(assigned)
        metrics.ASSIGNED_PARTITIONS.labels(self.group, self.topic).set(len(places))
        if places and self.consumer is not None:
            self.consumer.pause(*places)
            metrics.PAUSED_PARTITIONS.labels(self.group, self.topic).set(len(places))
            self._aligning = asyncio.create_task(self._pass_by(self.consumer, places))

    async def _pass_by(self, consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> None:
        while True:
            try:
                ends = await consumer.end_offsets(places)
                for place, end in ends.items():
                    consumer.seek(place, end)
                await self.note(ends)
                await consumer.commit(ends)
            except Exception as error:  # noqa: BLE001  # giving up would leave the group behind
                metrics.COMMIT_FAILURES.labels(self.group, self.topic).inc()
                log.warning("passing by failed", topic=self.topic, group=self.group, error=error)
            self.moved()
            await asyncio.sleep(PASS_S)
            if not self.subscriber.running:
                return
