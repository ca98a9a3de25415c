"""Decisions of the past, decided again from the evidence that was stored."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.resolver.domain.explaining import Evidence, evidence_of
from services.resolver.domain.hindsight import (
    Hindsight,
    decide_again,
    labelled,
    observed,
    score_again,
)
from services.resolver.domain.matching.evidence import EvidenceScorer, observe
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import Profile, Signal
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.tiers import Action, Thresholds
from services.resolver.domain.matching.weights import LevelWeight, default_weights
from shared.events.signal import Address
from tests.unit.resolver.matching.people import a_profile

SCORER = EvidenceScorer(default_weights())
WORDS = st.sampled_from(["Acme", "Acme Ltd", "Zorg", "Paris", "London", "Engineer", "Boss", ""])
PEOPLE = st.builds(
    lambda given, family, company, title, home, email: a_profile(
        first_name=given,
        last_name=family,
        company=company,
        title=title,
        email=email,
        addresses=(Address(city=home[0], postal_code=home[1], state=home[2]),),
    ),
    st.sampled_from(["Ada", "Adele", "Bob", ""]),
    st.sampled_from(["Lovelace", "Lovelaze", "Ross"]),
    WORDS,
    WORDS,
    st.tuples(WORDS, st.sampled_from(["", "75001", "10115"]), st.sampled_from(["", "TX", "OH"])),
    st.sampled_from(["ada@acme.io", "lovelace.ada@gmail.com", ""]),
)
COUNTS = st.builds(
    lambda records, common: Counts(records, {("company", "acme"): common, ("city", "paris"): 3}),
    st.integers(0, 2_000_000),
    st.integers(1, 400),
)


def stored(
    left: Profile, right: Profile, counts: Counts, thresholds: Thresholds | None = None
) -> Evidence:
    """Return what would be stored of a pair that is alone."""
    matcher = Matcher(SCORER, thresholds or Thresholds())
    verdict = matcher.judge(left, right, counts)
    return evidence_of(verdict, verdict.action, matcher.thresholds, "evidence", None)


@settings(deadline=None, max_examples=60)
@given(PEOPLE, PEOPLE, COUNTS)
def test_the_same_weights_give_the_same_score(
    left: Profile, right: Profile, counts: Counts
) -> None:
    evidence = stored(left, right, counts)
    again = score_again(evidence, SCORER, default_weights())
    assert again is not None
    assert again.probability == pytest.approx(evidence.probability, abs=1e-9)
    assert [one.level for one in again.signals] == [one.level for one in evidence.signals]


@settings(deadline=None, max_examples=60)
@given(PEOPLE, PEOPLE, COUNTS)
def test_what_was_observed_comes_back(left: Profile, right: Profile, counts: Counts) -> None:
    """Every observation with its rarity, as far as the weights tell it; and the base's size."""
    observations, size = observed(stored(left, right, counts).signals, SCORER.weights)
    assert size == pytest.approx(counts.size, abs=1e-3)  # as far as three decimals of a weight tell
    for told, seen in zip(observations, observe(left, right, counts), strict=True):
        assert (told.attribute, told.level) == (seen.attribute, seen.level)
        weigh = SCORER.weights.weigh
        # What tells a town again was stored as two thirds of its weight, to three decimals.
        assert weigh(told.attribute, told.level, told.rarity) == pytest.approx(
            weigh(seen.attribute, seen.level, seen.rarity), abs=2e-3
        )


THRESHOLDS = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(
    lambda found: Thresholds(*sorted(found, reverse=True))
)


@settings(deadline=None, max_examples=60)
@given(PEOPLE, PEOPLE, COUNTS, THRESHOLDS)
def test_a_pair_by_itself_is_decided_as_matching_would(
    left: Profile, right: Profile, counts: Counts, thresholds: Thresholds
) -> None:
    """Of pairs that are stored: of others no veto is asked, as their score is too low."""
    evidence = stored(left, right, counts)
    assume(evidence.weight is not None and evidence.weight >= Matcher(SCORER).floor)
    now = Matcher(SCORER, thresholds).judge(left, right, counts)
    action, probability = decide_again(evidence, SCORER, thresholds)
    assert (action, probability) == (now.action, now.score.probability)


ADA = a_profile(company="Acme", city="London", title="Engineer")
MOVED = a_profile(company="Acme", city="Paris", title="Engineer")


def test_what_other_records_held_back_stays_held_back() -> None:
    evidence = replace(stored(ADA, MOVED, Counts(20_000)), action="review", probability=0.7)
    assert decide_again(evidence, SCORER, Thresholds(0.95, 0.5, 0.2))[0] is Action.REVIEW
    assert decide_again(evidence, SCORER, Thresholds(0.95, 0.9, 0.8))[0] is Action.NOTHING


def test_other_weights_change_the_score_and_no_word_of_another_formula() -> None:
    levels = dict(default_weights().levels) | {("company", "equal"): LevelWeight(-8.0)}
    weights = replace(default_weights(), levels=levels)
    evidence = stored(ADA, MOVED, Counts(20_000))
    again = score_again(evidence, SCORER, weights)
    assert again is not None
    assert again.probability < evidence.probability
    assert score_again(evidence, SpecScorer(), weights) is None
    assert labelled(evidence, SpecScorer(), is_match=True) is None


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [("F", "female", "equal"), ("F", "Male", "differ"), ("F", "prefer not to say", None)],
)
def test_sexes_that_were_words_are_compared_anew(left: str, right: str, level: str | None) -> None:
    """Before weights `2026-11.4` two words that were not the same differed, and said nothing."""
    evidence = stored(ADA, ADA, Counts(20_000))
    old = Signal("custom:gender", "differ", left, right, 0.0)
    evidence = replace(evidence, signals=(*evidence.signals, old))
    observations, _ = observed(evidence.signals, SCORER.weights)
    found = [one.level for one in observations if one.attribute == "custom:gender"]
    assert found == ([] if level is None else [level])
    again = score_again(evidence, SCORER, default_weights())
    assert again is not None
    shown = [one[1:4] for one in again.signals if one.attribute == "custom:gender"]
    assert shown == ([] if level is None else [(level, left, right)])


def test_a_number_is_one_in_hindsight_however_its_source_parted_it() -> None:
    one, other = (
        a_profile(custom_fields={"member": number, "home": "15204 1st Ave"})
        for number in ("MEMB-0042", "MEMB0042")
    )
    evidence = stored(one, other, Counts(20_000))
    again = score_again(evidence, SCORER, default_weights())
    assert again is not None
    assert again.signals == evidence.signals


def test_the_newest_decision_about_a_pair_counts_and_peoples_are_left_out() -> None:
    hindsight = Hindsight(Thresholds(1.0, 1.0, 0.0), None, most=1)
    evidence = replace(stored(ADA, MOVED, Counts(20_000)), action="merge_and_flag", probability=0.9)
    explained = (evidence, SCORER)
    for pair in ((1, 2), (1, 2), (3, 4)):
        hindsight.look_at(pair, ("con_a", "con_b"), explained, is_settled=False)
    hindsight.look_at((5, 6), ("con_a", "con_b"), explained, is_settled=True)
    assert hindsight.counts == {("merge_and_flag", "review"): 2}
    assert len(hindsight.samples["merge_and_flag", "review"]) == 1
    assert hindsight.settled == 1


def test_other_weights_leave_alone_what_another_formula_scored() -> None:
    hindsight = Hindsight(Thresholds(), default_weights(), most=1)
    evidence = stored(ADA, MOVED, Counts(20_000))
    hindsight.look_at((1, 2), ("con_a", "con_b"), (evidence, SpecScorer()), is_settled=False)
    assert (hindsight.unscored, hindsight.counts) == (1, {})
