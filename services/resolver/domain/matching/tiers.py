"""What may be done with a pair: the tier of its evidence, the tenant's thresholds, the stricter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from services.resolver.domain.matching.levels import BIRTH_YEAR, kind_of
from services.resolver.domain.matching.model import CUSTOM, IDENTIFIERS, Signal
from services.resolver.domain.matching.profile import is_numbered, is_personal, spell_custom
from services.resolver.domain.matching.vetoes import BARS, Veto


class Action(IntEnum):
    """What is done with a pair, the strictest first, so that `min` is the stricter of two."""

    NOTHING = 0
    REVIEW = 1
    FLAG = 2
    """Merge, and mark the merge for a look afterwards."""
    MERGE = 3


class Tier(StrEnum):
    """What kind of evidence speaks for a pair (DESIGN 4.3, spec 003 7.2)."""

    EXACT = "exact"
    HIGH = "high"
    MEDIUM = "medium"
    MEDIUM_PLACE = "medium_place"
    LOW = "low"
    NONE = "none"


ACTIONS: Final = {
    Tier.EXACT: Action.MERGE,
    Tier.HIGH: Action.FLAG,
    Tier.MEDIUM: Action.FLAG,
    Tier.MEDIUM_PLACE: Action.REVIEW,
    Tier.LOW: Action.REVIEW,
    Tier.NONE: Action.NOTHING,
}
"""Tier → the most that is done by itself."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which a pair is merged, merged with a flag, and shown for review."""

    merge: float = 0.95
    merge_and_flag: float = 0.60
    review: float = 0.20

    def action_at(self, probability: float) -> Action:
        """Return what a probability allows."""
        if probability >= self.merge:
            return Action.MERGE
        if probability >= self.merge_and_flag:
            return Action.FLAG
        return Action.REVIEW if probability >= self.review else Action.NOTHING


_AGREE: Final = frozenset(
    {"equal", "nickname", "near", "subset", "prefix", "initial", "similar", "local"}
)
"""Levels that speak for a match."""

_NAMES: Final = frozenset({"given", "family"})

_PERSONAL: Final = frozenset({"birthday", BIRTH_YEAR, "street", "postcode"})
"""Attributes of a private person that stand for a tier of their own with a name."""


_KINDS: Final = {
    **dict.fromkeys(("street", "postcode", "city", "state", "country"), "place"),
    **dict.fromkeys(("company", "domain", "title"), "work"),
}
"""Attributes that agree together: an address, however full, is one piece of evidence."""

_OF_MANY: Final = frozenset({"place", "work", BIRTH_YEAR})
"""What families and colleagues share."""


def _kinds(attributes: Iterable[str]) -> set[str]:
    return {_KINDS.get(one, one) for one in attributes}


def _agreeing(signals: Iterable[Signal]) -> set[str]:
    """Return the attributes that agree; of those that only a source knows, the numbers."""
    return {
        BIRTH_YEAR if kind_of(one.attribute, one.left, one.right) == BIRTH_YEAR else one.attribute
        for one in signals
        if one.level in _AGREE and (not one.attribute.startswith(CUSTOM) or are_numbers(one))
    }


def are_numbers(signal: Signal) -> bool:
    """Tell whether a signal of a custom field compares two codes or id numbers."""
    return all(
        is_numbered(signal.attribute, spell_custom(signal.attribute, said))
        for said in (signal.left, signal.right)
    )


def tier_of(signals: Iterable[Signal]) -> Tier:
    """Return the tier of a pair's evidence."""
    signals = tuple(signals)
    if any(one.level == "equal" and one.attribute in IDENTIFIERS for one in signals):
        return Tier.EXACT
    agree = _agreeing(signals)
    if not agree:
        return Tier.NONE
    named = bool(agree & _NAMES)
    others = agree - _NAMES
    personal = others & _PERSONAL or any(one.startswith(CUSTOM) for one in others)
    if named and (others & IDENTIFIERS or personal):
        return Tier.HIGH
    if named and ("domain" in others or {"company", "title"} <= others):
        return Tier.HIGH
    if named and "company" in others:
        return Tier.MEDIUM
    if len(_kinds(others)) >= 2:
        return Tier.MEDIUM
    if named:
        return Tier.MEDIUM_PLACE if others else Tier.LOW
    return Tier.LOW if others & IDENTIFIERS else Tier.NONE


def allowed(signals: Sequence[Signal], veto: Veto | None) -> Action:
    """Return the most that a pair's evidence allows, however probable it is.

    A doubtful name is excused by two identifiers of different kinds that agree, but not within a
    household, which has one line and one mailbox.
    """
    action = min(ACTIONS[tier_of(signals)], _despite_other_papers(signals))
    proofs = {one.attribute for one in signals if one.level == "equal"} & IDENTIFIERS
    if veto is Veto.DOUBT and len(proofs) > 1:
        return action
    are_others = veto in (Veto.NAMES, Veto.RELATIVES, Veto.DOUBT) or _are_others(signals)
    if are_others and not proofs:
        action = min(action, _despite_another_name(signals))
    if veto in BARS:
        return min(action, Action.REVIEW)
    return min(action, Action.FLAG) if veto in (Veto.DOUBT, Veto.HOUSEHOLD) else action


def _despite_other_papers(signals: Iterable[Signal]) -> Action:
    """Return what is allowed where a birthday or a number that a state gives is another one.

    Father and son bear one name, live in one house and answer one phone. Papers have slips, too:
    somebody looks at the merge afterwards.
    """
    differ = any(one.level == "differ" and is_paper(one) for one in signals)
    return Action.FLAG if differ else Action.MERGE


def is_paper(signal: Signal) -> bool:
    """Tell whether a signal compares birthdays, or numbers that a state gives to one person."""
    name = signal.attribute
    return name == "birthday" or (
        name.startswith(CUSTOM) and is_personal(name) and are_numbers(signal)
    )


def _are_others(signals: Iterable[Signal]) -> bool:
    """Tell whether neither part of a name has anything in common with the other's, nor the work.

    A house has many people, well-formed names or not; of two at one employer one may be garbled.
    """
    levels = {one.attribute: one.level for one in signals}
    is_one_employer = levels.get("company") in _AGREE
    return not is_one_employer and all(levels.get(part) == "differ" for part in _NAMES)


def _despite_another_name(signals: Iterable[Signal]) -> Action:
    """Return what is allowed where the names disagree and no identifier agrees.

    Families share an address and colleagues an employer: a person may look at who shares both, as
    after a marriage. A mailbox or a number that is only similar proves no more. Papers do.
    """
    agree = _agreeing(signals)
    kinds = _kinds(agree - _NAMES)
    if kinds <= _OF_MANY:
        return Action.REVIEW if len(kinds) > 1 and agree & _NAMES else Action.NOTHING
    return Action.REVIEW if kinds <= _OF_MANY | IDENTIFIERS else Action.MERGE
