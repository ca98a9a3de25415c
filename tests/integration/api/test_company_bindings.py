"""What a workspace keeps of companies, over the api, in front of a real resolver."""

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import JsonValue
from ulid import ULID

from shared.events.command import MergeCompanies, SplitCompany
from tests.integration.api.test_fields import FIELDS
from tests.integration.api.test_fields import said as defining
from tests.integration.api.test_review import decider, resolver
from tests.integration.resolver.conftest import Resolver
from tests.support.api import World, body
from tests.support.companies import a_company

__all__ = ["decider", "resolver"]


def said(**attributes: object) -> dict[str, object]:
    """Write what is to be kept as a body."""
    return {"data": {"type": "company_bindings", "attributes": attributes}}


async def a_path(world: World, domain: str) -> tuple[str, str]:
    """Let a company be; return its id and where its binding is."""
    company = a_company(domain)
    await world.happen_to_companies(company)
    return company.company_id, f"/api/v1/companies/{company.company_id}/binding"


async def kept(client: httpx.AsyncClient, path: str) -> tuple[object, ...]:
    attributes = body(await client.get(path))["data"]["attributes"]
    return attributes["labels"], attributes["notes"], attributes["custom_fields"]


async def test_a_workspace_keeps_for_itself_what_it_says_of_a_company(
    world: World, decider: httpx.AsyncClient
) -> None:
    tier = defining(entity="company", key="tier", type="select", options=["gold", "tin"])
    made = await decider.post(FIELDS, json=tier)
    assert made.status_code == 201, made.text
    assert body(made)["data"]["attributes"]["entity"] == "company"
    of_contacts = await decider.post(FIELDS, json=defining(key="tier", type="number"))
    assert of_contacts.status_code == 201, of_contacts.text
    company, path = await a_path(world, "kept.test")
    assert await kept(decider, path) == ([], None, {})
    wanted = said(labels=["Partner", " Key "], notes="Ask Ada", custom_fields={"tier": "GOLD"})
    changed = await decider.patch(path, json=wanted)
    assert changed.status_code == 200, changed.text
    assert body(changed)["data"]["attributes"]["updated_at"] is not None
    assert await kept(decider, path) == (["Partner", "Key"], "Ask Ada", {"tier": "gold"})
    await decider.patch(path, json=said(notes=None, custom_fields={}))
    assert await kept(decider, path) == (["Partner", "Key"], None, {"tier": "gold"})
    for place in (world.beside, world.elsewhere):
        async with world.client(place) as theirs:
            answer = await theirs.get(path)
            if place is world.beside:
                assert body(answer)["data"]["attributes"]["labels"] == []
            else:
                assert answer.status_code == 404
    field = f"{FIELDS}/{body(made)['data']['id']}"
    lost = await decider.patch(
        field, json=defining(body(made)["data"]["id"], options=["tin"], type="select")
    )
    assert lost.status_code == 409
    (why,) = lost.json()["errors"]
    assert why["meta"]["named"] == [company]
    assert why["detail"].startswith("Companies have values")
    rows = await world.admin.fetch(
        "SELECT b.data_owner::text, a.field_name, a.old_value, a.new_value"
        " FROM contact.org_bindings AS b JOIN contact.organisation AS o ON o.id = b.org_id"
        " JOIN contact.contact_field_audit AS a ON a.entity_type = 'org_binding'"
        " AND a.entity_id = b.id WHERE o.public_id = $1 ORDER BY a.id",
        company,
    )
    assert [tuple(row) for row in rows] == [
        ("user", "labels", "[]", '["Partner","Key"]'),
        ("user", "notes", None, "Ask Ada"),
        ("user", "custom_fields.tier", None, "gold"),
        ("user", "notes", "Ask Ada", None),
    ]


@pytest.mark.parametrize(
    ("attributes", "status", "detail"),
    [
        ({}, 400, "Send"),
        ({"labels": ["x" * 256]}, 400, "Send"),
        ({"labels": [f"l{n}" for n in range(51)]}, 422, "at most 50"),
        ({"labels": [f"l{n}" for n in range(1001)]}, 400, "Send"),
        ({"notes": "a\0b"}, 400, "Send"),
        ({"colour": "red"}, 400, "Send"),
        ({"labels": ["\u200b "]}, 422, "blank"),
        ({"custom_fields": {"nowhere": 1}}, 422, "define it first"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_nothing_is_done(
    world: World, decider: httpx.AsyncClient, attributes: dict[str, JsonValue], status: int,
    detail: str,
) -> None:  # fmt: skip
    _, path = await a_path(world, "bad.test")
    refused = await decider.patch(path, json=said(**attributes))
    assert refused.status_code == status, refused.text
    assert detail in refused.json()["errors"][0]["detail"]
    assert await kept(decider, path) == ([], None, {})
    unknown = f"/api/v1/companies/cmp_{'0' * 26}/binding"
    assert (await decider.patch(unknown, json=said(labels=["x"]))).status_code == 404


async def test_what_is_kept_shows_while_companies_are_one_and_comes_apart_with_them(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    (alpha, path), (beta, other) = await a_path(world, "alpha.test"), await a_path(world, "b.test")
    await decider.patch(path, json=said(labels=["Ours"], notes="first"))
    await decider.patch(other, json=said(labels=["Theirs", "Old"], notes="second"))
    order = {
        "command_id": f"cmd_{ULID()}",
        "tenant": world.here.tenant,
        "workspace": world.here.workspace,
        "issued_at": datetime.now(UTC),
        "company_id": alpha,
    }
    merge = MergeCompanies.model_validate({**order, "absorbed_id": beta})
    assert (await resolver.store.judge_companies(merge, world.here)).outcome == "done"
    assert await kept(decider, path) == (["Ours", "Theirs", "Old"], "first", {})
    taken_off = said(labels=["Ours", "Theirs", "New"], notes=None)
    changed = await decider.patch(other, json=taken_off)  # the absorbed id stands for its survivor
    assert changed.status_code == 200, changed.text
    assert await kept(decider, path) == (["Ours", "Theirs", "New"], None, {})
    gamma, top = await a_path(world, "c.test")
    over = {**order, "command_id": f"cmd_{ULID()}", "company_id": gamma, "absorbed_id": alpha}
    answer = await resolver.store.judge_companies(MergeCompanies.model_validate(over), world.here)
    assert answer.outcome == "done"
    # What was taken off of Beta stays off, also where who took Alpha up said nothing yet.
    assert await kept(decider, top) == (["Ours", "Theirs", "New"], None, {})
    await decider.patch(top, json=said(labels=["New", "Top", "Theirs"]))
    assert await kept(decider, top) == (["New", "Top", "Theirs"], None, {})
    off = {**order, "command_id": f"cmd_{ULID()}", "company_id": gamma}
    answer = await resolver.store.judge_companies(SplitCompany.model_validate(off), world.here)
    assert answer.outcome == "done"
    assert await kept(decider, top) == (["Top"], None, {})
    assert await kept(decider, path) == (["Ours", "Theirs", "New"], None, {})
    split = SplitCompany.model_validate({**order, "command_id": f"cmd_{ULID()}"})
    assert (await resolver.store.judge_companies(split, world.here)).outcome == "done"
    assert await kept(decider, path) == (["Ours", "New"], None, {})
    assert await kept(decider, other) == (["Theirs", "Old"], "second", {})
