"""Learning weights from labelled pairs: logistic regression, held near what is already known.

The sum of weights is a logarithm of odds, so that the weights that make labelled pairs most likely
are those of a logistic regression over the levels observed. Two guards keep it from collapsing on
few or one-sided labels: every weight is pulled towards the present one, the harder the fewer
labels speak of it, and none may leave the side on which its level stands: agreement never speaks
against a match more than it does now, and disagreement never for it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.resolver.domain.matching.levels import kind_of
from services.resolver.domain.matching.model import Observation, to_probability
from services.resolver.domain.matching.weights import (
    LevelWeight,
    Weights,
    default_weights,
    towns_of,
)

FEWEST: Final = 20
"""Labels of each kind without which nothing is learned: one-sided ones teach a constant."""

HELD_BACK: Final = 5
"""One pair in so many is held back, to check what was learned by."""

FEWEST_CHECKED: Final = 25
"""Labels of each kind of which four fifths are still `FEWEST`."""

LEAST: Final = 2.0**-60
"""Probability below which a surprise counts no more."""

SETTLED: Final = 1e-4
"""Bits; once no weight moves by more in a pass, it has settled."""

PULL: Final = 4.0
"""How many labels the present weight of a level counts for."""

_ROUNDS: Final = 400
"""Most passes over the labels; the steps shrink, and it has mostly settled long before."""

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


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights that were learned, and how they do on pairs that they were not learned from."""

    weights: Weights
    matches: int
    others: int
    """Pairs that match, and that do not; a fifth of each was held back to check by."""
    loss_before: float
    loss_after: float
    """Mean logarithmic loss on those held back, in bits, both kinds of pair counting as much."""

    @property
    def is_better(self) -> bool:
        """Tell whether what was learned holds for pairs that it was not learned from."""
        return self.loss_after < self.loss_before


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Example:
    """A labelled pair, and what the present weights say of each of its observations alone."""

    before: float
    """Bits before anything is compared."""
    attributes: tuple[str, ...]
    keys: tuple[Key, ...]
    bits: tuple[float, ...]
    floors: tuple[float, ...]
    """Bits that each adds at least: rare or not, to be equal never speaks against a match."""
    is_match: bool


def learn(pairs: Sequence[LabelledPair], present: Weights, version: str) -> Learned:
    """Train on four fifths of the pairs, and check on the rest; then train on all.

    Every fifth of each kind is held back, in the order given.
    """
    kinds = [[pair for pair in pairs if pair.is_match is kind] for kind in (True, False)]
    if min(map(len, kinds)) < FEWEST_CHECKED:
        raise _too_few(len(kinds[0]), len(kinds[1]), FEWEST_CHECKED)
    held = [pair for kind in kinds for pair in kind[::HELD_BACK]]
    rest = [pair for kind in kinds for place, pair in enumerate(kind) if place % HELD_BACK]
    checked = train(rest, present, version)
    return Learned(
        weights=train(pairs, present, version),
        matches=len(kinds[0]),
        others=len(kinds[1]),
        loss_before=loss(held, present),
        loss_after=loss(held, checked),
    )


def loss(pairs: Iterable[LabelledPair], weights: Weights) -> float:
    """Return how much the labels surprise the weights: bits, in the mean of both kinds of pair."""
    sums: dict[bool, list[float]] = {True: [], False: []}
    for pair in pairs:
        bits = weights.before(pair.size) + sum(weights.weigh_all(pair.observations))
        probability = _probability(bits, weights)
        said = probability if pair.is_match else 1.0 - probability
        sums[pair.is_match].append(-math.log2(max(said, LEAST)))
    return sum(sum(kind) / len(kind) for kind in sums.values() if kind) / 2.0


def train(pairs: Iterable[LabelledPair], present: Weights, version: str) -> Weights:
    """Return weights that agree better with what people decided, and differ little otherwise.

    Each level's bits are learned; how rarity counts, and the prior, stay. How much a town told
    again counts is the release's: tables stored before it was known count each telling whole
    (ADR 0149). Both kinds of label count as much in sum: reviewers see the doubtful pairs, not a
    fair sample of all.
    """
    present = replace(present, told_again=default_weights().told_again)
    examples = [_example(pair, present) for pair in pairs]
    matches = sum(example.is_match for example in examples)
    if min(matches, len(examples) - matches) < FEWEST:
        raise _too_few(matches, len(examples) - matches, FEWEST)
    return _shifted(present, _descend(examples, matches, present), version)


def _shifted(present: Weights, shifts: Mapping[Key, float], version: str) -> Weights:
    levels = dict(present.levels)
    for key, shift in shifts.items():
        before = levels.get(key, LevelWeight(0.0))
        levels[key] = LevelWeight(round(before.bits + shift, 3), before.per_bit)
    return replace(present, version=version, levels=levels)


def _too_few(matches: int, others: int, least: int) -> TooFewLabelsError:
    return TooFewLabelsError(
        f"{matches} pairs that match and {others} that do not: at least {least} of each are needed"
    )


def _probability(bits: float, weights: Weights) -> float:
    """Calibrate as `EvidenceScorer` does."""
    return to_probability(bits * weights.slope if bits > 0.0 else bits)


def _example(pair: LabelledPair, present: Weights) -> _Example:
    keys = [(kind_of(one.attribute, one.left, one.right), one.level) for one in pair.observations]
    weights = [present.levels.get(key, LevelWeight(0.0)) for key in keys]
    return _Example(
        before=present.before(pair.size),
        attributes=tuple(one.attribute for one in pair.observations),
        keys=tuple(keys),
        bits=tuple(
            weight.bits + present.for_rarity(*key, one.rarity)
            for weight, key, one in zip(weights, keys, pair.observations, strict=True)
        ),
        floors=tuple(
            0.0 if weight.per_bit and level == "equal" else -math.inf
            for weight, (_, level) in zip(weights, keys, strict=True)
        ),
        is_match=pair.is_match,
    )


def _believed(
    example: _Example, shifts: Mapping[Key, float], present: Weights
) -> tuple[float, list[float]]:
    """Return the bits of a pair as `Weights.weigh_all` sums them, and each level's share in them.

    A level's share is what the sum moves by when the level moves by a bit: 1, or `told_again` for
    a town that is told already, or 0 where to be equal would speak against a match.
    """
    moved = [bits + shifts[key] for bits, key in zip(example.bits, example.keys, strict=True)]
    bits = list(map(max, moved, example.floors))
    shares = [float(one > floor) for one, floor in zip(moved, example.floors, strict=True)]
    for at in present.again(towns_of(example.attributes), bits):
        shares[at] *= present.told_again
        bits[at] *= present.told_again
    return example.before + sum(bits), shares


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
            bits, shares = _believed(example, shifts, present)
            probability = 1.0 / (1.0 + math.exp2(-max(-60.0, min(60.0, bits * present.slope))))
            weight = share[example.is_match]
            error = weight * (probability - example.is_match) * _LN2 * present.slope
            curve = weight * probability * (1.0 - probability) * (_LN2 * present.slope) ** 2
            all_shares = sum(shares)
            for key, part in zip(example.keys, shares, strict=True):
                slope[key] += error * part
                bend[key] += curve * part * all_shares
        pace = _STEP / (1.0 + turn / 50)
        farthest = 0.0
        for key, (low, high) in bounds.items():
            moved = shifts[key] - min(1.0, pace) * slope[key] / bend[key]
            moved = min(high, max(low, moved))
            farthest = max(farthest, abs(moved - shifts[key]))
            shifts[key] = moved
        if farthest < SETTLED:
            break
    return shifts


def _bounds(key: Key, present: Weights) -> tuple[float, float]:
    """Return how far a level may move: disagreement stays at or below 0, agreement where it is."""
    bits = present.levels.get(key, LevelWeight(0.0)).bits
    if key[1] == "differ":
        return -8.0 - bits, max(0.0, -bits)
    return (-2.0, 8.0) if key[1] in {"loose", "remote"} else (-1.0, 8.0)
