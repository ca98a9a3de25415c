"""`kith dead` on real Kafka and PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest
from typer.testing import CliRunner

from kith.cli import app
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.kafka import Batch, Outgoing, Rejected
from tests.support.database import databases
from tests.support.kafka import KafkaLab, eventually
from tests.support.stack import running_stack

pytestmark = pytest.mark.stack

HEADERS = [("ce_id", b"1"), ("raw", b"\xff"), ("none", None)]


@pytest.fixture(scope="module")
async def dsn() -> AsyncIterator[str]:
    with running_stack(["postgres"]) as stack:
        async with databases(stack) as made:
            yield made.dsn("kith_cli", await made.create())


@pytest.fixture
async def topic(lab: KafkaLab, dsn: str, monkeypatch: pytest.MonkeyPatch) -> topics.Topic:
    """Point the command at a topic with two dead letters."""
    topic = await lab.topic()
    monkeypatch.setattr(topics, "ALL", (topic,))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", lab.settings.bootstrap_servers)
    monkeypatch.setenv("POSTGRES_DSN", dsn)
    values = [b"ada@example.org", b"\x00\xff", b"good"]
    await lab.producer.send_batch(
        [Outgoing(topic.name, b"key%d" % n, value, HEADERS) for n, value in enumerate(values)]
    )

    async def refuse(batch: Batch) -> Sequence[Rejected]:
        return [
            Rejected(r, PoisonMessageError("invalid" if b"@" in r.value else "malformed", "no"))
            for r in batch.records
            if r.value != b"good"
        ]

    async with lab.consuming(topic, refuse):
        await eventually(lambda: _committed(lab, topic, 3))
    return topic


async def test_list_shows_places_and_reasons_and_nothing_personal(topic: topics.Topic) -> None:
    output = await kith("dead", "list", "--json")
    found = [json.loads(line) for line in output.splitlines()]
    assert [(one["reason"], one["origin"]["offset"]) for one in found] == [
        ("invalid", 0),
        ("malformed", 1),
    ]
    assert "ada@" not in output
    assert "key0" not in output
    assert "1 dead letters  malformed: 1" in await kith("dead", "list", "--reason", "malformed")
    assert "0 dead letters" in await kith("dead", "list", "--since", "0m")


async def test_show_gives_the_content_only_when_asked(topic: topics.Topic) -> None:
    [first, _] = [json.loads(line) for line in (await kith("dead", "list", "--json")).splitlines()]
    assert "ada@" not in await kith("dead", "show", first["id"])
    assert json.loads(await kith("dead", "show", first["id"], "--with-body"))["body"].startswith(
        "ada@"
    )


async def test_replay_sends_the_original_back_and_notes_it(
    topic: topics.Topic, lab: KafkaLab
) -> None:
    assert "would send" in await kith(
        "dead", "replay", "--all", "--reason", "malformed", "--dry-run"
    )
    assert "sent 1 of 1" in await kith("dead", "replay", "--all", "--reason", "malformed")
    assert "sent 0 of 0" in await kith("dead", "replay", "--all", "--reason", "malformed")

    records = await lab.read(topic.name, 4)
    assert len(records) == 4
    assert (records[3].key, records[3].value) == (b"key1", b"\x00\xff")
    assert list(records[3].headers) == HEADERS
    assert "1 dead letters  invalid: 1" in await kith("dead", "list")
    assert "replayed" in await kith("dead", "list", "--resolved")


async def test_drop_notes_why(topic: topics.Topic) -> None:
    [first, _] = [json.loads(line) for line in (await kith("dead", "list", "--json")).splitlines()]
    await kith("dead", "drop", first["id"], "--why", "a test message")
    assert first["id"] not in await kith("dead", "list")


async def test_a_window_of_time_is_chosen(topic: topics.Topic) -> None:
    """What was set aside within an hour, and not before or after it."""
    assert "2 dead letters" in await kith("dead", "list", "--since", "1h")
    assert "  malformed  1 h: 1" in await kith("dead", "list")
    for words in (("--until", "1h"), ("--since", "2999-01-01"), ("--until", "2000-01-01T00:00Z")):
        assert "0 dead letters" in await kith("dead", "list", *words)
    drop = ("dead", "drop", "--all", "--why", "a test", "--since", "1h", "--reason", "invalid")
    assert "would drop" in await kith(*drop, "--dry-run")
    assert "1 dead letters" in await kith(*drop)
    assert "sent 1 of 1" in await kith("dead", "replay", "--all", "--since", "1h")
    assert "0 dead letters" in await kith("dead", "list")


async def test_several_are_named(topic: topics.Topic) -> None:
    found = [json.loads(line) for line in (await kith("dead", "list", "--json")).splitlines()]
    assert "sent 2 of 2" in await kith("dead", "replay", *[one["id"] for one in found])
    assert "no dead letter x/0/0" in await kith("dead", "replay", "x/0/0", fails=True)


async def test_a_place_where_nothing_lies_is_said(topic: topics.Topic) -> None:
    assert "no dead letter nowhere/0/0" in await kith("dead", "show", "nowhere/0/0", fails=True)
    assert "name dead letters" in await kith("dead", "replay", fails=True)
    assert "write it as" in await kith("dead", "list", "--since", "soon", fails=True)
    assert "say why" in await kith("dead", "drop", "--all", "--why", " ", fails=True)


async def kith(*words: str, fails: bool = False) -> str:
    """Run the command line in a thread, as it has an event loop of its own."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    assert result.exit_code == (1 if fails else 0), result.output
    return result.output


async def _committed(lab: KafkaLab, topic: topics.Topic, count: int) -> bool:
    return sum((await lab.committed(topic)).values()) == count
