"""Queries of contacts as SQL: what users write is an argument, never a text of the statement."""

import pytest
from pydantic import JsonValue

from services.api.store.conditions import Arguments, clause
from shared.auth import Place
from shared.events.custom_field import FIELD_TYPES, WITH_OPTIONS, CustomField, FieldType
from shared.events.group_query import OPS, Combination, Op, read_condition

HERE = Place(1, 2, "ten_x", "wsp_x")
HOSTILE = "x'); DROP TABLE read.contact_view; --{left}{right}{place}"


def test_a_query_of_nothing_is_a_condition_too() -> None:
    assert clause(Combination("OR", ()), HERE, Arguments(3)) == "(false)"
    assert clause(Combination("AND", ()), HERE, Arguments(3)) == "(true)"


@pytest.mark.parametrize("op", OPS["text"])
def test_what_users_write_is_no_text_of_the_statement(op: Op) -> None:
    arguments = Arguments(19)
    values: dict[str, JsonValue] = {"exists": True, "in": [HOSTILE], "not_in": [HOSTILE]}
    field = CustomField(HOSTILE, "text")
    asked = read_condition(f"custom.{HOSTILE}", op, values.get(op, HOSTILE), {HOSTILE: field})
    written = clause(asked, HERE, arguments)
    assert "DROP" not in written
    assert "{" not in written
    assert HOSTILE in arguments.values


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_arguments_are_numbered_as_they_come(kind: FieldType) -> None:
    field = CustomField("one", kind, ("S", "M") if kind in WITH_OPTIONS else ())
    arguments = Arguments(19)
    written = clause(read_condition("custom.one", "exists", True, {"one": field}), HERE, arguments)
    numbers = range(19, 19 + len(arguments.values))
    assert all(f"${number}::" in written for number in numbers)
    assert f"${numbers.stop}" not in written
