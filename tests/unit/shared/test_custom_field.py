"""What fits a custom field, how it is written, and what would be right of what does not fit."""

import string
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from shared.events.custom_field import (
    FIELD_TYPES,
    NUMERIC,
    WITH_OPTIONS,
    CustomField,
    FieldType,
    WrongValueError,
    decimal_of,
    fitted,
    misfits,
    refused_options,
)

SIZES = ("S", "M", "Extra large")


def a_field(kind: FieldType) -> CustomField:
    return CustomField("one", kind, SIZES if kind in WITH_OPTIONS else ())


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("text", "  Blue ", "Blue"),
        ("text", 42, "42"),
        ("text", True, "true"),
        ("long_text", "x" * 10_000, "x" * 10_000),
        ("number", "42", 42),
        ("number", " -4.50 ", -4.5),
        ("number", 1e3, 1000),
        ("currency", "1200.10", 1200.1),
        ("number", str(2**53 - 1), 2**53 - 1),
        ("number", 0.1 + 0.2, 0.1 + 0.2),
        ("currency", "1234567890123.45", 1234567890123.45),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("date", "2026-01-31", "2026-01-31"),
        ("datetime", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z"),
        ("select", "extra LARGE", "Extra large"),
        ("multi_select", "s; M", ["S", "M"]),
        ("multi_select", ["M", "m"], ["M"]),
        ("url", "HTTPS://example.org/a?b=c", "HTTPS://example.org/a?b=c"),
        ("email", "Ada@Example.org", "ada@example.org"),
        ("phone", "+49 (30) 123-456", "+4930123456"),
    ],
)
def test_what_fits_is_written_in_one_way(
    kind: FieldType, value: JsonValue, written: JsonValue
) -> None:
    assert fitted(a_field(kind), value) == written


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [
        ("text", "x" * 256, "at most 255 characters"),
        ("text", ["a"], "a text"),
        ("text", "a\0b", "NUL"),
        ("number", "1,5", "like 42 or 4.5"),
        ("number", "1e5", "like 42 or 4.5"),
        ("number", True, "like 42 or 4.5"),
        ("number", 10**40, "at most 15 digits"),
        ("number", "12345678901234567890123", "at most 15 digits"),
        ("number", 2**53, "at most 15 digits"),
        ("number", 1e22, "at most 15 digits"),
        ("currency", "12345678901234567.89", "at most 15 digits"),
        ("currency", "0.12345678901234567891", "at most 15 digits"),
        ("number", float("inf"), "like 42 or 4.5"),
        ("boolean", "maybe", "true or false"),
        ("date", "31.01.2026", "like 2026-01-31"),
        ("date", "2026-02-30", "like 2026-01-31"),
        ("date", "20260131", "like 2026-01-31"),
        ("datetime", "2026-01-31T12:00:00", "with its zone"),
        ("datetime", "2026-01-31T24:00:00Z", "with its zone"),
        ("datetime", "2026-02-30T12:00:00Z", "with its zone"),
        ("datetime", "2999-12-31T23:00:00-05:00", "years 1000 to 2999"),
        ("datetime", "1000-01-01T00:00:00+01:00", "years 1000 to 2999"),
        ("select", "XS", "one of: S, M, Extra large"),
        ("multi_select", ["S", "XS"], "one of: S, M"),
        ("multi_select", [["S"]], "one of: S, M"),
        ("url", "example.org", "like https://"),
        ("url", "javascript:alert(1)", "like https://"),
        ("email", "ada@example", "like ada@"),
        ("phone", "030 123456", "country code"),
    ],
)
def test_what_does_not_fit_is_told_what_would(
    kind: FieldType, value: JsonValue, right: str
) -> None:
    with pytest.raises(WrongValueError, match=right):
        fitted(a_field(kind), value)


@pytest.mark.parametrize("kind", FIELD_TYPES)
@pytest.mark.parametrize("nothing", [None, "", " \t", []])
def test_nothing_is_no_value(kind: FieldType, nothing: JsonValue) -> None:
    assert fitted(a_field(kind), nothing) is None


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.text(alphabet=string.digits + "-+.:TZ ", max_size=25),
    st.from_regex(r"[+-]?[0-9]{1,29}(\.[0-9]{1,20})?", fullmatch=True),
    st.from_regex(r"(1000-01-01|2999-12-31)T[012][0-9]:00[+-][01][0-9]:00", fullmatch=True),
    st.lists(st.sampled_from([*SIZES, "XS", 1]), max_size=3),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda one: one.isoformat()),
)


@given(st.sampled_from(FIELD_TYPES), values)
def test_what_is_written_fits_and_stays(kind: FieldType, value: JsonValue) -> None:
    field = a_field(kind)
    told, wrong = misfits({"one": field}, {"one": value, "other": value})
    assert told["other"] == value
    if wrong:
        assert told["one"] == value
    else:
        assert fitted(field, told["one"]) == told["one"]
        assert fitted(field, orjson.loads(orjson.dumps(told["one"]))) == told["one"]
    if not wrong and kind in NUMERIC and told["one"] is not None:
        assert Decimal(repr(told["one"])) == decimal_of(value)


@pytest.mark.parametrize(
    ("kind", "options", "wrong"),
    [
        ("select", ["A", "B"], None),
        ("text", None, None),
        ("text", ["A"], "only fields of type multi_select and select"),
        ("select", None, "1 to 500"),
        ("select", [], "1 to 500"),
        ("select", ["a", "A"], "once"),
        ("multi_select", ["a;b"], "';'"),
        ("select", [" a"], "blanks"),
    ],
)
def test_options_belong_to_fields_of_a_choice(
    kind: FieldType, options: list[str] | None, wrong: str | None
) -> None:
    said = refused_options(kind, options)
    assert said is None if wrong is None else said is not None and wrong in said
