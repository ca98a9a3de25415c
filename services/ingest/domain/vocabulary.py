"""What columns are called: by products, in languages, and by anyone."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

DayOrder = Literal["ymd", "mdy", "dmy"]
"""How a language writes the numbers of a date."""

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBER: Final = re.compile(r"\d+")
_OTHER: Final = re.compile(r"[\W_]+")

NUMBER: Final = "{n}"
"""Stands for a number in a column's name and in its target."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one product lays out its export."""

    name: str
    title: str
    all: frozenset[str]
    """Keys of columns that are all there."""
    any: frozenset[str]
    """Of these at least one is; empty: none needs to be."""
    columns: Mapping[str, str]
    """Key → target."""
    labels: str = ""
    """Characters between two labels in a cell, besides ` ::: `."""
    record_id: str = ""
    """`linkedin_url`: the profile names the record."""
    record_id_characters: int = 0
    """So many characters of an id count; 0: all."""
    nobody: frozenset[str] = frozenset()
    """Keys of columns that alone speak of nobody: a row without more is blank."""
    unset: frozenset[str] = frozenset()
    """What the product writes, case-folded, where a person chose nothing."""
    phone_in_notes: bool = False
    """A note that is nothing but a phone number is one."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A name that means something else where the file also has, or has not, another."""

    other: str
    name: str


@dataclass(frozen=True, slots=True)
class Language:
    """The headers of one language, in English."""

    code: str
    days: DayOrder
    names: Mapping[str, str]
    """Key → English key."""
    repeated: Mapping[str, tuple[str, ...]]
    """Key → English keys of its first, second, … occurrence."""
    beside: Mapping[str, Beside]
    """Key → what it means where the file has another."""
    otherwise: Mapping[str, Beside]
    """Key → what it means where the file has not."""
    alone: frozenset[str]
    """Keys of name columns that hold the full name where there is no other."""
    family_first: bool = False
    """Full names begin with the family's."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that is known of headers."""

    layouts: tuple[Layout, ...]
    aliases: Mapping[str, str]
    """Key → target, in files of no known layout."""
    fallback: Mapping[str, tuple[str, ...]]
    """Key → targets, the first that no other column has."""
    languages: tuple[Language, ...]
    english: frozenset[str] = field(default=frozenset())
    """Every English key, of a language's translations too."""


@lru_cache(maxsize=16_384)
def key_of(name: str) -> str:
    r"""Reduce a header to what matters: `E-mail 1 - Value` and `email_1_value` agree.

    >>> key_of("E-mail 1 - Value"), key_of(" FirstName"), key_of("Téléphone (bureau)")
    ('email 1 value', 'first name', 'téléphone bureau')
    """
    text = unicodedata.normalize("NFKC", name.replace(NUMBER, "0"))
    words = _OTHER.sub(" ", _CAMEL.sub(" ", text).casefold()).strip()
    return words.replace("e mail", "email").replace("linked in", "linkedin")


@lru_cache(maxsize=16_384)
def numbered(key: str) -> tuple[str, str]:
    """Return a key with its first number as a 0, and that number.

    >>> numbered("address 12 street 2")
    ('address 0 street 2', '12')
    """
    match = _NUMBER.search(key)
    if match is None:
        return key, ""
    return f"{key[: match.start()]}0{key[match.end() :]}", match[0]


def find_target(table: Mapping[str, str], key: str) -> str | None:
    """Look a key up, as it is or with a number in it."""
    found = table.get(key)
    if found is not None:
        return found
    general, number = numbered(key)
    found = table.get(general) if number else None
    return None if found is None else found.replace(NUMBER, number)
