"""The customer's own formula (spec 003, 7.2): each agreement adds to the confidence, nothing takes.

confidence = 1 - (1 - s1)(1 - s2)...(1 - sN), with the table "Signal weights". Kept to be selected
and to be shown beside the default; it knows no evidence against a match.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import jellyfish
from rapidfuzz.distance import Levenshtein

from services.resolver.domain.matching.model import Profile, Score, Signal, Statistics

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

    def recompute(self, signals: Sequence[Signal]) -> Score:
        """Combine signals: `score` ends here, so that stored signals give the same number."""
        doubt = 1.0
        for weight in sorted(signal.weight for signal in signals):
            doubt *= 1.0 - weight
        return Score(1.0 - doubt, 1.0 - doubt, tuple(signals))


def _signals(left: Profile, right: Profile) -> Iterable[Signal]:
    for attribute in _EXACT:
        ours, theirs = left.values.get(attribute, ()), right.values.get(attribute, ())
        shared = next((value for value in ours if value in theirs), None)
        if shared is not None:
            yield _signal(left, right, attribute, "equal", (shared, shared))
    yield from _fuzzy(
        left, right, "company", *(side.values.get("company", ()) for side in (left, right))
    )
    yield from _fuzzy(left, right, "name", *(_full_name(side) for side in (left, right)))


def _fuzzy(
    left: Profile, right: Profile, attribute: str, ours: Sequence[str], theirs: Sequence[str]
) -> Iterable[Signal]:
    pairs = [(one, other) for one in ours for other in theirs]
    for one, other in pairs:
        if one == other:
            yield _signal(left, right, attribute, "equal", (one, other))
            return
    for one, other in pairs:
        if is_similar(one, other):
            yield _signal(left, right, attribute, "fuzzy", (one, other))
            return


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
    left: Profile, right: Profile, attribute: str, level: str, pair: tuple[str, str]
) -> Signal:
    shown = (left.show(attribute, pair[0]), right.show(attribute, pair[1]))
    return Signal(attribute, level, *shown, WEIGHTS[attribute, level])
