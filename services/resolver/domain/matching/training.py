"""Learning weights from labelled pairs: logistic regression, held near what is already known.

The sum of weights is a logarithm of odds, so that the weights that make labelled pairs most likely
are those of a logistic regression over the levels observed. Two guards keep it from collapsing on
few or one-sided labels: every weight is pulled towards the present one, the harder the fewer
labels speak of it, and none may leave the side on which its level stands: agreement never speaks
against a match more than it does now, and disagreement never for it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.resolver.domain.matching.levels import kind_of
from services.resolver.domain.matching.model import Observation
from services.resolver.domain.matching.weights import LevelWeight, Weights

FEWEST: Final = 20
"""Labels of each kind without which nothing is learned: one-sided ones teach a constant."""

PULL: Final = 4.0
"""How many labels the present weight of a level counts for."""

_ROUNDS: Final = 400
"""Passes over the labels; the steps shrink, and it has long settled by then."""

_STEP: Final = 2.0
_LN2: Final = math.log(2.0)


class TooFewLabelsError(ValueError):
    """Fewer than `FEWEST` labels of one kind."""


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A pair that somebody decided about, as it was observed then."""

    observations: tuple[Observation, ...]
    size: float
    """Bits, of the base at that time (`Statistics.size`)."""
    is_match: bool


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Example:
    keys: tuple[Key, ...]
    bits: float
    """With the present weights."""
    is_match: bool


def train(pairs: Iterable[LabelledPair], present: Weights, version: str) -> Weights:
    """Return weights that agree better with what people decided, and differ little otherwise.

    Each level's bits are learned; how rarity counts, and the prior, stay. Both kinds of label
    count as much in sum: reviewers see the doubtful pairs, not a fair sample of all.
    """
    examples = [_example(pair, present) for pair in pairs]
    matches = sum(example.is_match for example in examples)
    if min(matches, len(examples) - matches) < FEWEST:
        raise TooFewLabelsError(
            f"{matches} pairs that match and {len(examples) - matches} that do not: "
            f"at least {FEWEST} of each are needed"
        )
    shifts = _descend(examples, matches, present)
    levels = dict(present.levels)
    for key, shift in shifts.items():
        before = levels.get(key, LevelWeight(0.0))
        levels[key] = LevelWeight(round(before.bits + shift, 3), before.per_bit)
    return replace(present, version=version, levels=levels)


def _example(pair: LabelledPair, present: Weights) -> _Example:
    bits = present.before(pair.size)
    keys = []
    for one in pair.observations:
        kind = kind_of(one.attribute, one.left, one.right)
        keys.append((kind, one.level))
        bits += present.weigh(kind, one.level, one.rarity)
    return _Example(tuple(keys), bits, pair.is_match)


def _descend(examples: Sequence[_Example], matches: int, present: Weights) -> dict[Key, float]:
    """Find the shift of each level by steps of a length of their own (diagonal Newton, bounded)."""
    share = {
        True: 0.5 * len(examples) / matches,
        False: 0.5 * len(examples) / (len(examples) - matches),
    }
    shifts = dict.fromkeys((key for example in examples for key in example.keys), 0.0)
    bounds = {key: _bounds(key, present) for key in shifts}
    for turn in range(_ROUNDS):
        slope = {key: PULL * shift for key, shift in shifts.items()}
        bend = dict.fromkeys(shifts, PULL)
        for example in examples:
            bits = example.bits + sum(shifts[key] for key in example.keys)
            probability = 1.0 / (1.0 + math.exp2(-max(-60.0, min(60.0, bits * present.slope))))
            weight = share[example.is_match]
            error = weight * (probability - example.is_match) * _LN2 * present.slope
            curve = weight * probability * (1.0 - probability) * (_LN2 * present.slope) ** 2
            for key in example.keys:
                slope[key] += error
                bend[key] += curve * len(example.keys)
        pace = _STEP / (1.0 + turn / 50)
        for key, (low, high) in bounds.items():
            moved = shifts[key] - min(1.0, pace) * slope[key] / bend[key]
            shifts[key] = min(high, max(low, moved))
    return shifts


def _bounds(key: Key, present: Weights) -> tuple[float, float]:
    """Return how far a level may move: disagreement stays at or below 0, agreement where it is."""
    bits = present.levels.get(key, LevelWeight(0.0)).bits
    if key[1] == "differ":
        return -8.0 - bits, max(0.0, -bits)
    return (-2.0, 8.0) if key[1] in {"loose", "remote"} else (-1.0, 8.0)
