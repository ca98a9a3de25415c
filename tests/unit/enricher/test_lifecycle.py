"""Which steps a request takes: only legal ones, never back to a vendor that may be paid."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.enricher.domain.backoff import BASE_SECONDS, CAP_SECONDS, delay
from services.enricher.domain.lifecycle import (
    DEFAULT_RETRY_AFTER,
    MAX_FAULTS,
    MAX_RETRY_AFTER,
    TRANSITIONS,
    Call,
    settle,
)
from services.enricher.domain.outcome import (
    BadAnswer,
    Fault,
    Ineligible,
    Match,
    NoMatch,
    NotSent,
    Outcome,
    RateLimited,
    SourcePaused,
    Unknown,
)
from shared.events.signal import ContactSignal

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MATCH = Match(ContactSignal(source="apollo"), {}, 1)

PERHAPS_PAID = (MATCH, Unknown(), BadAnswer())
NEVER_PAID = (NotSent(), RateLimited(None), SourcePaused(), Fault(), NoMatch(), Ineligible())

calls = st.integers(1, 60).flatmap(
    lambda attempts: st.builds(Call, st.just(attempts), st.integers(0, min(attempts - 1, 4)))
)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.sampled_from((*PERHAPS_PAID, *NEVER_PAID)),
    st.builds(RateLimited, st.floats(allow_nan=False, min_value=-1e9, max_value=1e9)),
)
dice = st.floats(0.0, 1.0)


@given(calls, outcomes, dice)
def test_every_step_is_legal(call: Call, outcome: Outcome, die: float) -> None:
    settlement = settle(call, outcome, NOW, die)
    assert settlement.status in TRANSITIONS["processing"]
    assert (settlement.status == "pending") == (settlement.not_before is not None)
    assert (settlement.status == "success") == (settlement.reason is None)


@given(calls, st.sampled_from(PERHAPS_PAID), dice)
def test_what_may_have_been_paid_is_never_asked_again(
    call: Call, outcome: Outcome, die: float
) -> None:
    assert settle(call, outcome, NOW, die).status != "pending"


@given(calls, st.sampled_from(NEVER_PAID), dice)
def test_what_was_not_paid_charges_nothing(call: Call, outcome: Outcome, die: float) -> None:
    assert settle(call, outcome, NOW, die).credits == 0


@given(st.lists(st.tuples(outcomes, dice), max_size=40))
def test_a_request_ends_after_its_first_answer(story: list[tuple[Outcome, float]]) -> None:
    """Whatever happens in whatever order: at most one match is ever charged."""
    faults = charged = 0
    for attempts, (outcome, die) in enumerate(story, start=1):
        settlement = settle(Call(attempts, faults), outcome, NOW, die)
        faults = settlement.faults
        charged += settlement.credits
        if settlement.status != "pending":
            assert not TRANSITIONS[settlement.status] or settlement.status == "failed"
            break
    assert charged <= 1
    assert faults <= MAX_FAULTS


def test_the_vendors_own_errors_are_borne_a_few_times_only() -> None:
    assert settle(Call(1, 0), Fault(), NOW, 0.5).status == "pending"
    last = settle(Call(MAX_FAULTS, MAX_FAULTS - 1), Fault(), NOW, 0.5)
    assert (last.status, last.reason) == ("failed", "vendor_error")


def test_neither_a_429_nor_a_lost_connection_counts_as_a_fault() -> None:
    for outcome in (RateLimited(3.0), NotSent(), SourcePaused()):
        assert settle(Call(1_000, 4), outcome, NOW, 0.5).faults == 4


def test_retry_after_is_obeyed_within_reason() -> None:
    def wait(seconds: float | None) -> timedelta:
        not_before = settle(Call(1, 0), RateLimited(seconds), NOW, 0.5).not_before
        assert not_before is not None
        return not_before - NOW

    assert wait(7.0) == timedelta(seconds=7)
    assert wait(None) == DEFAULT_RETRY_AFTER
    assert wait(-3.0) == timedelta(0)
    assert wait(1e8) == MAX_RETRY_AFTER


def test_only_an_unknown_outcome_may_still_become_a_success() -> None:
    """The one way out of `failed`: the late answer to the very call that was given up."""
    assert TRANSITIONS["failed"] == {"success"}
    assert not any(TRANSITIONS[end] for end in ("success", "cached", "cancelled"))


@given(st.integers(1, 10_000), dice)
def test_the_wait_grows_up_to_a_cap(tries: int, die: float) -> None:
    wait = delay(tries, die).total_seconds()
    assert BASE_SECONDS / 2 <= wait <= CAP_SECONDS
    assert delay(tries + 1, die) >= delay(tries, die)
    assert delay(tries, 1.0) >= delay(tries, 0.0)
