"""Topics of a test's own on real Kafka, and the plain client's view of them."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.events.topics import MAX_DEAD_LETTER_BYTES, SIGNALS, Topic
from shared.kafka import (
    ConsumerRecord,
    Delivery,
    Handler,
    KafkaSettings,
    OffsetStore,
    Outgoing,
    Producer,
    build_broker,
)

GROUP = "workers"


class KafkaLab:
    """What the tests of delivery do to Kafka from outside."""

    def __init__(
        self, settings: KafkaSettings, admin: AIOKafkaAdminClient, producer: Producer
    ) -> None:
        self.settings = settings
        self.admin = admin
        self.producer = producer

    async def topic(self, partitions: int = 1, group: str | None = None) -> Topic:
        """Create a topic and its dead letters."""
        group = group or f"{GROUP}-{uuid4().hex[:8]}"
        topic = dataclasses.replace(
            SIGNALS, name=f"test.{uuid4().hex}", partitions=partitions, consumers=(group,)
        )
        await self.admin.create_topics(
            [
                NewTopic(topic.name, partitions, 1),
                NewTopic(
                    topic.dead_letters(group),
                    1,
                    1,
                    topic_configs={"max.message.bytes": str(MAX_DEAD_LETTER_BYTES)},
                ),
            ]
        )
        return topic

    async def publish(self, topic: Topic, values: Sequence[bytes | None]) -> None:
        """Send values under numbered keys."""
        await self.producer.send_batch(
            [Outgoing(topic.name, b"%d" % n, value, []) for n, value in enumerate(values)]
        )

    async def read(self, name: str, count: int, seconds: float = 20.0) -> list[ConsumerRecord]:
        """Read so many records from the beginning, or as many as come in time."""
        consumer = AIOKafkaConsumer(
            name, bootstrap_servers=self.settings.bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            records: list[ConsumerRecord] = []
            deadline = asyncio.get_running_loop().time() + seconds
            while len(records) < count and asyncio.get_running_loop().time() < deadline:
                for some in (await consumer.getmany(timeout_ms=100)).values():
                    records.extend(some)
            return records
        finally:
            await consumer.stop()

    async def marks(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return where each partition of a topic ends now."""
        async with self._reader() as consumer:
            ends: dict[TopicPartition, int] = await consumer.end_offsets(
                [TopicPartition(topic.name, part) for part in range(topic.partitions)]
            )
            return ends

    async def read_since(self, marks: Mapping[TopicPartition, int]) -> list[ConsumerRecord]:
        """Read what has come to a topic since these marks."""
        async with self._reader() as consumer:
            ends = await consumer.end_offsets(list(marks))
            consumer.assign(list(marks))
            for part, mark in marks.items():
                consumer.seek(part, mark)
            records: list[ConsumerRecord] = []
            while len(records) < sum(ends.values()) - sum(marks.values()):
                for some in (await consumer.getmany(timeout_ms=1_000)).values():
                    records.extend(some)
            return records

    async def said_since(self, marks: Mapping[TopicPartition, int]) -> list[dict[str, Any]]:
        """Read what the messages say that have come to a topic since these marks."""
        return [orjson.loads(one.value) for one in await self.read_since(marks) if one.value]

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.bootstrap_servers)
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    async def committed(self, topic: Topic) -> dict[int, int]:
        """Return partition → committed offset of the topic's group."""
        offsets = await self.admin.list_consumer_group_offsets(topic.consumers[0])
        return {
            place.partition: value.offset
            for place, value in offsets.items()
            if place.topic == topic.name
        }

    @asynccontextmanager
    async def consuming(
        self,
        topic: Topic,
        handler: Handler,
        *,
        offsets: OffsetStore | None = None,
        settings: KafkaSettings | None = None,
        heeded: bool = True,
    ) -> AsyncIterator[Delivery]:
        """Run a delivery over one topic until the block ends."""
        settings = settings or self.settings
        broker = build_broker(settings)
        delivery = Delivery(broker, self.producer, settings, topic.consumers[0], offsets)
        delivery.subscribe(topic, handler, heeded=heeded)
        await broker.start()
        try:
            yield delivery
        finally:
            await broker.stop()


@asynccontextmanager
async def kafka_lab(settings: KafkaSettings) -> AsyncIterator[KafkaLab]:
    """Connect a lab."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        async with Producer(settings) as producer:
            yield KafkaLab(settings, admin, producer)
    finally:
        await admin.close()


async def eventually(
    condition: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = 20.0
) -> None:
    """Wait until a condition holds, or fail."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = condition()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        assert asyncio.get_running_loop().time() < deadline, "it did not come to pass in time"
        await asyncio.sleep(0.02)
