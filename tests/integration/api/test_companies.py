"""Companies over HTTP: the list, one company, who works there, what happened and what was."""

from typing import Any

import pytest

from tests.support.api import World, body
from tests.support.companies import a_company, an_update
from tests.support.contacts import a_contact

COMPANIES = "/api/v1/companies"


async def listed(world: World, **asked: str) -> list[str]:
    """Return the names of the companies that a list has."""
    async with world.client() as client:
        answer = body(await client.get(COMPANIES, params=asked))
    return [one["attributes"]["name"] for one in answer["data"]]


async def test_a_company_is_shown_with_where_its_values_come_from(world: World) -> None:
    acme = a_company("acme.test", "Acme")
    technologies = [{"name": "Kafka", "category": "messaging", "source": "apollo"}]
    await world.happen_to_companies(
        acme,
        an_update(acme, industry="Engines", employee_count=120, city="Bonn"),
        an_update(acme, 3, industry="Looms", technologies=technologies),
    )
    async with world.client() as client:
        path = f"{COMPANIES}/{acme.company_id}"
        answer = await client.get(path)
        shown = body(answer)["data"]
        assert (shown["type"], shown["id"]) == ("companies", acme.company_id)
        assert (shown["attributes"]["industry"], shown["attributes"]["city"]) == ("Looms", None)
        assert shown["attributes"]["technologies"] == technologies
        assert shown["meta"]["provenance"]["industry"]["source"] == "apollo"
        same = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == 304
        some = body(await client.get(path, params={"fields[companies]": "name"}))
        assert some["data"]["attributes"] == {"name": "Acme"}
        history = body(await client.get(f"{path}/history"))["data"]
        assert [one["attributes"]["what"] for one in history] == [
            "CompanyUpdated",
            "CompanyUpdated",
            "CompanyCreated",
        ]
        assert history[1]["attributes"]["changes"][0]["source"] == "apollo"
        page = body(await client.get(f"{path}/history", params={"page[size]": "2"}))
        rest = body(await client.get(page["links"]["next"]))
        back = body(await client.get(rest["links"]["prev"]))
        ids = [[row["id"] for row in one["data"]] for one in (page, rest, back)]
        assert ids == [
            [row["id"] for row in few] for few in (history[:2], history[2:], history[:2])
        ]
        at = history[1]["attributes"]["recorded_at"]
        was = body(await client.get(f"{path}/history", params={"at": at}))
        assert (was["meta"]["version"], was["data"]["attributes"]["city"]) == (2, "Bonn")
        early = await client.get(f"{path}/history", params={"at": "2001-01-01"})
        assert early.status_code == 404
    async with world.client(world.elsewhere) as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.get(f"{path}/history")).status_code == 404
    async with world.client(world.beside) as client:
        assert (await client.get(path)).status_code == 200


async def test_companies_are_filtered_sorted_and_paged(world: World) -> None:
    told: list[tuple[str, dict[str, Any]]] = [
        ("a.test", {"name": "Alpha", "industry": "Engines", "employee_count": 10, "country": "DE"}),
        ("b.test", {"name": "beta", "industry": "Looms", "employee_count": 900, "country": "FR"}),
        ("c.test", {"name": "Gamma", "size_range": "11-50", "latest_funding_stage": "seed",
                    "technologies": [{"name": "Kafka", "source": "apollo"}]}),
    ]  # fmt: skip
    for domain, said in told:
        company = a_company(domain)
        await world.happen_to_companies(company, an_update(company, **said))
    assert await listed(world) == ["Gamma", "beta", "Alpha"]
    assert await listed(world, sort="name") == ["Alpha", "beta", "Gamma"]
    for asked, names in (
        ({"filter[name]": "ET"}, ["beta"]),
        ({"filter[domain]": "A.test"}, ["Alpha"]),
        ({"filter[industry]": "engines"}, ["Alpha"]),
        ({"filter[country]": "fr"}, ["beta"]),
        ({"filter[min_employees]": "100"}, ["beta"]),
        ({"filter[max_employees]": "100"}, ["Alpha"]),
        ({"filter[size_range]": "11-50,51-200"}, ["Gamma"]),
        ({"filter[funding_stage]": "seed"}, ["Gamma"]),
        ({"filter[technology]": "KAFKA"}, ["Gamma"]),
        ({"q": "gam"}, ["Gamma"]),
    ):
        assert await listed(world, **asked) == names, asked
    async with world.client() as client:
        first = body(await client.get(COMPANIES, params={"sort": "-name", "page[size]": "2"}))
        second = body(await client.get(first["links"]["next"]))
        names = [one["attributes"]["name"] for one in first["data"] + second["data"]]
        assert names == ["Gamma", "beta", "Alpha"]
        back = body(await client.get(second["links"]["prev"]))
        assert [one["attributes"]["name"] for one in back["data"]] == ["Gamma", "beta"]


async def test_who_works_there_and_where_a_merged_company_leads(world: World) -> None:
    acme, bolt = a_company("acme.test"), a_company("bolt.test")
    ada = a_contact(world.here, fields={"company_id": acme.company_id})
    bob = a_contact(world.here, fields={"company_id": bolt.company_id})
    await world.happen(ada, bob, a_contact(world.here))
    await world.happen_to_companies(acme, bolt, an_update(bolt, survivor=acme.company_id))
    assert await listed(world) == ["acme.test"]
    async with world.client() as client:
        there = body(await client.get(f"{COMPANIES}/{acme.company_id}/contacts"))
        assert {one["id"] for one in there["data"]} == {ada.contact_id, bob.contact_id}
        for tail in ("", "/contacts"):
            moved = await client.get(f"{COMPANIES}/{bolt.company_id}{tail}")
            assert moved.status_code == 308
            assert moved.headers["location"] == f"{COMPANIES}/{acme.company_id}{tail}"


@pytest.mark.parametrize(
    ("tail", "parameters", "status"),
    [
        ("", {"sort": "industry"}, 400),
        ("", {"sort": "name,id"}, 400),
        ("", {"filter[min_employees]": "-1"}, 400),
        ("", {"filter[max_employees]": "9" * 11}, 400),
        ("", {"filter[funding_stage]": "x"}, 400),
        ("", {"fields[companies]": "secrets"}, 400),
        ("", {"filter[x]": "1"}, 400),
        ("/cmp_1", {}, 404),
        ("/con_00000000000000000000000000", {}, 404),
        ("/cmp_00000000000000000000000000", {}, 404),
        ("/cmp_00000000000000000000000000/contacts", {}, 404),
        ("/cmp_00000000000000000000000000/history", {"at": "soon"}, 400),
        ("/cmp_00000000000000000000000000/contacts", {"filter[company_id]": "x"}, 400),
    ],
)
async def test_what_cannot_be_is_refused(
    world: World, tail: str, parameters: dict[str, str], status: int
) -> None:
    async with world.client() as client:
        assert (await client.get(f"{COMPANIES}{tail}", params=parameters)).status_code == status
