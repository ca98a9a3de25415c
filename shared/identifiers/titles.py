"""What a job's title and department say: of seniority, and of departments by their usual names.

Derived where it is shown, from what sources say and a table (`data/titles.toml`), hence never a
fact of its own (ADR 0097): a better table needs no history rewritten.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, Literal, get_args

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

SENIORITIES: Final[tuple[Seniority, ...]] = get_args(Seniority)
"""All of them, highest first."""

Department = Literal[
    "engineering",
    "product",
    "data",
    "design",
    "information_technology",
    "marketing",
    "sales",
    "customer_service",
    "finance",
    "human_resources",
    "legal",
    "operations",
    "education",
    "medical",
    "consulting",
    "research",
    "executive",
]
"""A department by its usual name, as the table has them."""

DEPARTMENTS: Final[tuple[Department, ...]] = get_args(Department)
"""All of them."""

_JOINED: Final = re.compile(r"[&/|;+]|\s(?:and|und|et|y|e|en|i|и)\s")
"""What stands between two jobs of one title."""

_ASIDE: Final = re.compile(r"[,(]|\s[-\u2013\u2014]\s")
"""What stands before more about one job."""

_SERVED: Final = re.compile(r"\s(?:to|on behalf of)\s.*", re.DOTALL)
"""To whom: however many they are."""

_POSSESSIVE: Final = re.compile(r"\w+['\u2019\u02bc`]s(?=\s+\w)")
"""Whose: a president's driver."""

_OF_SERVING: Final = frozenset({"senior", "entry", "intern"})
"""How high they may be who serve somebody of rank."""

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
    own, serving = _told_apart(title)
    found: Seniority | None = next(
        (
            level
            for level, pattern in _table().levels
            if pattern.search(own) or (level in _OF_SERVING and pattern.search(serving))
        ),
        None,
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
        words = "|".join(rf"(?:{word})" for word in read["serving"])
        self.serving = re.compile("|".join([rf"\b(?:{words})(?!\w)", *read["serving_parts"]]))
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
    own = _POSSESSIVE.sub(" ", text[:255].casefold())
    return _table().ignored.sub(" ", f" {_SIGNS.sub(' ', own).strip()}")


def _told_apart(title: str) -> tuple[str, str]:
    """Return what a title says of its own rank, and what it says of serving somebody.

    Of several jobs each may be either; what stands after a comma is of whoever serves before it.
    """
    text = _SERVED.sub("", title[:255].casefold())
    own: list[str] = []
    serving: list[str] = []
    for job in _JOINED.split(text):
        words = [_plain(one).rstrip() for one in _ASIDE.split(job)]
        first = next((at for at, one in enumerate(words) if _table().serving.search(one)), None)
        own += words[:first]
        serving += words[first:] if first is not None else ()
    return (" ".join(own), " ".join(serving)) if serving else (_plain(title), "")
