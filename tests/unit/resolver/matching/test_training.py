"""Weights learned from what people decided."""

import pytest

from services.resolver.domain.matching.evidence import EvidenceScorer, observe
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.training import (
    FEWEST,
    LabelledPair,
    TooFewLabelsError,
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
