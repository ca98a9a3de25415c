"""Weights learned from what people decided."""

from dataclasses import replace
from random import Random

import pytest

from services.resolver.domain.matching.evidence import EvidenceScorer, observe
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.training import (
    FEWEST,
    FEWEST_CHECKED,
    LabelledPair,
    TooFewLabelsError,
    learn,
    loss,
    train,
)
from services.resolver.domain.matching.weights import default_weights
from tests.unit.resolver.matching.people import a_profile

COUNTS = Counts(20_000)
ADA = a_profile(company="Acme", city="London")
MOVED = a_profile(company="Acme", city="Paris")
LEFT = a_profile(company="Zorg", city="London")


def labelled(other: Profile, *, is_match: bool) -> LabelledPair:
    return LabelledPair(tuple(observe(ADA, other, COUNTS)), COUNTS.size, is_match)


def test_training_moves_weights_towards_what_people_said() -> None:
    pairs = [labelled(MOVED, is_match=True), labelled(LEFT, is_match=False)] * 100
    before, after = (
        default_weights(),
        train(
            [labelled(MOVED, is_match=True), labelled(LEFT, is_match=False)] * 100,
            default_weights(),
            "learned",
        ),
    )
    assert len(pairs) == 200
    old, new = EvidenceScorer(before), EvidenceScorer(after)
    for other, rises in ((MOVED, True), (LEFT, False)):
        change = new.score(ADA, other, COUNTS).weight - old.score(ADA, other, COUNTS).weight
        assert (change > 0.5) is rises
        assert (change < -0.5) is not rises
    assert after.version == "learned"


def test_disagreement_never_speaks_for_a_match() -> None:
    always = [labelled(LEFT, is_match=True)] * 500 + [labelled(ADA, is_match=False)] * 500
    learned = train(always, default_weights(), "odd")
    assert all(
        weight.bits <= max(0.0, default_weights().levels[key].bits)
        for key, weight in learned.levels.items()
        if key[1] == "differ"
    )


def test_few_or_one_sided_labels_teach_nothing() -> None:
    one_sided = [labelled(MOVED, is_match=True)] * 500 + [labelled(LEFT, is_match=False)]
    with pytest.raises(TooFewLabelsError, match=f"at least {FEWEST} of each"):
        train(one_sided, default_weights(), "collapsed")


def test_what_was_learned_is_checked_on_pairs_held_back() -> None:
    pairs = [labelled(MOVED, is_match=True), labelled(LEFT, is_match=False)] * 50
    learned = learn(pairs, default_weights(), "learned")
    assert (learned.matches, learned.others) == (50, 50)
    assert learned.is_better
    assert loss(pairs, learned.weights) < loss(pairs, default_weights())


def test_labels_thrown_by_dice_are_no_better_on_those_held_back() -> None:
    dice = Random(1)
    pairs = [
        labelled(dice.choice((MOVED, LEFT, ADA)), is_match=dice.random() < 0.5) for _ in range(60)
    ]
    held = learn([*pairs, *(replace(one, is_match=not one.is_match) for one in pairs)],
                 default_weights(), "noise")  # fmt: skip
    assert held.loss_after == pytest.approx(1.0, abs=0.2)


def test_too_few_to_check_by_are_refused_in_words() -> None:
    pairs = [labelled(MOVED, is_match=True), labelled(LEFT, is_match=False)] * (FEWEST_CHECKED - 1)
    with pytest.raises(TooFewLabelsError, match="24 pairs that match and 24 that do not"):
        learn(pairs, default_weights(), "learned")
