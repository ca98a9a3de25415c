"""What happened to a contact, and what it was."""

from datetime import timedelta
from typing import Any

from services.api.store import Store
from services.resolver.domain.snapshots import EVERY
from services.resolver.store import Store as ContactStore
from shared.events.contact import ContactCreated, ContactEvent, FieldChange
from shared.postgres.pool import connect
from tests.support.api import START, World, body
from tests.support.contacts import NOW, a_contact, a_fact, a_note


async def two_versions(world: World) -> ContactCreated:
    """Let a contact be born, and get another title and an e-mail a minute later."""
    contact = a_contact(world.here, fields={"first_name": "Ada", "job_title": "Clerk"})
    fact = a_fact(
        contact,
        2,
        FieldChange(field="job_title", old="Clerk", new="Chief"),
        occurred_at=NOW + timedelta(days=1),
    )
    await world.happen(contact, fact)
    return contact


async def test_history_says_what_happened_when_and_by_which_source(world: World) -> None:
    contact = await two_versions(world)
    async with world.client() as client:
        document = body(await client.get(f"/api/v1/contacts/{contact.contact_id}/history"))
        timeline = body(await client.get(f"/api/v1/contacts/{contact.contact_id}/timeline"))
    newest, oldest = document["data"]
    assert newest["id"] == f"{contact.contact_id}.2"
    attributes = newest["attributes"]
    assert attributes["what"] == "FactAsserted"
    assert attributes["source"] == "csv_upload"
    assert attributes["occurred_at"] == "2026-01-02T12:00:00Z"
    assert attributes["recorded_at"] == "2026-01-01T12:01:00Z"
    assert attributes["changes"] == [
        {"field": "job_title", "old": "Clerk", "new": "Chief", "source": "csv_upload"}
    ]
    born = {change["field"]: change for change in oldest["attributes"]["changes"]}
    assert born["first_name"] == {
        "field": "first_name",
        "old": None,
        "new": "Ada",
        "source": "hubspot_crm",
    }
    assert timeline["data"] == document["data"]


async def test_history_comes_in_pages(world: World) -> None:
    contact = await two_versions(world)
    url = f"/api/v1/contacts/{contact.contact_id}/history?page[size]=1"
    async with world.client() as client:
        first = body(await client.get(url))
        second = body(await client.get(first["links"]["next"]))
        back = body(await client.get(second["links"]["prev"]))
    assert [one["attributes"]["version"] for one in first["data"]] == [2]
    assert [one["attributes"]["version"] for one in second["data"]] == [1]
    assert second["links"]["next"] is None
    assert back["data"] == first["data"]
    assert back["links"]["prev"] is None


async def test_a_contact_is_shown_as_kith_knew_it(world: World) -> None:
    contact = await two_versions(world)
    url = f"/api/v1/contacts/{contact.contact_id}/history"
    async with world.client() as client:

        async def at(seconds: int) -> tuple[int, Any]:
            moment = START + timedelta(seconds=seconds)
            response = await client.get(url, params={"at": moment.isoformat()})
            return response.status_code, body(response).get("data", {})

        before, _ = await at(-1)
        _, born = await at(0)
        _, later = await at(60)
        now = body(await client.get(f"/api/v1/contacts/{contact.contact_id}"))["data"]
    assert before == 404
    assert born["attributes"]["job_title"] == "Clerk"
    assert born["attributes"]["version"] == 1
    assert later["attributes"] == now["attributes"]
    assert later["meta"]["provenance"] == now["meta"]["provenance"]


async def test_another_workspaces_private_events_are_passed_over(world: World) -> None:
    """A workspace sees shared facts, never another's notes; versions may then have gaps."""
    contact = a_contact(world.here, fields={"first_name": "Ada", "job_title": "Clerk"})
    await world.happen(
        contact,
        a_note(contact, 2, world.beside, "between us"),
        a_fact(
            contact, 3, FieldChange(field="job_title", old="Clerk", new="Chief"), place=world.beside
        ),
    )
    url = f"/api/v1/contacts/{contact.contact_id}"
    async with world.client() as here, world.client(world.beside) as beside:
        ours = await here.get(f"{url}/history")
        theirs = await beside.get(f"{url}/history")
        then = await here.get(f"{url}/history", params={"at": "2030-01-01"})
        for response in (ours, then, await here.get(url)):
            assert "between us" not in response.text
    assert [one["attributes"]["version"] for one in body(ours)["data"]] == [3, 1]
    assert [one["attributes"]["version"] for one in body(theirs)["data"]] == [3, 2, 1]
    assert "between us" in theirs.text
    assert body(then)["data"]["attributes"]["job_title"] == "Chief"


async def test_the_past_is_read_from_the_nearest_snapshot(own_world: World) -> None:
    """It is what a replay of everything gives, for either workspace, and of 50 events at most."""
    world = own_world
    contact = a_contact(world.here, fields={"first_name": "Ada", "job_title": "1"})
    events: list[ContactEvent] = [contact]
    for version in range(2, 131):
        if version % 20 == 0:
            place = world.beside if version % 40 else world.here
            events.append(a_note(contact, version, place, f"note {version}"))
        else:
            change = FieldChange(field="job_title", old=None, new=str(version))
            events.append(a_fact(contact, version, change, place=world.beside))
    await world.happen(contact)
    await world.happen(*events[1:], project=False)
    await world.project(events[-1])
    moments = [START + timedelta(minutes=version - 1) for version in (1, 30, 50, 51, 99, 115, 130)]
    url = f"/api/v1/contacts/{contact.contact_id}/history"

    async def told() -> list[Any]:
        found = []
        async with world.client() as here, world.client(world.beside) as beside:
            for moment in moments:
                for client in (here, beside):
                    answer = await client.get(url, params={"at": moment.isoformat()})
                    found.append(_seen(body(answer)["data"]))
        return found

    replayed = await told()
    async with connect(world.settings("kith_resolver"), "test", lookups_only=True) as pool:
        contacts = ContactStore()
        contacts.open(pool)
        while await contacts.take_snapshots(set()) is not None:
            pass
    assert await told() == replayed
    async with connect(world.settings("kith_api"), "test") as pool:
        for moment in moments:
            past = await Store(pool).find_past(world.here, contact.contact_id, moment)
            assert len(past.events) <= EVERY
            assert (past.snapshot is None) == (moment < moments[2])


def _seen(contact: dict[str, Any]) -> dict[str, Any]:
    """Leave out how many events there were: a replay passes over other workspaces' own."""
    return {
        name: value
        for name, value in contact["attributes"].items()
        if name not in {"version", "updated_at"}
    }
