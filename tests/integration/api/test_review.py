"""The review queue and the reasons for decisions over the api, in front of a real resolver."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import jsonschema
import orjson
import pytest

from kith.administration import create_key
from shared.auth import Place
from shared.postgres.pool import connect
from tests.integration.resolver.conftest import Resolver
from tests.support.api import World, body

QUEUE = "/api/v1/merge-candidates"
ONE, OTHER = f"con_{'1' * 26}", f"con_{'2' * 26}"
DESCRIBED = {
    QUEUE,
    f"{QUEUE}/{{pair}}",
    f"{QUEUE}/{{pair}}/approve",
    f"{QUEUE}/{{pair}}/reject",
    "/api/v1/contacts/{contact_id}/why",
    "/api/v1/contacts/{contact_id}/why-not/{other_id}",
    "/api/v1/contacts/{contact_id}/how",
    "/api/v1/contacts/{contact_id}/merge-preview/{other_id}",
    "/api/v1/resolution/merge",
    "/api/v1/resolution/split",
}
"""Paths whose answers the resolver knows."""


@pytest.fixture
async def resolver(world: World) -> AsyncIterator[Resolver]:
    async with connect(world.settings("kith_resolver"), "test", lookups_only=True) as pool:
        yield Resolver(pool, world.here.tenant, world.here.workspace)


@pytest.fixture
async def decider(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Come with a key that may read and write."""
    connection = await asyncpg.connect(world.dsn_of("kith_cli"))
    scopes = ["contacts:read", "contacts:write"]
    key = await create_key(connection, world.here.workspace, "decides", scopes)
    await connection.close()
    async with world.client(headers={"Authorization": f"Bearer {key.token}"}) as client:
        yield client


async def in_two_minds(resolver: Resolver, number: int = 0) -> None:
    """Let a pair wait: a record of one names what the other is known by."""
    email, phone = f"ada{number}@acme.io", f"+1415555010{number}"
    await resolver.resolve(resolver.a_signal(f"a{number}", email=email, notes="a secret"))
    await resolver.resolve(resolver.a_signal(f"b{number}", phone=phone, name="Ada King"))
    await resolver.resolve(resolver.a_signal(f"c{number}", email=email, phone=phone))


def versions(pair: dict[str, Any]) -> dict[str, int]:
    """Return the versions that a pair was seen at."""
    return {one["id"]: one["version"] for one in pair["attributes"]["contacts"]}


async def test_a_pair_is_listed_shown_and_approved_and_why_tells_of_it(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    await in_two_minds(resolver)
    (pair,) = body(await decider.get(QUEUE))["data"]
    assert body(await decider.get("/api/v1/resolution/review-queue"))["data"] == [pair]
    assert pair["attributes"]["status"] == "open"
    case = body(await decider.get(f"{QUEUE}/{pair['id']}"))["data"]["attributes"]
    rows = {row["field"]: row for row in case["values"]}
    shown = {one["value"] for one in rows["full_name"]["left"] + rows["full_name"]["right"]}
    assert "Ada King" in shown
    assert b"a secret" not in orjson.dumps(case)
    order = {"meta": {"versions": versions(pair), "reason": "one and the same"}}
    done = await decider.post(f"{QUEUE}/{pair['id']}/approve", json=order)
    assert done.status_code == 200
    told = orjson.loads(done.content)["meta"]
    assert told["outcome"] == "done"
    assert set(told["positions"]) == set(versions(pair))
    assert body(await decider.get(QUEUE))["data"] == []
    first, second = versions(pair)
    why = body(await decider.get(f"/api/v1/contacts/{second}/why"))["data"]
    assert (why["type"], why["id"]) == ("merge_reasons", first)
    assert why["attributes"]["merges"][0]["by"] == "person"
    how = body(await decider.get(f"/api/v1/contacts/{first}/how"))["data"]["attributes"]
    assert how["steps"][-1]["what"] == "ContactsMerged"


async def test_any_two_are_previewed_merged_and_taken_apart_again(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    """They never waited for it: a person noticed."""
    await resolver.resolve(resolver.a_signal("a", email="ada@acme.io", name="Ada Lovelace"))
    await resolver.resolve(resolver.a_signal("b", phone="+14155550100", name="Ada King"))
    connection = await asyncpg.connect(world.dsn_of("kith_cli"))
    query = "SELECT public_id FROM contact.contact WHERE tenant_id = $1 ORDER BY id"
    one, other = [row[0] for row in await connection.fetch(query, world.here.tenant_id)]
    await connection.close()
    path = f"/api/v1/contacts/{other}/merge-preview/{one}"
    preview = body(await decider.get(path))["data"]
    assert (preview["type"], preview["id"]) == ("merge_previews", f"{other}.{one}")
    told = preview["attributes"]
    assert told["merged"]["counts"]["records"] == 2
    assert "last_name" in {each["field"] for each in told["conflicts"]}
    order = {"survivor_id": other, "absorbed_id": one, "reason": "married"}
    versions = {each["id"]: each["version"] for each in told["contacts"]}
    late = {"meta": {**order, "versions": {**versions, one: 7}}}
    assert (await decider.post("/api/v1/resolution/merge", json=late)).status_code == 409
    asked = {"meta": {**order, "versions": versions}}
    merged = (await decider.post("/api/v1/resolution/merge", json=asked)).json()["meta"]
    assert (merged["outcome"], set(merged["positions"])) == ("done", {one, other})
    undo = {"contact_id": other, "merge_id": merged["merge_id"], "versions": {other: 1}}
    stale = await decider.post("/api/v1/resolution/split", json={"meta": undo})
    assert stale.status_code == 409
    undo["versions"] = {other: merged["versions"][other]}
    undone = (await decider.post("/api/v1/resolution/split", json={"meta": undo})).json()["meta"]
    assert (undone["outcome"], undone["merge_id"]) == ("done", merged["merge_id"])
    undo["versions"] = {other: undone["versions"][other]}
    again = await decider.post("/api/v1/resolution/split", json={"meta": undo})
    assert again.status_code == 422
    assert again.json()["errors"][0]["detail"] == "No such merge is in force here."


async def test_a_decision_on_what_has_changed_since_is_a_conflict(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    await in_two_minds(resolver)
    (pair,) = body(await decider.get(QUEUE))["data"]
    await resolver.resolve(resolver.a_signal("d", email="ada0@acme.io", title="Countess"))
    order = {"meta": {"versions": versions(pair)}}
    late = await decider.post(f"{QUEUE}/{pair['id']}/reject", json=order)
    assert late.status_code == 409
    assert body(late)["errors"][0]["code"] == "conflict"
    (now,) = body(await decider.get(QUEUE))["data"]
    order = {"meta": {"versions": versions(now)}}
    done = await decider.post(f"{QUEUE}/{pair['id']}/reject", json=order)
    assert done.status_code == 200
    one, other = versions(now)
    compared = body(await decider.get(f"/api/v1/contacts/{one}/why-not/{other}"))["data"]
    assert compared["attributes"]["is_kept_apart"]
    rejected = body(await decider.get(QUEUE, params={"filter[state]": "rejected"}))["data"]
    assert [one["id"] for one in rejected] == [pair["id"]]


async def test_a_decision_on_what_is_one_contact_by_now_has_a_code_of_its_own(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    """To look again, as after a conflict, would help nobody: there is no pair any more."""
    await in_two_minds(resolver)
    (pair,) = body(await decider.get(QUEUE))["data"]
    order = {"meta": {"versions": versions(pair)}}
    done = await decider.post(f"{QUEUE}/{pair['id']}/approve", json=order)
    order = {"meta": {"versions": orjson.loads(done.content)["meta"]["versions"]}}
    late = await decider.post(f"{QUEUE}/{pair['id']}/reject", json=order)
    assert late.status_code == 409
    (error,) = body(late)["errors"]
    assert error["code"] == "one_contact"
    assert "undo the merge" in error["detail"]


async def test_a_contact_is_no_pair_with_itself(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    await in_two_minds(resolver)
    (pair,) = body(await decider.get(QUEUE))["data"]
    one, _ = versions(pair)
    assert (await decider.get(f"{QUEUE}/{one}.{one}")).status_code == 404
    order = {"meta": {"versions": {one: versions(pair)[one]}}}
    assert (await decider.post(f"{QUEUE}/{one}.{one}/approve", json=order)).status_code == 400


async def test_the_queue_is_read_page_by_page(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    for number in range(3):
        await in_two_minds(resolver, number)
    seen: list[str] = []
    place: str | None = f"{QUEUE}?page[size]=2"
    while place:
        page = body(await decider.get(place))
        seen += [one["id"] for one in page["data"]]
        assert page["links"]["prev"] is None
        place = page["links"]["next"]
    assert len(seen) == len(set(seen)) == 3


async def test_answers_are_what_openapi_says(
    resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    await in_two_minds(resolver)
    openapi = (await decider.get("/api/v1/openapi.json")).json()
    listed = await decider.get(QUEUE)
    (pair,) = body(listed)["data"]
    one, other = versions(pair)
    names = {"pair": pair["id"], "contact_id": one, "other_id": other}
    order = {"meta": {"versions": versions(pair)}}
    posted = {path for path in DESCRIBED if path.endswith(("approve", "reject", "merge", "split"))}
    for path in sorted(DESCRIBED):
        method = "post" if path in posted else "get"
        if path in posted and not path.endswith("approve"):
            continue  # answered alike
        place = path.format(**names)
        asked = decider.post(place, json=order) if method == "post" else decider.get(place)
        answer = await asked
        described = openapi["paths"][path][method]["responses"]["200"]["content"]
        schema = described["application/vnd.api+json"]["schema"]
        assert answer.status_code == 200, answer.text
        jsonschema.validate(answer.json(), {**schema, "components": openapi["components"]})


async def test_neither_another_workspace_nor_another_tenant_sees_any_of_it(
    world: World, resolver: Resolver
) -> None:
    await in_two_minds(resolver)
    async with world.client() as client:
        (pair,) = body(await client.get(QUEUE))["data"]
    one, other = versions(pair)
    paths = [
        f"{QUEUE}/{pair['id']}",
        f"/api/v1/contacts/{one}/why",
        f"/api/v1/contacts/{one}/why-not/{other}",
        f"/api/v1/contacts/{one}/how",
        f"/api/v1/contacts/{one}/merge-preview/{other}",
    ]
    places: tuple[Place, ...] = (world.beside, world.elsewhere)
    for place in places:
        async with world.client(place) as client:
            assert body(await client.get(QUEUE))["data"] == []
            for path in paths:
                answer = await client.get(path)
                assert (answer.status_code, path) == (404, path)
                assert body(answer)["errors"][0]["code"] == "not_found"


async def test_nobody_decides_about_whom_their_workspace_does_not_know(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    """The answer is the one of a contact that there is not; another version tells no more."""
    await in_two_minds(resolver)
    (pair,) = body(await decider.get(QUEUE))["data"]
    one, other = versions(pair)
    connection = await asyncpg.connect(world.dsn_of("kith_cli"))
    keys = [
        await create_key(connection, place.workspace, "decides", ["contacts:write"])
        for place in (world.beside, world.elsewhere)
    ]
    await connection.close()
    for key in keys:
        for seen in (versions(pair), dict.fromkeys(versions(pair), 99)):
            merge = {"survivor_id": one, "absorbed_id": other, "versions": seen}
            split = {"contact_id": one, "versions": {one: seen[one]}}
            orders = [
                ("/api/v1/resolution/merge", merge),
                ("/api/v1/resolution/split", split),
                (f"{QUEUE}/{pair['id']}/approve", {"versions": seen}),
                (f"{QUEUE}/{pair['id']}/reject", {"versions": seen}),
            ]
            async with world.client(headers={"Authorization": f"Bearer {key.token}"}) as client:
                for path, meta in orders:
                    answer = await client.post(path, json={"meta": meta})
                    assert (answer.status_code, path) == (404, path)
                    assert "no such contact" in body(answer)["errors"][0]["detail"]
    assert body(await decider.get(QUEUE))["data"] == [pair]
    order = {"meta": {"versions": versions(pair), "command_id": f"cmd_{'1' * 26}"}}
    for _ in "ab":  # who was absorbed is known still when the order comes again
        assert (await decider.post(f"{QUEUE}/{pair['id']}/approve", json=order)).status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b'{"meta": {"versions": {"con_1": 1}}}', 400),
        (b'{"meta": {"versions": {"con_1": 1, "con_2": 1}}}', 400),
        (b" " * 100_000, 413),
    ],
)
async def test_a_decision_has_to_say_what_was_seen(
    decider: httpx.AsyncClient, content: bytes, status: int
) -> None:
    pair = f"con_{'1' * 26}.con_{'2' * 26}"
    answer = await decider.post(f"{QUEUE}/{pair}/approve", content=content)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "meta"),
    [
        ("merge", {}),
        ("merge", {"survivor_id": ONE, "absorbed_id": OTHER}),
        ("merge", {"survivor_id": ONE, "absorbed_id": OTHER, "versions": {ONE: 1}}),
        ("merge", {"survivor_id": ONE, "absorbed_id": ONE, "versions": {ONE: 1}}),
        ("split", {"contact_id": ONE}),
        ("split", {"contact_id": ONE, "versions": {OTHER: 1}}),
        ("split", {"contact_id": ONE, "versions": {ONE: 1}, "record": "one"}),
        ("split", {"contact_id": ONE, "versions": {ONE: 1}, "records": []}),
        ("split", {"contact_id": ONE, "versions": {ONE: 1}, "records": [], "identifiers": []}),
        ("split", {"contact_id": ONE, "versions": {ONE: 1}, "records": ["0"], "merge_id": "m"}),
    ],
)
async def test_an_order_about_contacts_has_to_say_what_was_seen(
    decider: httpx.AsyncClient, path: str, meta: dict[str, Any]
) -> None:
    answer = await decider.post(f"/api/v1/resolution/{path}", json={"meta": meta})
    assert answer.status_code == 400
    assert "Send " in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ({"merge_id": "mrg_1"}, 422, "`merge_id`"),
        ({"records": ["x"]}, 422, "`records"),
        ({"identifiers": [{"type": "email"}]}, 422, "`identifiers"),
        ({}, 404, "no such contact"),
    ],
)
async def test_what_cannot_be_taken_apart_is_said_by_name(
    decider: httpx.AsyncClient, more: dict[str, Any], status: int, told: str
) -> None:
    meta = {"contact_id": ONE, "versions": {ONE: 1}, **more}
    answer = await decider.post("/api/v1/resolution/split", json={"meta": meta})
    assert answer.status_code == status
    assert told in answer.json()["errors"][0]["detail"]


async def test_a_split_may_name_a_thousand_records_and_identifiers(
    decider: httpx.AsyncClient,
) -> None:
    chosen = {
        "records": [f"{number:032x}" for number in range(1_000)],
        "identifiers": [
            {"type": "email", "value": f"ada.{number:04}.{'l' * 32}@analytical-engines.example"}
            for number in range(1_000)
        ],
    }
    meta = {"contact_id": ONE, "versions": {ONE: 1}, **chosen}
    answer = await decider.post("/api/v1/resolution/split", json={"meta": meta})
    assert answer.status_code == 404


async def test_who_may_only_read_decides_nothing(world: World) -> None:
    pair = f"con_{'1' * 26}.con_{'2' * 26}"
    order = {"meta": {"versions": dict.fromkeys(pair.split("."), 1)}}
    async with world.client() as client:
        answer = await client.post(f"{QUEUE}/{pair}/approve", json=order)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "query",
    ["filter[state]=lost", "filter[tier]=top", "filter[least_score]=2", "page[after]=WyJ4Il0"],
)
async def test_what_cannot_be_asked_is_refused(world: World, query: str) -> None:
    async with world.client() as client:
        assert (await client.get(f"{QUEUE}?{query}")).status_code == 400


async def test_nobody_there_is_not_found(decider: httpx.AsyncClient) -> None:
    pair = f"con_{'1' * 26}.con_{'2' * 26}"
    order = {"meta": {"versions": dict.fromkeys(pair.split("."), 1)}}
    assert (await decider.post(f"{QUEUE}/{pair}/approve", json=order)).status_code == 404
    assert (await decider.get(f"{QUEUE}/anything")).status_code == 404
    assert (await decider.get("/api/v1/contacts/%2e%2e/why")).status_code == 404
    for nobody in (f"{QUEUE}/%00.%00", "/api/v1/contacts/con_%00/how", "/api/v1/contacts/%00/why"):
        answer = await decider.get(nobody)
        assert answer.status_code == 404
        assert "There is no" in answer.json()["errors"][0]["detail"]
