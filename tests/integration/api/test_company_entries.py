"""What people say of companies over the api, in front of a real resolver."""

from datetime import UTC, datetime
from typing import Any

import httpx
import jsonschema
import pytest
from ulid import ULID

from shared.events.command import CreateCompany, MergeCompanies, SplitCompany
from shared.events.company import CompanyRecord
from tests.integration.api.test_review import decider, resolver
from tests.integration.resolver.conftest import Resolver
from tests.support.api import World, body
from tests.support.companies import telling

__all__ = ["decider", "resolver"]

COMPANIES = "/api/v1/companies"


def said(company: str | None = None, **attributes: Any) -> dict[str, object]:
    """Write a company as a body."""
    data: dict[str, object] = {"type": "companies", "attributes": attributes}
    return {"data": {**data, "id": company} if company else data}


async def test_a_company_from_its_making_through_its_changes(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    made = await decider.post(
        COMPANIES,
        json=said(name="Loomworks", domain="HTTPS://loom.io", city="Bonn", country="DE"),
    )
    assert made.status_code == 201, made.text
    company = body(made)["data"]["id"]
    assert made.headers["Location"] == f"{COMPANIES}/{company}"
    shown = body(made)["data"]
    assert (shown["attributes"]["domain"], shown["attributes"]["source"]) == (
        "loom.io",
        "manual_entry",
    )
    assert shown["meta"]["provenance"]["city"]["source"] == "manual_entry"
    await resolver.resolve(
        telling(
            resolver.a_signal("l1", email="ada@loom.io", source="apollo"),
            {"domain": "loom.io", "name": "Loom", "industry": "Looms", "employee_count": 9,
             "city": "Paris", "country": "FR"},
        )
    )  # fmt: skip
    path = f"{COMPANIES}/{company}"
    changed = await decider.patch(path, json=said(company, industry="Weaving", city="Köln"))
    attributes = body(changed)["data"]["attributes"]
    told = ("name", "industry", "employee_count", "city", "country", "size_range")
    assert [attributes[name] for name in told] == [
        "Loomworks", "Weaving", 9, "Köln", "DE", "1-10"
    ]  # fmt: skip
    again = await decider.patch(path, json=said(industry="Weaving"))
    assert again.json()["meta"]["outcome"] == "unchanged"
    assert body(again)["data"]["attributes"]["updated_at"] == attributes["updated_at"] is not None
    back = await decider.patch(path, json=said(industry=None, stock_symbol="lom"))
    attributes = body(back)["data"]["attributes"]
    assert (attributes["industry"], attributes["stock_symbol"]) == ("Looms", "LOM")
    version = attributes["version"]
    stale = await decider.patch(
        path, json=said(name="X"), headers={"If-Match": f'W/"{version - 1}"'}
    )
    assert stale.status_code == 412
    fresh = await decider.patch(
        path, json=said(domain="looms.io"), headers={"If-Match": back.headers["ETag"]}
    )
    assert body(fresh)["data"]["attributes"]["domain"] == "looms.io"
    rows = await world.admin.fetch(
        "SELECT o.primary_domain, o.version, (SELECT count(*) FROM contact.org_identifier i"
        " WHERE i.org_id = o.id AND i.identifier_type = 'domain') AS domains,"
        " (SELECT array_agg(sequence_number ORDER BY sequence_number)"
        "  FROM contact.organisation_event e WHERE e.entity_id = o.id) AS versions"
        " FROM contact.organisation o WHERE o.public_id = $1",
        company,
    )
    assert [tuple(row) for row in rows] == [
        ("looms.io", version + 1, 2, list(range(1, version + 2)))
    ]


async def test_what_another_is_known_by_makes_none(
    resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    first = body(await decider.post(COMPANIES, json=said(domain="taken.io")))["data"]["id"]
    taken = await decider.post(COMPANIES, json=said(name="Taken", website="https://taken.io/x"))
    assert taken.status_code == 409
    assert taken.json()["errors"][0]["meta"] == {"named": [first]}
    second = body(await decider.post(COMPANIES, json=said(name="Second")))["data"]["id"]
    conflict = await decider.patch(f"{COMPANIES}/{second}", json=said(domain="taken.io"))
    assert (conflict.status_code, conflict.json()["errors"][0]["meta"]["named"]) == (409, [first])
    namesake = await decider.post(COMPANIES, json=said(name="second"))
    assert namesake.status_code == 201
    assert body(namesake)["data"]["id"] != second


async def test_a_merged_company_keeps_its_own_domain(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    """It would have that of the one behind it still, once they are two again."""
    alpha, beta = [
        body(await decider.post(COMPANIES, json=said(name=name, domain=f"{name}.io")))["data"]["id"]
        for name in ("alpha", "beta")
    ]
    order = {
        "command_id": f"cmd_{ULID()}",
        "tenant": world.here.tenant,
        "workspace": world.here.workspace,
        "issued_at": datetime.now(UTC),
        "company_id": alpha,
    }
    merge = MergeCompanies.model_validate({**order, "absorbed_id": beta})
    assert (await resolver.store.judge_companies(merge, world.here)).outcome == "done"
    path = f"{COMPANIES}/{alpha}"
    refused = await decider.patch(path, json=said(domain="beta.io"))
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["meta"] == {"named": [beta]}
    assert (await decider.patch(path, json=said(domain="new.io"))).status_code == 200
    assert (await decider.patch(path, json=said(domain="alpha.io", city="Bonn"))).is_success
    split = SplitCompany.model_validate({**order, "command_id": f"cmd_{ULID()}"})
    assert (await resolver.store.judge_companies(split, world.here)).outcome == "done"
    rows = await world.admin.fetch(
        "SELECT primary_domain FROM contact.organisation WHERE public_id = ANY($1) ORDER BY id",
        [alpha, beta],
    )
    assert [row[0] for row in rows] == ["alpha.io", "beta.io"]


async def test_the_same_order_again_makes_no_second_company(
    world: World, resolver: Resolver
) -> None:
    order = CreateCompany(
        command_id=f"cmd_{ULID()}",
        tenant=world.here.tenant,
        workspace=world.here.workspace,
        issued_at=datetime.now(UTC),
        values=CompanyRecord(name="Once"),
    )
    first, again = [await resolver.store.enter_company(order, world.here) for _ in range(2)]
    assert (first.outcome, again.outcome) == ("done", "done")
    assert first.positions == again.positions


@pytest.mark.parametrize(
    ("attributes", "status", "pointer"),
    [
        ({}, 400, None),
        ({"nonsense": 1}, 422, "nonsense"),
        ({"employee_count": -1}, 422, "employee_count"),
        ({"employee_count": "many"}, 422, "employee_count"),
        ({"founded_year": 99999}, 422, "founded_year"),
        ({"name": "x" * 256}, 422, "name"),
        ({"name": "a\x00b"}, 422, "name"),
        ({"industry": "Looms"}, 422, None),
        ({"domain": "gmail.com"}, 422, None),
        ({"name": "A", "linkedin_url": "https://linkedin.com/in/ada"}, 422, None),
        ({"funding": [{"type": "seed", "currency": "euro"}]}, 422, "funding/0/currency"),
    ],
)
async def test_a_wrong_value_is_named(
    resolver: Resolver,
    decider: httpx.AsyncClient,
    attributes: dict[str, Any],
    status: int,
    pointer: str | None,
) -> None:
    answer = await decider.post(COMPANIES, json=said(**attributes))
    (error,) = answer.json()["errors"]
    assert answer.status_code == status
    if pointer:
        assert error["source"] == {"pointer": f"/data/attributes/{pointer}"}
    for name in attributes:
        if status == 422 and name not in ("industry", "name"):
            assert name in error["detail"]


async def test_what_cannot_be_changed_is_refused(
    world: World, resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    company = body(await decider.post(COMPANIES, json=said(name="Fixed", domain="fixed.io")))
    path = f"{COMPANIES}/{company['data']['id']}"
    assert (await decider.patch(path, json=said(domain=None))).status_code == 422
    assert (await decider.patch(path, json=said("cmp_" + "0" * 26, name="A"))).status_code == 400
    nobody = await decider.patch(f"{COMPANIES}/cmp_{'0' * 26}", json=said(name="A"))
    assert nobody.status_code == 404
    assert (await decider.patch(f"{COMPANIES}/con_1", json=said(name="A"))).status_code == 404
    odd = await decider.patch(path, json=said(name="A"), headers={"If-Match": "3"})
    assert odd.status_code == 400
    async with world.client() as reader:
        assert (await reader.post(COMPANIES, json=said(name="A"))).status_code == 403
    async with world.client(world.elsewhere) as stranger:
        assert (await stranger.patch(path, json=said(name="A"))).status_code in {403, 404}


async def test_answers_are_as_the_description_says(
    resolver: Resolver, decider: httpx.AsyncClient
) -> None:
    api = (await decider.get("/api/v1/openapi.json")).json()
    made = await decider.post(COMPANIES, json=said(name="Described", technologies=[{"name": "K"}]))
    operation = api["paths"][COMPANIES]["post"]
    schema = operation["responses"]["201"]["content"]["application/vnd.api+json"]["schema"]
    jsonschema.validate(made.json(), {**schema, "components": api["components"]})
    asked = operation["requestBody"]["content"]["application/vnd.api+json"]["schema"]
    jsonschema.validate(said(name="Described", employee_count=3), asked)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(said(nonsense=1), asked)
    company = body(made)["data"]["id"]
    path = f"{COMPANIES}/{company}"
    patch = api["paths"][f"{COMPANIES}/{{company_id}}"]["patch"]
    asked = patch["requestBody"]["content"]["application/vnd.api+json"]["schema"]
    attributes = asked["properties"]["data"]["properties"]["attributes"]["properties"]
    for name in attributes:
        answer = await decider.patch(path, json=said(**{name: None}))
        is_described = jsonschema.Draft202012Validator(asked).is_valid(said(**{name: None}))
        assert is_described == (answer.status_code == 200), (name, answer.text)
