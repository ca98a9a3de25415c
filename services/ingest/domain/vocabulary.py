"""What columns are called: by products, in languages, and by anyone."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

DayOrder = Literal["ymd", "mdy", "dmy"]
"""How a language writes the numbers of a date."""

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
_NUMBER: Final = re.compile(r"\d+")
_OTHER: Final = re.compile(r"[\W_]+")

_ONE_WORD: Final = (("e mail", "email"), ("linked in", "linkedin"), ("whats app", "whatsapp"))
"""Words that some write in two."""

_MOST_AROUND: Final = 3
"""Words that say where a value belongs: `de la oficina`."""

_DIGITS: Final = 4
"""A longer number in a header counts no columns."""

LONGEST: Final = 255
"""Characters of a header that matter."""

NUMBER: Final = "{n}"
"""Stands for a number in a column's name and in its target."""


@lru_cache(maxsize=16_384)
def key_of(name: str) -> str:
    r"""Reduce a header to what matters: `E-mail 1 - Value` and `email_1_value` agree.

    >>> key_of("E-mail 1 - Value"), key_of(" FirstName"), key_of("phone2"), key_of("Tél. (bureau)")
    ('email 1 value', 'first name', 'phone 2', 'tél bureau')
    """
    text = unicodedata.normalize("NFKC", name.replace(NUMBER, "0"))
    text = text.replace("#", " number ") if "#" in text else text
    words = _OTHER.sub(" ", _CAMEL.sub(" ", text).casefold()).strip()
    for apart, joined in _ONE_WORD:
        words = words.replace(apart, joined)
    return words


@lru_cache(maxsize=16_384)
def numbered(key: str) -> tuple[str, str]:
    """Return a key with its first number as a 0, and that number.

    >>> numbered("address 12 street 2")
    ('address 0 street 2', '12')
    """
    match = _NUMBER.search(key)
    if match is None or len(match[0]) > _DIGITS:
        return key, ""
    return f"{key[: match.start()]}0{key[match.end() :]}", match[0]


@lru_cache(maxsize=16_384)
def _numbered_parts(key: str) -> tuple[str, str, str]:
    """Return what stands before a key's first number, the number, and what stands behind it."""
    match = _NUMBER.search(key)
    if match is None:
        return key, "", ""
    return key[: match.start()].rstrip(), match[0], key[match.end() :].lstrip()


class Table:
    """Keys and their targets, in the order that columns have wherever they stand in a file."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = dict(targets)
        self._places = {key: place for place, key in enumerate(targets)}
        self._joined = {key.replace(" ", ""): key for key in reversed(list(targets))}

    def keys(self) -> Iterable[str]:
        """Return every key; those with a number have a 0 in its place."""
        return self._targets.keys()

    def find(self, key: str) -> str | None:
        """Look a key up, as it is, with a number in it, or written in one word: `jobtitle`."""
        found = self._targets.get(key)
        if found is not None:
            return found
        general, number = numbered(key)
        if number:
            found = self._targets.get(general)
            return None if found is None else found.replace(NUMBER, number)
        return self._targets.get(self._joined.get(key, ""))

    def rank(self, key: str) -> tuple[int, int, str]:
        """Return a key's place, and its number."""
        place = self._places.get(key, self._places.get(self._joined.get(key, "")))
        if place is not None:
            return place, 0, key
        general, number = numbered(key)
        if general in self._places:
            return self._places[general], int(number), key
        return len(self._places), 0, key


@dataclass(frozen=True, slots=True)
class Layout:
    """How one product lays out its export."""

    name: str
    title: str
    all: frozenset[str]
    """Keys of columns that are all there."""
    any: frozenset[str]
    """Of these at least `least` are; empty: none needs to be."""
    columns: Table
    none: frozenset[str] = frozenset()
    """Keys of columns that only others have who have the rest as well."""
    least: int = 1
    labels: str = ""
    """Characters between two labels in a cell, besides ` ::: `."""
    record_id: str = ""
    """`linkedin_url`: the profile names the record."""
    record_id_characters: int = 0
    """So many characters of an id count; 0: all."""
    record_id_form: re.Pattern[str] | None = None
    """How its ids look; what looks otherwise is a custom field. None: anyhow."""
    nobody: frozenset[str] = frozenset()
    """Keys of columns that alone speak of nobody: a row without more is blank."""
    unset: frozenset[str] = frozenset()
    """What the product writes, case-folded, where a person chose nothing."""
    custom: str = ""
    """Before the names of columns that are custom fields; empty: no column says so."""
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
    of_several: Mapping[str, str]
    """Key of what stands before a number, `telefon`, → its English key."""
    part_of_one: Mapping[str, str]
    """Key of what stands behind one, `wert`, → its English key."""
    alone: frozenset[str]
    """Keys of name columns that hold the full name where there is no other."""
    family_first: bool = False
    """Full names begin with the family's."""
    joined_names: bool = False
    """Nothing stands between the family's name and one's own, in the script of the language."""
    number_last: bool = False
    """Streets come before the numbers of their houses."""
    around: Mapping[str, str] = field(default_factory=dict)
    """Key of what stands before or behind a name, and says where its value belongs → the English
    word for it."""
    levels: Mapping[str, str] = field(default_factory=dict)
    """Key of what says how well a language is spoken → the proficiency."""
    legacy: str = ""
    """Its encoding before there was UTF-8, where its letters look as likely in another one."""
    region: str = ""
    """Where most who write it telephone (ISO 3166); empty: nobody could say."""

    def english(self, key: str) -> str:
        """Return a key in English, also one of several: `telefon 1 wert` is `phone 1 value`."""
        found = self.names.get(key)
        if found is not None:
            return found
        what, number, part = _numbered_parts(key)
        if what in self.of_several and part in self.part_of_one:
            return f"{self.of_several[what]} {number} {self.part_of_one[part]}"
        return self._around(key) or key

    def _around(self, key: str) -> str | None:
        """Translate a name beside what says where it belongs: `ort arbete 2`, `business city 2`."""
        words = key.split()
        counted = f" {words.pop()}" if len(words) > 1 and words[-1].isdecimal() else ""
        if counted and (name := self.names.get(" ".join(words))) is not None:
            return f"{name}{counted}"
        for count in range(min(_MOST_AROUND, len(words) - 1), 0, -1):
            for around, rest in ((words[:count], words[count:]), (words[-count:], words[:-count])):
                english, name = self.around.get(" ".join(around)), self.names.get(" ".join(rest))
                if english is not None and name is not None:
                    return f"{english} {name}{counted}"
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """All that is known of headers; there is one, which readings are remembered by."""

    layouts: tuple[Layout, ...]
    aliases: Table
    """What columns are called in files of no known layout."""
    fallback: Mapping[str, tuple[str, ...]]
    """Key → targets, the first that no other column has."""
    languages: tuple[Language, ...]
    owners: frozenset[str] = field(default=frozenset())
    """Words before a column's name that say no more than that it is the person's."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Word before or behind a column's name → the label of its values."""
    totals: frozenset[str] = field(default=frozenset())
    """How lines of totals begin, in any language."""
    forms_of_address: frozenset[str] = field(default=frozenset())
    """Keys of `Mr`, `Frau`, …"""
    roles: frozenset[str] = field(default=frozenset())
    """Keys of what an account may do in a program, which is nobody's position."""
    countries: Mapping[str, str] = field(default_factory=dict)
    """What addresses call a country, case-folded → ISO 3166."""
    levels: Mapping[str, str] = field(default_factory=dict)
    """Key of what says in any language but English how well one is spoken → the proficiency; the
    longer ones first."""
    english: frozenset[str] = field(default=frozenset())
    """Every English key, of a language's translations too."""
