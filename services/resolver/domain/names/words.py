"""Two words of two names: how far they agree."""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from services.resolver.domain.names.nicknames import are_forms_of_one
from services.resolver.domain.names.spelling import consonants_of, sound_of


class WordLevel(IntEnum):
    """How two words agree, the better the higher."""

    OTHER = 0
    TYPO = 1
    INITIAL = 2
    NICKNAME = 3
    VARIANT = 4
    """Another spelling of the same sound."""
    SAME = 5


class WordAgreement(NamedTuple):
    """A level, and how alike the two are from 0.0 to 1.0."""

    level: WordLevel
    score: float


SAME = WordAgreement(WordLevel.SAME, 1.0)
VARIANT = WordAgreement(WordLevel.VARIANT, 0.95)
NICKNAME = WordAgreement(WordLevel.NICKNAME, 0.9)
INITIAL = WordAgreement(WordLevel.INITIAL, 0.75)
_NOT_AT_ALL = WordAgreement(WordLevel.OTHER, 0.0)


@lru_cache(maxsize=262_144)
def compare_words(first: str, second: str, *, given: bool, abjad: bool) -> WordAgreement:
    """Compare two folded words.

    `given` allows pet forms; `abjad` says that one was written without vowels.
    """
    if first == second:
        return SAME
    if len(first) == 1 or len(second) == 1:
        return INITIAL if first[0] == second[0] else _NOT_AT_ALL
    if sound_of(first) == sound_of(second):
        return VARIANT
    if given and are_forms_of_one(first, second):
        return NICKNAME
    if abjad and consonants_of(first) == consonants_of(second):
        return VARIANT
    return _compare_letters(first, second)


def _compare_letters(first: str, second: str) -> WordAgreement:
    """Grade by the edits that part two words: about one in four letters may be a slip."""
    longest = max(len(first), len(second))
    allowed = (longest + 1) // 4
    edits = OSA.distance(first, second, score_cutoff=allowed)
    likeness = JaroWinkler.similarity(first, second)
    if edits <= allowed:
        return WordAgreement(WordLevel.TYPO, min(0.92, max(likeness, 1 - edits / longest)))
    sounds = JaroWinkler.similarity(sound_of(first), sound_of(second))
    if longest >= 5 and max(sounds, likeness) >= 0.9:
        return WordAgreement(WordLevel.TYPO, 0.8)
    return WordAgreement(WordLevel.OTHER, likeness / 2)
