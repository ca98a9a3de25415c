"""Read your writes: a read that names a position answers once the read model has it, or says so."""

import asyncio
import base64

from services.api.domain.position import ContactPosition, SignalPosition, encode_position
from shared.events.contact import ContactCreated, FieldChange
from tests.support.api import World, body
from tests.support.companies import a_company, an_update
from tests.support.contacts import NOW, a_contact, a_fact
from tests.support.events import public_id, took_part

KEY, CONTENT = b"k" * 16, b"c" * 16


async def applied(world: World, contact: ContactCreated, version: int) -> None:
    """Let the resolver's ledger say that a signal led to a version of a contact."""
    await world.admin.execute(
        "INSERT INTO contact.source_record (tenant_id, workspace_id, source_id, record_key,"
        " revision, content_hash, signal_id, occurred_at, received_at, applied_at, contact_id,"
        " applied_version, confidence, facts, raw)"
        " SELECT $1, $2, 1, $3, 1, $4, 's', $5, $5, $5, c.id, $6, 1.0, '{}', '{}'"
        " FROM contact.contact AS c WHERE c.public_id = $7",
        world.here.tenant_id,
        world.here.workspace_id,
        KEY,
        CONTENT,
        NOW,
        version,
        contact.contact_id,
    )


async def test_a_read_waits_until_its_signal_is_shown(own_world: World) -> None:
    world = own_world
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    token = encode_position(SignalPosition(KEY, CONTENT))
    async with world.client() as client:
        waiting = asyncio.create_task(
            client.get("/api/v1/contacts", headers={"Kith-Position": token, "Prefer": "wait=10"})
        )
        await asyncio.sleep(0.1)
        await world.happen(contact, project=False)
        await applied(world, contact, 1)
        await asyncio.sleep(0.1)
        assert not waiting.done()  # decided, but not shown yet
        await world.project(contact)
        response = await waiting
    assert [one["id"] for one in body(response)["data"]] == [contact.contact_id]


async def test_a_read_waits_for_a_version_of_a_contact(own_world: World) -> None:
    world = own_world
    contact = a_contact(world.here, fields={"job_title": "Clerk"})
    await world.happen(contact)
    token = encode_position(ContactPosition(contact.contact_id, 2))
    url = f"/api/v1/contacts/{contact.contact_id}"
    async with world.client() as client:
        waiting = asyncio.create_task(client.get(url, params={"waitFor": token}))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        change = FieldChange(field="job_title", old="Clerk", new="Chief")
        await world.happen(a_fact(contact, 2, change))
        response = await waiting
    assert body(response)["data"]["attributes"]["job_title"] == "Chief"


async def test_a_search_waits_until_search_has_what_was_written(own_world: World) -> None:
    """The read model may be ahead of search: the README's own example found nobody."""
    world = own_world
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    await world.happen(contact)
    headers = {
        "Kith-Position": encode_position(ContactPosition(contact.contact_id, 1)),
        "Prefer": "wait=10",
    }
    async with world.client() as client:
        listed = await client.get("/api/v1/contacts", headers=headers)
        waiting = [
            asyncio.create_task(client.get(path, headers=headers))
            for path in ("/api/v1/contacts/search?q=ada", "/api/v1/contacts?filter[q]=ada")
        ]
        await asyncio.sleep(0.2)
        assert not any(one.done() for one in waiting)
        await world.index(contact, "ada")
        found = await asyncio.gather(*waiting)
    assert [len(body(answer)["data"]) for answer in (listed, *found)] == [1, 1, 1]


async def test_a_search_waits_for_no_activity_and_for_all_that_is_indexed(own_world: World) -> None:
    """Activities raise a contact's version and not its document's: nothing of them is found."""
    world = own_world
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    here, there, last = (
        took_part(contact.contact_id, version, place.workspace, public_id("act"))
        for version, place in ((2, world.here), (3, world.beside), (5, world.here))
    )
    told = a_fact(contact, 4, FieldChange(field="job_title", old=None, new="Chief"))
    await world.happen(contact, here, there)
    await world.index(contact, "ada")

    async def searched(version: int) -> int:
        position = encode_position(ContactPosition(contact.contact_id, version))
        headers = {"Kith-Position": position, "Prefer": "wait=0"}
        return (await client.get("/api/v1/contacts/search?q=ada", headers=headers)).status_code

    async with world.client() as client:
        assert [await searched(version) for version in (1, 2, 3, 4)] == [200, 200, 200, 503]
        await world.happen(told, last)
        assert [await searched(version) for version in (3, 4, 5)] == [200, 503, 503]
        await world.admin.execute("UPDATE search.document SET version = 4")
        assert [await searched(version) for version in (4, 5, 6)] == [200, 200, 503]


async def test_only_where_contacts_are_searched_is_search_waited_for(own_world: World) -> None:
    """Companies are found in the read model; a file of contacts may be chosen in a body."""
    world = own_world
    contact = a_contact(world.here, fields={"first_name": "Ada"})
    await world.happen(contact)
    position = encode_position(ContactPosition(contact.contact_id, 1))
    chosen = {"meta": {"format": "json", "filter": {"q": "ada"}}}
    async with world.client(headers={"Kith-Position": position, "Prefer": "wait=0"}) as client:
        asked = ("companies?q=ada", "contacts?q=ada", "contacts/export?q=ada")
        answers = [await client.get(f"/api/v1/{path}") for path in asked]
        answers.append(await client.post("/api/v1/contacts/export", json=chosen))
        assert [one.status_code for one in answers] == [200, 503, 503, 503]
        await world.index(contact, "ada")
        answer = await client.post("/api/v1/contacts/export", json=chosen)
    assert (answer.status_code, answer.headers["Kith-Total"]) == (200, "1")


async def test_a_read_waits_for_what_came_of_a_company(own_world: World) -> None:
    """A signal about companies alone is in a ledger of its own; no other tenant reaches it."""
    world = own_world
    company = a_company("acme.test")
    await world.happen_to_companies(company)
    headers = {"Kith-Position": encode_position(SignalPosition(KEY, CONTENT))}
    asked = {**headers, "Prefer": "wait=0"}
    path = f"/api/v1/companies/{company.company_id}"
    async with world.client() as client:
        assert (await client.get(path, headers=asked)).status_code == 503
        await world.admin.execute(
            "INSERT INTO contact.org_source_record (tenant_id, source_id, record_key, revision,"
            " content_hash, signal_id, occurred_at, received_at, org_id, applied_version, facts)"
            " SELECT $1, 1, $2, 1, $3, 's', $4, $4, o.id, 2, '{}' FROM contact.organisation AS o"
            " WHERE o.public_id = $5",
            world.here.tenant_id,
            KEY,
            CONTENT,
            NOW,
            company.company_id,
        )
        waiting = asyncio.create_task(client.get(path, headers=headers))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await world.happen_to_companies(an_update(company, industry="Looms"))
        assert body(await waiting)["data"]["attributes"]["industry"] == "Looms"
        # Another was named besides, by a name that none is known by.
        either = SignalPosition(b"u" * 16, CONTENT, ((KEY, CONTENT),))
        asked_either = {"Kith-Position": encode_position(either), "Prefer": "wait=0"}
        assert (await client.get(path, headers=asked_either)).status_code == 200
    for headers in (asked, asked_either):
        async with world.client(world.elsewhere, headers) as theirs:
            assert (await theirs.get("/api/v1/companies")).status_code == 503


async def test_a_wait_is_bounded_and_says_when_to_ask_again(world: World) -> None:
    token = encode_position(SignalPosition(b"x" * 16, CONTENT))
    async with world.client() as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        response = await client.get(
            "/api/v1/contacts", headers={"Kith-Position": token, "Prefer": "wait=0"}
        )
        assert loop.time() - began < 1.0
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert body(response)["errors"][0]["code"] == "position_not_reached"


async def test_another_tenants_position_is_never_reached(own_world: World) -> None:
    """Whether a position was reached tells nothing about what other places hold."""
    world = own_world
    contact = a_contact(world.here)
    await world.happen(contact)
    await applied(world, contact, 1)
    tokens = (
        encode_position(SignalPosition(KEY, CONTENT)),
        encode_position(ContactPosition(contact.contact_id, 1)),
    )
    for token in tokens:
        headers = {"Kith-Position": token, "Prefer": "wait=0"}
        async with world.client(headers=headers) as ours:
            assert (await ours.get("/api/v1/contacts")).status_code == 200
        for place in (world.beside, world.elsewhere):
            async with world.client(place, headers) as theirs:
                assert (await theirs.get("/api/v1/contacts")).status_code == 503


async def test_a_position_that_is_none_is_refused(world: World) -> None:
    async with world.client() as client:
        for token in ("", "nonsense", base64.urlsafe_b64encode(b"con_1:1").decode()):
            response = await client.get("/api/v1/contacts", headers={"Kith-Position": token})
            assert response.status_code == 400
            assert body(response)["errors"][0]["source"] == {"header": "Kith-Position"}
