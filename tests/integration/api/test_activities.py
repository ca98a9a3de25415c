"""What a contact took part in, over the api."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from services.api.domain.position import SignalPosition, encode_position
from shared.auth import Place
from shared.events.contact import ActivityRecorded, ContactCreated
from tests.support.api import World, body
from tests.support.contacts import a_contact
from tests.support.events import left, public_id, took_part

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)
KINDS = ("email", "call", "meeting", "email", "note")


def activities(contact: ContactCreated, place: Place) -> list[ActivityRecorded]:
    """Make one activity a day, of several kinds."""
    return [
        took_part(
            contact.contact_id,
            number + 2,
            place.workspace,
            public_id("act"),
            kind=kind,
            direction="inbound" if number % 2 else "outbound",
            occurred_at=DAY + timedelta(days=number),
            title=f"{kind} {number}",
        )
        for number, kind in enumerate(KINDS)
    ]


async def test_activities_come_newest_first_filtered_and_in_pages(world: World) -> None:
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    made = activities(contact, world.here)
    await world.happen(contact, *made)
    url = f"/api/v1/contacts/{contact.contact_id}/activities"

    async def titles(query: str) -> list[str]:
        document = body(await client.get(f"{url}?{query}"))
        return [one["attributes"]["title"] for one in document["data"]]

    async with world.client() as client:
        first = body(await client.get(f"{url}?page[size]=2"))
        second = body(await client.get(first["links"]["next"]))
        back = body(await client.get(second["links"]["prev"]))
        assert await titles("filter[kind]=email,note") == ["note 4", "email 3", "email 0"]
        assert await titles("filter[direction]=inbound") == ["email 3", "call 1"]
        within = "filter[occurred_after]=2026-03-02&filter[occurred_before]=2026-03-04"
        assert await titles(within) == ["meeting 2", "call 1"]
        history = body(await client.get(f"/api/v1/contacts/{contact.contact_id}/history"))
    shown = [one["attributes"]["title"] for one in [*first["data"], *second["data"]]]
    assert shown == ["note 4", "email 3", "meeting 2", "call 1"]
    assert back["data"] == first["data"]
    assert back["links"]["prev"] is None
    newest = first["data"][0]
    assert (newest["type"], newest["id"]) == ("activities", made[-1].activity_id)
    assert newest["attributes"]["roles"] == ["to"]
    told = history["data"][0]["attributes"]
    assert (told["what"], told["source"]) == ("ActivityRecorded", "email_sync")
    assert told["summary"]["activity"]["title"] == "note 4"


async def test_a_workspace_sees_its_own_activities_alone(world: World) -> None:
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    here, there = activities(contact, world.here)[0], activities(contact, world.beside)[1]
    await world.happen(contact, here, there)
    url = f"/api/v1/contacts/{contact.contact_id}"
    async with world.client() as client:
        listed = body(await client.get(f"{url}/activities"))["data"]
        history = body(await client.get(f"{url}/history"))["data"]
    assert [one["id"] for one in listed] == [here.activity_id]
    assert [one["attributes"]["version"] for one in history] == [2, 1]


async def test_those_of_an_absorbed_contact_show_at_its_survivor_once(world: World) -> None:
    survivor, absorbed = (a_contact(world.here, fields={"first_name": n}) for n in ("Ada", "A."))
    both, own = public_id("act"), public_id("act")
    await world.happen(survivor, absorbed)
    await world.happen(
        took_part(survivor.contact_id, 2, world.here.workspace, both, title="both"),
        took_part(absorbed.contact_id, 2, world.here.workspace, both, title="both"),
        took_part(absorbed.contact_id, 3, world.here.workspace, own, title="own"),
    )
    await world.admin.execute(
        "UPDATE contact.contact SET status = 'merged', merged_into_id ="
        " (SELECT id FROM contact.contact WHERE public_id = $1) WHERE public_id = $2",
        survivor.contact_id,
        absorbed.contact_id,
    )
    url = f"/api/v1/contacts/{survivor.contact_id}/activities"
    async with world.client() as client:
        shown = body(await client.get(url))["data"]
    assert sorted(one["attributes"]["title"] for one in shown) == ["both", "own"]


async def test_what_is_no_longer_the_contacts_is_not_listed(world: World) -> None:
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    made = activities(contact, world.here)[0]
    gone = left(contact.contact_id, 3, world.here.workspace, made.activity_id)
    await world.happen(contact, made, gone)
    async with world.client() as client:
        listed = body(await client.get(f"/api/v1/contacts/{contact.contact_id}/activities"))
    assert listed["data"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filter[kind]=fax", 400),
        ("filter[direction]=up", 400),
        ("filter[occurred_after]=soon", 400),
        ("page[after]=x", 400),
        ("sort=kind", 400),
    ],
)
async def test_a_wrong_question_is_refused(world: World, query: str, status: int) -> None:
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    await world.happen(contact)
    async with world.client() as client:
        url = f"/api/v1/contacts/{contact.contact_id}/activities"
        assert (await client.get(f"{url}?{query}")).status_code == status
        unknown = await client.get(f"/api/v1/contacts/con_{ULID()}/activities")
    assert unknown.status_code == 404


async def test_a_read_waits_until_all_who_took_part_are_shown(own_world: World) -> None:
    world = own_world
    key, content = b"a" * 16, b"b" * 16
    people = [a_contact(world.here, fields={"first_name": name}) for name in ("Ada", "Bob")]
    await world.happen(*people)
    await world.admin.execute(
        "INSERT INTO contact.activity (id, public_id, tenant_id, workspace_id, activity_type,"
        " source_id, record_key, occurred_at) VALUES (1, $1, $2, $3, 'call', 1, $4, now())",
        public_id("act"),
        world.here.tenant_id,
        world.here.workspace_id,
        key,
    )
    await world.admin.execute(
        "INSERT INTO contact.activity_record (tenant_id, workspace_id, source_id, record_key,"
        " revision, content_hash, signal_id, stated_at, received_at, applied_at, activity_id, raw)"
        " VALUES ($1, $2, 1, $3, 1, $4, 's', now(), now(), now(), 1, '{}')",
        world.here.tenant_id,
        world.here.workspace_id,
        key,
        content,
    )
    await world.admin.execute(
        "INSERT INTO contact.contact_activities (activity_id, participant_no, tenant_id,"
        " workspace_id, contact_id, activity_type, role, occurred_at, applied_version)"
        " SELECT 1, row_number() OVER (), tenant_id, $1, id, 'call', 'callee', now(), 2"
        " FROM contact.contact WHERE public_id = ANY($2::text[])",
        world.here.workspace_id,
        [one.contact_id for one in people],
    )
    token = encode_position(SignalPosition(key, content))
    first, second = (
        took_part(one.contact_id, 2, world.here.workspace, public_id("act")) for one in people
    )

    async def status() -> int:
        headers: dict[str, Any] = {"Kith-Position": token, "Prefer": "wait=0"}
        async with world.client() as client:
            return (await client.get("/api/v1/contacts", headers=headers)).status_code

    assert await status() == 503
    await world.happen(first)
    assert await status() == 503
    await world.happen(second)
    assert await status() == 200
