"""An address book elsewhere, read again and again: who went is taken back, a mishap is not."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from services.ingest.remote.runs import Runs
from services.ingest.settings import RemoteSettings
from services.ingest.store.connections import Connections
from services.ingest.store.vault import Vault
from shared.events.command import RetractRecords
from shared.events.topics import COMMANDS, SIGNALS_NORMALIZED, SIGNALS_NORMALIZED_BULK
from tests.support.accounts import CREDENTIALS, KEYS, told
from tests.support.importing import Caller, Importing
from tests.support.kafka import KafkaLab
from tests.support.remote_people import FakePeople

MANY = 30


class Book:
    """A Google account that is connected, and runs over it."""

    def __init__(self, system: Importing, caller: Caller, topic: KafkaLab) -> None:
        self.fake = FakePeople(page_size=7)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.fake.app()))
        self.connections = Connections(system.pool, Vault(KEYS[:1]))
        self._caller = caller
        self._kafka = topic
        settings = RemoteSettings(
            people_url="http://people.example/v1", google_token_url="http://people.example/token"
        )
        tools = system.tools
        self._runs = Runs(self.connections, tools.producer, tools.rules, settings, self.client)

    async def read(self, *, action: str = "run") -> tuple[str | None, list[Any], list[Any]]:
        """Run once; returns why it failed, the signals that it sent, and the orders."""
        one = await told(self._caller)
        path = f"/v1/connections/{one['id']}/{action}"
        assert (await self._caller.http.post(path)).status_code == 204
        topics = (SIGNALS_NORMALIZED_BULK, SIGNALS_NORMALIZED, COMMANDS)
        marks = [await self._kafka.marks(topic) for topic in topics]
        claim = await self.connections.claim(uuid4())
        assert claim is not None
        failure = await self._runs.run(claim)
        bulk, live, orders = [await self._kafka.said_since(mark) for mark in marks]
        return failure, [*bulk, *live], [RetractRecords.model_validate(one) for one in orders]


@pytest.fixture
async def book(system: Importing, caller: Caller, kafka: KafkaLab) -> AsyncIterator[Book]:
    system.http.state.connections = Connections(system.pool, Vault(KEYS[:1]))
    answer = await caller.http.post(
        "/v1/connections",
        json={"kind": "google_people", "name": "Mine", "credentials": CREDENTIALS},
    )
    assert answer.status_code == 201, answer.text
    made = Book(system, caller, kafka)
    for number in range(MANY):
        made.fake.put(number, f"Ada {number}")
    yield made
    await made.client.aclose()
    assert (await caller.http.delete(f"/v1/connections/{answer.json()['id']}")).status_code == 204


def keys(signals: list[Any], *names: str) -> set[str]:
    return {one["record_key"] for one in signals if one["facts"]["full_name"] in names}


async def test_who_went_is_taken_back(book: Book) -> None:
    failure, everybody, orders = await book.read()
    assert (failure, len(everybody), orders) == (None, MANY, [])
    book.fake.put(3, None)
    book.fake.put(4, "Ada Byron")
    failure, changed, orders = await book.read()
    assert failure is None
    assert [one["facts"]["full_name"] for one in changed] == ["Ada Byron"]
    assert [set(one.records) for one in orders] == [keys(everybody, "Ada 3")]


async def test_who_is_missing_from_a_full_reading_went_too(book: Book) -> None:
    """A sync token that is too old means everything anew; deletions are told by absence."""
    _, everybody, _ = await book.read()
    del book.fake.entries["people/c5"]
    book.fake.oldest = book.fake.clock + 1
    failure, again, orders = await book.read()
    assert failure is None
    assert len(again) == MANY - 1
    assert [set(one.records) for one in orders] == [keys(everybody, "Ada 5")]


async def test_a_mishap_elsewhere_does_not_empty_what_is_here(book: Book, caller: Caller) -> None:
    """Too many at once: nothing is taken back, the account waits, and a person says whether."""
    _, everybody, _ = await book.read()
    for number in range(20):
        book.fake.put(number, None)
    failure, _, orders = await book.read()
    assert (failure, orders) == ("would_remove_many", [])
    state = await told(caller)
    assert (state["enabled"], state["last_failure"]) == (False, "would_remove_many")
    failure, _, orders = await book.read()
    assert (failure, orders) == ("would_remove_many", []), "asking again is no answer"
    failure, _, orders = await book.read(action="approve")
    assert failure is None
    gone = {one for order in orders for one in order.records}
    assert gone == keys(everybody, *(f"Ada {number}" for number in range(20)))
    for number in range(20, MANY):
        book.fake.put(number, "")
    failure, _, orders = await book.read()
    assert failure is None, "ten may always go"
    assert len(orders[0].records) == 10


async def test_settings_are_those_of_its_kind(caller: Caller, book: Book) -> None:
    for kind, settings, field in (
        ("gmail", {"remove_at_most": 0.5}, "remove_at_most"),
        ("hubspot", {"since_days": 3}, "since_days"),
        ("hubspot", {"remove_at_most": 2}, "remove_at_most"),
    ):
        answer = await caller.http.post(
            "/v1/connections",
            content=orjson.dumps(
                {"kind": kind, "name": "x", "credentials": CREDENTIALS, "settings": settings}
            ),
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["field"] == f"settings.{field}"
