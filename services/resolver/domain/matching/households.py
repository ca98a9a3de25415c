"""Whether two records may be two of a household: nothing agrees that it does not share (ADR 0147).

A line, a mailbox and an address are of all who live together. `E` is Emma and Edward, Carole may be
Carolyn's sister: such a merge is mostly right, and deserves a look.
"""

from collections.abc import Sequence
from typing import Final

from services.resolver.domain.matching.levels import ALIKE, BIRTH_YEAR, SAME, compare_texts, kind_of
from services.resolver.domain.matching.model import CUSTOM, Profile, Signal
from services.resolver.domain.matching.profile import is_personal
from services.resolver.domain.matching.tiers import are_numbers
from services.resolver.domain.names.given import are_two

_ANOTHER: Final = frozenset({"loose", "remote", "differ"})
"""Levels at which one given name is neither a slip nor a form of the other."""

_PROFILES: Final = frozenset({"linkedin", "linkedin_urn"})

_WORK: Final = frozenset({"company", "title", "domain"})
"""What relatives have each for themselves."""


def may_be_relatives(
    left: Profile, right: Profile, signals: Sequence[Signal], *, are_doubtful: bool
) -> bool:
    """Tell whether two given names may be two, and all that agrees is what a household shares.

    `signals` are how the two compare, `are_doubtful` says that their names disagree somewhere. Of
    two that begin with one word, or a slip of it, none is doubted: namesakes nobody tells apart. A
    letter is no name: `J` and `J` are Jason and Julia.
    """
    level = next((one.level for one in signals if one.attribute == "given"), None)
    if level is None:
        return False
    given, other, are_crossed = _given_names(left, right)
    if are_crossed:
        level = compare_texts(given, other)
    are_others = are_doubtful or level in _ANOTHER
    if not are_others and _is_one_name(level, given, other):
        return False
    return not any(_is_own(one, are_others=are_others) for one in signals)


def _given_names(left: Profile, right: Profile) -> tuple[str, str, bool]:
    """Return both given names; where one stands for the family, with what is in its place.

    The third says whether they do: of `Kowalczyk | Mari` and `Marl | Kowalczyk` Mari and Marl.
    """
    given, other = left.values["given"][0], right.values["given"][0]
    family, another = (one.values.get("family", ("",))[0] for one in (left, right))
    crossed = [(family, other)] * (given == another) + [(given, another)] * (family == other)
    if given == other or not crossed:
        return given, other, False
    return *min(crossed, key=lambda pair: sorted(map(len, pair))), True


def _is_one_name(level: str, given: str, other: str) -> bool:
    first, another = given.partition(" ")[0], other.partition(" ")[0]
    if first == another:
        return len(first) > 1
    return level == "equal" or (level == "near" and not are_two(first, another))


def _is_own(signal: Signal, *, are_others: bool) -> bool:
    """Tell whether something agrees that is one person's own.

    Beside names that are two, that is little: twins have one birthday, spouses one account, and
    `mjones` is the handle of Melissa and of Martin.
    """
    name, level = signal.attribute, signal.level
    if name in _WORK:
        return level in ALIKE
    if name in _PROFILES:
        return level == "equal"
    if name.startswith(CUSTOM):
        is_enough = level == "equal" and is_personal(name) if are_others else level in SAME
        return is_enough and are_numbers(signal)
    return (
        not are_others
        and name in ("handle", "birthday")
        and level in SAME
        and kind_of(name, signal.left, signal.right) != BIRTH_YEAR
    )
