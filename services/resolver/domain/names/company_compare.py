"""Two names of companies: one company's, or not, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import OSA, JaroWinkler

from services.resolver.domain.names.company import CompanyName
from services.resolver.domain.names.compare import POSSIBLE
from services.resolver.domain.names.given import is_known
from services.resolver.domain.names.spelling import sound_of
from services.resolver.domain.names.tables import read_words

Words = tuple[str, ...]


class CompanyLevel(StrEnum):
    """How two names of companies agree, best first."""

    EXACT = "exact"
    """The same words, legal forms apart."""
    EQUIVALENT = "equivalent"
    """The same up to order, spacing, and words that tell nothing."""
    ABBREVIATION = "abbreviation"
    """One is the first letters of the other."""
    TYPO = "typo"
    PARTIAL = "partial"
    """One has words more, which may name a part of the company or another."""
    UNKNOWN = "unknown"
    """One names no company."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CompanyAgreement:
    """What comparing two names of companies found."""

    level: CompanyLevel
    similarity: float
    """0.0 to 1.0; from `POSSIBLE` on the two may be one company's."""

    @property
    def is_possible(self) -> bool:
        """Say whether the two may be one company's."""
        return self.similarity >= POSSIBLE


_UNKNOWN = CompanyAgreement(CompanyLevel.UNKNOWN, 0.5)
_ABBREVIATION = CompanyAgreement(CompanyLevel.ABBREVIATION, 0.85)

_WEIGHT, _TRADE, _PLACE, _WEAK = 1.0, 0.3, 0.3, 0.1
"""How much a word tells: a name's own, a trade, a place, one that many names have."""


def compare_companies(first: CompanyName, second: CompanyName) -> CompanyAgreement:
    """Compare two names; symmetric, blind to legal forms, case, accents and order."""
    if (second.words, second.others) < (first.words, first.others):
        first, second = second, first
    return _compare(first, second)


@lru_cache(maxsize=8_192)
def _compare(first: CompanyName, second: CompanyName) -> CompanyAgreement:
    if not first or not second:
        return _UNKNOWN
    return max(
        (
            _compare_words(ours, theirs, first.legal, second.legal)
            for ours in (first.words, *first.others)
            for theirs in (second.words, *second.others)
        ),
        key=lambda agreement: agreement.similarity,
    )


def _compare_words(
    first: Words, second: Words, our_legal: Words, their_legal: Words
) -> CompanyAgreement:
    if first == second:
        return CompanyAgreement(CompanyLevel.EXACT, 1.0)
    if "".join(first) == "".join(second) or _telling(first) == _telling(second):
        return CompanyAgreement(CompanyLevel.EQUIVALENT, 0.96)
    if _abbreviates(first, second, their_legal) or _abbreviates(second, first, our_legal):
        return _ABBREVIATION
    return _weigh(first, second)


def _telling(words: Words) -> Words:
    """Return the words that tell one company from another, sorted; all where none does."""
    return tuple(sorted(word for word in words if _weight(word) > _WEAK) or sorted(words))


def _weight(word: str) -> float:
    if word in read_words("company_weak"):
        return _WEAK
    if word in read_words("company_trades"):
        return _TRADE
    return _PLACE if word in read_words("places") else _WEIGHT


def _abbreviates(short: Words, long: Words, legal: Words) -> bool:
    """Say whether a word is the first letters of a name: `ibm`, `l & t`, `adnoc`, `pdvsa`.

    Small words may be left out, and the legal form counts or not.
    """
    letters = short[0]
    if all(len(word) <= 2 or word == "and" for word in short):
        letters = "".join(word for word in short if word != "and")
    elif any(_weight(word) == _WEIGHT for word in short[1:]):
        return False
    if not 2 <= len(letters) <= 8:
        return False
    form = legal[0] if legal else ""
    for name in (long, [word for word in long if word not in _SMALL]):
        initials = "".join(word[0] for word in name)
        if len(name) > 1 and letters in {initials, initials + form[:1], initials + form}:
            return True
    return False


_SMALL = frozenset({"the", "and", "of", "for", "de", "der", "die", "del", "la", "le", "fur", "in"})


def _weigh(first: Words, second: Words) -> CompanyAgreement:
    """Weigh what agrees against what is left over on either side."""
    left, right = list(dict.fromkeys(first)), list(dict.fromkeys(second))
    agreed, likeness = _pair_same(left, right)
    slips, slipped = _pair_alike(left, right)
    agreed, likeness = agreed + slips, likeness + slipped
    if not agreed:
        return _other(first, second)
    missing, extra = _left_over(left, first), _left_over(right, second)
    share = agreed / (agreed + missing + extra)
    if min(missing, extra) >= _TRADE:
        return CompanyAgreement(CompanyLevel.OTHER, round(0.6 * share * likeness / agreed, 4))
    similarity = round(share * likeness / agreed, 4)
    if max(missing, extra) >= _TRADE:
        return CompanyAgreement(CompanyLevel.PARTIAL, similarity)
    return CompanyAgreement(CompanyLevel.TYPO if slips else CompanyLevel.EQUIVALENT, similarity)


def _left_over(words: list[str], name: Words) -> float:
    """Weigh what is left over; a founder's given name in front weighs as little as a place."""
    weight = _sum(words)
    if name[0] in words and len(name) > 1 and (len(name[0]) == 1 or is_known(name[0])):
        weight -= max(_weight(name[0]) - _PLACE, 0.0)
    return weight


def _sum(words: Iterable[str]) -> float:
    return sum(map(_weight, words))


def _pair_same(left: list[str], right: list[str]) -> tuple[float, float]:
    """Take the words that both have out of both; return their weight, as it agrees."""
    same = [word for word in left if word in right]
    for word in same:
        left.remove(word)
        right.remove(word)
    return _sum(same), _sum(same)


def _pair_alike(left: list[str], right: list[str]) -> tuple[float, float]:
    """Take words that are alike out of both; return their weight, and how much of it agrees."""
    weight = agreed = 0.0
    options = sorted(
        ((_likeness(one, two), one, two) for one in left for two in right), reverse=True
    )
    for likeness, one, two in options:
        if likeness and one in left and two in right:
            left.remove(one)
            right.remove(two)
            heavier = max(_weight(one), _weight(two))
            weight += heavier
            agreed += heavier * likeness
    return weight, agreed


@lru_cache(maxsize=8_192)
def _likeness(one: str, two: str) -> float:
    """Return how far a word may be another misspelt or cut short; 0.0 for another word."""
    short, long = sorted((one, two), key=len)
    if not (one.isalpha() and two.isalpha()) or len(short) < 3:
        return 0.0
    if long in {short + "s", short + "es"} or sound_of(one) == sound_of(two):
        return 0.95
    if long.startswith(short) and len(short) >= 4 and len(long) - len(short) < 3:
        return 0.9
    edits = OSA.distance(one, two, score_cutoff=len(long) // 5)
    if edits <= len(long) // 5:
        return max(1 - edits / len(long), 0.8)
    return 0.0


def _other(first: Words, second: Words) -> CompanyAgreement:
    left, right = "".join(first), "".join(second)
    likeness = JaroWinkler.similarity(left, right)
    edits = OSA.distance(left, right, score_cutoff=max(len(left), len(right)) // 6)
    if edits <= max(len(left), len(right)) // 6:
        return CompanyAgreement(CompanyLevel.TYPO, round(min(likeness, 0.9), 4))
    return CompanyAgreement(CompanyLevel.OTHER, round(likeness / 2, 4))
