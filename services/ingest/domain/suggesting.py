"""From a header to what its columns mean: a known product's, or the likeliest reading."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from services.ingest.domain.columns import (
    SKIP,
    Column,
    ColumnMapping,
    Target,
    Why,
    custom,
    distinct_names,
    target_of,
)
from services.ingest.domain.days import read_day
from services.ingest.domain.headers import read_header_words
from services.ingest.domain.vocabulary import (
    LONGEST,
    Language,
    Layout,
    Vocabulary,
    key_of,
    numbered,
)

OTHER_LAYOUT: Final = "csv"
"""The layout of a table that no product is known by."""

REASON: Final = "kith reason"
"""The column in which rejected rows come back with what is wrong; read again, it says nothing."""

_SEVERAL: Final = frozenset({"email", "phone", "website"})
"""Kinds of which a second column is one more, not a doubt."""

_BEHIND: Final = 10_000
"""Ranks of aliases begin here: behind those of a layout's own columns."""

_OTHERS: Final = frozenset(
    {
        "owner",
        "account",
        "company",
        "employer",
        "assigned",
        "created",
        "modified",
        "by",
        "manager",
        "assistant",
        "sales",
        "rep",
        "parent",
        "emergency",
        "spouse",
        "referred",
    }
)
"""Words by which an address or a number in a column is likely somebody else's."""

_NAME_KEYS: Final = frozenset(
    {"first name", "last name", "full name", "display name", "given name", "family name", "surname"}
)
_NO_PHONES: Final = frozenset(
    {
        *("date", "time", "at", "on", "id", "ip", "no", "nr", "number", "code", "zip", "postal"),
        *(
            "order",
            "invoice",
            "amount",
            "total",
            "price",
            "value",
            "revenue",
            "score",
            "tax",
            "vat",
        ),
        *("iban", "latitude", "longitude", "lat", "lng", "lon", "seen", "since", "year", "updated"),
    }
)
"""Words by which a column of digits is likely no telephone number's."""

_SHARE: Final = 0.8
"""Of a column's cells so many must look like e-mail for it to be taken for e-mail."""

_PREFIX: Final = "name_prefix"
_DIGITS: Final = 5
"""Digits of a number in a header that counts nothing."""

_WIDE: Final = 400
"""Columns of a table that is too wide to take every name in it apart."""

_IN_BRACKETS = re.compile(r"\([^()]*\)")
"""What a form says beside a column's name: `E-mail (required)`."""

_LOOKED_AT: Final = 320
"""Characters of a cell that are looked at."""

_LOOKS: Final = (
    ("email", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    (
        "linkedin_url",
        re.compile(r"(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/in/\S+", re.IGNORECASE),
    ),
    ("phone", re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:\+[\d ().\-/]+|\(?\d+\)?(?:[ .\-/]\d+)+)")),
)
"""Kind → how its cells look."""


_IP_OR_DECIMAL = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[1-9]\d*\.\d+")


class _Reading(NamedTuple):
    """What a column may mean, and on what that rests."""

    target: Target | None
    why: Why
    rank: tuple[int, int, str]


def recognise(header: Sequence[str], vocabulary: Vocabulary) -> ColumnMapping | None:
    """Return what the columns of a known product's export mean, in any known language."""
    keys, language = translated(_keys(header), vocabulary)
    layout = _layout(keys, vocabulary)
    if layout is None:
        return None
    found: list[_Reading] = []
    written = {target_of(text).kind for key in keys if (text := layout.columns.find(key))}
    for name, key in zip(header, keys, strict=True):
        text = layout.columns.find(key)
        if text is not None:
            found.append(_Reading(target_of(text), "layout", layout.columns.rank(key)))
            continue
        if layout.custom and name.startswith(layout.custom):
            own = custom(name.removeprefix(layout.custom))
            found.append(_Reading(own, "layout", layout.columns.rank(key)))
            continue
        reading = _by_alias(name, key, len(keys), vocabulary)
        # A column that the product did not write itself is read only where it names the person,
        # or where nothing that the product wrote is of its kind.
        target = reading.target
        known = target is not None and (target.identifies or target.kind not in written)
        found.append(reading if known else reading._replace(target=None, why="none"))
    return ColumnMapping(layout.name, _columns(header, found), language)


def suggest(
    header: Sequence[str], rows: Sequence[Sequence[str]], vocabulary: Vocabulary
) -> ColumnMapping:
    """Return the likeliest reading of any table: by its header's words, then by its first rows."""
    known = recognise(header, vocabulary)
    if known is not None:
        return known
    keys, language = translated(_keys(header), vocabulary)
    found = [
        _by_alias(name, key, len(keys), vocabulary) for name, key in zip(header, keys, strict=True)
    ]
    _family_name(keys, found)
    taken = {reading.target for reading in found}
    for index, key in enumerate(keys):
        first, _, rest = key.partition(" ")
        texts = vocabulary.fallback.get(rest if first in vocabulary.owners else key, ())
        if _PREFIX in texts and _are_forms_of_address(index, rows, vocabulary):
            texts = (_PREFIX,)
        for text in texts:
            if target_of(text) not in taken:
                found[index] = found[index]._replace(target=target_of(text), why="name")
                taken.add(target_of(text))
                break
    for index, key in enumerate(keys):
        if found[index].target is None and _OTHERS.isdisjoint(key.split()):
            cells = (row[index][:_LOOKED_AT].strip() for row in rows if index < len(row))
            kind = _look([cell for cell in cells if cell], key.split())
            if kind:
                target = Target(kind, "" if kind == "linkedin_url" else "1")
                found[index] = found[index]._replace(target=target, why="content")
    return ColumnMapping(OTHER_LAYOUT, _columns(header, found), language)


def _are_forms_of_address(
    index: int, rows: Sequence[Sequence[str]], vocabulary: Vocabulary
) -> bool:
    """Tell whether a column called `Title` holds `Mrs` rather than `Director`."""
    cells = [cell for row in rows if index < len(row) and (cell := row[index].strip())]
    forms = sum(key_of(cell[:LONGEST]) in vocabulary.forms_of_address for cell in cells)
    return bool(cells) and forms >= _SHARE * len(cells)


def _keys(header: Sequence[str]) -> list[str]:
    return [key_of(name[:LONGEST]) for name in header]


def _by_alias(name: str, key: str, columns: int, vocabulary: Vocabulary) -> _Reading:
    """Read a column by what anyone would call it: `Phone`, or `Customer phone (work)`."""
    looks_closer = columns <= _WIDE
    said = read_header_words(key, vocabulary, looks_closer=looks_closer)
    if said is None and "(" in name:
        plain = key_of(_IN_BRACKETS.sub(" ", name[:LONGEST]))
        said = read_header_words(plain, vocabulary, looks_closer=looks_closer)
    if said is None:
        return _Reading(None, "none", (2 * _BEHIND, 0, key))
    place, number, _ = vocabulary.aliases.rank(said.phrase)
    own = said.target.slot.rpartition(" ")[2]
    number = number or (int(own) if own.isdecimal() and len(own) < _DIGITS else 0)
    return _Reading(said.target, "name", (_BEHIND + place, number, key))


def translated(keys: list[str], vocabulary: Vocabulary) -> tuple[list[str], str]:
    """Return the keys in English, and the language they were in."""
    best, language = keys, "en"
    # Of two readings that know as many columns English wins, then the one with more words.
    best_score = (_count(keys, vocabulary), len(keys))
    present = frozenset(keys)
    for candidate in vocabulary.languages:
        if present.isdisjoint(candidate.names) and present.isdisjoint(candidate.repeated):
            continue
        own = sum(key in candidate.names or key in candidate.repeated for key in keys)
        english = _in_english(keys, candidate)
        score = (_count(english, vocabulary), own)
        if score > best_score:
            best, best_score, language = english, score, candidate.code
    return best, language


def _count(keys: list[str], vocabulary: Vocabulary) -> int:
    known = vocabulary.english
    return sum(key in known or numbered(key)[0] in known for key in keys)


def _in_english(keys: list[str], language: Language) -> list[str]:
    counts, seen = Counter(keys), Counter[str]()
    english: list[str] = []
    for key in keys:
        turns = language.repeated.get(key, ())
        if counts[key] > 1 and seen[key] < len(turns):
            english.append(turns[seen[key]])
        else:
            english.append(language.names.get(key, key))
        seen[key] += 1
    present = frozenset(english)
    for index, key in enumerate(keys):
        rule, other = language.beside.get(key), language.otherwise.get(key)
        if rule is not None and rule.other in present:
            english[index] = rule.name
        elif other is not None and other.other not in present:
            english[index] = other.name
        elif key in language.alone and _NAME_KEYS.isdisjoint(
            english[:index] + english[index + 1 :]
        ):
            english[index] = "full name"
    return english


def _layout(keys: list[str], vocabulary: Vocabulary) -> Layout | None:
    present = frozenset(keys) | {numbered(key)[0] for key in keys}
    for layout in vocabulary.layouts:
        if layout.all <= present and len(layout.any & present) >= min(
            layout.least, len(layout.any)
        ):
            return layout
    return None


def _family_name(keys: list[str], found: list[_Reading]) -> None:
    """Read `Name` beside a first name, and no last one, as the last name."""
    kinds = {reading.target.kind for reading in found if reading.target is not None}
    if "first_name" in kinds and "last_name" not in kinds and "name" in keys:
        index = keys.index("name")
        found[index] = found[index]._replace(target=target_of("last_name"))


def _look(cells: list[str], words: Collection[str]) -> str | None:
    for kind, form in _LOOKS:
        alike = sum(form.fullmatch(cell) is not None for cell in cells)
        if not cells or alike < _SHARE * len(cells):
            continue
        others = sum(map(_is_something_else, cells)) if kind == "phone" else 0
        if kind == "phone" and (2 * others >= len(cells) or not _NO_PHONES.isdisjoint(words)):
            return None
        return kind
    return None


def _is_something_else(cell: str) -> bool:
    """Tell a date, an IP address or a decimal number from a telephone number."""
    return read_day(cell) is not None or _IP_OR_DECIMAL.fullmatch(cell) is not None


def _columns(header: Sequence[str], found: Sequence[_Reading]) -> tuple[Column, ...]:
    """Give each target to one column: a second e-mail gets its own, the rest is custom.

    Who comes first is the vocabulary's to say, not the file's, so that columns in another order
    mean the same.
    """
    taken: set[Target] = set()
    names = distinct_names([name.strip() for name in header])
    columns: dict[int, Column] = {}
    for index in sorted(range(len(found)), key=lambda index: found[index].rank):
        target, why, rank = found[index]
        if target is not None and target.is_single and target in taken:
            target = _next(target, taken)
        if names[index] == REASON:
            target, why = SKIP, "name"
        elif target is None:
            target, why = custom(names[index]), "none"
        taken.add(target)
        columns[index] = Column(names[index], target, why, rank)
    return tuple(columns[index] for index in range(len(found)))


def _next(target: Target, taken: set[Target]) -> Target | None:
    if target.kind not in _SEVERAL or target.part != "value":
        return None
    stem = "" if target.slot.isdigit() else f"{target.slot} "
    number = int(target.slot) if target.slot.isdigit() else 1
    found = target
    while found in taken:
        number += 1
        found = Target(target.kind, f"{stem}{number}", target.part)
    return found
