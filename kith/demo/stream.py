"""The demo's side of Kafka: publishing signals, and seeing how far each consumer is."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from kith.demo.ledger import Home
from kith.demo.people import CrmRecord
from kith.topics import specs
from shared.events import topics
from shared.events.envelope import Envelope, header, to_headers
from shared.events.signal import ContactSignal
from shared.kafka import KafkaSettings
from shared.kafka.batch import ConsumerRecord
from shared.kafka.dead_letter_log import read_dead_letters
from shared.kafka.producer import Outgoing, Producer

PRODUCER: Final = "/demo/crm"
"""`ce_source` of the stream."""
BATCH: Final = 250
"""Signals published at once."""
DEAD_LETTER_TOPICS: Final = tuple(
    topic.dead_letters(group) for topic in topics.ALL for group in topic.consumers
)

PARTITIONS: Final = {spec.name: spec.partitions for spec in specs()}
"""Topic → its partitions."""

Offsets = Mapping[int, int]
"""Partition → offset."""
Room = Callable[[int], Awaitable[None]]
"""Told how many signals are fed, returns when there is room for more."""


class Stream:
    """One connection to Kafka that looks, and one that publishes."""

    def __init__(
        self, looker: Any, admin: Any, producer: Producer, settings: KafkaSettings
    ) -> None:
        self._looker = looker
        self._admin = admin
        self._producer = producer
        self._settings = settings

    async def publish(self, records: Sequence[CrmRecord], home: Home, room: Room) -> None:
        """Publish signals as any producer of CloudEvents would, in binary mode.

        An event's id is its record's: published again, it is the same delivery again.
        """
        for start in range(0, len(records), BATCH):
            await room(start)
            await self._producer.send_batch(
                [outgoing(record, home) for record in records[start : start + BATCH]]
            )
        await room(len(records))

    async def ends(self, topic: str) -> Offsets:
        """Look where a topic ends now."""
        return (await self.all_ends([topic]))[topic]

    async def all_ends(self, names: Sequence[str]) -> Mapping[str, Offsets]:
        """Look where topics end now."""
        places = [place for name in names for place in _places(name)]
        found: dict[str, dict[int, int]] = {name: {} for name in names}
        for place, end in (await self._looker.end_offsets(places)).items():
            found[place.topic][place.partition] = end
        return found

    async def committed(self, group: str, topic: str) -> Offsets:
        """Look what a group has committed of a topic."""
        found = await self._admin.list_consumer_group_offsets(group, partitions=_places(topic))
        return {place.partition: max(0, said.offset) for place, said in found.items()}

    async def count_dead_letters(self) -> int:
        """Count the dead letters there ever were."""
        ends = await self.all_ends(DEAD_LETTER_TOPICS)
        return sum(sum(offsets.values()) for offsets in ends.values())

    async def dead_ids(self) -> set[str]:
        """Read the event id of every dead letter."""
        return {
            event_id
            async for letter in read_dead_letters(self._settings, DEAD_LETTER_TOPICS)
            if (event_id := header(letter.record.headers, "ce_id")) is not None
        }

    async def read(self, topic: str, start: Offsets, end: Offsets) -> AsyncIterator[ConsumerRecord]:
        """Read a topic from some offsets up to others."""
        left = {
            TopicPartition(topic, one): (start.get(one, 0), until)
            for one, until in end.items()
            if start.get(one, 0) < until
        }
        if not left:
            return
        reader = _consumer(self._settings)
        await reader.start()
        try:
            reader.assign(list(left))
            for place, (begin, _) in left.items():
                reader.seek(place, begin)
            while left:
                for place, records in (await reader.getmany(timeout_ms=200)).items():
                    for record in records:
                        if record.offset < end[place.partition]:
                            yield record
                for place in list(left):
                    if await reader.position(place) >= end[place.partition]:
                        del left[place]
        finally:
            await reader.stop()


def outgoing(record: CrmRecord, home: Home) -> Outgoing:
    """Write one record as a CloudEvent."""
    envelope = Envelope(
        id=record.record_id,
        source=PRODUCER,
        type=topics.TYPE_BY_MODEL[ContactSignal],
        data=record.body,
        time=record.occurred_at,
        tenant=home.tenant,
        workspace=home.workspace,
    )
    return Outgoing(
        topics.SIGNALS.name, record.record_id.encode(), record.body, to_headers(envelope)
    )


def reached(done: Offsets, wanted: Offsets) -> bool:
    """Tell whether a consumer is past every offset wanted."""
    return all(done.get(partition, 0) >= offset for partition, offset in wanted.items())


@asynccontextmanager
async def open_stream(settings: KafkaSettings) -> AsyncIterator[Stream]:
    """Connect for the length of the demo."""
    looker = _consumer(settings)
    admin = AIOKafkaAdminClient(**settings.client_options())
    await looker.start()
    try:
        await admin.start()
        async with Producer(settings) as producer:
            yield Stream(looker, admin, producer, settings)
    finally:
        await admin.close()
        await looker.stop()


def _places(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for partition in range(PARTITIONS[topic])]


def _consumer(settings: KafkaSettings) -> Any:
    return AIOKafkaConsumer(
        **settings.client_options(), enable_auto_commit=False, auto_offset_reset="earliest"
    )
