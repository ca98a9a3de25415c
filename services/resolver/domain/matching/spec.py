"""The customer's own formula (spec 003, 7.2): each agreement adds to the confidence, nothing takes.

confidence = 1 - (1 - s1)(1 - s2)...(1 - sN), with the table "Signal weights". Kept to be selected
and to be shown beside the default; it knows no evidence against a match.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import jellyfish
from rapidfuzz.distance import Levenshtein

from services.resolver.domain.matching.model import (
    Profile,
    Score,
    Signal,
    Statistics,
    to_bits,
    to_probability,
)

WEIGHTS: Final[Mapping[tuple[str, str], float]] = {
    ("email", "equal"): 1.0,
    ("linkedin", "equal"): 1.0,
    ("linkedin_urn", "equal"): 1.0,
    ("phone", "equal"): 0.95,
    ("name", "equal"): 0.30,
    ("name", "fuzzy"): 0.20,
    ("company", "equal"): 0.25,
    ("company", "fuzzy"): 0.15,
    ("title", "equal"): 0.15,
    ("domain", "equal"): 0.20,
    ("city", "equal"): 0.10,
}
"""The table "Signal weights" of spec 003, 7.2."""

FUZZY: Final = 0.90
"""Similarity above which two texts agree roughly (spec 003, 7.2)."""

_EXACT: Final = ("email", "linkedin", "linkedin_urn", "phone", "title", "domain", "city")


@dataclass(frozen=True, slots=True)
class SpecScorer:
    """Scores by the customer's formula."""

    @property
    def version(self) -> str:
        """Name of the formula."""
        return "spec/003-7.2"

    def score(self, left: Profile, right: Profile, statistics: Statistics) -> Score:
        """Compare two records and say why; statistics play no part."""
        del statistics
        return self.recompute(tuple(_signals(left, right)))

    def weigh(self, left: Profile, right: Profile, statistics: Statistics) -> float:
        """Return the weight of the score alone."""
        return self.score(left, right, statistics).weight

    def recompute(self, signals: Sequence[Signal]) -> Score:
        """Combine signals: `score` ends here, so that stored signals give the same number."""
        doubt = 1.0
        for weight in sorted(signal.weight for signal in signals):
            doubt *= 1.0 - weight
        return Score(1.0 - doubt, to_bits(1.0 - doubt), tuple(signals))

    def calibrate(self, bits: float) -> float:
        """Return the confidence that a weight stands for."""
        return to_probability(bits)


def _signals(left: Profile, right: Profile) -> Iterable[Signal]:
    for attribute in _EXACT:
        ours, theirs = left.values.get(attribute, ()), right.values.get(attribute, ())
        shared = next((value for value in ours if value in theirs), None)
        if shared is not None:
            yield _signal(left, right, (attribute, "equal"), (shared, shared))
    companies = (left.values.get("company", ()), right.values.get("company", ()))
    yield from _fuzzy(left, right, "company", companies)
    yield from _fuzzy(left, right, "name", (_full_name(left), _full_name(right)))


def _fuzzy(
    left: Profile, right: Profile, attribute: str, values: tuple[Sequence[str], Sequence[str]]
) -> Iterable[Signal]:
    """Explain the first equal pair of values, else the first that is similar."""
    pairs = list(product(*values))
    equal = next((pair for pair in pairs if pair[0] == pair[1]), None)
    if equal is not None:
        yield _signal(left, right, (attribute, "equal"), equal)
        return
    similar = next((pair for pair in pairs if is_similar(*pair)), None)
    if similar is not None:
        yield _signal(left, right, (attribute, "fuzzy"), similar)


def is_similar(one: str, other: str) -> bool:
    """Compare as the customer wrote: Levenshtein above 90 %, or the same sound."""
    if Levenshtein.normalized_similarity(one, other) > FUZZY:
        return True
    sounds = [[jellyfish.metaphone(word) for word in text.split()] for text in (one, other)]
    return sounds[0] == sounds[1] and any(sounds[0])


def _full_name(profile: Profile) -> Sequence[str]:
    parts = [profile.values[part][0] for part in ("given", "family") if part in profile.values]
    return (" ".join(parts),) if parts else ()


def _signal(
    left: Profile, right: Profile, what: tuple[str, str], values: tuple[str, str]
) -> Signal:
    """Explain `what`, an attribute and its level, as it stands in the table."""
    attribute, level = what
    shown = (left.show(attribute, values[0]), right.show(attribute, values[1]))
    return Signal(attribute, level, *shown, WEIGHTS[what])
