"""The id of a contact that was merged into another leads there, until they are split."""

import httpx

from tests.support.api import World, body
from tests.support.contacts import a_contact
from tests.support.merges import a_shape, merged, split


async def test_an_absorbed_id_leads_to_its_survivor(world: World) -> None:
    ada, bob = a_contact(world.here), a_contact(world.here)
    pair, here = (ada.contact_id, bob.contact_id), world.here.workspace
    shape = a_shape("Ada", here)
    await world.happen(ada, bob)
    await world.happen(merged(ada.contact_id, 2, pair, shape), merged(bob.contact_id, 2, pair))
    async with world.client() as client:
        for rest in ("", "?fields[contacts]=first_name", "/identifiers?page[size]=1"):
            old = await client.get(f"/api/v1/contacts/{bob.contact_id}{rest}")
            assert old.status_code == 308
            place = httpx.URL(old.headers["location"])
            assert place.path == f"/api/v1/contacts/{ada.contact_id}{rest.partition('?')[0]}"
            assert place.query == old.url.query
            assert old.headers["cache-control"] == "private, no-cache"
        moved = await client.get(f"/api/v1/contacts/{bob.contact_id}")
        assert moved.json()["meta"] == {"merged_into": ada.contact_id}
        listed = body(await client.get("/api/v1/contacts"))
        assert [one["id"] for one in listed["data"]] == [ada.contact_id]
        history = body(await client.get(f"/api/v1/contacts/{bob.contact_id}/history"))
        assert history["data"][0]["attributes"]["what"] == "ContactsMerged"
        await world.happen(
            split(ada.contact_id, 3, pair, shape),
            split(bob.contact_id, 3, pair, a_shape("Bob", here)),
        )
        again = body(await client.get(f"/api/v1/contacts/{bob.contact_id}"))
        assert again["data"]["attributes"]["first_name"] == "Bob"
    async with world.client(world.beside) as client:
        assert (await client.get(f"/api/v1/contacts/{bob.contact_id}")).status_code == 404
