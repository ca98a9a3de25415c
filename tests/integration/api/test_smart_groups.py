"""Smart groups over the api: what they ask is answered by one statement, and exactly so."""

from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.api.domain.listing import STATUSES, Filters
from services.api.store import Store
from services.api.store.conditions import EXPRESSIONS
from shared.events.contact import BindingChanged, VisibleField
from shared.events.custom_field import CustomField
from shared.events.group_query import (
    FIELDS,
    LISTING,
    MAX_CONDITIONS,
    OPS,
    Op,
    read_condition,
    read_query,
)
from shared.events.signal import Identifier
from tests.integration.api.test_marks import GROUPS, said
from tests.integration.api.test_review import decider, resolver
from tests.support.api import World, body
from tests.support.asking import answers
from tests.support.contacts import NOW, a_contact

__all__ = ["decider", "resolver"]

CUSTOM = {
    "note": CustomField("note", "text"),
    "shoe": CustomField("shoe", "number"),
    "sum": CustomField("sum", "currency"),
    "vip": CustomField("vip", "boolean"),
    "since": CustomField("since", "date"),
    "met at": CustomField("met at", "datetime"),
    "size": CustomField("size", "select", ("S", "M", "ÖL")),
    "likes": CustomField("likes", "multi_select", ("Tea", "Milk")),
    "page": CustomField("page", "url"),
    "mail": CustomField("mail", "email"),
    "line": CustomField("line", "phone"),
}
RAW: dict[str, list[Any]] = {
    "note": ["Blue", "blue moon", "50%_", 5, " ", "x" * 256, ["Blue"]],
    "shoe": [38, "38.0", 38.5, "1e3", "big", True, -3, 1e22, "0" * 30],
    "sum": [
        "12345678901234567890123",
        "12345678901234567.89",
        str(2**53),
        2**53 - 1,
        0.1 + 0.2,
        5e-324,
    ],
    "vip": [True, "no", "YES", 1, 0, 2, "maybe"],
    "since": ["2020-01-01", "2020-02-30", "1.1.2020", "0001-01-01", 2020],
    "met at": [
        "2020-01-01T12:00:00Z",
        "2020-01-01T13:00:00+01:00",
        "2020-01-01T12:00",
        "never",
        "2999-12-31T23:00:00-05:00",
    ],
    "size": ["s", "M", "öl", "XL", " m ", 5],
    "likes": [["Tea"], "tea; MILK", ["Tea", "Beer"], [], "Milk;", [["Tea"]], [None], {"a": 1}],
    "page": ["https://a.example/x", "HTTP://A.EXAMPLE/X", "a.example", "https://a b"],
    "mail": ["Ada@A.example", "ada@a", "bob@a.example"],
    "line": ["+49 30 1234567", "(030) 12345", "+4930-1234567"],
}
"""Values as sources bring them: what fits, what does not, and what looks as if it did."""
ASKED: dict[str, list[Any]] = {
    "custom.note": ["blue", "%", "5"],
    "custom.shoe": [38, "38.50", -3, 1e22],
    "custom.sum": ["12345678901234567890123", 2**53, 0, 0.1 + 0.2],
    "custom.vip": [True, False],
    "custom.since": ["2020-01-01", "2019-12-31"],
    "custom.met at": ["2020-01-01T12:00:00Z", "2020-01-01", "2999-12-31T23:59:59Z"],
    "custom.size": ["S", "m", "Öl"],
    "custom.likes": ["Tea", "milk"],
    "custom.page": ["https://a.example/x", "a.ex"],
    "custom.mail": ["ada@a.example", "bob"],
    "custom.line": ["+49301234567", "1234"],
    "first_name": ["ada", "ÉMILE", "a", "b%"],
    "city": ["paris", "par", "s"],
    "company_name": ["Acme", "%"],
    "job_title": ["CTO", "t"],
    "seniority": ["cxo", "vp"],
    "departments": ["engineering", "sales"],
    "timezone": ["Asia/Tokyo", "UTC"],
    "birthday": ["1990-01-01", "--"],
    "email": ["ADA@acme.test", "@acme.test", "x"],
    "phone": ["+4930", "1"],
    "status": ["active", "archived"],
    "lead_status": ["new", "lost"],
    "lead_source": ["hubspot_crm", "csv_upload"],
    "import_source": ["crm-direct"],
    "company_id": ["cmp_" + "1" * 26],
    "tag": ["VIP", "vip", 'O\'Neil "x"'],
    "group": ["grp_" + "1" * 26],
    "created_at": ["2026-01-01T12:05:00Z", "2026-01-01"],
    "last_activity_at": ["2026-01-01"],
    "engagement_score": [0, 0.5],
}


def conditions(field: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw conditions on a field."""
    values = st.sampled_from(ASKED[field])

    def asked(op: Op) -> st.SearchStrategy[dict[str, Any]]:
        said: dict[str, st.SearchStrategy[Any]] = {"field": st.just(field), "op": st.just(op)}
        if op in LISTING:
            said["values"] = st.lists(values, min_size=1, max_size=3)
        else:
            said["value"] = st.booleans() if op == "exists" else values
        return st.fixed_dictionaries(said)

    return st.sampled_from(OPS[read_condition(field, "exists", True, CUSTOM).kind]).flatmap(asked)


filters = st.sampled_from(sorted(ASKED)).flatmap(conditions)
queries = st.recursive(
    filters,
    lambda inner: st.fixed_dictionaries(
        {
            "filters": st.lists(inner, min_size=1, max_size=3),
            "logic": st.sampled_from(["AND", "OR"]),
        }
    ),
    max_leaves=6,
).map(lambda one: one if "filters" in one else {"filters": [one]})


class Crowd:
    """Contacts of a workspace, in the read model and as rows of fields."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: dict[str, dict[str, Any]] = {}

    async def add(self, number: int) -> None:
        """Let one more contact be, of whom every value is another than its neighbour's."""

        def each(values: list[Any]) -> Any:
            return values[number % len(values)]

        fields = {
            "first_name": each(["Ada", "Émile", "bob%", None]),
            "city": each(["Paris", "paris sud", None]),
            "company_name": each(["ACME", None, "100% Acme"]),
            "job_title": each([None, "cto"]),
            "birthday": each(["1990-01-01", "--01-01", None, None, None]),
            "timezone": each([None, "Asia/Tokyo", None]),
        }
        emails = [f"Ada{number}@acme.test", "ada@acme.test"][: number % 3]
        labels = each([["VIP"], [], ['O\'Neil "x"', "vip"]])
        groups = each([[], ["grp_" + "1" * 26]])
        custom = {key: each(values) for key, values in RAW.items() if (number + len(key)) % 4}
        event = a_contact(
            self.world.here,
            fields=cast("dict[VisibleField, str]", {k: v for k, v in fields.items() if v}),
            source=each(["hubspot_crm", "csv_upload"]),
            identifiers=tuple(Identifier(type="email", value=one) for one in emails),
            occurred_at=NOW + timedelta(minutes=number),
        )
        kept = BindingChanged(
            contact_id=event.contact_id,
            version=2,
            occurred_at=NOW,
            cause="test",
            workspace=self.world.here.workspace,
            labels=tuple(labels),
            groups=tuple(groups),
            custom_fields=custom,
        )
        await self.world.happen(event, kept)
        self.rows[event.contact_id] = {
            **fields,
            "seniority": "cxo" if fields["job_title"] else None,
            "departments": ["engineering", "information_technology"] if fields["job_title"] else [],
            "email": emails,
            "status": "active",
            "lead_status": "new",
            "lead_source": event.source,
            "tag": labels,
            "group": groups,
            "created_at": event.occurred_at,
            "custom_fields": custom,
        }


@pytest.fixture
async def crowd(world: World) -> Crowd:
    crowd = Crowd(world)
    for number in range(40):
        await crowd.add(number)
    return crowd


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=queries)
async def test_the_statement_answers_as_every_row_does(crowd: Crowd, said: dict[str, Any]) -> None:
    query = read_query(said, CUSTOM)
    store: Store = crowd.world.http.state.store
    asked = Filters(statuses=STATUSES, query=query)
    found = {row.id for row, _ in await store.find_all(crowd.world.here, asked, None, None)}
    assert found == {name for name, row in crowd.rows.items() if answers(query, row)}
    assert await store.count(crowd.world.here, asked, None) == len(found)


def test_every_field_can_be_asked_for() -> None:
    assert EXPRESSIONS.keys() == FIELDS.keys()


async def test_a_smart_group_from_its_making_to_its_members(
    world: World, decider: httpx.AsyncClient
) -> None:
    for first_name, city in (("Ada", "Paris"), ("Bob", "Rome"), ("Cleo", "paris")):
        await world.happen(a_contact(world.here, fields={"first_name": first_name, "city": city}))
    asked = {"filters": [{"field": "city", "op": "eq", "value": "Paris"}], "logic": "AND"}
    made = await decider.post(GROUPS, json=said("groups", name="Parisians", query_def=asked))
    assert made.status_code == 201, made.text
    group = body(made)["data"]
    assert group["attributes"]["is_smart"] is True
    assert group["attributes"]["query_def"] == asked
    path = f"{GROUPS}/{group['id']}"

    async def names(url: str) -> list[str]:
        page = body(await decider.get(url))
        return [one["attributes"]["first_name"] for one in page["data"]]

    assert await names(f"{path}/members?sort=first_name") == ["Ada", "Cleo"]
    assert await names(f"{path}/members?page[size]=1&sort=-first_name") == ["Cleo"]
    assert await names(f"/api/v1/contacts?group_id={group['id']}&sort=first_name") == [
        "Ada",
        "Cleo",
    ]
    exported = await decider.get(f"/api/v1/contacts/export?format=csv&filter[group]={group['id']}")
    assert exported.headers["Kith-Total"] == "2"
    await world.happen(a_contact(world.here, fields={"first_name": "Dan", "city": "PARIS"}))
    assert await names(f"{path}/members?sort=first_name") == ["Ada", "Cleo", "Dan"]
    elsewhere = {"filters": [{"field": "city", "op": "neq", "value": "Paris"}]}
    changed = await decider.patch(path, json=said("groups", group["id"], query_def=elsewhere))
    assert body(changed)["data"]["attributes"]["query_def"] == elsewhere
    assert await names(f"{path}/members") == ["Bob"]
    put_away = {"filters": [{"field": "status", "op": "eq", "value": "archived"}]}
    await world.happen(a_contact(world.here, fields={"first_name": "Eve"}, status="archived"))
    await decider.patch(path, json=said("groups", group["id"], query_def=put_away))
    assert await names(f"{path}/members") == ["Eve"]
    assert await names(f"{path}/members?status=active") == []
    await world.happen(a_contact(world.here, fields={"first_name": "Gone"}, status="merged"))
    living: dict[str, Any] = {"field": "status", "op": "neq", "value": "archived"}
    await decider.patch(path, json=said("groups", group["id"], query_def={"filters": [living]}))
    assert await names(f"{path}/members?sort=first_name") == ["Ada", "Bob", "Cleo", "Dan"]
    lively = [
        {"field": "engagement_score", "op": "lt", "value": 0.5},
        {"field": "intelligence_score", "op": "gte", "value": 0.5},
    ]
    asked = {"filters": lively, "logic": "OR"}
    await decider.patch(path, json=said("groups", group["id"], query_def=asked))
    assert await names(f"{path}/members") == []
    linkage = {"data": [{"type": "contacts", "id": "con_" + "0" * 26}]}
    refused = await decider.post(f"{path}/members", json=linkage)
    assert refused.status_code == 409
    assert "query_def" in body(refused)["errors"][0]["detail"]
    async with world.client(world.beside) as client:
        assert (await client.get(f"{path}/members")).status_code == 404


async def test_a_query_that_takes_too_long_is_refused(
    world: World, decider: httpx.AsyncClient, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not answered as if the database were gone, which clients try again."""
    monkeypatch.setattr("services.api.store.store.QUERY_MS", 1)
    heavy = [
        {"field": "intelligence_score", "op": "lt", "value": n / MAX_CONDITIONS}
        for n in range(MAX_CONDITIONS)
    ]
    asked = {"filters": heavy, "logic": "OR"}
    made = await decider.post(GROUPS, json=said("groups", name="Heavy", query_def=asked))
    path = f"{GROUPS}/{body(made)['data']['id']}/members"
    refused = await decider.get(path)
    assert refused.status_code == 400
    [error] = body(refused)["errors"]
    assert error["code"] == "query_too_heavy"
    assert "fewer conditions" in error["detail"]
    assert (await decider.get("/api/v1/contacts")).status_code == 200  # nobody asks for a query
    monkeypatch.setattr("services.api.store.store.QUERY_MS", 60_000)
    assert (await decider.get(path)).status_code == 200


async def test_a_query_that_cannot_be_read_is_pointed_at(decider: httpx.AsyncClient) -> None:
    wrong = {"filters": [{"filters": [{"field": "city", "op": "gte", "value": "a"}]}]}
    refused = await decider.post(GROUPS, json=said("groups", name="Wrong", query_def=wrong))
    [error] = body(refused)["errors"]
    assert refused.status_code == 422
    assert error["source"]["pointer"] == ("/data/attributes/query_def/filters/0/filters/0/op")
    assert "must be one of eq, neq, in" in error["detail"]


async def test_tags_and_manual_groups_list_who_has_them(
    world: World, decider: httpx.AsyncClient
) -> None:
    tag = body(await decider.post("/api/v1/tags", json=said("tags", name="VIP")))["data"]["id"]
    group = body(await decider.post(GROUPS, json=said("groups", name="Board")))["data"]["id"]
    ada, bob = (a_contact(world.here, fields={"first_name": one}) for one in ("Ada", "Bob"))
    kept = BindingChanged(
        contact_id=ada.contact_id,
        version=2,
        occurred_at=NOW,
        cause="test",
        workspace=world.here.workspace,
        labels=("VIP",),
        groups=(group,),
    )
    await world.happen(ada, kept, bob)
    for path in (f"/api/v1/tags/{tag}/contacts", f"{GROUPS}/{group}/members"):
        page = body(await decider.get(path))
        assert [one["id"] for one in page["data"]] == [ada.contact_id]
