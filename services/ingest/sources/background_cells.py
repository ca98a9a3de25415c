"""What columns of schools, skills, certificates and languages hold: lists, levels, years."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from services.ingest.domain.background import proficiency_of
from services.ingest.domain.days import EVENT_PIVOT, read_day
from services.ingest.domain.vocabulary import DayOrder, key_of
from services.ingest.sources.row import LONG_VALUE, MANY, MAX_SHORT
from services.ingest.sources.vocabulary import vocabulary
from shared.events.signal import MAX_VALUES

_BETWEEN = re.compile(r":::|[;|\n](?![^()]*\))")
_COMMAS = re.compile(r"[,、，](?![^()]*\))")  # noqa: RUF001  # people type the wide one, too
_LEVEL = re.compile(
    r"([^():\u2013-]{1,200}?)\s*(?:\(([^()]{1,200})\)|\s[-\u2013]\s*(.{1,200})|:\s*(.{1,200}))"
)
"""A language and how well: in brackets, behind a dash or a colon."""

_NARROW: Final = str.maketrans("（）：", "():")  # noqa: RUF001  # as East Asia writes them

_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{4})")
_YEAR = re.compile(r"\d{4}")
_MONTHS: Final = 12


def names_in(cell: str) -> list[str]:
    """Return the items of a list, separated by whatever is not a comma if anything is.

    >>> names_in("Python, SQL"), names_in("Sales (B2B, SaaS); Law"), names_in("Python")
    (['Python', 'SQL'], ['Sales (B2B, SaaS)', 'Law'], ['Python'])
    >>> names_in("Sales (B2B; SaaS); Law")
    ['Sales (B2B; SaaS)', 'Law']
    """
    between = _BETWEEN if _BETWEEN.search(cell) else _COMMAS
    return list(dict.fromkeys(filter(None, map(str.strip, between.split(cell)))))


def languages_in(cell: str) -> list[dict[str, str]]:
    """Return languages with how well they are spoken, where that is said in known words.

    >>> languages_in("German (native), English - C1")
    [{'language': 'German', 'proficiency': 'native'}, {'language': 'English', 'proficiency': 'C1'}]
    >>> languages_in("Chinese (Hakka)")
    [{'language': 'Chinese (Hakka)'}]
    >>> languages_in("Anglais : courant")
    [{'language': 'Anglais', 'proficiency': 'full_professional'}]
    """
    found: list[dict[str, str]] = []
    for name in names_in(cell.translate(_NARROW)):
        match = _LEVEL.fullmatch(name)
        level = next(filter(None, match.groups()[1:]), "") if match else ""
        known = level if proficiency_of(level) else _level_of(level)
        if match is not None and known:
            found.append({"language": match[1], "proficiency": known})
        else:
            found.append({"language": name})
    return found


def _level_of(text: str) -> str:
    """Return how well a language is spoken, said in another language than English, or nothing."""
    levels = vocabulary().levels
    words = key_of(text)
    return levels.get(words) or next(
        (level for said, level in levels.items() if f" {said} " in f" {words} "), ""
    )


def first_day(text: str, order: DayOrder) -> str | None:
    """Read a day, or the first one of a month or a year: `2012`, `2012-06`, `06/2012`.

    >>> first_day("2012", "mdy"), first_day("06/2012", "mdy"), first_day("3/4/2012", "dmy")
    ('2012-01-01', '2012-06-01', '2012-04-03')
    """
    if _YEAR.fullmatch(text):
        return f"{text}-01-01" if int(text) else None
    if match := _MONTH.fullmatch(text):
        year, month = match[1] or match[4], int(match[2] or match[3])
        return f"{year}-{month:02}-01" if 0 < month <= _MONTHS and int(year) else None
    day = read_day(text, order, EVENT_PIVOT)
    return None if day is None or day.startswith("--") else day


_LISTED: Final[dict[str, Callable[[str], list[dict[str, str]]]]] = {
    "skills": lambda cell: [{"name": name} for name in names_in(cell)],
    "certifications": lambda cell: [{"name": name} for name in names_in(cell)],
    "languages": languages_in,
}
"""Field of several in one cell → how they are read."""


def read_background(record: dict[str, Any], columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Make lists of a record's cells; returns the columns of which something was left out."""
    left_out: list[tuple[str, str]] = []
    for name in _LISTED.keys() & record.keys():
        found = _LISTED[name](record.pop(name))
        fitting = [one for one in found if all(len(text) <= MAX_SHORT for text in one.values())]
        if len(fitting) < len(found):
            left_out.append((columns[name], LONG_VALUE))
        if len(fitting) > MAX_VALUES:
            left_out.append((columns[name], MANY))
        if fitting:
            record[name] = fitting[:MAX_VALUES]
    return left_out
