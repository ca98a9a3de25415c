"""Custom fields over the api: defined, filled in, shown and found by their types, exported."""

import csv
import io

import httpx
import jsonschema
import pytest
from pydantic import JsonValue

from shared.events.contact import BindingChanged
from tests.integration.api.test_marks import contacts
from tests.integration.api.test_review import decider, resolver
from tests.support.api import World, body
from tests.support.contacts import NOW, a_contact

__all__ = ["contacts", "decider", "resolver"]

FIELDS, CONTACTS = "/api/v1/custom-fields", "/api/v1/contacts"
DEFINED = {FIELDS, f"{FIELDS}/{{field_id}}"}
"""Paths whose answers the resolver knows."""


def said(field: str | None = None, /, **attributes: object) -> dict[str, object]:
    """Write a custom field as a body."""
    data: dict[str, object] = {"type": "custom_fields", "attributes": attributes}
    return {"data": {**data, "id": field} if field else data}


def filled(contact: str, **values: JsonValue) -> dict[str, object]:
    """Write values of a contact as a body."""
    attributes = {"custom_fields": values}
    return {"data": {"type": "contacts", "id": contact, "attributes": attributes}}


async def having(world: World, first_name: str, **values: JsonValue) -> str:
    """Let a contact be in the read model, with custom fields as sources said them."""
    event = a_contact(world.here, fields={"first_name": first_name})
    kept = BindingChanged(
        contact_id=event.contact_id,
        version=2,
        occurred_at=NOW,
        cause="test",
        workspace=world.here.workspace,
        custom_fields=values,
    )
    await world.happen(event, kept)
    return event.contact_id


async def test_a_field_from_its_definition_to_its_archive(
    decider: httpx.AsyncClient, contacts: list[str]
) -> None:
    made = await decider.post(
        FIELDS, json=said(key="size", label="T-shirt", type="select", options=["S", "M"])
    )
    assert made.status_code == 201, made.text
    field = body(made)["data"]
    path = f"{FIELDS}/{field['id']}"
    assert made.headers["Location"] == path
    changed = await decider.patch(path, json=said(field["id"], options=["S", "M", "L"]))
    shown = await decider.get(path)
    assert body(changed)["data"] == body(shown)["data"]
    assert body(shown)["data"]["attributes"]["options"] == ["S", "M", "L"]
    done = await decider.patch(f"{CONTACTS}/{contacts[0]}", json=filled(contacts[0], size="l"))
    assert done.json()["meta"]["versions"].keys() == {contacts[0]}
    openapi = (await decider.get("/api/v1/openapi.json")).json()
    for described, method, answer in (
        (FIELDS, "post", made),
        (FIELDS, "get", await decider.get(FIELDS)),
        (f"{FIELDS}/{{field_id}}", "get", shown),
        (f"{FIELDS}/{{field_id}}", "patch", changed),
        (f"{CONTACTS}/{{contact_id}}", "patch", done),
    ):
        told = openapi["paths"][described][method]["responses"][str(answer.status_code)]
        schema = told["content"]["application/vnd.api+json"]["schema"]
        jsonschema.validate(answer.json(), {**schema, "components": openapi["components"]})
    await decider.patch(path, json=said(field["id"], is_archived=True))
    listed = body(await decider.get(FIELDS))["data"]
    assert [one["attributes"]["is_archived"] for one in listed] == [True]
    refused = await decider.patch(f"{CONTACTS}/{contacts[0]}", json=filled(contacts[0], size="S"))
    assert refused.status_code == 422
    restored = await decider.patch(path, json=said(field["id"], is_archived=False))
    assert body(restored)["data"]["attributes"]["is_archived"] is False


async def test_every_wrong_value_is_pointed_at(
    decider: httpx.AsyncClient, contacts: list[str]
) -> None:
    await decider.post(FIELDS, json=said(key="a/b", type="number"))
    wrong: dict[str, JsonValue] = {"a/b": "much", "none": 1}
    refused = await decider.patch(f"{CONTACTS}/{contacts[0]}", json=filled(contacts[0], **wrong))
    errors = body(refused)["errors"]
    assert refused.status_code == 422
    assert [one["source"]["pointer"] for one in errors] == [
        "/data/attributes/custom_fields/a~1b",
        "/data/attributes/custom_fields/none",
    ]
    assert "must be a number, like 42" in errors[0]["detail"]
    assert "much" not in refused.text
    lacking = await decider.post(FIELDS, json=said(key="c", type="select"))
    assert body(lacking)["errors"][0]["source"]["pointer"] == "/data/attributes/options"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        '{"data": {"type": "custom_fields", "attributes": {"key": "a"}}}',
        '{"data": {"type": "custom_fields", "attributes": {"key": "a", "type": "colour"}}}',
        '{"data": {"type": "custom_fields", "attributes": {"key": "a", "type": "text", "x": 1}}}',
        '{"data": {"type": "tags", "attributes": {"key": "a", "type": "text"}}}',
    ],
)
async def test_a_body_that_is_none_is_refused(decider: httpx.AsyncClient, wrong: str) -> None:
    answer = await decider.post(FIELDS, content=wrong)
    assert answer.status_code == 400
    assert '"custom_fields"' in answer.json()["errors"][0]["detail"]


async def test_values_are_shown_and_found_by_their_types(
    world: World, decider: httpx.AsyncClient
) -> None:
    """What does not fit is shown as it came, with what would be right; no filter finds it."""
    sizes = ["S", "M"]
    for field in (
        said(key="shoe", type="number"),
        said(key="size", type="multi_select", options=sizes),
        said(key="vip", type="boolean"),
        said(key="since", type="date"),
    ):
        assert (await decider.post(FIELDS, json=field)).status_code == 201
    ada = await having(world, "Ada", shoe="38", size="s;m", vip="yes", since="2020-01-01", own="x")
    bob = await having(world, "Bob", shoe=45, size=["XL"], since="last year")
    await having(world, "Cleo")
    shown = body(await decider.get(f"{CONTACTS}/{ada}"))["data"]["attributes"]["custom_fields"]
    assert shown == {
        "shoe": 38,
        "size": ["S", "M"],
        "vip": True,
        "since": "2020-01-01",
        "own": "x",
    }
    marked = body(await decider.get(f"{CONTACTS}/{bob}"))["data"]
    assert marked["attributes"]["custom_fields"]["since"] == "last year"
    assert marked["meta"]["custom_fields"].keys() == {"size", "since"}
    for query, found in (
        ("filter[custom.shoe]=38", {"Ada"}),
        ("filter[custom.shoe][gte]=38&filter[custom.shoe][lt]=46", {"Ada", "Bob"}),
        ("filter[custom.shoe][in]=1,45.0", {"Bob"}),
        ("filter[custom.size]=m", {"Ada"}),
        ("filter[custom.vip]=true", {"Ada"}),
        ("filter[custom.vip][neq]=true", {"Bob", "Cleo"}),
        ("filter[custom.since][exists]=true", {"Ada"}),
        ("filter[custom.since][lt]=2020-01-02&sort=first_name", {"Ada"}),
    ):
        page = body(await decider.get(f"{CONTACTS}?{query}"))
        assert {one["attributes"]["first_name"] for one in page["data"]} == found, query
    exported = await decider.get(f"{CONTACTS}/export?filter[custom.shoe]=45")
    [row] = csv.DictReader(io.StringIO(exported.text.lstrip("\ufeff")))
    assert row["Custom: shoe"] == "45"
    assert row["Custom: vip"] == ""  # a field that is defined has its column
    for query, right in (
        ("filter[custom.none]=1", "no custom field"),
        ("filter[custom.shoe]=big", "must be a number"),
        ("filter[custom.vip][gte]=true", "must be one of eq, neq, exists"),
        ("filter[custom.]=1", "filter[custom.KEY]"),
    ):
        refused = await decider.get(f"{CONTACTS}?{query}")
        assert refused.status_code == 400
        assert right in body(refused)["errors"][0]["detail"], query


async def test_a_number_that_json_cannot_hold_stays_as_it_came(
    world: World, decider: httpx.AsyncClient, contacts: list[str]
) -> None:
    """And makes no list unreadable; a person is told what would be right."""
    assert (await decider.post(FIELDS, json=said(key="ref", type="number"))).status_code == 201
    long = "12345678901234567890123"
    ada = await having(world, "Ada", ref=long)
    bob = await having(world, "Bob", ref=int(long))
    listed = body(await decider.get(CONTACTS))["data"]
    [row] = [each for each in listed if each["id"] == ada]
    for one in (row, body(await decider.get(f"{CONTACTS}/{ada}"))["data"]):
        assert one["attributes"]["custom_fields"] == {"ref": long}
        assert "type text" in one["meta"]["custom_fields"]["ref"]
    shown = body(await decider.get(f"{CONTACTS}/{bob}"))["data"]
    assert "type text" in shown["meta"]["custom_fields"]["ref"]
    refused = await decider.patch(f"{CONTACTS}/{contacts[0]}", json=filled(contacts[0], ref=long))
    assert refused.status_code == 422
    assert "at most 15 digits" in body(refused)["errors"][0]["detail"]


async def test_no_other_workspace_sees_or_filters_by_a_field(
    world: World, decider: httpx.AsyncClient
) -> None:
    field = body(await decider.post(FIELDS, json=said(key="secret", type="text")))["data"]["id"]
    for place in (world.beside, world.elsewhere):
        async with world.client(place) as client:
            assert (await client.get(f"{FIELDS}/{field}")).status_code == 404
            assert body(await client.get(FIELDS))["data"] == []
            assert (await client.get(f"{CONTACTS}?filter[custom.secret]=x")).status_code == 400
            assert (await client.post(FIELDS, json=said(key="a", type="text"))).status_code == 403
