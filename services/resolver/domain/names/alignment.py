"""Which word of one name answers to which of another."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from services.resolver.domain.names.folding import WRITES_VOWELS, Script
from services.resolver.domain.names.person import PersonName
from services.resolver.domain.names.tables import read_groups, read_words
from services.resolver.domain.names.words import (
    INITIAL,
    NICKNAME,
    VARIANT,
    Transcription,
    WordAgreement,
    WordLevel,
    compare_words,
)

FIRST, MIDDLE, FAMILY = 0, 1, 2
"""The role of a word: the first given name, a further one, a family name."""


@dataclass(slots=True)
class Side:
    """The words of one name, their roles, and what each was found to agree with."""

    words: tuple[str, ...]
    roles: tuple[int, ...]
    found: list[WordAgreement | None]
    partners: list[int]
    """The role of the word on the other side; -1 for none."""

    @classmethod
    def of(cls, name: PersonName) -> "Side":
        """Lay out the words of a name."""
        words = name.given + name.family
        roles = _roles(len(name.given), len(name.family))
        return cls(words, roles, [None] * len(words), [-1] * len(words))

    def having(self, role: int) -> list[int]:
        """List the places of words in a role."""
        return [place for place, found in enumerate(self.roles) if found == role]

    def leaves(self, role: int) -> bool:
        """Say whether a word in a role agrees with nothing."""
        return any(
            found is None and having == role
            for found, having in zip(self.found, self.roles, strict=True)
        )

    def crosses(self) -> bool:
        """Say whether a given name was taken for a family name, or the other way round."""
        return any(
            partner >= 0 and (partner == FAMILY) != (role == FAMILY)
            for role, partner in zip(self.roles, self.partners, strict=True)
        )

    def left(self) -> list[int]:
        """List the places of words that agree with nothing."""
        return [place for place, found in enumerate(self.found) if found is None]

    def place_single(self) -> None:
        """Give a name of one word, which may be either, the role of what it agrees with."""
        if len(self.words) == 1 and self.partners[0] >= 0:
            self.roles = (self.partners[0],)

    def agree(self, place: int, found: WordAgreement, partner: int) -> None:
        """Note what the word at a place agrees with."""
        self.found[place] = found
        self.partners[place] = partner


@lru_cache(maxsize=256)
def _roles(given: int, family: int) -> tuple[int, ...]:
    return (FIRST, *[MIDDLE] * (given - 1))[:given] + (FAMILY,) * family


def align(first: PersonName, second: PersonName) -> tuple[Side, Side]:
    """Pair the words of two names, the best agreements first, each word once.

    A given name may answer to a family name, since the order may be wrong; not where words on both
    sides would then be left over: `Robert James` is not `James Smith`.
    """
    one, two = _pair(first, second, across=True)
    if None in one.found and None in two.found and (one.crosses() or two.crosses()):
        one, two = _pair(first, second, across=False)
    one.place_single()
    two.place_single()
    return one, two


def _pair(first: PersonName, second: PersonName, *, across: bool) -> tuple[Side, Side]:
    one, two = Side.of(first), Side.of(second)
    options = _options(one, two, _transcription(first, second), across=across)
    _take(one, two, (option for option in options if option.found.level >= WordLevel.NICKNAME))
    if None in one.found and None in two.found:
        if len(one.words) != len(two.words) or first.particles or second.particles:
            _pair_joined(one, two, first, second)
            _pair_joined(two, one, second, first)
        _take(one, two, options)
    if second.nicknames or second.former:
        _pair_asides(one, two, second)
    if first.nicknames or first.former:
        _pair_asides(two, one, first)
    return one, two


def _transcription(first: PersonName, second: PersonName) -> Transcription:
    """Tell what parts the spellings of two names: their scripts, or two romanisations of one."""
    scripts = {first.script, second.script}
    if scripts == {"latin"}:
        return _romanisation(first, second)
    if scripts & _CHARACTERS:
        return "pinyin" if scripts == {"han"} else "east_asian"
    return "abjad" if len(scripts) == 2 and not scripts <= WRITES_VOWELS else "none"


_CHARACTERS: frozenset[Script] = frozenset({"han", "hangul"})


def _romanisation(first: PersonName, second: PersonName) -> Transcription:
    """Tell how two Chinese or Korean names in Latin letters compare; `none` of any others."""
    pinyin, many = read_words("chinese_families"), read_groups("family_spellings")
    ours = [word for word in first.words if word in pinyin or word in many]
    theirs = [word for word in second.words if word in pinyin or word in many]
    if not ours or not theirs:
        return "none"
    is_pinyin = any(word in pinyin for word in ours if word in theirs)
    return "pinyin" if is_pinyin else "east_asian"


class _Option(NamedTuple):
    """Two words that may answer to each other; the best sorts first."""

    level: int
    distance: int
    likeness: float
    ours: int
    theirs: int
    found: WordAgreement


def _options(one: Side, two: Side, transcription: Transcription, *, across: bool) -> list[_Option]:
    """List which words may answer to which; equal roles go before others."""
    options = []
    single = len(one.words) == 1 or len(two.words) == 1
    for i, (left, ours) in enumerate(zip(one.words, one.roles, strict=True)):
        for j, (right, theirs) in enumerate(zip(two.words, two.roles, strict=True)):
            is_across = (ours == FAMILY) != (theirs == FAMILY) and not single
            if is_across and not (across and _may_begin_alike(left, right)):
                continue
            given = single or FAMILY not in (ours, theirs)
            found = compare_words(left, right, given, transcription)
            if found.level is WordLevel.OTHER or (is_across and found.score < 0.9):
                continue
            distance = abs(ours - theirs)
            options.append(_Option(-found.level, distance, -found.score, i, j, found))
    return sorted(options)


_BEGINNINGS = str.maketrans("yjigcqhwfpzxou", "eeeekkkvvvssuu")
"""Letters that transliterations put for one another at the start of a name."""


@lru_cache(maxsize=4096)
def _beginning(letter: str) -> str:
    return letter.translate(_BEGINNINGS)


def _may_begin_alike(left: str, right: str) -> bool:
    """Say cheaply whether two words may be one: most pairs of strangers part here."""
    return left[0] == right[0] or _beginning(left[0]) == _beginning(right[0])


def _take(one: Side, two: Side, options: Iterable[_Option]) -> None:
    """Pair words one to one, in the order of the options."""
    for option in options:
        if one.found[option.ours] is None and two.found[option.theirs] is None:
            one.agree(option.ours, option.found, two.roles[option.theirs])
            two.agree(option.theirs, option.found, one.roles[option.ours])


def _pair_joined(one: Side, two: Side, first: PersonName, second: PersonName) -> None:
    """Pair a word with neighbours that make it up, or that it abbreviates.

    `xiaoming` is `xiao ming`, `delacruz` is `de la cruz`, `jp` is `jean pierre`.
    """
    transcription = _transcription(first, second)
    if len(one.words) == 1 and one.words[0] in _written_as_one(second):
        one.agree(0, VARIANT, FIRST)
        for place in two.left():
            two.agree(place, VARIANT, FIRST)
        return
    for i in one.left():
        left = two.left()
        for size, start in product((3, 2, 1), range(len(left))):
            places = left[start : start + size]
            if len(places) < size or places[-1] - places[0] != size - 1:
                continue
            parts = [two.words[place] for place in places]
            found = _compare_joined(one.words[i], parts, second.particles, transcription)
            if found is INITIAL and FAMILY in (one.roles[i], two.roles[places[-1]]):
                continue
            if found:
                one.agree(i, found, two.roles[places[0]])
                for place in places:
                    two.agree(place, found, one.roles[i])
                break


def _written_as_one(name: PersonName) -> tuple[str, str]:
    """Return a name without spaces: given name first, and family name first."""
    given, family = "".join(name.given), "".join(name.particles + name.family)
    return given + family, family + given


def _compare_joined(
    word: str, parts: list[str], particles: tuple[str, ...], transcription: Transcription
) -> WordAgreement | None:
    joined = "".join(parts)
    if len(parts) > 1 and len(parts) == len(word) and word == "".join(part[0] for part in parts):
        return INITIAL
    for whole in (joined, "".join(particles) + joined):
        if whole == parts[0] or (transcription == "none" and not _may_be(word, whole)):
            continue
        if compare_words(word, whole, False, transcription).level >= WordLevel.VARIANT:
            return VARIANT
    return None


def _may_be(word: str, whole: str) -> bool:
    """Say cheaply whether a word may be a spelling of another."""
    return word[0] == whole[0] and abs(len(word) - len(whole)) < 3


def _pair_asides(one: Side, two: Side, other: PersonName) -> None:
    """Pair words left over with a nickname or a former family name of the other side."""
    for i in one.left():
        word, role = one.words[i], one.roles[i]
        aliases = other.former if role == FAMILY else other.nicknames
        if any(compare_words(word, alias, True).level > 1 for alias in aliases):
            one.agree(i, NICKNAME, role)
            for j in two.left():
                if two.roles[j] == role:
                    two.agree(j, NICKNAME, role)
                    break
