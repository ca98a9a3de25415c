"""From a header to what its columns mean: a known product's, or the likeliest reading."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from services.ingest.domain.belonging import Known, is_of_others, others_columns
from services.ingest.domain.columns import (
    NAMES,
    SKIP,
    Column,
    ColumnMapping,
    Target,
    Why,
    custom,
    distinct_names,
    target_of,
)
from services.ingest.domain.contents import (
    SHARE,
    are_calling_codes,
    are_dialled,
    are_words,
    cells_of,
    kind_of_cells,
)
from services.ingest.domain.headers import OF_PHONES, read_header_words
from services.ingest.domain.vocabulary import (
    LONGEST,
    Language,
    Layout,
    Vocabulary,
    key_of,
    numbered,
)
from shared.identifiers.timezones import is_timezone

OTHER_LAYOUT: Final = "csv"
"""The layout of a table that no product is known by."""

REASON: Final = "kith reason"
"""The column in which rejected rows come back with what is wrong; read again, it says nothing."""

_SEVERAL: Final = frozenset({"email", "phone", "website"})
"""Kinds of which a second column is one more, not a doubt."""

_OF_PARTS: Final = frozenset({"job", "address"})
"""Kinds of which several columns tell one."""

_TOLD_ONCE: Final = frozenset({*NAMES, *_OF_PARTS, "birthday", "linkedin_url", "headline"})
"""Kinds that a row tells in one column, though a table of two sources has a column of each."""

_BEHIND: Final = 10_000
"""Ranks of aliases begin here: behind those of a layout's own columns."""

_NAME_KEYS: Final = frozenset(
    {"first name", "last name", "full name", "display name", "given name", "family name", "surname"}
)
_PREFIX: Final = "name_prefix"
_COUNTRY: Final = Target("address", part="country")
_CALLING_CODE: Final = Target("phone_code")
_DIGITS: Final = 5
"""Digits of a number in a header that counts nothing."""

_WIDE: Final = 400
"""Columns of a table that is too wide to take every name in it apart."""

_BORN: Final = {
    "by": Target("birthday", part="year"),
    "bm": Target("birthday", part="month"),
    "bd": Target("birthday", part="day"),
}
"""Columns of year, month and day of birth, which say so only where all three stand together."""

_STREET_NUMBER = re.compile(r"(?:street|address|street address)(?: line)? (\d)")
_MEETINGS: Final = frozenset({"event", "events", "meeting", "webinar", "session", "ticket", "rsvp"})
"""Words of columns that tell of what people come to."""

_BRACKET = re.compile(r"[(\[{]")
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{\{[^{}]*\}\}")
"""What a form says beside a column's name: `E-mail (required)`, `First Name [Required]`."""


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
    written = {target_of(text) for key in keys if (text := layout.columns.find(key))}
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
        known = target is not None and (target.identifies or _adds_to(written, target))
        found.append(reading if known else reading._replace(target=None, why="none"))
    return ColumnMapping(layout.name, _columns(header, found), language)


def _adds_to(written: Collection[Target], target: Target) -> bool:
    """Tell whether a column says what none of a product's own does.

    Of a job or an address it may be one more part of the one that they tell.
    """
    same = [one for one in written if one.kind == target.kind]
    if not same or target.kind not in _OF_PARTS:
        return not same
    return target not in same and any(one.slot == target.slot for one in same)


def suggest(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    *,
    is_of_people: bool = False,
) -> ColumnMapping:
    """Return the likeliest reading of any table: by its header's words, then by its first rows.

    In a table that is known to be of people the only names are theirs, though they be agents.
    """
    product = recognise(header, vocabulary)
    if product is not None:
        return product
    keys, language = translated(_keys(header), vocabulary)
    keys = _less_prefix(keys, vocabulary, is_of_people=is_of_people)
    found = [
        _by_alias(name, key, len(keys), vocabulary) for name, key in zip(header, keys, strict=True)
    ]
    _family_name(keys, found)
    _streets(keys, found)
    _birthday(header, found)
    taken = {reading.target for reading in found}
    for index, said in _by_fallback(keys, found, vocabulary):
        cells = cells_of(rows, index)
        is_prefix = _PREFIX in said and _share_of_forms(cells, vocabulary) >= SHARE
        for text in (_PREFIX,) if is_prefix else said:
            if _may_hold(target_of(text), cells, taken, vocabulary):
                found[index] = found[index]._replace(target=target_of(text), why="name")
                taken.add(target_of(text))
                break
    for index, key in enumerate(keys):
        if found[index].target is None and not is_of_others(key):
            kind = kind_of_cells(cells_of(rows, index), key.split())
            if kind:
                target = Target(kind, _slot(kind, key, vocabulary))
                found[index] = found[index]._replace(target=target, why="content")
        elif found[index].target == _COUNTRY and are_calling_codes(cells_of(rows, index)):
            found[index] = found[index]._replace(target=_CALLING_CODE)
    known = [Known(key, *reading) for key, reading in zip(keys, found, strict=True)]
    for index in others_columns(known, rows, vocabulary):
        found[index] = found[index]._replace(target=None, why="none")
    return ColumnMapping(OTHER_LAYOUT, _columns(header, found, rows), language)


def _may_hold(
    target: Target,
    cells: Sequence[str],
    taken: Collection[Target | None],
    vocabulary: Vocabulary,
) -> bool:
    """Tell whether a column of a name that says little may be this, by its cells and neighbours."""
    if target.kind == "phone":
        is_other = any(one is not None and one.kind == "phone" for one in taken)
        return not is_other and are_dialled(cells)
    if not cells:  # a column of domains is of anything: kinds of records, fields of knowledge
        return target not in taken and target.part != "company_domain"
    return target not in taken and _are_told(target, cells, vocabulary)


def _are_told(target: Target, cells: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Tell whether cells may be what they would be here."""
    match target.kind, target.part:
        case "linkedin_url", _:
            return any("linkedin" in cell.casefold() for cell in cells)
        case "timezone", _:
            return all(map(is_timezone, cells))
        case "name_prefix", _:
            return _share_of_forms(cells, vocabulary) > 0
        case "job", "company_name":
            return are_words(cells)
        case "job", "company_domain":
            return any("." in cell for cell in cells)
        case "job", "title":
            return 2 * sum(key_of(cell) in vocabulary.roles for cell in cells) < len(cells)
    return True


def _slot(kind: str, key: str, vocabulary: Vocabulary) -> str:
    """Return which of several a column is that is called `Home` or `Work` and no more."""
    if kind == "linkedin_url":
        return ""
    label = vocabulary.places.get(key, "")
    return "1" if not label or (kind == "email" and label in OF_PHONES) else label


def _share_of_forms(cells: Sequence[str], vocabulary: Vocabulary) -> float:
    """Return how many cells of a column called `Title` are as `Mrs`, rather than `Director`."""
    forms = sum(key_of(cell[:LONGEST]) in vocabulary.forms_of_address for cell in cells)
    return forms / len(cells) if cells else 0


def _keys(header: Sequence[str]) -> list[str]:
    return [key_of(name[:LONGEST]) for name in header]


def _by_alias(name: str, key: str, columns: int, vocabulary: Vocabulary) -> _Reading:
    """Read a column by what anyone would call it: `Phone`, or `Customer phone (work)`."""
    looks_closer = columns <= _WIDE
    said = read_header_words(key, vocabulary, looks_closer=looks_closer)
    if said is None and _BRACKET.search(name):
        plain = key_of(_IN_BRACKETS.sub(" ", name[:LONGEST]))
        said = read_header_words(plain, vocabulary, looks_closer=looks_closer)
    if said is None:
        return _Reading(None, "none", (2 * _BEHIND, 0, key))
    place, number, _ = vocabulary.aliases.rank(said.phrase)
    own = said.target.slot.rpartition(" ")[2]
    if said.target.kind in NAMES and said.phrase != key:
        place += _BEHIND // 2  # `Contact Name` is somebody's before `Lead Name` is
    number = number or (int(own) if own.isdecimal() and len(own) < _DIGITS else 0)
    return _Reading(said.target, "name", (_BEHIND + place, number, key))


def translated(keys: Sequence[str], vocabulary: Vocabulary) -> tuple[list[str], str]:
    """Return the keys in English, and the language they were in."""
    english, language = _translated(tuple(keys), vocabulary)
    return list(english), language


@lru_cache(maxsize=16)
def _translated(keys: tuple[str, ...], vocabulary: Vocabulary) -> tuple[tuple[str, ...], str]:
    """Do so; remembered, as a line is weighed as a header several times."""
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
            best, best_score, language = tuple(english), score, candidate.code
    return best, language


def _count(keys: Sequence[str], vocabulary: Vocabulary) -> int:
    known = vocabulary.english
    return sum(key in known or numbered(key)[0] in known for key in keys)


def _in_english(keys: Sequence[str], language: Language) -> list[str]:
    counts, seen = Counter(keys), Counter[str]()
    english: list[str] = []
    for key in keys:
        turns = language.repeated.get(key, ())
        if counts[key] > 1 and seen[key] < len(turns):
            english.append(turns[seen[key]])
        else:
            english.append(language.english(key))
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
        if (
            layout.none.isdisjoint(present)
            and layout.all <= present
            and len(layout.any & present) >= min(layout.least, len(layout.any))
        ):
            return layout
    return None


def _less_prefix(keys: list[str], vocabulary: Vocabulary, *, is_of_people: bool) -> list[str]:
    """Take a word off that stands before both parts of the only name: `pat_first_name`.

    It says whose table it is, and stands before other columns of the person, too.
    """
    if len(keys) > _WIDE or any(_names(key, vocabulary) for key in keys):
        return keys
    parts: dict[str, set[str]] = {}
    for key in keys:
        word, _, rest = key.partition(" ")
        if (is_of_people or not is_of_others(word)) and (kind := _names(rest, vocabulary)):
            parts.setdefault(word, set()).add(kind)
    named = [word for word, kinds in parts.items() if {"first_name", "last_name"} <= kinds]
    if not named:
        return keys
    before = {word: sum(key.startswith(f"{word} ") for key in keys) for word in named}
    word = max(named, key=lambda one: (before[one], one))
    return [key.removeprefix(f"{word} ") for key in keys]


def _names(key: str, vocabulary: Vocabulary) -> str | None:
    """Return which part of a name a column holds, if it is called so."""
    said = read_header_words(key, vocabulary) if key else None
    return said.target.kind if said is not None and said.target.kind in NAMES else None


def _family_name(keys: list[str], found: list[_Reading]) -> None:
    """Read `Name` beside a first name, and no last one, as the last name."""
    kinds = {reading.target.kind for reading in found if reading.target is not None}
    if "first_name" in kinds and "last_name" not in kinds and "name" in keys:
        index = keys.index("name")
        found[index] = found[index]._replace(target=target_of("last_name"))


def _streets(keys: Sequence[str], found: list[_Reading]) -> None:
    """Read `Street 1` beside `City 1` as part of the first address, not as a line of the one.

    Where there is but one such town, further streets are lines beside it.
    """
    towns = {
        reading.target.slot
        for reading in found
        if reading.target is not None
        and (reading.target.kind, reading.target.part) == ("address", "city")
        and reading.target.slot.isdecimal()
    }
    if not towns:
        return
    has_street = {
        reading.target.slot
        for reading in found
        if reading.target is not None
        and reading.target.kind == "address"
        and reading.target.part == "street"
    }
    for index, key in enumerate(keys):
        match, target = _STREET_NUMBER.fullmatch(key), found[index].target
        if match is None or target is None or target.slot:
            continue
        if match[1] in towns - has_street:
            found[index] = found[index]._replace(target=Target("address", match[1], "street"))
        elif len(towns) == 1:
            found[index] = found[index]._replace(target=replace(target, slot=min(towns)))


def _birthday(header: Sequence[str], found: list[_Reading]) -> None:
    """Read `by`, `bm` and `bd` as parts of a birthday, though `by` is Danish for a town."""
    keys = _keys(header)
    if not _BORN.keys() <= set(keys):
        return
    for index, key in enumerate(keys):
        if key in _BORN:
            found[index] = found[index]._replace(target=_BORN[key], why="name")


def _by_fallback(
    keys: Sequence[str], found: Sequence[_Reading], vocabulary: Vocabulary
) -> list[tuple[int, tuple[str, ...]]]:
    """Return the columns of names that say little, and what they may be; the surest first.

    Where a table tells of meetings too, its location is where they take place.
    """
    order = {key: place for place, key in enumerate(vocabulary.fallback)}
    if any(not _MEETINGS.isdisjoint(key.split()) for key in keys):
        del order["location"]
    open_: list[tuple[int, int]] = []
    for index, key in enumerate(keys):
        first, _, rest = key.partition(" ")
        plain = rest if first in vocabulary.owners else key
        if plain in order and found[index].target is None:
            open_.append((order[plain], index))
    texts = list(vocabulary.fallback.values())
    return [(index, texts[place]) for place, index in sorted(open_)]


def _columns(
    header: Sequence[str], found: Sequence[_Reading], rows: Sequence[Sequence[str]] = ()
) -> tuple[Column, ...]:
    """Give each target to one column: a second e-mail gets its own, the rest is custom.

    Who comes first is the vocabulary's to say, not the file's, so that columns in another order
    mean the same. Two tables in one have a column each of what both tell, of which a row fills one.
    """
    taken: dict[Target, int] = {}
    counts: dict[tuple[str, str], int] = {}
    names = distinct_names([name.strip() for name in header])
    columns: dict[int, Column] = {}
    for index in sorted(range(len(found)), key=lambda index: found[index].rank):
        target, why, rank = found[index]
        if target is not None and target.is_single and target in taken:
            is_one = target.kind in _TOLD_ONCE and not _are_both_told(rows, taken[target], index)
            target = target if is_one else _next(target, taken, counts)
        if header[index].strip() == REASON:
            target, why = SKIP, "name"
        elif target is None:
            target, why = custom(names[index]), "none"
        taken.setdefault(target, index)
        columns[index] = Column(names[index], target, why, rank)
    return tuple(columns[index] for index in range(len(found)))


def _are_both_told(rows: Sequence[Sequence[str]], one: int, other: int) -> bool:
    """Tell whether any row fills two columns; of no rows nothing is known."""
    last = max(one, other)
    return not rows or any(
        len(row) > last and row[one].strip() and row[other].strip() for row in rows
    )


def _next(
    target: Target, taken: Collection[Target], counts: dict[tuple[str, str], int]
) -> Target | None:
    """Return the first place of its kind that no column has; `counts` the last one given."""
    if target.kind not in _SEVERAL or target.part != "value":
        return None
    stem = "" if target.slot.isdigit() else f"{target.slot} "
    given = counts.get((target.kind, stem), 1)
    number = max(int(target.slot), given) if target.slot.isdigit() else given
    found = target
    while found in taken:
        number += 1
        found = Target(target.kind, f"{stem}{number}", target.part)
    counts[target.kind, stem] = number
    return found
