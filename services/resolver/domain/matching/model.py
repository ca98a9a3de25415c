"""The words of matching: a profile, what was observed of a pair, and an explained score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from services.resolver.domain.names.person import PersonName

Term = tuple[str, str]
"""(attribute, normalised value): what statistics count and blocked values name."""

IDENTIFIERS: Final = frozenset({"linkedin_urn", "linkedin", "email", "phone", "handle"})
"""Attributes whose values one person holds, or should."""

CUSTOM: Final = "custom:"
"""Begins the name of an attribute that only its source knows."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one source record says, in the spelling in which it is compared."""

    name: PersonName
    values: Mapping[str, tuple[str, ...]]
    """Attribute → its values, normalised, each once. Empty ones are left out."""
    shown: Mapping[Term, str] = field(compare=False)
    """(attribute, value) → as the source wrote it, where that is not the same."""

    def show(self, attribute: str, value: str) -> str:
        """Return a value as its source wrote it."""
        return self.shown.get((attribute, value), value)


class Statistics(Protocol):
    """What the tenant's base says about how much a value tells."""

    @property
    def size(self) -> float:
        """How many records there are, in bits (log2), in steps: asked for by every comparison."""

    def rarity(self, attribute: str, value: str) -> float:
        """How surprising it is that a record has this value, in bits, in steps."""

    def holders(self, attribute: str, value: str) -> int:
        """How many people, told apart by their initials, an identifier was seen with."""


class Observation(NamedTuple):
    """How two profiles compare in one attribute."""

    attribute: str
    level: str
    left: str
    right: str
    rarity: float
    """Bits, of the more frequent one of the two values; 0 where they do not agree."""


class Signal(NamedTuple):
    """An observation with its weight: one line of an explanation."""

    attribute: str
    level: str
    left: str
    """As the left record's source wrote it; empty for what speaks of the pair as a whole."""
    right: str
    weight: float
    """Bits (log2 m/u) for `evidence`, the share of certainty that it adds for `spec`."""


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a pair is one person, and why."""

    probability: float
    """Calibrated, 0.0 to 1.0."""
    weight: float
    """Bits: what groups of records are compared by, in the mean."""
    signals: tuple[Signal, ...]


class Scorer(Protocol):
    """Scores pairs and explains itself."""

    @property
    def version(self) -> str:
        """Name of the formula and its weights, stored with every decision."""

    def score(self, left: Profile, right: Profile, statistics: Statistics) -> Score:
        """Compare two records; symmetric but for the sides of its signals."""

    def weigh(self, left: Profile, right: Profile, statistics: Statistics) -> float:
        """Return the weight of the score alone: what most pairs are told apart by."""

    def recompute(self, signals: Sequence[Signal]) -> Score:
        """Make the score again from its stored signals: exactly the same numbers."""

    def calibrate(self, bits: float) -> float:
        """Return the probability that a weight, or a mean of weights, stands for."""


def to_probability(bits: float) -> float:
    """Return the probability of odds of 2 ** `bits`, without overflow."""
    return 1.0 / (1.0 + math.exp2(-bits)) if bits > -1000 else 0.0


def to_bits(probability: float) -> float:
    """Return the odds of a probability in bits; 0 and 1 are infinitely sure."""
    if probability <= 0.0:
        return -math.inf
    if probability >= 1.0:
        return math.inf
    return math.log2(probability / (1.0 - probability))
