"""Which word of one name answers to which of another."""

from dataclasses import dataclass
from itertools import product

from services.resolver.domain.names.person import PersonName
from services.resolver.domain.names.words import (
    INITIAL,
    NICKNAME,
    VARIANT,
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
        given = len(name.given)
        roles = tuple(
            FIRST if place == 0 and given else MIDDLE if place < given else FAMILY
            for place in range(len(words))
        )
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


def align(first: PersonName, second: PersonName) -> tuple[Side, Side]:
    """Pair the words of two names, the best agreements first, each word once."""
    one, two = Side.of(first), Side.of(second)
    abjad = _writes_no_vowels(first) != _writes_no_vowels(second)
    _pair_words(one, two, abjad=abjad)
    if one.left() and two.left() and _crosses(one, two):
        one, two = Side.of(first), Side.of(second)
        _pair_words(one, two, abjad=abjad, across=False)
    if one.left() or two.left():
        _pair_joined(one, two, second)
        _pair_joined(two, one, first)
        _pair_asides(one, two, second)
        _pair_asides(two, one, first)
    for side in (one, two):
        side.place_single()
    return one, two


def _writes_no_vowels(name: PersonName) -> bool:
    return name.script in {"arabic", "hebrew"}


def _crosses(one: Side, two: Side) -> bool:
    """Say whether a given name was taken for a family name, or the other way round."""
    return any(
        partner >= 0 and (partner == FAMILY) != (role == FAMILY)
        for side in (one, two)
        for role, partner in zip(side.roles, side.partners, strict=True)
    )


def _pair_words(one: Side, two: Side, *, abjad: bool, across: bool = True) -> None:
    """Pair words one to one: equal roles go before others at the same agreement."""
    options = []
    single = len(one.words) == 1 or len(two.words) == 1
    for (i, left), (j, right) in product(enumerate(one.words), enumerate(two.words)):
        is_across = (one.roles[i] == FAMILY) != (two.roles[j] == FAMILY)
        if is_across and not across and not single:
            continue
        is_given = FAMILY not in (one.roles[i], two.roles[j]) or single
        found = compare_words(left, right, given=is_given, abjad=abjad)
        if found.level is WordLevel.OTHER or (found is INITIAL and is_across and not single):
            continue
        distance = abs(one.roles[i] - two.roles[j])
        options.append((-found.level, distance, -found.score, i, j, found))
    options.sort()
    for _, _, _, i, j, found in options:
        if one.found[i] is None and two.found[j] is None:
            one.agree(i, found, two.roles[j])
            two.agree(j, found, one.roles[i])


def _pair_joined(one: Side, two: Side, other: PersonName) -> None:
    """Pair a word with neighbours that make it up, or that it abbreviates.

    `xiaoming` is `xiao ming`, `delacruz` is `de la cruz`, `jp` is `jean pierre`.
    """
    particles = "".join(other.particles)
    for i in one.left():
        word = one.words[i]
        if len(word) < 2:
            continue
        left = two.left()
        for size in (3, 2, 1):
            for start in range(len(left) - size + 1):
                places = left[start : start + size]
                if places[-1] - places[0] != size - 1:
                    continue
                parts = [two.words[place] for place in places]
                found = _compare_joined(word, parts, particles)
                if found:
                    one.agree(i, found, two.roles[places[0]])
                    for place in places:
                        two.agree(place, found, one.roles[i])
                    break
            if one.found[i]:
                break


def _compare_joined(word: str, parts: list[str], particles: str) -> WordAgreement | None:
    joined = "".join(parts)
    if len(parts) > 1:
        if word == "".join(part[0] for part in parts):
            return INITIAL
        if compare_words(word, joined, given=False, abjad=False).level >= WordLevel.VARIANT:
            return VARIANT
    if particles and word == particles + joined:
        return VARIANT
    return None


def _pair_asides(one: Side, two: Side, other: PersonName) -> None:
    """Pair words left over with a nickname or a former family name of the other side."""
    for i in one.left():
        word, role = one.words[i], one.roles[i]
        aliases = other.former if role == FAMILY else other.nicknames
        if any(compare_words(word, alias, given=True, abjad=False).level > 1 for alias in aliases):
            one.agree(i, NICKNAME, role)
            for j in two.left():
                if two.roles[j] == role:
                    two.agree(j, NICKNAME, role)
                    break
