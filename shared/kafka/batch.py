"""What a handler gets, and what it gives back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from aiokafka import ConsumerRecord as _ConsumerRecord
from aiokafka import TopicPartition

from shared.errors import PoisonMessageError

ConsumerRecord: TypeAlias = _ConsumerRecord[Any, Any]
"""A record as aiokafka gives it: `key` and `value` are bytes or None."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one topic, in order per partition."""

    records: Sequence[ConsumerRecord]
    group: str
    next_offsets: dict[TopicPartition, int]
    """The offset after the last record of each partition, to be stored in the handler's
    transaction."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that will never succeed, and why; its neighbours are applied."""

    record: ConsumerRecord
    error: PoisonMessageError


Handler = Callable[[Batch], Awaitable[Sequence[Rejected]]]
"""Applies a batch, wholly or not at all, but for the records it returns as rejected.

It may do so part by part, each in a transaction that stores the offset of its last record, and
return all that was rejected at the end.  When a later part fails, what was applied before stands,
and the rejected of the parts before are known to nobody yet: the batch must be read again from its
start.  It is, since delivery repeats it as a whole, and a partition starts at the lower of Kafka's
offset and the stored one (`shared.kafka.subscription`): Kafka's, which is committed at the end.

It raises `TransientError` or `SourceUnavailableError` for the batch as a whole.  Anything else it
raises makes delivery search for the guilty record by halves.  It may see a record again at any
time and must then change nothing."""


class OffsetStore(Protocol):
    """Offsets kept beside the data that the records led to."""

    async def load(self, group: str, topic: str) -> dict[int, int]:
        """Return partition → next offset, as stored by the handler's transactions."""


def next_offsets(records: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    """Return the offset after the last record of each partition."""
    return {place: record.offset + 1 for place, record in last_records(records).items()}


def last_records(records: Sequence[ConsumerRecord]) -> dict[TopicPartition, ConsumerRecord]:
    """Return the last record of each partition; the records are of one topic."""
    last = {record.partition: record for record in records}
    return {TopicPartition(record.topic, record.partition): record for record in last.values()}
