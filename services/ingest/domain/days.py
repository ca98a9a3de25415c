"""Days as tables write them, in any order of their numbers, with or without a year."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from services.ingest.domain.vocabulary import DayOrder

OMITTED_YEARS: Final = frozenset({"1604", "0000", "0001"})
"""Apple writes a birthday without a year in 1604, others in year 0 or 1: nobody alive's."""

_DAY_ZERO: Final = date(1899, 12, 30)
"""Of spreadsheets since 1987, which take 1900 for a leap year."""

BIRTH_PIVOT: Final = 30
"""Two digits up to this are a year of birth in the 2000s, more are in the 1900s."""

EVENT_PIVOT: Final = 69
"""The same for other days (POSIX `strptime`)."""

_ISO = re.compile(r"(?:(?P<year>\d{4})-?|--)(?P<month>\d{2})-?(?P<day>\d{2})(?:[T ].*)?")
_NUMBERS = re.compile(
    r"(\d{1,4})\s*[-/.年년]\s*(\d{1,2})(?:\s*[-/.月월]\s*(\d{1,4}))?\s*[日일.]?"
    r"(?:[T ,]+\d{1,2}:\d{2}.*)?"
)
_DOTTED = re.compile(r"\d{1,2}\.\s*\d{1,2}\.(?:\s*\d{2,4})?\.?")
_WORDS = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|er|\.|º)?[ -]+(?:de )?)?([^\W\d_]{3,12})\.?"
    r"(?:[ -]+(\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,?[ -]+(?:de )?(\d{4}|\d{2}))?"
    r"(?:,? +\d{1,2}:\d{2}.*)?"
)
_WEEKDAY = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[.,]?\s+", re.IGNORECASE
)
_SERIAL = re.compile(r"([1-6]\d{4})(?:\.\d+)?")
"""Days since the end of 1899, as a spreadsheet shows a date whose cell has no form: to 2091."""

_ZERO = re.compile(r"0+(?:\s*[-/.年月년월]\s*0+)+\s*[日일]?(?:[T ].*)?")
_MONTHS: Final = {
    beginning: number
    for number, beginnings in enumerate(
        (
            ("jan", "ene", "gen", "sty", "янв", "oca"),
            ("feb", "fev", "fév", "lut", "фев", "şub"),
            ("mar", "mär", "mae", "mrt", "mrz", "мар"),
            ("apr", "abr", "avr", "kwi", "апр", "nis"),
            ("may", "mai", "mag", "mei", "maj", "май", "мая"),
            ("jun", "juin", "giu", "cze", "июн", "haz"),
            ("jul", "juil", "lug", "lip", "июл", "tem"),
            ("aug", "aoû", "aou", "ago", "sie", "авг", "ağu"),
            ("sep", "set", "wrz", "сен", "eyl"),
            ("oct", "okt", "out", "ott", "paź", "окт", "eki"),
            ("nov", "lis", "ноя", "kas"),
            ("dec", "dez", "dic", "déc", "gru", "дек", "ara"),
        ),
        start=1,
    )
    for beginning in beginnings
}
"""How months begin in the languages that headers are read in."""


def is_no_day(text: str) -> bool:
    """Tell whether a cell says that there is no date: `0/0/00`, as Outlook does."""
    return _ZERO.fullmatch(text) is not None


def read_iso_day(text: str) -> str | None:
    """Read `1815-12-10`, `18151210` or `--12-10`, with or without a time behind it."""
    match = _ISO.fullmatch(text.strip())
    return None if match is None else _written(match["year"], match["month"], match["day"])


def read_day(text: str, order: DayOrder = "mdy", pivot: int = BIRTH_PIVOT) -> str | None:
    """Write a day as a signal does: `1815-12-10`, or `--12-10` without the year.

    `order` decides only where the numbers can be read in several ways.
    """
    text = _WEEKDAY.sub("", text.strip())
    if found := read_iso_day(text):
        return found
    if match := _NUMBERS.fullmatch(text):
        return _ordered(match[1], match[2], match[3], order, pivot)
    if match := _WORDS.fullmatch(text):
        name = match[2].lower()
        month = _MONTHS.get(name[:3]) or _MONTHS.get(name[:4])
        day, year = match[1] or match[3], match[4]
        if match[1] and match[3] and not year:
            year = match[3]
        if month and day:
            return _written(_four(year, pivot), str(month), day)
    return None


def read_serial(text: str) -> str | None:
    """Read a day that a spreadsheet wrote as its number: `31391` is 1985-12-10."""
    match = _SERIAL.fullmatch(text.strip())
    return None if match is None else (_DAY_ZERO + timedelta(int(match[1]))).isoformat()


def find_order(days: Iterable[str]) -> DayOrder | None:
    """Tell from a column's cells in which order they are, if any of them shows it."""
    votes = {"dmy": 0, "mdy": 0, "ymd": 0}
    for text in days:
        match = _NUMBERS.fullmatch(text.strip())
        if match is None or is_no_day(text):
            continue
        first, second = int(match[1]), int(match[2])
        if len(match[1]) == 4:
            votes["ymd"] += 1
        elif 12 < first <= 31 and second <= 12:
            votes["dmy"] += 1
        elif 12 < second <= 31 and first <= 12:
            votes["mdy"] += 1
    best = max(votes.items(), key=lambda vote: vote[1])
    order: DayOrder = "ymd" if best[0] == "ymd" else "dmy" if best[0] == "dmy" else "mdy"
    return order if best[1] else None


def are_dotted(days: Iterable[str]) -> bool:
    """Tell whether days are written with dots, as only those do who begin with the day.

    >>> are_dotted(["10.12.1985", "1.2."]), are_dotted(["10/12/85"]), are_dotted(["1985.12.10"])
    (True, False, False)
    """
    written = [text.strip() for text in days if not is_no_day(text)]
    return bool(written) and all(map(_DOTTED.fullmatch, written))


def _ordered(first: str, second: str, third: str | None, order: DayOrder, pivot: int) -> str | None:
    if third is None:
        day, month = (first, second) if order == "dmy" else (second, first)
        return _written(None, month, day)
    if len(first) == 4 or (order == "ymd" and len(third) <= 2):
        found = _written(_four(first, pivot), second, third)
        if found or len(first) == 4 or (int(first) <= 12 and int(second) <= 12):
            return found  # what could be read in two ways is not guessed
    year = _four(third, pivot)
    usual, other = ((second, first), (first, second))[:: 1 if order == "dmy" else -1]
    return _written(year, *usual) or _written(year, *other)


def _four(year: str | None, pivot: int) -> str | None:
    if year is None or len(year) == 4:
        return year
    number = int(year)
    return str(number + (2000 if number <= pivot else 1900)) if number < 100 else None


def _written(year: str | None, month: str, day: str) -> str | None:
    known = None if year in OMITTED_YEARS else year
    try:
        # Without a year any 29 February may be meant: 2000 was a leap year.
        found = date(int(known or 2000), int(month), int(day))
    except ValueError:
        return None
    return f"{known or '-'}-{found.month:02}-{found.day:02}"
