"""The default scorer: weights of evidence for and against, after Fellegi and Sunter.

Each attribute that both records have adds log2(m/u) bits: how much more likely this level of
agreement is between two records of one person (m) than between records of two people (u). A value
that many people have says less than a rare one, and an identifier that was seen with many people
says little. A town is told once, however many parts of an address tell it. Bits add up, beginning
with the odds that any two records are one person.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.resolver.domain.matching.levels import RANK, TELLING, comparator_of
from services.resolver.domain.matching.mailboxes import spell_their_names
from services.resolver.domain.matching.model import (
    Observation,
    Profile,
    Score,
    Signal,
    Statistics,
    to_probability,
)
from services.resolver.domain.matching.sharing import is_shared
from services.resolver.domain.matching.weights import Weights
from services.resolver.domain.names.given import are_forms_of_one

PRIOR: Final = "prior"
"""The signal that stands for what was believed before anything was compared."""

_NAMES: Final = ("given", "family")
_STRANGE: Final = frozenset({"remote", "differ"})
"""Levels of a part of a name that make it worth to try the other order."""

_DOUBTFUL: Final = frozenset({"prefix", "similar", "loose", "remote", "differ"})
"""Levels of a given name at which one may be a pet form of the other."""

_MAILBOX_TELLS: Final = frozenset({"equal", "shared", "local"})
"""Levels of the mailbox after which the domain says nothing new."""

_MAY_SPELL: Final = frozenset({"local", "near"})
"""Levels at which mailboxes elsewhere may agree only since both spell one name."""


@dataclass(frozen=True, slots=True)
class EvidenceScorer:
    """Scores by a table of weights."""

    weights: Weights

    @property
    def version(self) -> str:
        """Name of the formula and its weights."""
        return f"evidence/{self.weights.version}"

    def score(self, left: Profile, right: Profile, statistics: Statistics) -> Score:
        """Compare two records and say why."""
        signals = [Signal(PRIOR, "base", "", "", self.weights.before(statistics.size))]
        seen = observe(left, right, statistics)
        for one, bits in zip(seen, self.weights.weigh_all(seen), strict=True):
            shown = (left.show(one.attribute, one.left), right.show(one.attribute, one.right))
            signals.append(Signal(one.attribute, one.level, *shown, bits))
        return self.recompute(signals)

    def weigh(self, left: Profile, right: Profile, statistics: Statistics) -> float:
        """Return the weight of the score alone, without its explanation."""
        bits = self.weights.weigh_all(observe(left, right, statistics))
        bits.append(self.weights.before(statistics.size))
        return math.fsum(bits)

    def recompute(self, signals: Sequence[Signal]) -> Score:
        """Add up signals: `score` ends here, so that stored signals give the same number."""
        bits = math.fsum(signal.weight for signal in signals)
        return Score(self.calibrate(bits), bits, tuple(signals))

    def calibrate(self, bits: float) -> float:
        """Turn a sum into a probability: attributes agree together, so that a sum says too much."""
        return to_probability(bits * self.weights.slope if bits > 0.0 else bits)


def observe(left: Profile, right: Profile, statistics: Statistics) -> list[Observation]:
    """Compare two records in every attribute that both have."""
    found = []
    theirs = right.values
    mailbox = ""
    for attribute, values in left.values.items():
        others = theirs.get(attribute)
        if others is None or attribute in _NAMES:
            continue
        if attribute == "domain" and mailbox in _MAILBOX_TELLS:
            continue
        one = _best(attribute, values, others, statistics)
        found.append(one)
        if attribute == "email":
            mailbox = one.level
            if mailbox in _MAY_SPELL and spell_their_names(left, right, one.left, one.right):
                found[-1] = one._replace(level="named", rarity=0.0)
    found += _observe_names(left, right, statistics)
    return found


def _best(
    attribute: str, values: Sequence[str], others: Sequence[str], statistics: Statistics
) -> Observation:
    """Return the pair of values that agrees most, the rarest of equals."""
    if len(values) == 1 and len(others) == 1:
        return _observe(attribute, values[0], others[0], statistics)
    pairs = [_observe(attribute, one, other, statistics) for one in values for other in others]
    return min(pairs, key=lambda pair: (RANK[pair.level], -pair.rarity, pair.left, pair.right))


def _observe(attribute: str, left: str, right: str, statistics: Statistics) -> Observation:
    if left == right:
        level = "shared" if is_shared(attribute, left, statistics) else "equal"
    else:
        level = comparator_of(attribute)(left, right)
        if attribute == "given" and level in _DOUBTFUL and _are_forms(left, right):
            level = "nickname"
    rarity = _rarity(attribute, left, right, statistics) if level in TELLING else 0.0
    return Observation(attribute, level, left, right, rarity)


def _are_forms(left: str, right: str) -> bool:
    return are_forms_of_one(left.partition(" ")[0], right.partition(" ")[0])


def _rarity(attribute: str, left: str, right: str, statistics: Statistics) -> float:
    rarity = statistics.rarity(attribute, left)
    return rarity if left == right else min(rarity, statistics.rarity(attribute, right))


def _observe_names(left: Profile, right: Profile, statistics: Statistics) -> Sequence[Observation]:
    """Compare given with given and family with family name, or crosswise where that fits better."""
    given, family = left.values.get("given"), left.values.get("family")
    other_given, other_family = right.values.get("given"), right.values.get("family")
    if given and family and other_given and other_family:
        straight = (
            _observe("given", given[0], other_given[0], statistics),
            _observe("family", family[0], other_family[0], statistics),
        )
        if straight[0].level in _STRANGE and straight[1].level in _STRANGE:
            crossed = (
                _observe("given", given[0], other_family[0], statistics),
                _observe("family", family[0], other_given[0], statistics),
            )
            if "equal" in (crossed[0].level, crossed[1].level):
                return crossed
        return straight
    if given and other_given:
        return (_observe("given", given[0], other_given[0], statistics),)
    if family and other_family:
        return (_observe("family", family[0], other_family[0], statistics),)
    return ()
