"""Two words of two names: how far they agree."""

from enum import IntEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from services.resolver.domain.names.given import (
    are_forms_of_one,
    are_spellings_of_one,
    is_known,
)
from services.resolver.domain.names.spelling import (
    consonants_of,
    east_asian_sound_of,
    family_sound_of,
    sound_of,
)
from services.resolver.domain.names.tables import read_groups


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


Transcription = Literal["none", "abjad", "east_asian"]
"""What one of two names was transcribed from: an abjad writes no vowels; Chinese and Korean have
many romanisations."""

SAME = WordAgreement(WordLevel.SAME, 1.0)
VARIANT = WordAgreement(WordLevel.VARIANT, 0.95)
NICKNAME = WordAgreement(WordLevel.NICKNAME, 0.9)
INITIAL = WordAgreement(WordLevel.INITIAL, 0.75)
NOTHING = WordAgreement(WordLevel.OTHER, 0.0)

OTHER_NAME = WordAgreement(WordLevel.TYPO, 0.5)
"""A slip apart, but both are names that somebody bears: `Eric` and `Erica`."""


@lru_cache(maxsize=262_144)
def compare_words(
    first: str, second: str, *, given: bool, transcription: Transcription = "none"
) -> WordAgreement:
    """Compare two folded words; as given names, pet forms agree."""
    if first == second:
        return SAME
    if len(first) == 1 or len(second) == 1:
        return INITIAL if first[0] == second[0] else NOTHING
    if _sound_alike(first, second, given=given, transcription=transcription):
        return VARIANT
    if given and are_forms_of_one(first, second):
        return NICKNAME
    found = _compare_letters(first, second)
    if given and found.level is WordLevel.TYPO and is_known(first) and is_known(second):
        return OTHER_NAME
    return found


def _sound_alike(first: str, second: str, *, given: bool, transcription: Transcription) -> bool:
    if transcription == "abjad" and consonants_of(first) == consonants_of(second):
        return True
    if transcription == "east_asian" and east_asian_sound_of(first) == east_asian_sound_of(second):
        return True
    if given:
        return sound_of(first) == sound_of(second) or are_spellings_of_one(first, second)
    if family_sound_of(first) == family_sound_of(second):
        return True
    groups = read_groups("family_spellings")
    return not groups.get(first, _NONE).isdisjoint(groups.get(second, _NONE))


_NONE: frozenset[int] = frozenset()


def _compare_letters(first: str, second: str) -> WordAgreement:
    """Grade by the edits that part two words: about one in four letters may be a slip."""
    longest = max(len(first), len(second))
    allowed = (longest + 1) // 4
    likeness = JaroWinkler.similarity(first, second)
    edits = OSA.distance(first, second, score_cutoff=allowed)
    if edits <= allowed:
        return WordAgreement(WordLevel.TYPO, min(0.92, max(likeness, 1 - edits / longest)))
    if longest >= 5 and JaroWinkler.similarity(sound_of(first), sound_of(second)) >= 0.9:
        return WordAgreement(WordLevel.TYPO, 0.8)
    return WordAgreement(WordLevel.OTHER, likeness / 2)
