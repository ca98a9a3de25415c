"""The relay: everything the outbox holds reaches Kafka, in version order per contact."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from prometheus_client import generate_latest

from kith.stack import Stack
from services.resolver import relay as module
from services.resolver.relay import Relay
from services.resolver.store.outbox import LOOK_S, Outbox
from services.resolver.store.queries import QUERIES
from shared.events import topics
from shared.events.codec import decode_event
from shared.kafka.producer import Producer
from shared.kafka.settings import KafkaSettings
from shared.postgres.settings import PostgresSettings
from tests.integration.resolver.conftest import Home, Resolver
from tests.support.kafka import KafkaLab, kafka_lab


@pytest.fixture(scope="session")
async def lab(stack: Stack) -> AsyncIterator[KafkaLab]:
    async with kafka_lab(KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)) as lab:
        yield lab


@asynccontextmanager
async def running(home: Home, lab: KafkaLab) -> AsyncIterator[Relay]:
    outbox = Outbox(PostgresSettings.model_validate({"dsn": home.dsn("kith_relay")}))
    async with outbox, Producer(lab.settings) as producer:
        relay = Relay(outbox, producer)
        loop = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            relay.stop()
            await loop


@pytest.fixture
async def events_topic(lab: KafkaLab, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stand a topic of the test's own in for `contact.events.v1`."""
    topic = await lab.topic(partitions=4)
    monkeypatch.setattr(module, "EVENTS", topic.name)
    return topic.name


async def drained(home: Home) -> None:
    for _ in range(200):
        if await home.value("SELECT count(*) FROM contact.outbox") == 0:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the outbox does not empty")


def versions(records: list[Any]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for record in records:
        _, event = decode_event(record.headers, record.value)
        found[record.key.decode()].append(event.version)
    return found


async def test_events_arrive_in_version_order(
    home: Home, resolver: Resolver, lab: KafkaLab, events_topic: str
) -> None:
    """Two relays at once, signals while they run: each shard has one leader."""
    async with running(home, lab), running(home, lab):
        for batch in range(6):
            await resolver.resolve(
                *(
                    resolver.a_signal(f"r{batch}-{n}", email=f"p{n % 9}@example.com")
                    for n in range(40)
                )
            )
        await drained(home)
    total = await home.value("SELECT count(*) FROM contact.contact_event")
    records = await lab.read(events_topic, total)
    assert len(records) == total
    for order in versions(records).values():
        assert order == list(range(1, len(order) + 1))
    assert 'pipeline_end_to_end_seconds_count{path="event"}' in generate_latest().decode()
    headers = dict(records[0].headers)
    assert headers["ce_type"].decode() in topics.EVENTS.messages
    assert headers["ce_tenant"].decode() == home.tenant
    assert "ce_workspace" not in headers


async def test_a_relay_that_loses_its_session_goes_on(
    home: Home, resolver: Resolver, lab: KafkaLab, events_topic: str
) -> None:
    async with running(home, lab):
        await resolver.resolve(resolver.a_signal("r1", email="a@example.com"))
        await drained(home)
        await home.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'kith-relay' AND datname = current_database()"
        )
        await resolver.resolve(resolver.a_signal("r2", email="b@example.com"))
        await drained(home)
    assert len(await lab.read(events_topic, 2)) == 2


async def test_another_relay_takes_over(
    home: Home, resolver: Resolver, lab: KafkaLab, events_topic: str
) -> None:
    async with running(home, lab) as first, running(home, lab):
        first.stop()
        await resolver.resolve(resolver.a_signal("r1", email="a@example.com"))
        await drained(home)


async def test_what_is_committed_late_is_published_and_what_is_deleted_is_not_read_again(
    home: Home, resolver: Resolver, lab: KafkaLab, events_topic: str
) -> None:
    """While a snapshot keeps all that is deleted, and a transaction its early numbers to itself."""
    outbox = Outbox(PostgresSettings.model_validate({"dsn": home.dsn("kith_relay")}))
    reader = await asyncpg.connect(home.dsn("kith_relay"))
    writer = await asyncpg.connect(home.dsn("kith_migrator"))
    await reader.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM contact.outbox"
    )
    async with outbox, outbox.session() as session:
        await session.elect()
        late = writer.transaction()
        await late.start()
        await writer.execute(
            "INSERT INTO contact.outbox (shard, key, headers, value)"
            " SELECT 0, 'late', '', '' WHERE pg_current_xact_id() IS NOT NULL"
        )
        published = set[str]()

        async def publish(rounds: int) -> None:
            for number in range(rounds):
                await resolver.resolve(resolver.a_signal(f"{len(published)}-{number}"))
                rows = await session.read()
                await session.delete(rows)
                published.update(row.key for row in rows)
                await asyncio.sleep(LOOK_S)

        await publish(4)
        assert session.floor.seq == 0
        assert "late" not in published
        await late.commit()
        await publish(5)
        assert "late" in published
        assert session.floor.seq > 4
    assert await home.value("SELECT count(*) FROM contact.outbox") == 0
    await reader.close()
    await writer.close()


@pytest.mark.parametrize("statement", ["publish_contact_events", "publish_company_events"])
@pytest.mark.parametrize("is_asked_for", [True, False])
async def test_a_transaction_has_its_id_before_it_takes_a_number_of_the_outbox(
    home: Home, statement: str, *, is_asked_for: bool
) -> None:
    """Looked at where it takes the first one, for which it is made to wait; `Floor` hangs on it.

    The other way round shows that the look finds a transaction without an id.
    """
    ask = " WHERE pg_current_xact_id() IS NOT NULL"
    assert ask in QUERIES[statement]
    query = QUERIES[statement] if is_asked_for else QUERIES[statement].replace(ask, "")
    now = datetime.now(UTC)
    event = (1, 1, "con_1", 1, "evt_1", "told", "{}", None, "test", now, 0, "")
    holder = await asyncpg.connect(home.dsn("kith_migrator"))
    writer = await asyncpg.connect(home.dsn("kith_resolver"))
    await holder.execute("BEGIN; ALTER SEQUENCE contact.outbox_seq_seq NO CYCLE")
    writing = asyncio.create_task(writer.execute(query, [event], now))
    try:
        async with asyncio.timeout(30):
            while not (locks := await _locks_of_a_waiting(holder, writer.get_server_pid())):
                assert not writing.done(), "the outbox's numbers come from elsewhere"
                await asyncio.sleep(0.02)
        assert ("transactionid" in locks) is is_asked_for
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        await holder.execute("ROLLBACK")
        await writer.close()
        await holder.close()


async def _locks_of_a_waiting(
    connection: "asyncpg.Connection[asyncpg.Record]", pid: int
) -> set[str]:
    """Return the kinds of lock that a session has; none before it waits for one."""
    rows = await connection.fetch("SELECT locktype, granted FROM pg_locks WHERE pid = $1", pid)
    if all(row["granted"] for row in rows):
        return set()
    return {row["locktype"] for row in rows if row["granted"]}


async def test_no_fault_ends_the_loop(
    home: Home,
    resolver: Resolver,
    lab: KafkaLab,
    events_topic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error that nobody thought of is one more reason to try again."""
    read = Outbox.Session.read
    faults = iter([RuntimeError("unthought of"), None])

    async def reading(session: Outbox.Session) -> list[Any]:
        if fault := next(faults, None):
            raise fault
        return await read(session)

    monkeypatch.setattr(Outbox.Session, "read", reading)
    await resolver.resolve(resolver.a_signal("r1", email="a@example.com"))
    async with running(home, lab):
        await drained(home)
    assert len(await lab.read(events_topic, 1)) == 1
