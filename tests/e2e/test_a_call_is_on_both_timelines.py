"""A call, pushed once: the known get it on their timeline, the unknown become contacts with it."""

from datetime import UTC, datetime

import pytest

from tests.e2e.running import Running

pytestmark = pytest.mark.stack

ADA = "+442079460991"
BOB = "bob@engines.example"


async def test_a_call_is_on_both_timelines(running: Running) -> None:
    """The second push is a newer version of the first."""
    home = await running.home()
    known = await running.push_one(
        home, full_name="Ada Lovelace", phones=[{"value": ADA}], source_record_id="crm-1"
    )
    ada = await running.find_one(home, "Lovelace")
    await running.contact(home, ada, known)
    call = {
        "signal": "activity",
        "source": "call_log",
        "source_record_id": "call-1",
        "kind": "call",
        "direction": "inbound",
        "occurred_at": "2026-01-31T12:00:00Z",
        "duration_s": 60,
        "participants": [
            {"role": "caller", "name": "Countess", "phone": ADA},
            {"role": "callee", "name": "Bob Babbage", "email": BOB},
            {"role": "about", "name": "somebody else"},
        ],
    }
    began = datetime.now(UTC)
    position = await running.push_one(home, **call)
    shown = await running.get(home, f"/contacts/{ada}/activities", position)
    assert (datetime.now(UTC) - began).total_seconds() < 60, "spec 003, CM-01"
    (listed,) = shown.json()["data"]
    assert listed["attributes"]["duration_s"] == 60
    assert listed["attributes"]["roles"] == ["caller"]
    assert listed["attributes"]["participants"] == 3
    (other,) = listed["relationships"]["others"]["data"]
    bob = await running.contact(home, other["id"], position)
    assert (bob["attributes"]["status"], bob["attributes"]["display_name"]) == (
        "incomplete",
        "Bob Babbage",
    )
    again = await running.push_one(home, **{**call, "duration_s": 61})
    for contact, role in ((ada, "caller"), (other["id"], "callee")):
        answer = await running.get(home, f"/contacts/{contact}/activities", again)
        (one,) = answer.json()["data"]
        assert (one["attributes"]["duration_s"], one["attributes"]["roles"]) == (61, [role])
    history = await running.get(home, f"/contacts/{ada}/history", again)
    assert history.json()["data"][0]["attributes"]["what"] == "ActivityRecorded"
    contact = await running.contact(home, ada, again)
    assert contact["attributes"]["display_name"] == "Ada Lovelace"
