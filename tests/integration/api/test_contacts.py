"""Lists, details and identifiers over HTTP, on what the projector wrote."""

import pytest

from tests.support.api import World, body
from tests.support.contacts import a_contact


@pytest.fixture
async def people(world: World) -> dict[str, str]:
    """Three contacts of the default workspace: first name → id."""
    ids = {}
    for first, company in (("Ada", "Acme Corp"), ("Bob", "Acme Corp"), ("Cleo", "Other")):
        event = a_contact(world.here, fields={"first_name": first, "company_name": company})
        await world.happen(event)
        ids[first] = event.contact_id
    return ids


async def test_a_list_shows_the_newest_first_and_says_how_far_behind_it_is(
    world: World, people: dict[str, str]
) -> None:
    async with world.client() as client:
        document = body(await client.get("/api/v1/contacts"))
    assert [one["id"] for one in document["data"]] == [people["Cleo"], people["Bob"], people["Ada"]]
    assert document["meta"]["lag"] == 0
    assert document["links"]["next"] is None
    assert document["links"]["prev"] is None
