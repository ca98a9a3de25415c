"""Accounts elsewhere: connected over HTTP, read page by page; on real PostgreSQL and Kafka."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.responses import JSONResponse

from services.ingest.remote.runs import Runs
from services.ingest.remote.scheduler import scheduled
from services.ingest.settings import RemoteSettings
from services.ingest.store.connections import Claim, Connections
from services.ingest.store.vault import Vault, VaultError
from shared.events.topics import SIGNALS_NORMALIZED, SIGNALS_NORMALIZED_BULK
from tests.support.accounts import CREDENTIALS, KEYS, told
from tests.support.importing import Caller, Importing
from tests.support.kafka import KafkaLab
from tests.support.mail import a_message
from tests.support.remote_mail import FakeGmail, google_error

SIGNED = "Hello,\n\nBest regards\nAda Lovelace\nHead of Engines\nEngines GmbH\n"


class Lab:
    """Connections, runs over them, and a Gmail account."""

    def __init__(self, system: Importing, keys: list[str]) -> None:
        self.fake = FakeGmail()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.fake.app()))
        self.connections = Connections(system.pool, Vault(keys))
        settings = RemoteSettings(
            gmail_url="http://gmail.example/gmail/v1", google_token_url="http://gmail.example/token"
        )
        tools = system.tools
        self.runs = Runs(self.connections, tools.producer, tools.rules, settings, self.client)

    async def claim(self) -> Claim:
        claim = await self.connections.claim(uuid4())
        assert claim is not None
        return claim

    async def again(self, claim: Claim) -> Claim:
        await self.connections.switch(claim.place, claim.connection, enabled=True)
        return await self.claim()


@pytest.fixture
async def lab(system: Importing, caller: Caller) -> AsyncIterator[Lab]:
    system.http.state.connections = Connections(system.pool, Vault(KEYS[:1]))
    lab = Lab(system, KEYS[:1])
    answer = await caller.http.post(
        "/v1/connections", json={"kind": "gmail", "name": "Mine", "credentials": CREDENTIALS}
    )
    assert answer.status_code == 201, answer.text
    yield lab
    await lab.client.aclose()
    listed = (await caller.http.get("/v1/connections")).json()["connections"]
    for one in listed:
        assert (await caller.http.delete(f"/v1/connections/{one['id']}")).status_code == 204


async def test_an_account_is_read_and_then_what_is_new(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    """The first reading is bulk, what comes later is live; nothing is sent twice."""
    topics = (SIGNALS_NORMALIZED_BULK, SIGNALS_NORMALIZED)
    before = [await kafka.marks(topic) for topic in topics]
    for number in range(3):
        lab.fake.receive(a_message(message_id=f"<g{number}@x>"))
    claim = await lab.claim()
    assert (await told(caller))["running"]
    assert await lab.connections.claim(uuid4()) is None
    assert await lab.runs.run(claim) is None
    lab.fake.receive(a_message(message_id="<g9@x>", text=SIGNED))
    assert await lab.runs.run(await lab.again(claim)) is None
    bulk, live = [await kafka.said_since(marks) for marks in before]
    assert len(bulk) == 3
    assert len(live) == 2
    state = await told(caller)
    assert state["counts"] == {"messages": 4, "activities": 4, "signatures": 1}
    assert state["last_run_at"] is not None
    assert not state["running"]
    assert state["failures"] == 0


async def test_nothing_in_the_database_opens_an_account(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    lab.fake.receive(a_message())
    claim = await lab.claim()
    await lab.runs.run(claim)
    rows = await system.fetch("SELECT credentials, cursor FROM ingest.remote_connection")
    (row,) = rows
    for secret in (b"refresh-1", b"history", b"client"):
        assert secret not in row["credentials"] + row["cursor"]


async def test_keys_are_rotated_without_a_gap(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    claim = await lab.claim()
    rotated = Lab(system, [KEYS[1], KEYS[0]])
    assert (await rotated.connections.read(claim)) is not None
    await rotated.connections.save_credentials(claim, CREDENTIALS)
    only_new = Lab(system, [KEYS[1]])
    assert (await only_new.connections.read(claim)) is not None
    with pytest.raises(VaultError):
        await lab.connections.read(claim)
    assert await lab.runs.run(claim) == "unreadable_credentials"
    assert (await told(caller))["last_failure"] == "unreadable_credentials"


async def test_a_run_that_was_killed_is_taken_over_and_its_claim_is_worth_nothing(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    claim = await lab.claim()
    await system.fetch("UPDATE ingest.remote_connection SET claimed_until = now() - interval '1 s'")
    other = await lab.claim()
    assert not await lab.connections.save_progress(claim, {"history": "1"}, {"messages": 1})
    assert await lab.connections.save_progress(other, {"history": "2"}, {"messages": 1})
    assert await lab.connections.read(claim) is None
    found = await lab.connections.read(other)
    assert found is not None
    assert found.cursor == {"history": "2"}


async def test_failures_wait_longer_and_longer_and_last_run_does_not_move(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    lab.fake.once("/profile", google_error(403, "insufficientPermissions"), times=99)
    claim = await lab.claim()
    assert await lab.runs.run(claim) == "refused"
    await system.fetch("UPDATE ingest.remote_connection SET next_run_at = now()")
    assert await lab.runs.run(await lab.claim()) == "refused"
    state = await told(caller)
    assert (state["failures"], state["last_failure"], state["last_run_at"]) == (2, "refused", None)
    ((wait,),) = await system.fetch("SELECT next_run_at - now() FROM ingest.remote_connection")
    assert timedelta(seconds=100) < wait <= timedelta(seconds=120)


async def test_a_permission_that_is_gone_pauses_the_account(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    lab.fake.token_answer = JSONResponse({"error": "invalid_grant"}, 400)
    assert await lab.runs.run(await lab.claim()) == "consent_withdrawn"
    assert not (await told(caller))["enabled"]
    assert await lab.connections.claim(uuid4()) is None


async def test_the_scheduler_reads_what_is_due_by_itself(
    system: Importing, kafka: KafkaLab, caller: Caller, lab: Lab
) -> None:
    lab.fake.receive(a_message(message_id="<s1@x>"))
    async with scheduled(lab.runs, 2):
        for _ in range(200):
            if (await told(caller))["counts"]:
                break
            await asyncio.sleep(0.05)
    assert (await told(caller))["counts"]["messages"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "myspace"}, "kind"),
        ({"name": " "}, "name"),
        ({"credentials": {"client_id": "c"}}, "credentials.refresh_token"),
        ({"every_seconds": 1}, "every_seconds"),
        ({"settings": {"region": "Germany"}}, "settings.region"),
        ({"settings": {"colour": "red"}}, "settings.colour"),
    ],
)
async def test_a_connection_that_cannot_be_says_why(
    caller: Caller, system: Importing, change: dict[str, Any], field: str
) -> None:
    system.http.state.connections = Connections(system.pool, Vault(KEYS[:1]))
    body = {"kind": "gmail", "name": "Odd", "credentials": CREDENTIALS, **change}
    answer = await caller.http.post("/v1/connections", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"].endswith(field), answer.text
    assert "refresh-1" not in answer.text


async def test_without_a_key_no_account_is_connected(
    caller: Caller, kafka: KafkaLab, system: Importing
) -> None:
    system.http.state.connections = Connections(system.pool, Vault([]))
    body = {"kind": "gmail", "name": "Mine", "credentials": CREDENTIALS}
    answer = await caller.http.post("/v1/connections", json=body)
    assert answer.status_code == 503
    assert "INGEST_ENCRYPTION_KEYS" in answer.json()["detail"]
    with pytest.raises(VaultError, match="32 random bytes"):
        Vault(["short"])


async def test_an_unknown_connection_is_not_found(
    caller: Caller, kafka: KafkaLab, system: Importing
) -> None:
    unknown = "/v1/connections/rmc_01J00000000000000000000000"
    assert (await caller.http.delete(unknown)).status_code == 404
    assert (await caller.http.post(f"{unknown}/run")).status_code == 404
    assert (await caller.http.post(f"{unknown}/dance")).status_code == 422
