"""Two names of persons: one person's, or not, and why."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import JaroWinkler

from services.resolver.domain.names.alignment import FAMILY, FIRST, MIDDLE, Side, align
from services.resolver.domain.names.person import PersonName
from services.resolver.domain.names.words import WordLevel


class NameLevel(StrEnum):
    """How two names agree, best first; the first seven may be one person's."""

    EXACT = "exact"
    """The same words in the same order."""
    EQUIVALENT = "equivalent"
    """The same up to order, spacing, accents, particles and transliteration."""
    NICKNAME = "nickname"
    INITIAL = "initial"
    OMISSION = "omission"
    """One lacks a part that the other has; nothing contradicts."""
    TYPO = "typo"
    UNKNOWN = "unknown"
    """One names nobody."""
    GARBLED = "garbled"
    """They disagree, but one does not look like a name: it weighs, and contradicts nothing."""
    OTHER_MIDDLE = "other_middle"
    OTHER_FAMILY = "other_family"
    """The same given name, another family name: as after a marriage."""
    OTHER_GIVEN = "other_given"
    """The same family name, another given name: as relatives."""
    OTHER_GENERATION = "other_generation"
    """Father and son: Sr and Jr."""
    CONFLICT = "conflict"
    """Two well-formed names with nothing in common."""


class PartLevel(StrEnum):
    """How the given or the family part of two names agrees."""

    EXACT = "exact"
    EQUIVALENT = "equivalent"
    NICKNAME = "nickname"
    INITIAL = "initial"
    PARTIAL = "partial"
    """One has more words: a middle name, the second of two family names."""
    TYPO = "typo"
    MISSING = "missing"
    """One or both lack the part."""
    OTHER_MIDDLE = "other_middle"
    """The first given name agrees, a further one does not."""
    OTHER = "other"


CONFLICTS = frozenset(
    {
        NameLevel.OTHER_FAMILY,
        NameLevel.OTHER_GIVEN,
        NameLevel.OTHER_GENERATION,
        NameLevel.CONFLICT,
    }
)
"""Levels at which two well-formed names disagree: never merged automatically (DESIGN 4.4)."""

POSSIBLE = 0.7
"""From this similarity on, two names may be one person's."""


@dataclass(frozen=True, slots=True)
class NameAgreement:
    """What comparing two names found."""

    level: NameLevel
    given: PartLevel
    family: PartLevel
    similarity: float
    """0.0 to 1.0; `POSSIBLE` parts names that may be one person's from those that are not."""

    @property
    def is_conflict(self) -> bool:
        """Say whether two well-formed names disagree (DESIGN 4.4)."""
        return self.level in CONFLICTS

    @property
    def is_possible(self) -> bool:
        """Say whether the two may be one person's."""
        return self.similarity >= POSSIBLE


def compare_persons(first: PersonName, second: PersonName) -> NameAgreement:
    """Compare two names; symmetric, and blind to order, case, accents and transliteration."""
    if first.words > second.words:
        first, second = second, first
    return _compare(first, second)


@lru_cache(maxsize=8_192)
def _compare(first: PersonName, second: PersonName) -> NameAgreement:
    if not first or not second:
        return _UNKNOWN
    if first == second:
        return NameAgreement(
            NameLevel.EXACT,
            PartLevel.EXACT if first.given else PartLevel.MISSING,
            PartLevel.EXACT if first.family else PartLevel.MISSING,
            1.0,
        )
    one, two = align(first, second)
    given = _part(one, two, FIRST)
    family = _part(one, two, FAMILY)
    level = _level(given.level, family.level, first, second)
    if level is NameLevel.EXACT:
        return NameAgreement(level, given.level, family.level, 1.0)
    is_other_generation = bool(
        first.generation and second.generation and first.generation != second.generation
    )
    similarity = _similarity(given, family, is_other_generation=is_other_generation)
    return NameAgreement(level, given.level, family.level, similarity)


_UNKNOWN = NameAgreement(NameLevel.UNKNOWN, PartLevel.MISSING, PartLevel.MISSING, 0.5)


@dataclass(frozen=True, slots=True)
class _Part:
    level: PartLevel
    score: float


_OF_WORD = {
    WordLevel.SAME: PartLevel.EXACT,
    WordLevel.VARIANT: PartLevel.EQUIVALENT,
    WordLevel.NICKNAME: PartLevel.NICKNAME,
    WordLevel.INITIAL: PartLevel.INITIAL,
    WordLevel.TYPO: PartLevel.TYPO,
}

_SCORES = {
    PartLevel.EXACT: 1.0,
    PartLevel.EQUIVALENT: 0.97,
    PartLevel.NICKNAME: 0.92,
    PartLevel.PARTIAL: 0.88,
    PartLevel.INITIAL: 0.8,
    PartLevel.MISSING: 0.6,
    PartLevel.OTHER_MIDDLE: 0.45,
    PartLevel.OTHER: 0.1,
}
"""How alike two parts are at each level; a slip has a score of its own."""


def _part(one: Side, two: Side, role: int) -> _Part:
    """Grade the first given names, or the family names, of two aligned names."""
    ours, theirs = one.having(role), two.having(role)
    if not ours or not theirs:
        return _Part(PartLevel.MISSING, _SCORES[PartLevel.MISSING])
    our_found = [found for place in ours if (found := one.found[place])]
    their_found = [found for place in theirs if (found := two.found[place])]
    if not our_found and not their_found:
        return _other(one, ours, two, theirs)
    is_short = len(our_found) < len(ours), len(their_found) < len(theirs)
    if is_short == (True, True):
        return _Part(PartLevel.OTHER, 0.4)
    if role == FIRST:
        middles = one.leaves(MIDDLE), two.leaves(MIDDLE)
        if middles == (True, True):
            return _Part(PartLevel.OTHER_MIDDLE, _SCORES[PartLevel.OTHER_MIDDLE])
        is_short = is_short[0] or middles[0], is_short[1] or middles[1]
    worst = min(our_found + their_found)
    if worst.level >= WordLevel.VARIANT and any(is_short):
        return _Part(PartLevel.PARTIAL, _SCORES[PartLevel.PARTIAL])
    level = _OF_WORD[worst.level]
    return _Part(level, worst.score if level is PartLevel.TYPO else _SCORES[level])


def _other(one: Side, ours: list[int], two: Side, theirs: list[int]) -> _Part:
    left = "".join(one.words[place] for place in ours)
    right = "".join(two.words[place] for place in theirs)
    return _Part(PartLevel.OTHER, min(0.4, JaroWinkler.similarity(left, right) / 2))


def _level(given: PartLevel, family: PartLevel, first: PersonName, second: PersonName) -> NameLevel:
    """Name the worst that was found."""
    parts = {given, family}
    found = next((level for bad, level in _WORST_FIRST if bad in parts), NameLevel.EQUIVALENT)
    if PartLevel.OTHER in parts:
        found = NameLevel.CONFLICT
        if parts - {PartLevel.OTHER, PartLevel.MISSING}:
            found = NameLevel.OTHER_GIVEN if given is PartLevel.OTHER else NameLevel.OTHER_FAMILY
    elif first.generation and second.generation and first.generation != second.generation:
        found = NameLevel.OTHER_GENERATION
    if found in CONFLICTS and not (first.is_well_formed and second.is_well_formed):
        return NameLevel.GARBLED
    if found is NameLevel.EQUIVALENT and _are_same(first, second):
        return NameLevel.EXACT
    return found


_WORST_FIRST = (
    (PartLevel.OTHER_MIDDLE, NameLevel.OTHER_MIDDLE),
    (PartLevel.TYPO, NameLevel.TYPO),
    (PartLevel.MISSING, NameLevel.OMISSION),
    (PartLevel.INITIAL, NameLevel.INITIAL),
    (PartLevel.NICKNAME, NameLevel.NICKNAME),
    (PartLevel.PARTIAL, NameLevel.OMISSION),
)


def _are_same(first: PersonName, second: PersonName) -> bool:
    return (first.given, first.family, first.particles) == (
        second.given,
        second.family,
        second.particles,
    )


def _similarity(given: _Part, family: _Part, *, is_other_generation: bool) -> float:
    """Let the worse part weigh twice the better; what is missing says little."""
    low, high = sorted((given.score, family.score))
    found = 0.65 * low + 0.35 * high
    return round(found * 0.5 if is_other_generation else found, 4)
