"""What was decided, decided again from the evidence that was stored: for training and dry runs.

A stored signal says the level at which an attribute agreed and its weight then; with the weights
of that time, how rare the value was follows from it. So no record has to be read again.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.resolver.domain.explaining import ACTION_NAMES, Evidence
from services.resolver.domain.matching.evidence import PRIOR, EvidenceScorer
from services.resolver.domain.matching.levels import compare_keys, kind_of
from services.resolver.domain.matching.model import CUSTOM, Observation, Score, Scorer, Signal
from services.resolver.domain.matching.profile import SEXES, spell_custom
from services.resolver.domain.matching.tiers import Action, Thresholds, allowed
from services.resolver.domain.matching.training import LabelledPair
from services.resolver.domain.matching.vetoes import BARS, Veto
from services.resolver.domain.matching.weights import Weights

MOST_BITS: Final = 40.0
"""Bits of rarity that no value has: more people than ever lived."""

ACTIONS: Final = {name: action for action, name in ACTION_NAMES.items()}
"""An action's name in tables → the action."""


def observed(signals: Sequence[Signal], weights: Weights) -> tuple[list[Observation], float]:
    """Return what was observed of a pair, and the base's size in bits, from its stored signals."""
    observations = []
    size = 0.0
    for signal, bits in zip(signals, weights.apart(signals), strict=True):
        if signal.attribute == PRIOR:
            size = (weights.prior - signal.weight) / (weights.per_doubling or 1.0)
        elif (seen := _as_compared(signal._replace(weight=bits))) is not None:
            rarity = _rarity(seen, weights)
            observations.append(Observation(*seen[:4], rarity))
    return observations, size


def _as_compared(signal: Signal) -> Signal | None:
    """Return a stored signal with its values as they are compared; None where that tells nothing.

    Sexes are compared anew: they were words once, of which `F` and `female` were two.
    """
    name = signal.attribute
    if not name.startswith(CUSTOM):
        return signal
    left, right = (spell_custom(name, said) for said in (signal.left, signal.right))
    if name not in SEXES:
        return signal._replace(left=left, right=right)
    if not (left and right):
        return None
    return signal._replace(level=compare_keys(left, right), left=left, right=right)


def _rarity(signal: Signal, weights: Weights) -> float:
    """Return the bits of rarity that made a signal weigh what it does; 0 where it is not told."""
    kind = kind_of(signal.attribute, signal.left, signal.right)
    weight = weights.levels.get((kind, signal.level))
    if weight is None or not weight.per_bit:
        return 0.0
    most = weights.most_rare.get(kind, MOST_BITS)
    return min(most, max(0.0, (signal.weight - weight.bits) / weight.per_bit))


def labelled(evidence: Evidence, scorer: Scorer, *, is_match: bool) -> LabelledPair | None:
    """Return a decision with what a person said of it; None where no weights made its score."""
    if not isinstance(scorer, EvidenceScorer):
        return None
    observations, size = observed(evidence.signals, scorer.weights)
    return LabelledPair(tuple(observations), size, is_match)


def score_again(evidence: Evidence, scorer: Scorer, weights: Weights) -> Score | None:
    """Score a decision's evidence by other weights; None where no weights made its score."""
    if not isinstance(scorer, EvidenceScorer):
        return None
    observations, size = observed(evidence.signals, scorer.weights)
    shown = {signal.attribute: (signal.left, signal.right) for signal in evidence.signals}
    signals = [Signal(PRIOR, "base", "", "", weights.before(size))]
    for one, weight in zip(observations, weights.weigh_all(observations), strict=True):
        signals.append(Signal(one.attribute, one.level, *shown[one.attribute], weight))
    return EvidenceScorer(weights).recompute(signals)


def decide_again(
    evidence: Evidence, scorer: Scorer, thresholds: Thresholds, weights: Weights | None = None
) -> tuple[Action, float]:
    """Return what would be done with a pair of the past, and its probability.

    Without weights its score stands.  What is stored is the comparison of the two records that
    agree best, and what was done: where the contacts' other records held a pair back, it stays
    held back.
    """
    score = score_again(evidence, scorer, weights) if weights else None
    probability = score.probability if score else evidence.probability
    most = allowed(evidence.signals, strictest(evidence.vetoes))
    done = ACTIONS[evidence.action]
    then = min(most, evidence.thresholds.action_at(evidence.probability))
    now = min(most, thresholds.action_at(probability))
    if now == then:
        return done, probability
    return (min(done, now) if done < then else now), probability


def strictest(vetoes: Sequence[str]) -> Veto | None:
    """Return the veto that binds; one of another release is unknown, and bars."""
    known = {str(veto): veto for veto in Veto}
    found = [known.get(one, Veto.NAMES) for one in vetoes]
    return next((one for one in found if one in BARS), found[0] if found else None)


class Sample(NamedTuple):
    """A pair of the past, decided again."""

    contacts: tuple[str, str]
    """By their public ids."""
    evidence: Evidence
    scorer: Scorer
    action: Action
    """What would be done now."""
    probability: float


@dataclass(slots=True)
class Hindsight:
    """What a change would have done to history; the newest decision about a pair counts."""

    thresholds: Thresholds
    weights: Weights | None
    """None: scores stay as they are."""
    most: int
    """Samples kept of each change."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(action then, action now) → pairs."""
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    """Of those that change, the newest."""
    settled: int = 0
    """Pairs that a person has decided since: no machine decides them again."""
    unscored: int = 0
    """Pairs that another formula scored: other weights do not touch them."""
    seen: set[tuple[int, int]] = field(default_factory=set)

    def look_at(
        self,
        pair: tuple[int, int],
        contacts: tuple[str, str],
        explained: tuple[Evidence, Scorer],
        *,
        is_settled: bool,
    ) -> None:
        """Decide one decision again; decisions come the newest first."""
        if pair in self.seen:
            return
        self.seen.add(pair)
        evidence, scorer = explained
        if is_settled:
            self.settled += 1
        elif self.weights is not None and not isinstance(scorer, EvidenceScorer):
            self.unscored += 1
        else:
            action, probability = decide_again(evidence, scorer, self.thresholds, self.weights)
            change = (evidence.action, ACTION_NAMES[action])
            self.counts[change] += 1
            if change[0] != change[1] and len(self.samples.setdefault(change, [])) < self.most:
                sample = Sample(contacts, evidence, scorer, action, probability)
                self.samples[change].append(sample)
