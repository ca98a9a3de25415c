"""Custom fields of a file by their definition: what a file writes in its own manner fits, too."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.defined import Definition, Manner, read_amount, read_defined
from shared.events.custom_field import FIELD_TYPES, CustomField, FieldType, misfits

OPTIONS = ("Gold", "Silver", "Very good")
BERLIN = Manner("dmy", ZoneInfo("Europe/Berlin"), "DE")


def read(kind: FieldType, value: Any, currency: str | None = None) -> tuple[Any, list[str]]:
    definition = Definition(CustomField("it", kind, OPTIONS), currency)
    told, notes = read_defined({"it": definition}, {"it": value, "other": "as ever"}, BERLIN)
    assert told["other"] == "as ever"
    assert all(key == "it" for key, _ in notes)
    return told.get("it"), [reason for _, reason in notes]


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        ("number", "42", "42"),
        ("number", "1.234,50", 1234.5),
        ("number", "1'234'567", 1234567),
        ("number", "12,5", 12.5),
        ("currency", "€ 1.234,50", 1234.5),
        ("currency", "12.50 EUR", 12.5),
        ("currency", "-€5", -5),
        ("currency", "- € 5,25", -5.25),
        ("currency", "€-5", -5),
        ("currency", "(5,00)", -5),
        ("currency", "(€ 1.234,50)", -1234.5),
        ("currency", "0.125 €", 0.125),
        ("boolean", "Ja", True),
        ("boolean", "não", False),
        ("boolean", "yes", "yes"),
        ("date", "31.01.2026", "2026-01-31"),
        ("date", "2026-01-31", "2026-01-31"),
        ("date", "46053", "2026-01-31"),
        ("datetime", "31.01.2026 12:00", "2026-01-31T11:00:00Z"),
        ("datetime", "31/01/2026, 1:05 PM", "2026-01-31T12:05:00Z"),
        ("select", "gold", "gold"),
        ("select", "very  Good", "Very good"),
        ("multi_select", "gold, silver", ["Gold", "Silver"]),
        ("url", "x.example/a", "https://x.example/a"),
        ("email", "Ada@X.example", "Ada@X.example"),
        ("phone", "030 901820", "+4930901820"),
        ("text", "anything", "anything"),
    ],
)
def test_what_a_file_writes_is_read_by_its_field(kind: FieldType, written: str, said: Any) -> None:
    """What fits as it stands stays so: a file that was imported before says the same again."""
    assert read(kind, written, "EUR") == (said, [])


@pytest.mark.parametrize(
    ("kind", "written", "right"),
    [
        ("number", "1,234", "must be a number, like 1234 or 1.5: its one sign may part thousands"),
        ("currency", "1.234 €", "must be a number, like 1234 or 1.5: its one sign may part"),
        ("currency", "-€ 12,345", "must be a number, like 1234 or 1.5: its one sign may part"),
        ("currency", "(1.234 €)", "must be a number, like 1234 or 1.5: its one sign may part"),
        ("currency", "(-5)", "must be a number"),
        ("currency", "- -5", "must be a number"),
        ("currency", "USD 5", "must be an amount in EUR: it is said in another currency"),
        ("currency", "US$ 5", "must be an amount in EUR: it is said in another currency"),
        ("boolean", "-", "must be true or false"),
        ("number", "many", "must be a number"),
        ("currency", "$ 5", "must be an amount in EUR: it is said in another currency"),
        ("boolean", "perhaps", "must be true or false"),
        ("date", "31.02.2026", "must be a date, like 2026-01-31"),
        ("date", "--12-10", "must be a date, like 2026-01-31"),
        ("datetime", "31.01.2026", "must be a time with its zone"),
        ("datetime", "31.01.2026 13:00 pm", "must be a time with its zone"),
        ("select", "Bronze", "must be one of: Gold, Silver, Very good"),
        ("multi_select", "Gold, Bronze", "must be one of: Gold"),
        ("phone", "555-9", "must be a phone number with its country code"),
    ],
)
def test_what_does_not_fit_is_kept_with_what_would_be_right(
    kind: FieldType, written: str, right: str
) -> None:
    kept, [reason] = read(kind, written, "EUR")
    assert kept == written
    assert reason.startswith(right)
    assert reason.endswith("; kept as it stands")
    assert written not in reason


@pytest.mark.parametrize(
    ("written", "currency", "is_read"),
    [
        ("US$ 5", "USD", True),
        ("US $5", "USD", True),
        ("A$ 5", "AUD", False),
        ("AU$ 5", "AUD", True),
        ("5 CA$", "CAD", True),
        ("US$ 5", "CAD", False),
        ("$5", "CAD", True),
    ],
)
def test_dollars_are_of_their_country(written: str, currency: str, is_read: bool) -> None:
    assert read("currency", written, currency)[0] == (5 if is_read else written)


def test_a_day_of_zeros_says_nothing() -> None:
    assert read("date", "0/0/00") == (None, [])


def test_an_amount_that_may_be_read_in_two_ways_is_not_guessed() -> None:
    assert [read_amount(one) for one in ("1,234", "12.345,678", "1.234.567", "1,2,3", "0,125")] == [
        None,
        "12345.678",
        "1234567",
        None,
        "0.125",
    ]


@given(st.sampled_from(FIELD_TYPES), st.text(max_size=40) | st.from_regex(r"[\d.,:/ -]{1,20}"))
def test_what_is_said_fits_or_stands_as_it_came(kind: FieldType, written: str) -> None:
    """Whatever a cell holds: it is never lost, and what is changed fits its field."""
    said, notes = read(kind, written)
    if notes:
        assert said == written
    elif said is not None:
        assert misfits({"it": CustomField("it", kind, OPTIONS)}, {"it": said})[1] == {}
