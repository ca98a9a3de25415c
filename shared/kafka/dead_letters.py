"""What a dead letter looks like: the original, byte for byte, and headers that say what happened.

It lies on `<topic>.<group>.dlq` under the original's key.  One record may be there more than once
(a redelivery): topic, partition and offset of origin identify it.
"""

import traceback
from datetime import datetime
from hashlib import blake2b
from typing import Final

from shared.errors import PoisonMessageError
from shared.events.envelope import rfc3339
from shared.events.topics import dead_letter_topic
from shared.kafka.batch import ConsumerRecord, Rejected
from shared.kafka.producer import Header, Outgoing

PREFIX: Final = "kith_dlq_"
"""Of every header that delivery adds; a replay takes them off again."""


STACK_FRAMES: Final = 5
"""Innermost frames that tell one bug from another."""


def dead_letter(rejected: Rejected, group: str, failed_at: datetime) -> Outgoing:
    """Set a record aside with the reason, and where it came from."""
    record, error = rejected.record, rejected.error
    about = {
        "reason": error.reason,
        "detail": error.detail,
        "field": error.field,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "group": group,
        "failed_at": rfc3339(failed_at),
        "stack_hash": stack_hash(error),
    }
    headers: list[Header] = [*original_headers(record)]
    headers.extend((PREFIX + name, text.encode()) for name, text in about.items())
    return Outgoing(
        topic=dead_letter_topic(record.topic, group),
        key=record.key,
        value=record.value,
        headers=headers,
        timestamp_ms=None,
    )


def original_headers(record: ConsumerRecord) -> list[Header]:
    """Return a record's headers less those that delivery added."""
    return [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]


def stack_hash(error: PoisonMessageError) -> str:
    """Digest where the first cause was raised, so that one bug's dead letters group together."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    places = [
        f"{frame.f_code.co_qualname}:{line}"
        for frame, line in traceback.walk_tb(cause.__traceback__)
    ][-STACK_FRAMES:]
    return blake2b("|".join([type(cause).__name__, *places]).encode(), digest_size=6).hexdigest()


def without_body(letter: Outgoing) -> Outgoing:
    """Leave out a body that no topic takes (it was compressed); the origin still has it a while."""
    return Outgoing(
        topic=letter.topic,
        key=letter.key,
        value=None,
        headers=[*letter.headers, (PREFIX + "body", b"omitted: larger than a topic takes")],
    )
