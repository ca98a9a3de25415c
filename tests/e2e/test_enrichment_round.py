"""A new contact is asked about; what the vendor knows comes back through the gate."""

from typing import Any

import pytest

from tests.e2e.running import Running, until

pytestmark = pytest.mark.stack


async def test_a_new_contact_gets_what_the_vendor_knows(running: Running) -> None:
    """The values say whence they came, the vendor was asked once, and what people said stays."""
    home = await running.home()
    address = f"match+grace.hopper@{home.workspace[-8:].lower()}.example"
    said = {
        "source": "email_sync",
        "source_record_id": "mail-1",
        "full_name": "Grace Hopper",
        "emails": [{"value": address, "primary": True}],
    }
    position = await running.push_one(home, **said)
    contact = await running.find_one(home, "Hopper")
    await running.contact(home, contact, position)

    async def enriched() -> Any:
        data = await running.contact(home, contact)
        return data if data["attributes"]["job_title"] else None

    data = await until(enriched)
    provenance = data["meta"]["provenance"]
    for name in ("job_title", "city", "country", "linkedin_url"):
        assert data["attributes"][name], name
        assert provenance[name]["source"] == "apollo", name
    assert provenance["email_primary"]["source"] == "email_sync"

    async def employer() -> Any:
        named = (await running.contact(home, contact))["relationships"]["company"]["data"]
        answer = await running.get(home, f"/companies/{named['id']}") if named else None
        shown = answer.json().get("data") if answer else None
        return shown if shown and shown["attributes"]["industry"] else None

    company = await until(employer)
    assert company["meta"]["provenance"]["industry"]["source"] == "apollo"
    history = (await running.get(home, f"/contacts/{contact}/history")).json()["data"]
    assert history[0]["attributes"]["source"] == "apollo"

    position = await running.push_one(home, **{**said, "headline": "Rear admiral"})
    await running.contact(home, contact, position)
    answer = await running.http.get(
        f"{running.fleet.url('vendor')}/_simulator/calls", params={"subject": address}
    )
    report = answer.json()
    assert (report["count"], report["charged"]) == (1, 1)


async def test_who_is_not_known_is_asked_about_once(running: Running) -> None:
    home = await running.home()
    address = f"none+mary.shelley@{home.workspace[-8:].lower()}.example"
    signal = {"source": "email_sync", "full_name": "Mary Shelley", "emails": [{"value": address}]}
    position = await running.push_one(home, **signal)
    calls = f"{running.fleet.url('vendor')}/_simulator/calls"

    async def asked() -> Any:
        report = (await running.http.get(calls, params={"subject": address})).json()
        return report if report["count"] else None

    await until(asked)
    contact = await running.find_one(home, "Shelley")
    data = await running.contact(home, contact, position)
    assert {one["source"] for one in data["meta"]["provenance"].values()} == {"email_sync"}
    assert (await asked())["count"] == 1
