"""The main road: push a signal, read the person back, with where each value came from."""

from datetime import UTC, datetime

import orjson
import pytest
from ulid import ULID

from shared.events import topics
from shared.kafka import Outgoing
from tests.e2e.running import Running, until

pytestmark = pytest.mark.stack

ADA = {
    "source_record_id": "crm-1",
    "full_name": "Ada Lovelace",
    "emails": [{"value": "Ada@Analytical-Engines.example", "primary": True}],
    "phones": [{"value": "+44 20 7946 0991"}],
    "employments": [{"company_name": "Analytical Engines", "title": "Analyst"}],
    "notes": "met at the Royal Society",
    "favourite_number": 7,
}


async def test_a_pushed_signal_is_read_back(running: Running) -> None:
    """Search finds the person; the record says what the source said, cleaned, and who said it."""
    home = await running.home()
    position = await running.push_one(home, **ADA)
    contact = await running.find_one(home, "Lovelace")
    data = await running.contact(home, contact, position)
    said = data["attributes"]
    assert said["display_name"] == "Ada Lovelace"
    assert said["email_primary"] == "ada@analytical-engines.example"
    assert said["phone_primary"] == "+442079460991"
    assert (said["company_name"], said["job_title"]) == ("Analytical Engines", "Analyst")
    assert said["notes"] == "met at the Royal Society"
    for name in ("display_name", "email_primary", "phone_primary", "job_title"):
        assert data["meta"]["provenance"][name]["source"] == "hubspot_crm", name
    answer = await running.get(home, f"/contacts/{contact}/identifiers")
    identifiers = [one["attributes"] for one in answer.json()["data"]]
    assert {(one["identifier_type"], one["value"]) for one in identifiers} == {
        ("email", "ada@analytical-engines.example"),
        ("phone_e164", "+442079460991"),
    }


async def test_a_read_sees_the_write_it_waits_for(running: Running) -> None:
    """Ten writes, each read at once by its position: none shows what was before."""
    home = await running.home()
    position = await running.push_one(home, **ADA)
    contact = await running.find_one(home, "Lovelace")
    await running.contact(home, contact, position)
    for version in range(1, 11):
        title = f"Analyst {version}"
        job = {"company_name": "Analytical Engines", "title": title}
        position = await running.push_one(home, **{**ADA, "employments": [job]})
        data = await running.contact(home, contact, position)
        assert data["attributes"]["job_title"] == title


async def test_the_source_that_is_trusted_more_wins(running: Running) -> None:
    """A second source changes a value; the history says what it was and who changed it."""
    home = await running.home()
    position = await running.push_one(home, **ADA)
    contact = await running.find_one(home, "Lovelace")
    before = await running.contact(home, contact, position)
    known_until = datetime.now(UTC)
    position = await running.push_one(
        home,
        source="manual_entry",
        full_name="Ada Lovelace",
        emails=ADA["emails"],
        employments=[{"company_name": "Analytical Engines", "title": "Countess"}],
    )
    after = await running.contact(home, contact, position)
    assert before["attributes"]["job_title"] == "Analyst"
    assert after["attributes"]["job_title"] == "Countess"
    assert after["meta"]["provenance"]["job_title"]["source"] == "manual_entry"
    assert after["meta"]["provenance"]["phone_primary"]["source"] == "hubspot_crm"
    position = await running.push_one(
        home, **{**ADA, "employments": [{"company_name": "Analytical Engines", "title": "Clerk"}]}
    )
    kept = await running.contact(home, contact, position)
    assert kept["attributes"]["job_title"] == "Countess", "a person's word is not overwritten"

    history = (await running.get(home, f"/contacts/{contact}/history")).json()["data"]
    happened = [one["attributes"] for one in history]
    assert [one["version"] for one in happened] == list(range(len(happened), 0, -1))
    assert happened[-1]["what"] == "ContactCreated"
    changes = [change for one in happened for change in one["changes"] if one["version"] > 1]
    assert {
        "field": "job_title",
        "old": "Analyst",
        "new": "Countess",
        "source": "manual_entry",
    } in [{name: change[name] for name in ("field", "old", "new", "source")} for change in changes]
    answer = await running.get(home, f"/contacts/{contact}/history", at=known_until.isoformat())
    assert answer.json()["data"]["attributes"]["job_title"] == "Analyst"


async def test_an_order_on_the_bus_archives(running: Running) -> None:
    home = await running.home()
    position = await running.push_one(home, **ADA)
    contact = await running.find_one(home, "Lovelace")
    await running.contact(home, contact, position)
    command = {
        "command_id": f"cmd_{ULID()}",
        "tenant": home.tenant,
        "workspace": home.workspace,
        "issued_at": datetime.now(UTC).isoformat(),
        "contact_id": contact,
        "reason": "left the company",
    }
    message = Outgoing(
        topics.COMMANDS.name,
        contact.encode(),
        orjson.dumps(command),
        home.headers("kith.command.archive_contact.v1"),
    )
    await running.producer.send_batch([message, message])

    async def archived() -> bool:
        data = await running.contact(home, contact)
        return bool(data["attributes"]["status"] == "archived")

    await until(archived)
    listed = (await running.get(home, "/contacts")).json()["data"]
    assert contact not in [one["id"] for one in listed]
    history = (await running.get(home, f"/contacts/{contact}/history")).json()["data"]
    names = [one["attributes"]["what"] for one in history]
    assert names.count("ContactArchived") == 1, "the same order again changes nothing"


async def test_walls_stand(running: Running) -> None:
    """A colleague's workspace and another tenant see nothing of it, nor can they find it."""
    home = await running.home()
    beside, elsewhere = await running.home(beside=home), await running.home()
    position = await running.push_one(home, **ADA)
    contact = await running.find_one(home, "Lovelace")
    await running.contact(home, contact, position)
    for other in (beside, elsewhere):
        for path in ("", "/history", "/identifiers", "/timeline"):
            assert (await running.get(other, f"/contacts/{contact}{path}")).status_code == 404
        assert await running.search(other, "Lovelace") == []
        assert (await running.get(other, "/contacts")).json()["data"] == []
    answer = await running.http.get(f"{running.fleet.url('api')}/api/v1/contacts/{contact}")
    assert answer.status_code == 401
    assert "Lovelace" not in answer.text
