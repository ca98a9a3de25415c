"""A person's name as a source writes it, read into its parts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from services.resolver.domain.names.east_asian import has_east_asian, read_east_asian
from services.resolver.domain.names.folding import (
    WRITES_VOWELS,
    Script,
    clean_name,
    fold,
    script_of,
)
from services.resolver.domain.names.plausibility import is_plausible
from services.resolver.domain.names.tables import read_words
from services.resolver.domain.names.wording import MAX_WORDS, Words, split_words


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in parts; every word folded to lower-case Latin letters (`fold`).

    Empty (`bool(name)` is false) where the source said nothing that names a person.
    """

    given: tuple[str, ...] = ()
    """Given and middle names in their order; one letter is an initial."""
    family: tuple[str, ...] = ()
    """Family names without particles; where the order is not known, the last word."""
    particles: tuple[str, ...] = ()
    """`van`, `der`, `de`, `al`, `bin`, … of the family name."""
    honorifics: tuple[str, ...] = ()
    """Titles and academic letters: they neither join nor part anybody."""
    nicknames: tuple[str, ...] = ()
    """Names in quotes or brackets, or that the source gives as nickname."""
    former: tuple[str, ...] = ()
    """The family name at birth, where it is said (`née`)."""
    generation: int | None = None
    """1 for Sr, 2 for Jr and II, 3 for III, …"""
    script: Script = "none"
    is_ordered: bool = False
    """The source tells given from family name: by fields, a comma, or the script."""
    is_well_formed: bool = False
    """Looks like a name that somebody meant: only such a name can contradict another."""

    def __bool__(self) -> bool:
        """Say whether anybody is named."""
        return bool(self.given or self.family or self.nicknames)

    @property
    def words(self) -> tuple[str, ...]:
        """All words that name, particles not among them."""
        return self.given + self.family

    @property
    def initials(self) -> str:
        """The first letters of given and family names: `jmk` of John Maynard Keynes."""
        return "".join(word[0] for word in self.words)


def parse_person(
    full_name: str | None = None,
    *,
    first_name: str | None = None,
    middle_name: str | None = None,
    last_name: str | None = None,
    name_prefix: str | None = None,
    name_suffix: str | None = None,
    nickname: str | None = None,
) -> PersonName:
    """Read a name from whatever fields a source fills; never raises.

    First and last name together beat the full name, which a program may have put together.
    """
    return _parse(
        _Fields(
            full_name or "",
            first_name or "",
            middle_name or "",
            last_name or "",
            name_prefix or "",
            name_suffix or "",
            nickname or "",
        )
    )


class _Fields(NamedTuple):
    full: str
    first: str
    middle: str
    last: str
    prefix: str
    suffix: str
    nickname: str


@lru_cache(maxsize=8_192)
def _parse(fields: _Fields) -> PersonName:
    if reading := _read_east_asian(fields):
        name = reading
    elif fields.first and fields.last:
        name = _of_fields(fields.first, fields.middle, fields.last)
        if fields.full:
            name = _more_of(name, _of_text(fields.full))
    elif _is_family_alone(fields):
        name = _of_family(fields.last)
    elif fields.full:
        name = _of_text(fields.full)
    else:
        name = _of_text(" ".join(filter(None, (fields.first, fields.middle, fields.last))))
    if fields.prefix or fields.suffix or fields.nickname:
        return _with_extras(name, fields.prefix, fields.suffix, fields.nickname)
    return name


def _more_of(name: PersonName, whole: PersonName) -> PersonName:
    """Take the full name where the fields hold less: one part alone, or no middle name."""
    if not (name.given and name.family):
        return max(name, whole, key=lambda found: len(found.words))
    count = len(name.given)
    has_middle = len(whole.given) > count and whole.given[:count] == name.given
    return replace(name, given=whole.given) if has_middle and whole.family == name.family else name


def _read_east_asian(fields: _Fields) -> PersonName | None:
    text = f"{fields.last} {fields.first}" if fields.first and fields.last else fields.full
    if not has_east_asian(text):
        return None
    text = clean_name(text)
    reading = read_east_asian(text)
    if reading is None:
        return None
    return PersonName(
        given=(reading.given,),
        family=(reading.family,),
        script=script_of(text),
        is_ordered=True,
        is_well_formed=reading.is_certain,
    )


def _with_extras(name: PersonName, prefix: str, suffix: str, nickname: str) -> PersonName:
    after = split_words(suffix, is_suffix=True)
    nick = split_words(nickname)
    honorifics = tuple(fold(word.strip(".")) for word in prefix.split())
    return replace(
        name,
        honorifics=name.honorifics + honorifics + after.honorifics,
        nicknames=name.nicknames + tuple(word for word in nick.words if word not in name.words),
        generation=name.generation or after.generation,
        script=name.script if name else nick.script,
    )


def _of_fields(first: str, middle: str, last: str) -> PersonName:
    """Read a name whose parts the source keeps apart; a part that holds it all is read as text."""
    if "," in first and not middle:
        return _of_text(first if fold(last) in fold(first) else f"{first} {last}")
    before, between, after = split_words(first), split_words(middle), split_words(last)
    if before.words == after.words and len(after.words) > 1:
        return _of_text(first)
    if len(before.words) > 1 and after.words and before.words[-len(after.words) :] == after.words:
        given, family = before.words[: -len(after.words)] + between.words, after.words
    elif len(after.words) > 1 and before.words and after.words[: len(before.words)] == before.words:
        given, family = before.words + between.words, after.words[len(before.words) :]
    else:
        given, family = before.words + between.words, after.words
    fields = (before, between, after) if middle else (before, after)
    return _assemble(given, family, fields, is_ordered=bool(given and family))


def _assemble(
    given: tuple[str, ...],
    family: tuple[str, ...],
    fields: Sequence[Words],
    *,
    is_ordered: bool,
) -> PersonName:
    core, particles = _part_particles(family)
    script: Script = next((words.script for words in fields if words.script != "none"), "none")
    is_clean = all(words.is_clean for words in fields)
    return PersonName(
        given=given[:MAX_WORDS],
        family=core[:MAX_WORDS],
        particles=particles,
        honorifics=sum((words.honorifics for words in fields), ()),
        nicknames=sum((words.nicknames for words in fields), ()),
        former=sum((words.former for words in fields), ()),
        generation=next((words.generation for words in fields if words.generation), None),
        script=script,
        is_ordered=is_ordered,
        is_well_formed=is_clean and is_plausible(given + core, has_vowels=script in WRITES_VOWELS),
    )


def _part_particles(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell the particles of a family name from its core; a name of particles only is a core."""
    known = read_words("particles")
    if known.isdisjoint(words):
        return words, ()
    core = tuple(word for word in words if word not in known)
    return (core, tuple(word for word in words if word in known)) if core else (words, ())


def _is_family_alone(fields: _Fields) -> bool:
    """Tell whether a source says the family name and nothing else of a name."""
    others = fields.first or fields.middle
    return bool(fields.last) and not others and fold(fields.full) in ("", fold(fields.last))


def _of_family(last: str) -> PersonName:
    """Read a family name that stands alone; of several words, it may be a whole name after all."""
    words = split_words(last)
    if len(words.words) != 1:
        return _of_text(last)
    return _assemble((), words.words, (words,), is_ordered=True)


_REMARK = re.compile(r"\s+[|\u2022\u00b7\u2013\u2014/-]\s+|\s+@\s*|[|\u2022]")
"""After this, people write what they do, not what they are called."""

_COMMA = re.compile("[,\u060c\u3001;]")


def _of_text(text: str) -> PersonName:
    """Read a name written in one piece, in the order that its comma or its script says."""
    head, *tail = _COMMA.split(_REMARK.split(clean_name(text), maxsplit=1)[0])
    after = [split_words(part, is_suffix=True) for part in tail]
    given = sum((words.words for words in after), ())
    words = split_words(head)
    if given and words.words:
        return _assemble(given, words.words, (words, *after), is_ordered=True)
    size = _family_size(words)
    tokens = words.words
    if size < 0:
        given, family = tokens[-size:], tokens[:-size]
    else:
        given, family = tokens[: len(tokens) - size], tokens[len(tokens) - size :]
    is_ordered = size < 0 or bool(words.capitals_last)
    return _assemble(given, family, (words, *after), is_ordered=is_ordered)


def _family_size(words: Words) -> int:
    """Count the words of the family name at the end; negative where it stands at the start."""
    count = len(words.words)
    if count < 2:
        return 0
    if words.capitals_first and not words.capitals_last:
        return -words.capitals_first
    if words.script in {"han", "hangul", "kana"}:
        return -1
    if words.capitals_last:
        return words.capitals_last
    particles = read_words("particles")
    for place in range(1, count - 1):
        if words.words[place] in particles and len(words.words[place]) > 1:
            return count - place
    return 1
