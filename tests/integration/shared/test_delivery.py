"""The delivery promises of DESIGN 3, on real Kafka."""

import asyncio
import gzip
import struct
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from shared.errors import PoisonMessageError, SourceUnavailableError, TransientError
from shared.kafka import Batch, Outgoing, Rejected
from shared.kafka import delivery as delivery_module
from shared.kafka import passing as passing_module
from tests.support.kafka import KafkaLab, eventually

pytestmark = pytest.mark.stack


class Recorder:
    """A handler that remembers what it applied and refuses what it is told to."""

    def __init__(self, poison: bytes = b"poison", bug: bytes = b"bug") -> None:
        self.applied: list[bytes] = []
        self.batches: list[int] = []
        self._poison = poison
        self._bug = bug

    async def __call__(self, batch: Batch) -> Sequence[Rejected]:
        self.batches.append(len(batch.records))
        if any(record.value == self._bug for record in batch.records):
            raise ZeroDivisionError
        bad = [record for record in batch.records if record.value == self._poison]
        self.applied += [record.value for record in batch.records if record.value != self._poison]
        return [
            Rejected(record, PoisonMessageError("invalid", "is not a signal", field="data"))
            for record in bad
        ]


async def test_one_poison_among_500_harms_no_neighbour(lab: KafkaLab) -> None:
    topic = await lab.topic(partitions=3)
    values = [b"%d" % n for n in range(500)]
    values[250] = b"poison"
    await lab.publish(topic, values)
    handler = Recorder()

    async with lab.consuming(topic, handler):
        await eventually(lambda: len(handler.applied) == 499)
        await eventually(lambda: _all_committed(lab, topic, 500))

    assert sorted(handler.applied) == sorted(v for v in values if v != b"poison")
    [letter] = await lab.read(topic.dead_letters(topic.consumers[0]), 1)
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"250", b"poison")
    assert headers["kith_dlq_reason"] == b"invalid"
    assert headers["kith_dlq_field"] == b"data"
    assert headers["kith_dlq_topic"] == topic.name.encode()
    assert headers["kith_dlq_group"] == topic.consumers[0].encode()


async def test_a_transient_fault_is_repeated_and_never_dead_lettered(lab: KafkaLab) -> None:
    topic = await lab.topic()
    await lab.publish(topic, [b"a", b"b", b"c"])
    attempts = 0
    applied: list[bytes] = []

    async def handler(batch: Batch) -> Sequence[Rejected]:
        nonlocal attempts
        attempts += 1
        if attempts < 4:
            raise TransientError("database away")
        applied.extend(record.value for record in batch.records)
        return []

    async with lab.consuming(topic, handler):
        await eventually(lambda: applied == [b"a", b"b", b"c"])
        await eventually(lambda: _all_committed(lab, topic, 3))

    assert await lab.read(topic.dead_letters(topic.consumers[0]), 1, seconds=1) == []


async def test_the_record_a_handler_fails_on_is_found_by_halving(lab: KafkaLab) -> None:
    topic = await lab.topic()
    values = [b"%d" % n for n in range(200)]
    values[77] = b"bug"
    await lab.publish(topic, values)
    handler = Recorder()

    async with lab.consuming(topic, handler):
        await eventually(lambda: _all_committed(lab, topic, 200))

    assert handler.applied == [value for value in values if value != b"bug"]
    assert len(handler.batches) < 30
    [letter] = await lab.read(topic.dead_letters(topic.consumers[0]), 1)
    assert letter.value == b"bug"
    headers = dict(letter.headers)
    assert headers["kith_dlq_reason"] == b"handler_error"
    assert headers["kith_dlq_detail"] == b"ZeroDivisionError"
    assert headers["kith_dlq_offset"] == b"77"


async def test_a_handler_that_fails_on_everything_stops_consuming(
    lab: KafkaLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad deploy must not drain a topic into its dead letters; a good one goes on."""
    monkeypatch.setattr(delivery_module, "UNAVAILABLE_DELAY_S", 0.2)
    topic = await lab.topic()
    await lab.publish(topic, [b"%d" % n for n in range(100)])
    broken = True
    attempts = 0
    applied: list[bytes] = []

    async def handler(batch: Batch) -> Sequence[Rejected]:
        nonlocal attempts
        attempts += 1
        if broken:
            raise KeyError
        applied.extend(record.value for record in batch.records)
        return []

    async with lab.consuming(topic, handler):
        await eventually(lambda: attempts > 60)
        assert await lab.committed(topic) == {}
        broken = False
        await eventually(lambda: _all_committed(lab, topic, 100))

    assert applied == [b"%d" % n for n in range(100)]
    assert await lab.read(topic.dead_letters(topic.consumers[0]), 1, seconds=1) == []


async def test_while_nothing_would_succeed_messages_are_kept(
    lab: KafkaLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "UNAVAILABLE_DELAY_S", 0.2)
    topic = await lab.topic()
    await lab.publish(topic, [b"a"])
    refused = 0

    async def handler(batch: Batch) -> Sequence[Rejected]:
        nonlocal refused
        refused += 1
        if refused < 3:
            raise SourceUnavailableError("password refused")
        return []

    async with lab.consuming(topic, handler):
        await eventually(lambda: _all_committed(lab, topic, 1))
    assert refused == 3


async def test_nothing_is_committed_before_it_is_applied(lab: KafkaLab) -> None:
    """A process that dies in its handler leaves the batch to the next one."""
    topic = await lab.topic()
    await lab.publish(topic, [b"a", b"b"])
    reached = asyncio.Event()

    async def dies(batch: Batch) -> Sequence[Rejected]:
        reached.set()
        await asyncio.sleep(3600)
        return []

    async with lab.consuming(topic, dies) as delivery:
        await reached.wait()
        for task in delivery.subscriptions[0].subscriber.tasks:
            task.cancel()
        await asyncio.sleep(0.1)
        assert await lab.committed(topic) == {}

    handler = Recorder()
    async with lab.consuming(topic, handler):
        await eventually(lambda: handler.applied == [b"a", b"b"])


async def test_a_stop_finishes_and_commits_the_batch_in_flight(lab: KafkaLab) -> None:
    topic = await lab.topic()
    await lab.publish(topic, [b"a"])
    reached = asyncio.Event()
    finished: list[int] = []

    async def slow(batch: Batch) -> Sequence[Rejected]:
        reached.set()
        await asyncio.sleep(1.0)
        finished.append(len(batch.records))
        return []

    async with lab.consuming(topic, slow):
        await reached.wait()
    assert finished == [1]
    assert await lab.committed(topic) == {0: 1}


async def test_records_come_together_while_a_batch_would_be_early(lab: KafkaLab) -> None:
    """Of a trickle a batch a second is made, not one for every record."""
    topic = await lab.topic()
    began: list[float] = []
    seen: list[bytes | None] = []

    async def handler(batch: Batch) -> Sequence[Rejected]:
        began.append(asyncio.get_running_loop().time())
        seen.extend(record.value for record in batch.records)
        return []

    settings = lab.settings.model_copy(update={"gather_ms": 1_000})
    async with lab.consuming(topic, handler, settings=settings):
        for n in range(10):
            await lab.publish(topic, [b"%d" % n])
            await asyncio.sleep(0.02)
        await eventually(lambda: _all_committed(lab, topic, 10))
    assert seen == [b"%d" % n for n in range(10)]
    assert all(later - earlier >= 0.95 for earlier, later in pairwise(began))


async def test_a_stop_does_not_wait_for_a_back_off(lab: KafkaLab) -> None:
    topic = await lab.topic()
    await lab.publish(topic, [b"a"])
    reached = asyncio.Event()

    async def away(batch: Batch) -> Sequence[Rejected]:
        reached.set()
        raise TransientError("vendor asks for an hour", retry_after=3600)

    async with lab.consuming(topic, away):
        await reached.wait()
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 3.0
    assert await lab.committed(topic) == {}


async def test_a_rebalance_waits_for_the_batch_in_flight(lab: KafkaLab) -> None:
    """A second member joins while the first works: the batch is committed, and read by no other."""
    topic = await lab.topic(partitions=2)
    await lab.publish(topic, [b"%d" % n for n in range(100)])
    seen: Counter[bytes] = Counter()
    reached = asyncio.Event()

    async def slow(batch: Batch) -> Sequence[Rejected]:
        reached.set()
        await asyncio.sleep(2.0)
        seen.update(record.value for record in batch.records)
        return []

    async def quick(batch: Batch) -> Sequence[Rejected]:
        seen.update(record.value for record in batch.records)
        return []

    settings = lab.settings.model_copy(update={"heartbeat_interval_ms": 200})
    async with lab.consuming(topic, slow, settings=settings):
        await reached.wait()
        async with lab.consuming(topic, quick, settings=settings):
            await lab.publish(topic, [b"+%d" % n for n in range(100)])
            await eventually(lambda: _all_committed(lab, topic, 200))
    assert len(seen) == 200
    assert set(seen.values()) == {1}


async def test_a_rebalance_does_not_wait_for_a_back_off(lab: KafkaLab) -> None:
    topic = await lab.topic(partitions=2)
    await lab.publish(topic, [b"%d" % n for n in range(20)])
    away = True
    seen: Counter[bytes] = Counter()
    reached = asyncio.Event()

    async def handler(batch: Batch) -> Sequence[Rejected]:
        reached.set()
        if away:
            raise TransientError("away", retry_after=3600)
        seen.update(record.value for record in batch.records)
        return []

    settings = lab.settings.model_copy(update={"heartbeat_interval_ms": 200})
    async with lab.consuming(topic, handler, settings=settings):
        await reached.wait()
        away = False
        async with lab.consuming(topic, handler, settings=settings):
            await eventually(lambda: _all_committed(lab, topic, 20))
    assert len(seen) == 20


class Stored:
    """Offsets as a database would have them."""

    def __init__(self, offsets: dict[int, int], failures: int = 0) -> None:
        self.offsets = offsets
        self.failures = failures

    async def load(self, group: str, topic: str) -> dict[int, int]:
        if self.failures:
            self.failures -= 1
            raise TransientError("away")
        return self.offsets


@pytest.mark.parametrize(
    ("stored", "first"),
    [
        ({0: 10}, b"10"),  # restored from a backup: read again what it lost
        ({0: 30}, None),  # the commit to Kafka is behind or even: nothing to do
        ({0: 400}, None),  # Kafka knows less than the database: it wins
        ({}, b"0"),  # a new database
    ],
)
async def test_at_assignment_the_lower_offset_wins(
    lab: KafkaLab, stored: dict[int, int], first: bytes | None
) -> None:
    topic = await lab.topic()
    await lab.publish(topic, [b"%d" % n for n in range(30)])
    async with lab.consuming(topic, Recorder()):
        await eventually(lambda: _all_committed(lab, topic, 30))

    handler = Recorder()
    async with lab.consuming(topic, handler, offsets=Stored(stored, failures=1)) as delivery:
        await eventually(lambda: delivery.subscriptions[0].aligned)
        await lab.publish(topic, [b"new"])
        await eventually(lambda: handler.applied[-1:] == [b"new"])
    assert handler.applied[0] == (first or b"new")


async def test_dead_letters_are_the_original_byte_for_byte(lab: KafkaLab) -> None:
    """Header values that are not UTF-8 or null, a null value, a megabyte: nothing is lost."""
    topic = await lab.topic()
    headers = [("a", b"\xff\xfe"), ("b", None), ("a", b"twice"), ("ce_type", "ü".encode())]
    bodies = [None, b"", b"\x00\xff", b"x" * 1_000_000]
    await lab.producer.send_batch(
        [Outgoing(topic.name, b"\x80key", body, headers) for body in bodies]
    )

    async def refuse(batch: Batch) -> Sequence[Rejected]:
        return [Rejected(r, PoisonMessageError("malformed", "no")) for r in batch.records]

    async with lab.consuming(topic, refuse):
        await eventually(lambda: _all_committed(lab, topic, 4))

    letters = await lab.read(topic.dead_letters(topic.consumers[0]), 4)
    assert [letter.value for letter in letters] == bodies
    for letter in letters:
        assert letter.key == b"\x80key"
        assert list(letter.headers[:4]) == headers
        assert all(name.startswith("kith_dlq_") for name, _ in letter.headers[4:])


@pytest.mark.parametrize("compression", [None, "gzip"])
async def test_a_header_name_that_is_not_utf8_blocks_nothing(
    lab: KafkaLab, compression: str | None
) -> None:
    """Written byte by byte, as other clients let one do."""
    topic = await lab.topic()
    client = AIOKafkaProducer(bootstrap_servers=lab.settings.bootstrap_servers)
    await client.start()
    batch = client.create_batch()
    batch.append(timestamp=None, key=b"k", value=b"odd", headers=[("ZZZZ", b"1"), ("ok", b"2")])
    content = batch._build()
    place = content.index(b"ZZZZ")
    content[place : place + 4] = b"\xff\xfeZZ"
    if compression:
        content[61:] = gzip.compress(content[61:])
        content[21:23] = struct.pack(">h", 1)
        content[8:12] = struct.pack(">i", len(content) - 12)
    content[17:21] = struct.pack(">I", calc_crc32c(bytes(content[21:])))
    batch._buffer = content
    await (await client.send_batch(batch, topic.name, partition=0))
    await client.stop()
    await lab.publish(topic, [b"next"])
    seen: list[tuple[bytes, list[tuple[str, bytes]]]] = []

    async def refuse(batch: Batch) -> Sequence[Rejected]:
        seen.extend((record.value, list(record.headers)) for record in batch.records)
        return [Rejected(r, PoisonMessageError("malformed", "no")) for r in batch.records]

    async with lab.consuming(topic, refuse):
        await eventually(lambda: _all_committed(lab, topic, 2))
    assert seen[0] == (b"odd", [(r"\xff\xfeZZ", b"1"), ("ok", b"2")])
    assert len(await lab.read(topic.dead_letters(topic.consumers[0]), 2)) == 2


async def test_a_body_larger_than_any_topic_takes_does_not_block(lab: KafkaLab) -> None:
    """Compressed it fits its topic, as a dead letter it fits none."""
    topic = await lab.topic()
    bomb = b"0" * 5_000_000
    client = AIOKafkaProducer(
        bootstrap_servers=lab.settings.bootstrap_servers,
        compression_type="gzip",
        max_request_size=10_000_000,
    )
    await client.start()
    await client.send_and_wait(topic.name, bomb, key=b"bomb")
    await client.stop()
    await lab.publish(topic, [b"next"])

    async def refuse(batch: Batch) -> Sequence[Rejected]:
        return [
            Rejected(r, PoisonMessageError("too_large", "at most 64 KiB"))
            for r in batch.records
            if r.value == bomb
        ]

    async with lab.consuming(topic, refuse):
        await eventually(lambda: _all_committed(lab, topic, 2))
    [letter] = await lab.read(topic.dead_letters(topic.consumers[0]), 1)
    assert letter.value is None
    assert dict(letter.headers)["kith_dlq_body"].startswith(b"omitted")


async def test_one_group_may_read_two_topics(lab: KafkaLab) -> None:
    first = await lab.topic(partitions=3)
    second = await lab.topic(partitions=2, group=first.consumers[0])
    await lab.publish(first, [b"%d" % n for n in range(30)])
    await lab.publish(second, [b"%d" % n for n in range(30)])
    one, two = Recorder(), Recorder()
    async with lab.consuming(first, one), lab.consuming(second, two):
        await eventually(lambda: len(one.applied) == 30 and len(two.applied) == 30)
        await eventually(lambda: _all_committed(lab, first, 30))
        await eventually(lambda: _all_committed(lab, second, 30))


async def test_lag_and_progress_are_seen(lab: KafkaLab) -> None:
    topic = await lab.topic()
    release = asyncio.Event()
    reached = asyncio.Event()

    async def wait(batch: Batch) -> Sequence[Rejected]:
        reached.set()
        await release.wait()
        return []

    async with lab.consuming(topic, wait) as delivery:
        await eventually(lambda: delivery.progress.assigned)
        assert await delivery.progress.stuck() == []
        await lab.publish(topic, [b"a", b"b"])
        await reached.wait()
        delivery.subscriptions[0].moved_at -= 61
        assert await delivery.progress.stuck() == [f"{topic.name} ({topic.consumers[0]})"]
        release.set()
        await eventually(lambda: _all_committed(lab, topic, 2))

        async def moving() -> bool:
            return await delivery.progress.stuck() == []

        await eventually(moving)  # Kafka has the commit before the handler hears of it
        delivery.subscriptions[0].moved_at -= 61
        assert await delivery.progress.stuck() == []


async def _all_committed(lab: KafkaLab, topic: object, count: int) -> bool:
    return sum((await lab.committed(topic)).values()) == count  # type: ignore[arg-type]


async def test_what_is_not_heeded_is_passed_by_unread(
    lab: KafkaLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offsets follow the topic's ends; heeded later, it goes on with what comes then."""
    monkeypatch.setattr(passing_module, "PASS_S", 0.2)
    topic = await lab.topic(partitions=2)
    await lab.publish(topic, [b"%d" % n for n in range(100)])
    handler = Recorder()
    async with lab.consuming(topic, handler, heeded=False) as delivery:
        await eventually(lambda: _all_committed(lab, topic, 100))
        await lab.publish(topic, [b"%d" % n for n in range(50)])
        await eventually(lambda: _all_committed(lab, topic, 150))
        assert await delivery.progress.stuck() == []
    assert set(handler.batches) == {0}

    async with lab.consuming(topic, handler) as delivery:
        await eventually(lambda: delivery.subscriptions[0].aligned)
        await lab.publish(topic, [b"new"])
        await eventually(lambda: _all_committed(lab, topic, 151))
    assert handler.applied == [b"new"]


async def test_passing_by_outlives_a_store_that_is_away(
    lab: KafkaLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_module, "PASS_S", 0.1)
    topic = await lab.topic()
    await lab.publish(topic, [b"a"])
    attempts = 0

    async def handler(batch: Batch) -> Sequence[Rejected]:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            assert await lab.committed(topic) == {}
            raise TransientError("database away")
        return []

    async with lab.consuming(topic, handler, heeded=False):
        await eventually(lambda: _all_committed(lab, topic, 1))
    assert attempts >= 3
