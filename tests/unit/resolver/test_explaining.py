"""Decisions in plain words, values side by side: what a person reads before deciding."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.explaining import (
    REASONS,
    Evidence,
    conclude,
    is_exact,
    ranked,
    say_reason,
    say_signal,
    shortfall,
)
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import SUREST
from services.resolver.domain.matching.model import Scorer, Signal
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.tiers import Thresholds
from services.resolver.domain.matching.weights import default_weights
from services.resolver.domain.review_documents import tell_evidence
from services.resolver.domain.reviewing import Said, joined_by, side_by_side
from shared.events.contact import MergeProposed
from shared.events.signal import Facts, Identifier, Point

SCORER = EvidenceScorer(default_weights())
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def evidence(*weights: float, scorer: Scorer = SCORER, **other: Any) -> Evidence:
    """Make the evidence that signals of these weights would be stored as."""
    signals = tuple(Signal("given", "equal", "Ada", "Ada", weight) for weight in weights)
    score = scorer.recompute(signals)
    made = Evidence(
        scorer="spec" if isinstance(scorer, SpecScorer) else "evidence",
        weights_version=None,
        probability=score.probability,
        weight=score.weight,
        tier="low",
        action="review",
        thresholds=Thresholds(),
        signals=signals,
        vetoes=(),
    )
    return replace(made, **other)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (Signal("given", "equal", "Ada", "Ada", 3.25), "given name is the same (Ada): +3.2 bits"),
        (Signal("email", "differ", "a@b", "c@d", -2.0), "e-mail address is different (a@b / c@d)"),
        (Signal("prior", "base", "", "", -14.0), "before anything is compared"),
        (Signal("custom:badge", "near", "k1", "k2", 1.0), "own field badge is the same but for"),
        (Signal("shoe_size", "equal", "9", "9", 0.0), "shoe size is the same (9): says nothing"),
    ],
)
def test_a_signal_is_said_in_words(signal: Signal, words: str) -> None:
    assert words in say_signal(signal, SCORER)


def test_the_customers_formula_adds_certainty() -> None:
    assert say_signal(Signal("name", "fuzzy", "a", "b", 0.2), SpecScorer()).endswith(
        "adds 20% certainty"
    )


def test_a_veto_is_the_reason_whatever_the_score() -> None:
    said = conclude(evidence(40.0, vetoes=("names_in_conflict",)), SCORER)
    assert "Both names are well-formed and disagree" in said
    assert said.endswith("A person has to decide.")


def test_a_score_that_suffices_and_did_not_says_why() -> None:
    alone = (Signal("city", "equal", "Leeds", "Leeds", 40.0),)
    together = (*alone, Signal("email", "equal", "a@b.c", "a@b.c", 9.0))
    for signals, words in ((alone, "this kind of evidence"), (together, "all their other records")):
        score = SCORER.recompute(signals)
        found = evidence(0.0, signals=signals, probability=score.probability, weight=score.weight)
        assert words in conclude(found, SCORER)


def test_an_unknown_veto_stands_for_itself() -> None:
    assert "From_another_release." in conclude(
        evidence(1.0, vetoes=("from_another_release",)), SCORER
    )


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=12))
@pytest.mark.parametrize("scorer", [SCORER, SpecScorer()])
def test_what_is_missing_is_just_enough(scorer: Scorer, weights: list[float]) -> None:
    """A signal that brings the missing bits reaches the threshold; half of them do not."""
    if isinstance(scorer, SpecScorer):
        weights = [abs(weight) / 41 for weight in weights]
    found = evidence(*weights, scorer=scorer)
    assert is_exact(found, scorer)
    missing = shortfall(found, scorer)
    weight = max(-SUREST, scorer.recompute(found.signals).weight)
    if missing.bits > 0.01:
        assert scorer.calibrate(weight + missing.bits + 0.001) >= missing.threshold
        assert scorer.calibrate(weight + missing.bits / 2) < missing.threshold
    else:
        assert scorer.calibrate(weight + 0.02) >= missing.threshold


def test_a_score_that_does_not_come_out_again_is_noticed() -> None:
    assert not is_exact(replace(evidence(1.0, 2.0), probability=0.5), SCORER)


def test_why_a_pair_was_put_up_without_a_score() -> None:
    said = say_reason("names_in_conflict", [("email", "a@b.c")])
    assert said.endswith("their names disagree: email a@b.c. A person has to decide.")
    assert say_reason("of_another_release", []).startswith("Of another release.")


@pytest.mark.parametrize("reason", get_args(MergeProposed.model_fields["reason"].annotation))
def test_every_reason_of_a_proposal_has_words(reason: str) -> None:
    assert reason in REASONS


def test_signals_are_told_by_what_they_are_worth() -> None:
    signals = [
        Signal("city", "equal", "", "", 0.5),
        Signal("email", "differ", "", "", -3.0),
        Signal("prior", "base", "", "", -1.0),
    ]
    assert [one.attribute for one in ranked(signals)] == ["prior", "email", "city"]


def test_private_values_are_kept_back_and_the_score_still_comes_out() -> None:
    signals = (Signal("custom:badge", "equal", "k-20481", "k-20481", 6.0),)
    score = SCORER.recompute(signals)
    found = evidence(0.0, signals=signals, probability=score.probability, weight=score.weight)
    told = tell_evidence(found, SCORER, hide=True)
    assert "20481" not in str(told)
    assert "badge" not in str(told)
    assert told["exact"]
    assert "20481" in str(tell_evidence(found, SCORER, hide=False))


def test_total_certainty_has_no_number_of_bits() -> None:
    found = evidence(1.0, scorer=SpecScorer())
    assert found.probability == 1.0
    assert tell_evidence(found, SpecScorer(), hide=False)["bits"] is None


def said(
    record: int, *emails: str, source: str = "hubspot_crm", priority: int = 25, **facts: Any
) -> Said:
    """Make a record of a contact, so many minutes after the first."""
    at = MOMENT + timedelta(minutes=record)
    return Said(
        contact=1,
        record=f"{record:032x}",
        record_id=None,
        source=source,
        priority=priority,
        confidence=1.0,
        at=at,
        received_at=at,
        workspace_id=1,
        facts=Facts(
            emails=tuple(Point(value=one) for one in emails),
            identifiers=tuple(Identifier(type="email", value=one) for one in emails),
            **facts,
        ),
    )


def test_values_stand_side_by_side_the_better_source_first() -> None:
    left = [said(1, "a@b.c", full_name="Ada King"), said(2, full_name="Ada", priority=100)]
    right = [said(3, "x@y.z", full_name="ada king", notes="a secret", labels=("vip",))]
    rows = {row.field: row for row in side_by_side(left, right)}
    assert set(rows) == {"full_name", "email"}
    assert [one.value for one in rows["full_name"].left] == ["Ada", "Ada King"]
    assert rows["full_name"].agrees
    assert not rows["email"].agrees


def test_a_record_came_through_what_an_earlier_one_had() -> None:
    joins = joined_by([said(3, "b@b.b"), said(1, "a@a.a"), said(2, "a@a.a", "b@b.b")])
    assert [one.through for one in joins] == [(), (("email", "a@a.a"),), (("email", "b@b.b"),)]
