"""Weights learned from what people decided."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.matching import training
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
from shared.events.signal import Address
from tests.unit.resolver.matching.people import a_profile

COUNTS = Counts(20_000)
ADA = a_profile(company="Acme", city="London")
MOVED = a_profile(company="Acme", city="Paris")
LEFT = a_profile(company="Zorg", city="London")


homes = st.builds(
    lambda name, city, code, state: a_profile(
        name, addresses=(Address(city=city, postal_code=code, state=state),)
    ),
    st.sampled_from(("Ada Lovelace", "Adah Lovelace", "Bob Ng")),
    st.sampled_from((None, "Paris", "Pariss", "Austin")),
    st.sampled_from((None, "75001", "75011", "73301")),
    st.sampled_from((None, "Texas", "Ohio")),
)


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


@given(homes, homes, st.data())
def test_what_training_believes_of_a_pair_is_what_scores_it(
    left: Profile, right: Profile, data: st.DataObject
) -> None:
    pair = LabelledPair(tuple(observe(left, right, COUNTS)), COUNTS.size, is_match=True)
    present = default_weights()
    example = training._example(pair, present)
    shifts = {key: data.draw(st.integers(-4_000, 8_000)) / 1_000 for key in example.keys}
    believed, shares = training._believed(example, shifts, present)
    learned = training._shifted(present, shifts, "learned")
    scored = learned.before(pair.size) + sum(learned.weigh_all(pair.observations))
    assert believed == pytest.approx(scored, abs=0.005)  # weights are rounded to 0.001
    for key, share in zip(example.keys, shares, strict=True):
        rises, falls = (
            (training._believed(example, shifts | {key: shifts[key] + step}, present)[0] - believed)
            / step
            for step in (1e-6, -1e-6)
        )
        assert min(rises, falls) - 1e-3 <= share <= max(rises, falls) + 1e-3


def test_a_table_of_before_learns_to_count_a_town_once() -> None:
    before = replace(default_weights(), told_again=1.0)
    pairs = [labelled(MOVED, is_match=True), labelled(LEFT, is_match=False)] * 50
    learned = learn(pairs, before, "learned")
    assert learned.weights == train(pairs, default_weights(), "learned")
    assert learned.weights.told_again == default_weights().told_again < 1.0
    assert learned.loss_before == loss([*pairs[::10], *pairs[1::10]], before)


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
