"""The checks see what they are there to see: each of these histories has one thing wrong."""

from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord

from shared.kafka import Outgoing
from tests.chaos.pipeline import none_left
from tests.support.invariants import Broken, Connection
from tests.support.published import check_dead_letters, check_events

POISON = {"p1": Outgoing("raw", b"k", b"bad", [("ce_id", b"p1")])}


def a_record(
    topic: str, offset: int, value: bytes, headers: dict[str, str], partition: int = 0
) -> ConsumerRecord:
    return ConsumerRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=b"k",
        value=value,
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=len(value),
        headers=tuple((name, text.encode()) for name, text in headers.items()),
    )


def a_letter(value: bytes = b"bad", offset: int = 7, **about: str) -> ConsumerRecord:
    said = {"reason": "malformed", "group": "ingest", "failed_at": "now", **about}
    origin = {"topic": "raw", "partition": "0", "offset": str(offset)}
    headers = {f"kith_dlq_{name}": text for name, text in {**said, **origin}.items()}
    return a_record("raw.ingest.dlq", 0, value, {"ce_id": "p1", **headers})


@pytest.mark.parametrize(
    ("letters", "broken"),
    [
        ([a_letter()], []),
        ([a_letter(), a_letter()], []),
        ([], ["I1", "I1"]),
        ([a_letter(b"other")], ["I8"]),
        ([a_letter(reason="")], ["I8"]),
        ([a_letter(), a_letter(offset=8)], ["I8"]),
    ],
)
def test_dead_letters(letters: list[ConsumerRecord], broken: list[str]) -> None:
    found = Broken()
    check_dead_letters(letters, [a_record("raw", 7, b"bad", {"ce_id": "p1"})], POISON, found)
    assert [line[:2] for line in found.lines] == broken


class Table:
    """Two events of one contact."""

    async def fetch(self, *_: object) -> list[dict[str, Any]]:
        return [
            {"event_id": f"evt_{n}", "entity_public_id": "k", "sequence_number": n, "payload": "{}"}
            for n in (1, 2)
        ]


def an_event(version: int, value: bytes = b"{}", partition: int = 0) -> ConsumerRecord:
    headers = {"ce_id": f"evt_{version}", "ce_sequence": f"{version:010d}"}
    return a_record("events", version, value, headers, partition)


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        ([an_event(1), an_event(2)], []),
        ([an_event(1), an_event(2), an_event(1), an_event(2)], []),
        ([an_event(1)], ["I1"]),
        ([an_event(2), an_event(1)], ["I5", "I5"]),
        ([an_event(1), an_event(2, b'{"a":1}')], ["I3"]),
        ([an_event(1), an_event(2, partition=1)], ["I5"]),
        ([an_event(1), an_event(2), an_event(3)], ["I3"]),
    ],
)
async def test_published_events(events: list[ConsumerRecord], broken: list[str]) -> None:
    found = Broken()
    await check_events(cast("Connection", Table()), 1, events, found)
    assert [line[:2] for line in found.lines] == broken


async def test_a_slow_stage_is_waited_for_and_one_that_stands_still_is_not() -> None:
    left = iter([5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0])

    async def slow() -> int:
        return next(left)

    async def stuck() -> int:
        return 3

    await none_left("slow", slow, patience_s=0.3)
    with pytest.raises(TimeoutError, match="stuck did not catch up: 3 left"):
        await none_left("stuck", stuck, patience_s=0.3)
