"""Profiles and contacts that a person hands over one at a time, on real Kafka."""

from typing import Any
from uuid import uuid4

from shared.events.signal import NormalizedSignal
from shared.events.topics import SIGNALS_NORMALIZED
from tests.integration.ingest.conftest import Ingest
from tests.integration.ingest.test_ways_in import produced


async def sent(ingest: Ingest, name: str) -> list[NormalizedSignal]:
    """Read the signals of one full name."""
    records = await produced(ingest, SIGNALS_NORMALIZED.name)
    signals = [
        NormalizedSignal.model_validate_json(one.value)
        for one in records
        if name.encode() in one.value  # activities are on this topic too
    ]
    return [one for one in signals if one.facts.full_name == name]


def a_document(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "contacts", "attributes": attributes}}


async def test_a_captured_profile_is_a_signal(ingest: Ingest) -> None:
    """Captured twice it is one record; the payload as it came is kept, unknown fields too."""
    name = f"Sarah {uuid4().hex}"
    body = {
        "profile_url": f"https://www.linkedin.com/in/{name.replace(' ', '-')}",
        "full_name": name,
        "title": "VP Engineering",
        "company": "Acme Corp",
        "mutual_connections": 12,
    }
    for title in ("Director", "VP Engineering"):
        answer = await ingest.client.post("/v1/captures/linkedin", json={**body, "title": title})
        assert answer.status_code == 202, answer.text
        assert answer.headers["kith-position"] == answer.json()["position"]
    first, second = await sent(ingest, name)
    assert first.source == "linkedin_capture"
    assert first.record_key == second.record_key
    assert second.facts.employments[0].title == "VP Engineering"
    assert second.facts.identifiers[0].type == "linkedin_public_id"
    assert second.raw == body


async def test_a_contact_made_by_hand_is_a_record_of_its_own(ingest: Ingest) -> None:
    name = f"Ada {uuid4().hex}"
    for _ in range(2):
        answer = await ingest.client.post("/api/v1/contacts", json=a_document(full_name=name))
        assert answer.status_code == 202, answer.text
    first, second = await sent(ingest, name)
    assert (first.source, second.source) == ("manual_entry", "manual_entry")
    assert first.record_key != second.record_key


async def test_what_is_wrong_is_said_by_field(ingest: Ingest) -> None:
    refused = [
        ("/v1/captures/linkedin", {"full_name": "Ada"}, 422, "profile_url"),
        (
            "/v1/captures/linkedin",
            {"full_name": "Ada", "profile_url": "https://www.linkedin.com/company/acme"},
            422,
            "profile_url",
        ),
        ("/v1/captures/linkedin", [1], 400, None),
        ("/api/v1/contacts", {"full_name": "Ada"}, 422, "data"),
        ("/api/v1/contacts", a_document(email="ada@example.com"), 422, "full_name"),
        ("/api/v1/contacts", a_document(full_name="Ada\0"), 422, "full_name"),
    ]
    for path, body, status, field in refused:
        answer = await ingest.client.post(path, json=body)
        assert answer.status_code == status, (path, body, answer.text)
        assert answer.json().get("field") == field, answer.text
    assert (await ingest.reader.post("/api/v1/contacts", json={})).status_code == 403
