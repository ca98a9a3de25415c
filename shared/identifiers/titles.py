"""What a job's title and department say: of seniority, and of departments by their usual names.

Derived where it is shown, from what sources say and a table (`data/titles.toml`), hence never a
fact of its own (ADR 0097): a better table needs no history rewritten.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, Literal

Seniority = Literal[
    "owner",
    "founder",
    "cxo",
    "partner",
    "vp",
    "head",
    "director",
    "manager",
    "senior",
    "entry",
    "intern",
]
"""How high a job is, highest first; what a title does not say is none of them."""

_SIGNS: Final = re.compile(r"[\W_]+")
_OF_VENDORS: Final[Mapping[str, Seniority]] = {
    "c suite": "cxo",
    "c level": "cxo",
    "executive": "cxo",
    "vice president": "vp",
    "training": "intern",
    "unpaid": "intern",
    "internship": "intern",
    "entry level": "entry",
    "associate": "entry",
    "mid senior level": "senior",
}
"""What vendors call a level, where it is not our word."""

_Pattern = re.Pattern[str]


@lru_cache(maxsize=32_768)
def seniority_of(title: str) -> Seniority | None:
    """Return how high a job is by its title; None where that says nothing of it."""
    text = _plain(title)
    found: Seniority | None = next(
        (level for level, pattern in _table().levels if pattern.search(text)), None
    )
    return found


@lru_cache(maxsize=1_024)
def seniority_said(word: str) -> Seniority | None:
    """Return the level that a vendor names, by our word for it; None: it is no level."""
    text = _SIGNS.sub(" ", word.casefold()).strip()
    known: Any = {level: level for level, _ in _table().levels}
    return _OF_VENDORS.get(text) or known.get(text.replace(" ", "_")) or seniority_of(word)


@lru_cache(maxsize=32_768)
def departments_of(department: str | None, title: str | None) -> tuple[str, ...]:
    """Return the departments that a department's own name says, else the title: by usual names."""
    for said in (department, title):
        if said:
            text = _plain(said)
            found = tuple(name for name, pattern in _table().departments if pattern.search(text))
            if found:
                return found
    return ()


class _Table:
    def __init__(self, read: Mapping[str, Any]) -> None:
        self.ignored = re.compile(rf"\b(?:{'|'.join(read['ignored'])})")
        self.levels: list[tuple[Seniority, _Pattern]] = [
            (one["level"], _pattern(one)) for one in read["seniority"]
        ]
        self.departments = [(one["name"], _pattern(one)) for one in read["department"]]


@cache
def _table() -> _Table:
    text = resources.files(__package__).joinpath("data", "titles.toml").read_text("utf-8")
    return _Table(tomllib.loads(text))


def _pattern(one: Mapping[str, Any]) -> _Pattern:
    words = rf"\b(?:{'|'.join(one['words'])})\b"
    return re.compile("|".join([words, *map(re.escape, one.get("parts", ()))]))


def _plain(text: str) -> str:
    """Return a text without case and signs, and without what says nothing of whose job it is."""
    plain = f" {_SIGNS.sub(' ', text[:255].casefold()).strip()}"
    return _table().ignored.sub(" ", plain)
