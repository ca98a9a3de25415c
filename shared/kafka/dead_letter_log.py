"""Read dead letters back: what happened, to which record, and the record as it was."""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.errors import TransientError
from shared.kafka.batch import ConsumerRecord
from shared.kafka.dead_letters import PREFIX, original_headers
from shared.kafka.producer import Outgoing
from shared.kafka.settings import KafkaSettings

SILENCE_S: Final = 30.0
"""Without an answer from Kafka for so long, reading gives up, seconds."""

Origin = tuple[str, int, int]
"""Topic, partition and offset of a record before it was set aside."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record of a dead-letter topic."""

    record: ConsumerRecord
    reason: str
    detail: str
    field: str
    group: str
    failed_at: str
    stack_hash: str
    origin: Origin
    body_omitted: bool

    @classmethod
    def of(cls, record: ConsumerRecord) -> Self:
        """Read the headers that delivery wrote."""
        about = {
            name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
            for name, value in record.headers
            if name.startswith(PREFIX)
        }
        return cls(
            record=record,
            reason=about.get("reason", ""),
            detail=about.get("detail", ""),
            field=about.get("field", ""),
            group=about.get("group", ""),
            failed_at=about.get("failed_at", ""),
            stack_hash=about.get("stack_hash", ""),
            origin=(
                about.get("topic", ""),
                int(about.get("partition", "-1")),
                int(about.get("offset", "-1")),
            ),
            body_omitted="body" in about,
        )

    @property
    def id(self) -> str:
        """Its place in the dead-letter topic, as `kith dead` takes it."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"

    def replayed(self) -> Outgoing:
        """Return the original, for the topic it came from."""
        return Outgoing(
            topic=self.origin[0],
            key=self.record.key,
            value=self.record.value,
            headers=original_headers(self.record),
        )


async def read_dead_letters(
    settings: KafkaSettings, topics: Sequence[str]
) -> AsyncIterator[DeadLetter]:
    """Yield what lies on these topics now, oldest first per partition."""
    consumer = AIOKafkaConsumer(
        *topics, **settings.client_options(), auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        await consumer.start()
        places = consumer.assignment()
        ends = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        starts = await consumer.beginning_offsets(list(ends))
        left = {place for place, end in ends.items() if starts[place] < end}
        heard = time.monotonic()
        while left:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                heard = time.monotonic()
                for record in records:
                    if record.offset < ends.get(place, 0):
                        yield DeadLetter.of(record)
            left = {place for place in left if await _position(consumer, place) < ends[place]}
            if time.monotonic() - heard > SILENCE_S:
                raise TransientError("Kafka stopped answering")
    finally:
        await consumer.stop()


async def _position(consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    position: int = await consumer.position(place)
    return position
