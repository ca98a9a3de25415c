"""A connected calendar: read at once on the bulk topic, then what changes on the live one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx

from services.ingest.remote.runs import Runs
from services.ingest.settings import RemoteSettings
from services.ingest.store.connections import Connections
from services.ingest.store.vault import Vault
from shared.events.topics import SIGNALS_NORMALIZED, SIGNALS_NORMALIZED_BULK
from tests.support.accounts import CREDENTIALS, KEYS, told
from tests.support.importing import Caller, Importing
from tests.support.kafka import KafkaLab
from tests.support.remote_calendars import FakeCalendar


async def test_a_calendar_is_read_and_then_what_changes(
    system: Importing, caller: Caller, kafka: KafkaLab
) -> None:
    system.http.state.connections = connections = Connections(system.pool, Vault(KEYS[:1]))
    fake, coming = FakeCalendar(page_size=9), f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    for number in range(3):
        fake.put(f"e{number}", coming)
    answer = await caller.http.post(
        "/v1/connections",
        json={
            "kind": "google_calendar",
            "name": "Mine",
            "credentials": CREDENTIALS,
            "settings": {"since_days": 30},
        },
    )
    assert answer.status_code == 201, answer.text
    settings = RemoteSettings(
        calendar_url="http://cal.example/calendar/v3", google_token_url="http://cal.example/token"
    )
    tools = system.tools
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake.app())) as client:
        runs = Runs(connections, tools.producer, tools.rules, settings, client)
        found = []
        for _ in range(2):
            one = await told(caller)
            assert (await caller.http.post(f"/v1/connections/{one['id']}/run")).status_code == 204
            marks = [
                await kafka.marks(topic) for topic in (SIGNALS_NORMALIZED_BULK, SIGNALS_NORMALIZED)
            ]
            claim = await connections.claim(uuid4())
            assert claim is not None
            assert await runs.run(claim) is None
            found.append([await kafka.said_since(mark) for mark in marks])
            fake.put("e0", None)
    (_, first), (_, second) = found
    assert [one["source"] for one in first] == ["calendar"] * 3
    assert [one["deleted"] for one in second] == [True]
    assert (await told(caller))["counts"] == {"events": 4, "activities": 4}
    assert (await caller.http.delete(f"/v1/connections/{answer.json()['id']}")).status_code == 204
