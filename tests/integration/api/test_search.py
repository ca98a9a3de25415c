"""Search over HTTP: ranked, forgiving, in pages."""

import pytest

from shared.events.contact import ContactArchived, VisibleField
from tests.support.api import World, body
from tests.support.contacts import NOW, a_contact


@pytest.fixture
async def found(world: World) -> dict[str, str]:
    """Let three similar people be searchable: first name → id."""
    ids = {}
    for first in ("Sarah", "Sara", "Sally"):
        fields: dict[VisibleField, str] = {"first_name": first, "last_name": "Chen"}
        if first == "Sara":
            fields |= {"job_title": "Sales Director", "city": "Berlin", "country": "DE"}
        contact = a_contact(world.here, fields=fields)
        await world.happen(contact)
        await world.index(contact, f"{first.lower()} chen", [f"{first.lower()}@acme.test"])
        ids[first] = contact.contact_id
    return ids


async def hits(world: World, query: str) -> list[str]:
    """Search, and list the first names found."""
    async with world.client() as client:
        document = body(await client.get(f"/api/v1/contacts/search?{query}"))
    return [one["attributes"]["first_name"] for one in document["data"]]


async def test_the_best_comes_first_with_its_score(world: World, found: dict[str, str]) -> None:
    async with world.client() as client:
        document = body(await client.get("/api/v1/contacts/search?q=sarah+chen"))
    scores = [one["meta"]["score"] for one in document["data"]]
    assert document["data"][0]["id"] == found["Sarah"]
    assert scores == sorted(scores, reverse=True)


async def test_a_slip_of_the_pen_is_forgiven(world: World, found: dict[str, str]) -> None:
    assert "Sarah" in await hits(world, "q=sarrah+chen")


async def test_an_email_finds_its_contact(world: World, found: dict[str, str]) -> None:
    assert await hits(world, "q=SALLY@acme.test") == ["Sally"]


async def test_search_pages_forward_and_back(world: World, found: dict[str, str]) -> None:
    whole = await hits(world, "q=chen")
    assert len(whole) == 3
    async with world.client() as client:
        pages = [body(await client.get("/api/v1/contacts/search?q=chen&page[size]=1"))]
        while pages[-1]["links"]["next"]:
            pages.append(body(await client.get(pages[-1]["links"]["next"])))
        back = body(await client.get(pages[-1]["links"]["prev"]))
    assert [one["data"][0]["attributes"]["first_name"] for one in pages] == whole
    assert back["data"][0]["id"] == pages[-2]["data"][0]["id"]


@pytest.mark.parametrize(
    "asked", ["seniority]=director", "department]=SALES", "timezone]=Europe/Berlin"]
)
async def test_a_search_can_be_narrowed(world: World, found: dict[str, str], asked: str) -> None:
    assert await hits(world, f"q=chen&filter[{asked}") == ["Sara"]
    assert await hits(world, "q=sally&filter[seniority]=director") == []


async def test_a_list_can_be_narrowed_by_a_text(world: World, found: dict[str, str]) -> None:
    async with world.client() as client:
        document = body(await client.get("/api/v1/contacts?q=sally&sort=first_name"))
    assert [one["id"] for one in document["data"]] == [found["Sally"]]


async def test_archived_contacts_are_found_only_when_asked_for(
    world: World, found: dict[str, str]
) -> None:
    gone = ContactArchived(contact_id=found["Sally"], version=2, occurred_at=NOW, cause="test")
    await world.happen(gone)
    assert await hits(world, "q=sally") == []
    assert await hits(world, "q=sally&filter[status]=archived") == ["Sally"]


@pytest.mark.parametrize("text", ["'", "%00", "a'b; drop", "((", "\\", "&|!", "🙂", "x" * 1999])
async def test_no_text_breaks_the_search(world: World, found: dict[str, str], text: str) -> None:
    async with world.client() as client:
        response = await client.get("/api/v1/contacts/search", params={"q": text})
    assert response.status_code == 200
