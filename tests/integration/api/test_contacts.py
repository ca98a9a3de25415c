"""Lists, details and identifiers over HTTP, on what the projector wrote."""

from datetime import timedelta

import pytest

from shared.events.contact import ContactArchived, VisibleField
from shared.events.signal import Identifier
from tests.support.api import World, body
from tests.support.contacts import NOW, a_contact, a_note

PEOPLE: tuple[tuple[str, dict[VisibleField, str]], ...] = (
    ("Ada", {"company_name": "Acme Corp", "city": "London", "email_primary": "ada@acme.test"}),
    ("bob", {"company_name": "100% Acme", "city": "Paris", "department": "Team Blau, 3"}),
    ("Cleo", {"company_name": "Other", "city": "london", "country": "GB", "job_title": "CTO"}),
    ("Dan", {"seniority": "vp", "job_title": "VP Human Resources", "timezone": "Asia/Tokyo"}),
)


@pytest.fixture
async def people(world: World) -> dict[str, str]:
    """Four contacts of the default workspace, an hour apart: first name → id."""
    ids = {}
    for number, (first, fields) in enumerate(PEOPLE):
        event = a_contact(
            world.here,
            fields={"first_name": first, **fields},
            source="csv_upload" if first == "bob" else "hubspot_crm",
            occurred_at=NOW + timedelta(hours=number),
            identifiers=(
                Identifier(type="email", value=f"{first.lower()}@acme.test"),
                Identifier(type="phone_e164", value=f"+4930000000{number}"),
            ),
        )
        await world.happen(event)
        ids[first] = event.contact_id
    return ids


async def names(world: World, query: str) -> list[str]:
    """List the first names that a query answers with."""
    async with world.client() as client:
        document = body(await client.get(f"/api/v1/contacts{query}"))
    assert "data" in document, document
    return [one["attributes"]["first_name"] for one in document["data"]]


async def test_a_list_shows_the_newest_first(world: World, people: dict[str, str]) -> None:
    async with world.client() as client:
        response = await client.get("/api/v1/contacts")
    document = body(response)
    assert [one["id"] for one in document["data"]] == list(reversed(people.values()))
    assert document["meta"]["page"] == {"size": 25, "has_next": False, "has_prev": False}
    assert document["links"]["next"] is None
    assert document["links"]["prev"] is None
    assert "Accept" in response.headers["vary"]
    assert "included" not in document


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?company=acme", ["bob", "Ada"]),
        ("?filter[company]=0%25%20a", ["bob"]),
        ("?company=_", []),
        ("?filter[city]=LONDON", ["Cleo", "Ada"]),
        ("?filter[email]=ADA@acme.test", ["Ada"]),
        ("?filter[phone]=%2B49300000002", ["Cleo"]),
        ("?lead_source=csv_upload", ["bob"]),
        ("?lead_source=csv_upload,hubspot_crm&filter[city]=paris", ["bob"]),
        ("?lead_status=new&lead_status=customer", ["Dan", "Cleo", "bob", "Ada"]),
        ("?lead_status=customer", []),
        ("?filter[seniority]=cxo", ["Cleo"]),
        ("?filter[seniority]=cxo,vp", ["Dan", "Cleo"]),
        ("?filter[department]=Engineering", ["Cleo"]),
        ("?filter[department]=human%20resources", ["Dan"]),
        ("?filter[department]=team%20blau,%203&filter[department]=engineering", ["Cleo", "bob"]),
        ("?filter[timezone]=Europe/London,Asia/Tokyo", ["Dan", "Cleo"]),
        ("?filter[timezone]=Asia/Tokyo&filter[seniority]=cxo", []),
        ("?status=archived", []),
        ("?created_after=2026-01-01T14:00:00Z", ["Dan", "Cleo"]),
        ("?created_before=2026-01-01T14:00:00Z", ["bob", "Ada"]),
        ("?created_after=2026-01-01T15:00:00+02:00&created_before=2026-01-01T14:00:00Z", ["bob"]),
        ("?filter[updated_before]=2026-01-01", []),
        ("?sort=first_name", ["Ada", "bob", "Cleo", "Dan"]),
        ("?sort=-first_name", ["Dan", "Cleo", "bob", "Ada"]),
        ("?sort=city,-first_name", ["Dan", "Cleo", "Ada", "bob"]),
        ("?sort=created_at", ["Ada", "bob", "Cleo", "Dan"]),
        ("?sort=lead_source,-id", ["bob", "Dan", "Cleo", "Ada"]),
    ],
)
async def test_filters_and_sorting(
    world: World, people: dict[str, str], query: str, found: list[str]
) -> None:
    assert await names(world, query) == found


@pytest.mark.parametrize(
    "sort",
    ["", "id", "-created_at", "first_name", "city,-first_name", "-city,first_name", "lead_source"],
)
@pytest.mark.parametrize("size", [1, 3])
async def test_pages_forward_and_back_show_everyone_once(
    world: World, people: dict[str, str], sort: str, size: int
) -> None:
    whole = await names(world, f"?sort={sort}" if sort else "")
    url: str | None = f"/api/v1/contacts?page[size]={size}" + (f"&sort={sort}" if sort else "")
    forward: list[str] = []
    async with world.client() as client:
        last = ""
        while url:
            last = url
            document = body(await client.get(url))
            forward += [one["attributes"]["first_name"] for one in document["data"]]
            url = document["links"]["next"]
        backward: list[str] = []
        url = last
        while url:
            document = body(await client.get(url))
            backward = [one["attributes"]["first_name"] for one in document["data"]] + backward
            url = document["links"]["prev"]
    assert forward == whole
    assert backward == whole


async def test_a_page_starts_after_its_cursor_whatever_came_before(
    world: World, people: dict[str, str]
) -> None:
    """Someone new at the top of the list moves nobody from page to page."""
    async with world.client() as client:
        first = body(await client.get("/api/v1/contacts?page[size]=2"))
        await world.happen(a_contact(world.here, fields={"first_name": "Eve"}))
        second = body(await client.get(first["links"]["next"]))
    assert [one["attributes"]["first_name"] for one in second["data"]] == ["bob", "Ada"]
    cursor = first["data"][-1]["meta"]["page"]["cursor"]
    assert await names(world, f"?page[size]=2&page[cursor]={cursor}") == ["bob", "Ada"]


async def test_archived_contacts_are_listed_only_when_asked_for(
    world: World, people: dict[str, str]
) -> None:
    gone = ContactArchived(contact_id=people["Ada"], version=2, occurred_at=NOW, cause="test")
    await world.happen(gone)
    assert await names(world, "") == ["Dan", "Cleo", "bob"]
    assert await names(world, "?status=archived") == ["Ada"]
    assert await names(world, "?status=archived,active&sort=id") == ["Ada", "bob", "Cleo", "Dan"]


async def test_a_contact_shows_its_values_and_where_they_came_from(
    world: World, people: dict[str, str]
) -> None:
    async with world.client() as client:
        response = await client.get(f"/api/v1/contacts/{people['Ada']}")
    data = body(response)["data"]
    assert data["type"] == "contacts"
    assert data["links"]["self"] == f"/api/v1/contacts/{people['Ada']}"
    attributes = data["attributes"]
    assert attributes["first_name"] == "Ada"
    assert attributes["email_primary"] == "ada@acme.test"
    assert attributes["emails"] == ["ada@acme.test"]
    assert attributes["phones"] == ["+49300000000"]
    assert attributes["lead_status"] == "new"
    assert attributes["lead_source"] == "hubspot_crm"
    assert attributes["status"] == "active"
    assert attributes["version"] == 1
    assert attributes["created_at"] == "2026-01-01T12:00:00Z"
    assert data["meta"]["provenance"]["city"] == {
        "source": "hubspot_crm",
        "source_record": "0" * 32,
        "asserted_at": "2026-01-01T12:00:00Z",
    }
    assert data["relationships"]["company"] == {"data": None}
    assert [one["id"] for one in data["relationships"]["identifiers"]["data"]] == [
        f"{people['Ada']}.1",
        f"{people['Ada']}.2",
    ]


async def test_an_unchanged_contact_is_not_sent_again(world: World, people: dict[str, str]) -> None:
    async with world.client() as client:
        url = f"/api/v1/contacts/{people['Ada']}"
        etag = (await client.get(url)).headers["etag"]
        again = await client.get(url, headers={"If-None-Match": f'"x", {etag}'})
        assert (again.status_code, again.content) == (304, b"")
        for tag in (etag.removeprefix("W/"), "*"):
            same = await client.get(url, headers={"If-None-Match": tag})
            assert same.status_code == 304
        gone = ContactArchived(contact_id=people["Ada"], version=2, occurred_at=NOW, cause="t")
        await world.happen(gone)
        changed = await client.get(url, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


async def test_identifiers_are_listed_and_included(world: World, people: dict[str, str]) -> None:
    async with world.client() as client:
        url = f"/api/v1/contacts/{people['Ada']}"
        listed = body(await client.get(f"{url}/identifiers?page[size]=1"))
        second = body(await client.get(listed["links"]["next"]))
        back = body(await client.get(second["links"]["prev"]))
        included = body(await client.get(f"{url}?include=identifiers"))
        nothing = body(await client.get(f"{url}?include="))
        every = body(await client.get("/api/v1/contacts?include=identifiers"))
    assert listed["data"][0]["attributes"] == {
        "identifier_type": "email",
        "value": "ada@acme.test",
        "assumed_region": False,
        "status": None,
    }
    assert second["data"][0]["attributes"]["value"] == "+49300000000"
    assert second["links"]["next"] is None
    assert back["data"] == listed["data"]
    assert [one["attributes"]["value"] for one in included["included"]] == [
        "ada@acme.test",
        "+49300000000",
    ]
    assert nothing["included"] == []
    assert len(every["included"]) == 8


async def test_identifiers_say_what_was_found_out_of_them(
    world: World, people: dict[str, str]
) -> None:
    await world.admin.execute(
        "INSERT INTO contact.contact_email (tenant_id, contact_id, email, status, source_id,"
        " created_at) SELECT $1, id, 'ada@acme.test', 'catch_all', 1, $3 FROM contact.contact"
        " WHERE public_id = $2",
        world.here.tenant_id,
        people["Ada"],
        NOW,
    )
    await world.admin.execute(
        "INSERT INTO contact.workspace_contact_binding (tenant_id, workspace_id, contact_id,"
        " created_at, updated_at)"
        " SELECT $1, $2, id, $4, $4 FROM contact.contact WHERE public_id = $3"
        " AND NOT EXISTS (SELECT FROM contact.workspace_contact_binding b"
        " WHERE b.contact_id = contact.id)",
        world.here.tenant_id,
        world.here.workspace_id,
        people["Ada"],
        NOW,
    )
    path = f"/api/v1/contacts/{people['Ada']}"
    async with world.client() as client:
        listed = body(await client.get(f"{path}/identifiers"))["data"]
        shown = body(await client.get(f"{path}?include=identifiers"))["included"]
        several = body(await client.get("/api/v1/contacts?include=identifiers"))["included"]
    for found in (listed, shown, several):
        statuses = {
            one["attributes"]["value"]: one["attributes"]["status"]
            for one in found
            if one["id"].startswith(people["Ada"])
        }
        assert statuses == {"ada@acme.test": "catch_all", "+49300000000": None}


async def test_only_the_fields_asked_for_are_shown(world: World, people: dict[str, str]) -> None:
    async with world.client() as client:
        url = f"/api/v1/contacts/{people['Ada']}"
        some = body(await client.get(f"{url}?fields[contacts]=first_name,company"))
        slim = body(
            await client.get(f"{url}?include=identifiers&fields[contact_identifiers]=value")
        )
    assert some["data"]["attributes"] == {"first_name": "Ada"}
    assert some["data"]["relationships"].keys() == {"company"}
    assert some["data"]["meta"]["provenance"].keys() == {"first_name"}
    assert slim["included"][0]["attributes"] == {"value": "ada@acme.test"}


async def test_notes_are_the_workspaces_own(world: World) -> None:
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    await world.happen(contact, a_note(contact, 2, world.here, "ours"))
    async with world.client() as client:
        one = body(await client.get(f"/api/v1/contacts/{contact.contact_id}"))["data"]
    assert one["attributes"]["notes"] == "ours"
    assert one["attributes"]["labels"] == ["vip"]


@pytest.mark.parametrize("label", ["vip", 'say "hi"', "back\\slash", "Straße ☂", "tab\tbed", "a/b"])
async def test_a_label_is_found_whole_and_nowhere_else(world: World, label: str) -> None:
    """However JSON writes it; what is called alike is no label."""
    labelled = a_contact(world.here, fields={"first_name": "Ada"})
    named = a_contact(world.here, fields={"first_name": label})
    longer = a_contact(world.here)
    await world.happen(labelled, a_note(labelled, 2, world.here, "", (label, "other")))
    await world.happen(named, longer, a_note(longer, 2, world.here, label, (f"{label} too",)))
    async with world.client() as client:
        answer = await client.get(
            "/api/v1/contacts", params={"filter[label]": label, "page[size]": "100"}
        )
    found = {one["id"] for one in body(answer)["data"]}
    assert labelled.contact_id in found
    assert not {named.contact_id, longer.contact_id} & found


async def test_there_is_no_lag_when_everything_is_shown(own_world: World) -> None:
    await own_world.happen(a_contact(own_world.here))
    async with own_world.client() as client:
        assert body(await client.get("/api/v1/contacts"))["meta"]["lag"] == 0


async def test_lag_counts_from_the_oldest_event_that_is_not_shown(own_world: World) -> None:
    await own_world.happen(a_contact(own_world.here))
    await own_world.happen(a_contact(own_world.here), project=False)
    async with own_world.client() as client:
        lag = body(await client.get("/api/v1/contacts"))["meta"]["lag"]
    assert lag > 3600  # events of the tests are recorded in the past
