"""Tags and groups over the api, in front of a real resolver and read model."""

import httpx
import jsonschema
import pytest

from tests.integration.api.test_review import decider, resolver
from tests.integration.resolver.conftest import Resolver
from tests.support.api import World, body

__all__ = ["decider", "resolver"]

TAGS, GROUPS, CONTACTS = "/api/v1/tags", "/api/v1/groups", "/api/v1/contacts"
MARKED = {
    f"{path}{tail}"
    for path, having in ((TAGS, "contacts"), (GROUPS, "members"))
    for tail in (
        "",
        "/{mark_id}",
        *(f"/{{mark_id}}/{having}{one}" for one in ("", "/{contact_id}")),
    )
}
"""Paths whose answers the resolver knows."""


def said(kind: str, mark: str | None = None, **attributes: object) -> dict[str, object]:
    """Write a tag or a group as a body."""
    data: dict[str, object] = {"type": kind, "attributes": attributes}
    return {"data": {**data, "id": mark} if mark else data}


@pytest.fixture
async def contacts(resolver: Resolver, world: World) -> list[str]:
    """Make two contacts of the workspace, in the resolver's tables."""
    await resolver.resolve(
        resolver.a_signal("m1", email="m1@acme.io"), resolver.a_signal("m2", email="m2@acme.io")
    )
    rows = await world.admin.fetch(
        "SELECT DISTINCT public_id FROM contact.contact c JOIN contact.contact_email e"
        " ON e.contact_id = c.id WHERE e.email IN ('m1@acme.io', 'm2@acme.io')"
        " AND c.tenant_id = $1 ORDER BY 1",
        world.here.tenant_id,
    )
    return [row[0] for row in rows]


async def test_a_tag_from_its_making_to_its_end(
    decider: httpx.AsyncClient, contacts: list[str]
) -> None:
    made = await decider.post(TAGS, json=said("tags", name="Investors", color="#00ff00"))
    assert made.status_code == 201
    tag = body(made)["data"]
    assert made.headers["Location"] == f"{TAGS}/{tag['id']}"
    assert tag["attributes"]["name"] == "Investors"
    taken = await decider.post(TAGS, json=said("tags", name="Investors"))
    assert (taken.status_code, taken.json()["errors"][0]["meta"]) == (409, {"named": [tag["id"]]})
    linkage = {"data": [{"type": "contacts", "id": one} for one in contacts]}
    tagged = await decider.post(f"{TAGS}/{tag['id']}/contacts", json=linkage)
    assert sorted(tagged.json()["meta"]["positions"]) == contacts
    changed = await decider.patch(
        f"{TAGS}/{tag['id']}", json=said("tags", tag["id"], name="Backers")
    )
    assert body(changed)["data"]["attributes"]["color"] == "#00ff00"
    listed = body(await decider.get(TAGS, params={"name": "Backers"}))
    assert [one["id"] for one in listed["data"]] == [tag["id"]]
    assert body(await decider.get(f"{TAGS}/{tag['id']}"))["data"]["id"] == tag["id"]
    off = await decider.request("DELETE", f"{TAGS}/{tag['id']}/contacts", json=linkage)
    assert sorted(off.json()["meta"]["versions"]) == contacts
    assert (await decider.delete(f"{TAGS}/{tag['id']}")).status_code == 204
    assert (await decider.get(f"{TAGS}/{tag['id']}")).status_code == 404
    assert (await decider.delete(f"{TAGS}/{tag['id']}")).status_code == 404


async def test_a_group_and_its_members(decider: httpx.AsyncClient, contacts: list[str]) -> None:
    made = await decider.post(GROUPS, json=said("groups", name="Jury", description="Who decides"))
    group = body(made)["data"]["id"]
    linkage = {"data": [{"type": "contacts", "id": one} for one in contacts]}
    await decider.post(f"{GROUPS}/{group}/members", json=linkage)
    gone = await decider.delete(f"{GROUPS}/{group}/members/{contacts[0]}")
    assert gone.json()["meta"]["outcome"] == "done"
    openapi = (await decider.get("/api/v1/openapi.json")).json()
    for path, method, answer in (
        (GROUPS, "post", made),
        (f"{GROUPS}/{{mark_id}}", "get", await decider.get(f"{GROUPS}/{group}")),
        (GROUPS, "get", await decider.get(GROUPS)),
        (f"{GROUPS}/{{mark_id}}/members/{{contact_id}}", "delete", gone),
    ):
        told = openapi["paths"][path][method]["responses"][str(answer.status_code)]
        schema = told["content"]["application/vnd.api+json"]["schema"]
        jsonschema.validate(answer.json(), {**schema, "components": openapi["components"]})
    again = await decider.delete(f"{GROUPS}/{group}/members/{contacts[0]}")
    assert again.json()["meta"]["outcome"] == "unchanged"
    stranger = await decider.delete(f"{GROUPS}/{group}/members/con_{'0' * 26}")
    assert (stranger.status_code, stranger.json()["errors"][0]["meta"]) == (
        404,
        {"named": ["con_" + "0" * 26]},
    )


async def test_pages_of_tags_go_by_name(decider: httpx.AsyncClient) -> None:
    for name in ("p1", "p2", "p3"):
        await decider.post(TAGS, json=said("tags", name=name))
    page = body(await decider.get(f"{TAGS}?page[size]=2"))
    seen = [one["attributes"]["name"] for one in page["data"]]
    while page["links"]["next"]:
        page = body(await decider.get(page["links"]["next"]))
        seen += [one["attributes"]["name"] for one in page["data"]]
    assert seen == sorted(seen)
    assert {"p1", "p2", "p3"} <= set(seen)
    before = body(await decider.get(page["links"]["prev"]))
    names = [one["attributes"]["name"] for one in before["data"]]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        '{"data": {"type": "groups", "attributes": {"name": "x"}}}',
        '{"data": {"type": "tags", "attributes": {}}}',
        '{"data": {"type": "tags", "attributes": {"name": 1}}}',
        '{"data": {"type": "tags", "attributes": {"name": "x", "size": "9"}}}',
        '{"data": {"type": "tags", "id": "tag_1", "attributes": {"name": "x"}}}',
    ],
)
async def test_a_body_that_is_none_is_refused_with_what_would_be_one(
    decider: httpx.AsyncClient, wrong: str
) -> None:
    answer = await decider.post(TAGS, content=wrong)
    assert answer.status_code == 400
    assert '{"data": {"type": "tags"' in answer.json()["errors"][0]["detail"]


async def test_who_may_only_read_makes_none(world: World) -> None:
    async with world.client() as client:
        answer = await client.post(TAGS, json=said("tags", name="Nope"))
        assert answer.status_code == 403
        assert (await client.get(TAGS)).status_code == 200


async def test_no_other_workspace_sees_a_tag(world: World, decider: httpx.AsyncClient) -> None:
    tag = body(await decider.post(TAGS, json=said("tags", name="Secret")))["data"]["id"]
    async with world.client(world.beside) as client:
        assert (await client.get(f"{TAGS}/{tag}")).status_code == 404
        assert body(await client.get(TAGS, params={"name": "Secret"}))["data"] == []
