"""The table of weights: what each level of agreement says, in bits, and how rarity changes it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from services.resolver.domain.matching import releases
from services.resolver.domain.matching.levels import kind_of
from services.resolver.domain.matching.model import Observation, Signal

CURRENT: Final = "2026-11.6"
"""The version that a tenant begins with; another table is another version (ADR 0152)."""

FIRST: Final = "2026-11.5"
"""The version that decided what names none."""

RELEASES: Final = resources.files(releases)

_DECIMALS: Final = 3
"""Of a weight, in bits: enough, and a stored signal reads well."""

TOWN: Final = frozenset({"city", "postcode", "state", "country"})
"""Attributes that tell one fact: who lives in a town has its code, its state and its country."""


class LevelWeight(NamedTuple):
    """What one level of one attribute says."""

    bits: float
    """log2(m/u) of a value that is not rare."""
    per_bit: float = 0.0
    """Added for every bit of the value's rarity."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A version of the weights: data, learned or set, never changed once it decided something."""

    version: str
    prior: float
    """Bits before anything is compared, in a base of one record."""
    per_doubling: float
    """Bits fewer for every doubling of the base: among more people more look alike."""
    slope: float
    """How many bits of odds a bit of the sum above 0 is worth: attributes are not independent."""
    levels: Mapping[tuple[str, str], LevelWeight]
    """(attribute, level) → weight; what is not there says nothing."""
    most_rare: Mapping[str, float]
    """Attribute → bits of rarity beyond which more means a slip of the pen, not a rarer value."""
    told_again: float = 1.0
    """Share of its bits that an attribute of `TOWN` adds where another has told the town."""

    def before(self, size: float) -> float:
        """Return the bits for any two records that are worth comparing, in a base of this size."""
        return round(self.prior - self.per_doubling * size, _DECIMALS)

    def weigh(self, attribute: str, level: str, rarity: float) -> float:
        """Return the bits that an observation adds; to be equal never speaks against a match."""
        weight = self.levels.get((attribute, level))
        if weight is None:
            return 0.0
        if weight.per_bit:
            rarity = min(rarity, self.most_rare.get(attribute, rarity))  # as `for_rarity`, faster
            bits = round(weight.bits + weight.per_bit * rarity, _DECIMALS)
            return max(0.0, bits) if level == "equal" else bits
        return weight.bits

    def for_rarity(self, attribute: str, level: str, rarity: float) -> float:
        """Return the bits that a value's rarity adds to those of its level."""
        weight = self.levels.get((attribute, level), LevelWeight(0.0))
        return weight.per_bit * min(rarity, self.most_rare.get(attribute, rarity))

    def weigh_all(self, seen: Sequence[Observation]) -> list[float]:
        """Return the bits that each of a pair's observations adds beside the others."""
        bits, towns = [], []
        for at, (attribute, level, one, other, rarity) in enumerate(seen):
            bits.append(self.weigh(kind_of(attribute, one, other), level, rarity))
            if attribute in TOWN:
                towns.append(at)
        for at in self.again(towns, bits):
            bits[at] = round(bits[at] * self.told_again, _DECIMALS)
        return bits

    def apart(self, signals: Sequence[Signal]) -> list[float]:
        """Return what each of a pair's signals would weigh without the others, by `weigh_all`."""
        bits = [signal.weight for signal in signals]
        for at in self.again(towns_of(one.attribute for one in signals), bits):
            bits[at] /= self.told_again
        return bits

    @staticmethod
    def again(towns: Sequence[int], bits: Sequence[float]) -> list[int]:
        """Return the places, of these, of what tells a town that another tells too.

        What speaks most for a match counts whole, and what speaks most against it: each may be
        mistyped alone, so that the others are worth something still.
        """
        if len(towns) < 2:
            return []
        most, least = max(towns, key=bits.__getitem__), min(towns, key=bits.__getitem__)
        return [at for at in towns if at != (most if bits[at] > 0.0 else least)]


def towns_of(attributes: Iterable[str]) -> list[int]:
    """Return the places of attributes that tell a town."""
    return [at for at, attribute in enumerate(attributes) if attribute in TOWN]


def weights_from(document: Mapping[str, Any]) -> Weights:
    """Read weights from their JSON document."""
    return Weights(
        version=document["version"],
        prior=document["prior"],
        per_doubling=document["per_doubling"],
        slope=document["slope"],
        levels={
            (attribute, level): LevelWeight(*pair)
            for attribute, rows in document["levels"].items()
            for level, pair in rows.items()
        },
        most_rare=document["most_rare"],
        told_again=document.get("told_again", 1.0),
    )


def to_document(weights: Weights) -> dict[str, Any]:
    """Write weights as a JSON document that `weights_from` reads."""
    levels: dict[str, dict[str, list[float]]] = {}
    for (attribute, level), weight in weights.levels.items():
        levels.setdefault(attribute, {})[level] = list(weight)
    return {
        "version": weights.version,
        "prior": weights.prior,
        "per_doubling": weights.per_doubling,
        "slope": weights.slope,
        "most_rare": dict(weights.most_rare),
        "told_again": weights.told_again,
        "levels": levels,
    }


@cache
def release_weights(version: str) -> Weights | None:
    """Load the weights that a release brought; None: this one does not know them."""
    file = RELEASES / f"{version}.json"
    return weights_from(json.loads(file.read_text("utf-8"))) if file.is_file() else None


def default_weights() -> Weights:
    """Load the weights that a tenant begins with."""
    weights = release_weights(CURRENT)
    assert weights is not None
    return weights
