"""What smart groups may ask, and where a query that cannot be read is wrong."""

from typing import Any

import pytest

from shared.events.custom_field import CustomField
from shared.events.group_query import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    Combination,
    Condition,
    QueryError,
    groups_named,
    read_query,
)

CUSTOM = {
    "size": CustomField("size", "select", ("S", "M")),
    "shoe": CustomField("shoe", "number"),
    "born": CustomField("born", "date"),
    "vip": CustomField("vip", "boolean"),
    "line": CustomField("line", "phone"),
}


def asking(*filters: Any, logic: str = "AND") -> dict[str, Any]:
    return {"filters": list(filters), "logic": logic}


def one(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def deep(levels: int) -> dict[str, Any]:
    query = asking(one("city", "eq", "Paris"))
    for _ in range(levels - 1):
        query = asking(query)
    return query


def test_the_customers_example_is_read() -> None:
    query = read_query(
        {
            "filters": [
                {"field": "company_name", "op": "eq", "value": "Acme Corp"},
                {"field": "lead_status", "op": "in", "values": ["qualified", "nurturing"]},
                {"field": "engagement_score", "op": "gte", "value": 0.5},
            ],
            "logic": "AND",
        },
        {},
    )
    assert [part.op for part in query.parts if isinstance(part, Condition)] == ["eq", "in", "gte"]


def test_denials_are_what_they_deny() -> None:
    query = read_query(asking(one("city", "neq", "Paris"), one("email", "exists", False)), {})
    first, second = query.parts
    assert isinstance(first, Condition)
    assert isinstance(second, Condition)
    assert (first.op, first.is_denied) == ("eq", True)
    assert (second.op, second.is_denied, second.values) == ("exists", True, ())


def test_options_and_phones_are_compared_as_they_are_written() -> None:
    query = read_query(
        asking(one("custom.size", "eq", "m"), one("custom.line", "eq", "+49 30 1234567")), CUSTOM
    )
    assert [part.values for part in query.parts if isinstance(part, Condition)] == [
        ("M",),
        ("+49301234567",),
    ]


def test_groups_are_named_however_deep_they_are_asked_of() -> None:
    inner = asking(
        one("group", "eq", "grp_1"), {"field": "group", "op": "in", "values": ["grp_2", "grp_3"]}
    )
    query = read_query(asking(one("city", "eq", "Paris"), inner, logic="OR"), {})
    assert isinstance(query, Combination)
    assert groups_named(query) == {"grp_1", "grp_2", "grp_3"}


def test_a_query_is_bounded() -> None:
    assert len(read_query(deep(MAX_DEPTH), {}).parts) == 1
    with pytest.raises(QueryError, match="deep"):
        read_query(deep(MAX_DEPTH + 1), {})
    many = [one("city", "eq", "x")] * MAX_CONDITIONS
    assert len(read_query(asking(*many), {}).parts) == MAX_CONDITIONS
    with pytest.raises(QueryError, match="more than 50"):
        read_query(
            asking(asking(*[one("city", "eq", "x")] * 30), *[one("city", "eq", "x")] * 21), {}
        )


@pytest.mark.parametrize(
    ("query", "path", "right"),
    [
        ([], (), "filters"),
        ({}, ("filters",), "a list of one"),
        ({"filters": []}, ("filters",), "a list of one"),
        (asking(one("city", "eq", "x"), logic="XOR"), ("logic",), "AND or OR"),
        ({**asking(one("city", "eq", "x")), "sort": 1}, (), "filters"),
        (asking("city"), ("filters", 0), "field"),
        (asking(one("shoe_size", "eq", 1)), ("filters", 0, "field"), "custom. and the key"),
        (asking(one("custom.none", "eq", 1)), ("filters", 0, "field"), "is no custom field"),
        (asking({"field": 1, "op": "eq", "value": 1}), ("filters", 0, "field"), "one of"),
        (asking(one("city", "gte", "a")), ("filters", 0, "op"), "eq, neq, in"),
        (asking(one("city", "like", "a")), ("filters", 0, "op"), "starts_with"),
        (asking(one("city", "in", "a")), ("filters", 0, "value"), "called values"),
        (
            asking({"field": "city", "op": "eq", "values": ["a"]}),
            ("filters", 0, "values"),
            "called value",
        ),
        (
            asking({"field": "city", "op": "in", "values": []}),
            ("filters", 0, "values"),
            "list of 1",
        ),
        (
            asking({"field": "city", "op": "in", "values": ["a", 2]}),
            ("filters", 0, "values", 1),
            "text",
        ),
        (asking(one("city", "eq", "")), ("filters", 0, "value"), "1 to 255"),
        (asking(one("city", "eq", "a\0")), ("filters", 0, "value"), "text"),
        (asking(one("city", "exists", "x")), ("filters", 0, "value"), "true or false"),
        (asking(one("lead_status", "eq", "hot")), ("filters", 0, "value"), "qualified"),
        (asking(one("seniority", "eq", "boss")), ("filters", 0, "value"), "director"),
        (asking(one("departments", "contains", "HR")), ("filters", 0, "value"), "human_resources"),
        (asking(one("timezone", "eq", "Berlin")), ("filters", 0, "value"), "Europe/Berlin"),
        (asking(one("engagement_score", "gte", 50)), ("filters", 0, "value"), "from 0 to 1"),
        (asking(one("engagement_score", "gte", "high")), ("filters", 0, "value"), "number"),
        (asking(one("created_at", "gte", "soon")), ("filters", 0, "value"), "2026-01-31"),
        (asking(one("custom.shoe", "gte", "big")), ("filters", 0, "value"), "number"),
        (asking(one("custom.size", "eq", "XS")), ("filters", 0, "value"), "one of: S, M"),
        (asking(one("custom.size", "contains", "S")), ("filters", 0, "op"), "eq, neq, in"),
        (asking(one("custom.born", "lt", "1.1.1990")), ("filters", 0, "value"), "date"),
        (asking(one("custom.vip", "eq", "yes")), ("filters", 0, "value"), "true or false"),
        (asking(one("custom.line", "eq", "()")), ("filters", 0, "value"), "text"),
        (
            asking(one("city", "eq", "x"), asking(one("city", "eq", 5))),
            ("filters", 1, "filters", 0, "value"),
            "text",
        ),
    ],
)
def test_what_cannot_be_read_is_pointed_at(
    query: Any, path: tuple[str | int, ...], right: str
) -> None:
    with pytest.raises(QueryError, match=right) as refused:
        read_query(query, CUSTOM)
    assert refused.value.path == path
