"""What may be done with a pair: the tier of its evidence, the tenant's thresholds, the stricter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from services.resolver.domain.matching.model import CUSTOM, IDENTIFIERS, Signal
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

_PERSONAL: Final = frozenset({"birthday", "street", "postcode"})
"""Attributes of a private person that stand for a tier of their own with a name."""


_KINDS: Final = {
    **dict.fromkeys(("street", "postcode", "city", "state", "country"), "place"),
    **dict.fromkeys(("company", "domain", "title"), "work"),
}
"""Attributes that agree together: an address, however full, is one piece of evidence."""

_OF_MANY: Final = frozenset({"place", "work"})
"""What families and colleagues share."""


def _kinds(attributes: Iterable[str]) -> set[str]:
    return {_KINDS.get(one, one) for one in attributes}


def tier_of(signals: Iterable[Signal]) -> Tier:
    """Return the tier of a pair's evidence."""
    agree = set()
    for signal in signals:
        if signal.level == "equal" and signal.attribute in IDENTIFIERS:
            return Tier.EXACT
        if signal.level in _AGREE:
            agree.add(signal.attribute)
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
    return Tier.MEDIUM_PLACE if named and others else Tier.LOW


def allowed(signals: Sequence[Signal], veto: Veto | None) -> Action:
    """Return the most that a pair's evidence allows, however probable it is.

    A doubtful name is excused by two identifiers of different kinds that agree; where a word of it
    is another altogether, no address and no employer makes up for it: families share the one,
    colleagues the other.
    """
    action = ACTIONS[tier_of(signals)]
    if veto in BARS:
        return min(action, Action.REVIEW)
    if veto is Veto.DOUBT:
        proofs = {one.attribute for one in signals if one.level == "equal"} & IDENTIFIERS
        if len(proofs) > 1:
            return action
        agree = {one.attribute for one in signals if one.level in _AGREE} - _NAMES
        is_other = any(one.attribute in _NAMES and one.level == "differ" for one in signals)
        is_shared = is_other and not proofs and _kinds(agree) <= _OF_MANY
        return min(action, Action.REVIEW if is_shared else Action.FLAG)
    return action
