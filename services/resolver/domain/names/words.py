"""Two words of two names: how far they agree."""

from enum import IntEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from services.resolver.domain.names.given import (
    are_forms_of_one,
    are_spellings_of_one,
    are_two,
    is_known,
)
from services.resolver.domain.names.spelling import (
    consonants_of,
    east_asian_sound_of,
    family_sound_of,
    frame_of,
    is_east_asian,
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


Transcription = Literal["none", "abjad", "east_asian", "pinyin"]
"""What one of two names was transcribed from: an abjad writes no vowels; Chinese and Korean have
many romanisations, but one where both are in pinyin: there, another letter is another word."""

SAME = WordAgreement(WordLevel.SAME, 1.0)
VARIANT = WordAgreement(WordLevel.VARIANT, 0.95)
NICKNAME = WordAgreement(WordLevel.NICKNAME, 0.9)
INITIAL = WordAgreement(WordLevel.INITIAL, 0.75)
CUT_SHORT = WordAgreement(WordLevel.INITIAL, 0.7)
"""The first two or three letters, as forms and lists cut names: `Wil` of Williams."""

NOTHING = WordAgreement(WordLevel.OTHER, 0.0)

OTHER_NAME = WordAgreement(WordLevel.TYPO, 0.5)
"""A slip apart, but both are names that somebody bears: `Eric` and `Erica`."""


@lru_cache(maxsize=16_384)
def compare_words(
    first: str,
    second: str,
    given: bool,
    transcription: Transcription = "none",
) -> WordAgreement:
    """Compare two folded words; as given names, pet forms agree."""
    if first == second:
        return SAME
    if len(first) == 1 or len(second) == 1:
        return INITIAL if first[0] == second[0] else NOTHING
    if given and are_two(first, second):
        return NOTHING
    if given and are_spellings_of_one(first, second):
        return VARIANT
    if given and (are_forms_of_one(first, second) or _is_pet_form(first, second)):
        return NICKNAME
    if transcription != "none" and _read_alike(first, second, transcription):
        return VARIANT
    if transcription in _EAST_ASIAN and is_east_asian(first) and is_east_asian(second):
        return NOTHING
    return _compare_forms(first, second, given=given)


_EAST_ASIAN: frozenset[Transcription] = frozenset({"east_asian", "pinyin"})


def _compare_forms(first: str, second: str, *, given: bool) -> WordAgreement:
    """Compare two words by sound and by letter."""
    likeness = JaroWinkler.similarity(first, second)
    if likeness < _UNLIKE and max(len(first), len(second)) > 4:
        return WordAgreement(WordLevel.OTHER, likeness / 2)
    if _sound_alike(first, second, given=given):
        return VARIANT
    if _is_cut_short(first, second):
        return CUT_SHORT
    found = _compare_letters(first, second, likeness)
    if found.level is WordLevel.TYPO and given and is_known(first) and is_known(second):
        return found if _is_likely_slip(first, second) else OTHER_NAME
    return found


_UNLIKE = 0.5
"""Jaro-Winkler similarity below which no rule of sound joins two words of five letters or more."""


def _is_pet_form(first: str, second: str) -> bool:
    """Say whether a word that is no name by itself is another with a loving end: `Venky`."""
    short, long = sorted((first, second), key=len)
    stem = short.removesuffix("y").removesuffix("ie").removesuffix("i").removesuffix("e")
    return 4 <= len(stem) < len(short) and long.startswith(stem) and not is_known(short)


def _is_cut_short(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return len(short) < 4 and len(long) > len(short) + 1 and long.startswith(short)


def _is_likely_slip(first: str, second: str) -> bool:
    """Say whether two names that both exist are written for one another all the same.

    Letters swapped (`Micheal`), or another vowel within a long name (`Kristen`, `Kristin`).
    """
    if first[-1] != second[-1]:
        return False
    long = min(len(first), len(second)) >= 5 and first[0] == second[0]
    return sorted(first) == sorted(second) or (long and frame_of(first) == frame_of(second))


def _read_alike(first: str, second: str, transcription: Transcription) -> bool:
    if transcription == "abjad":
        return consonants_of(first) == consonants_of(second)
    if transcription == "east_asian":
        return east_asian_sound_of(first) == east_asian_sound_of(second) or _are_one_family(
            first, second
        )
    return False


def _sound_alike(first: str, second: str, *, given: bool) -> bool:
    if given:
        return sound_of(first) == sound_of(second)
    if first + "ova" == second or second + "ova" == first:
        return True
    return family_sound_of(first) == family_sound_of(second) or _are_one_family(first, second)


def _are_one_family(first: str, second: str) -> bool:
    groups = read_groups("family_spellings")
    return not groups.get(first, _NONE).isdisjoint(groups.get(second, _NONE))


_NONE: frozenset[int] = frozenset()


def _compare_letters(first: str, second: str, likeness: float) -> WordAgreement:
    """Grade by the edits that part two words: about one in four letters may be a slip."""
    longest = max(len(first), len(second))
    allowed = longest // 4
    edits = OSA.distance(first, second, score_cutoff=allowed)
    if edits <= allowed:
        return WordAgreement(WordLevel.TYPO, min(0.92, max(likeness, 1 - edits / longest)))
    one, two = sound_of(first), sound_of(second)
    allowed = min(len(one), len(two)) // 6
    if allowed and OSA.distance(one, two, score_cutoff=allowed) <= allowed:
        return WordAgreement(WordLevel.TYPO, 0.8)
    return WordAgreement(WordLevel.OTHER, likeness / 2)
