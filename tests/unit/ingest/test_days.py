"""Days as tables write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.days import find_order, is_no_day, read_day
from services.ingest.domain.vocabulary import DayOrder


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("1815-12-10", "dmy", "1815-12-10"),
        ("1815-12-10 00:00:00", "dmy", "1815-12-10"),
        ("--12-10", "mdy", "--12-10"),
        ("1604-03-07", "mdy", "--03-07"),
        ("0000-03-07", "mdy", "--03-07"),
        ("2/3/1990", "mdy", "1990-02-03"),
        ("2/3/1990", "dmy", "1990-03-02"),
        ("2/13/1990", "dmy", "1990-02-13"),
        ("13/2/1990", "mdy", "1990-02-13"),
        ("2/3/1990 12:00:00 AM", "mdy", "1990-02-03"),
        ("3.4.65", "dmy", "1965-04-03"),
        ("3.4.05", "dmy", "2005-04-03"),
        ("24.12.", "dmy", "--12-24"),
        ("12/24", "mdy", "--12-24"),
        ("1990年2月3日", "ymd", "1990-02-03"),
        ("90/2/3", "ymd", "1990-02-03"),
        ("4 July 1976", "mdy", "1976-07-04"),
        ("July 4th, 1976", "mdy", "1976-07-04"),
        ("4-Jul-76", "mdy", "1976-07-04"),
        ("29 Feb", "mdy", "--02-29"),
        ("31/2/1990", "dmy", None),
        ("tomorrow", "dmy", None),
        ("12345", "dmy", None),
        ("", "dmy", None),
    ],
)
def test_a_day_is_read_in_its_order(text: str, order: DayOrder, day: str | None) -> None:
    assert read_day(text, order) == day


@given(st.dates(date(1931, 1, 1), date(2029, 12, 31)), st.sampled_from(["mdy", "dmy", "ymd"]))
def test_what_is_written_in_an_order_is_read_in_it(day: date, order: DayOrder) -> None:
    forms = {
        "mdy": "{0.month}/{0.day}/{1}",
        "dmy": "{0.day}.{0.month}.{1}",
        "ymd": "{1}/{0.month}/{0.day}",
    }
    for year in (str(day.year), f"{day.year % 100:02}"):
        assert read_day(forms[order].format(day, year), order) == day.isoformat()


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_none(text: str) -> None:
    found = read_day(text)
    assert found is None or len(found) in (7, 10)
    is_no_day(text)


def test_the_order_is_that_of_the_days_that_show_it() -> None:
    assert find_order(["1/2/1990", "1/25/1990"]) == "mdy"
    assert find_order(["1/2/1990", "25/1/1990", "0/0/00"]) == "dmy"
    assert find_order(["1990-02-03"]) == "ymd"
    assert find_order(["1/2/1990", "", "soon"]) is None
