"""The indexer yields to the hot path, and catches up when it can."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka import pace
from shared.kafka.pace import (
    LIVE_WINDOW_S,
    LOOK_S,
    REGAINED,
    Allowance,
    Pace,
    Rest,
    Share,
    allowed,
    budget,
)

PACE = Pace(linger=1.0, most=2_000.0, least=100.0, busy=3_000.0, patience=0.5)


@pytest.mark.parametrize(
    ("arriving", "expected"),
    [
        (0.0, 2_000.0),
        (500.0, 2_000.0),
        (1_000.0, 2_000.0),
        (2_000.0, 1_000.0),
        (2_950.0, 100.0),
        (9_000.0, 100.0),
        (None, 100.0),
    ],
)
def test_an_index_takes_what_the_hot_path_leaves(arriving: float | None, expected: float) -> None:
    assert budget(arriving, None, PACE) == expected
    assert budget(arriving, 0.2, PACE) == expected
    assert budget(arriving, 0.6, PACE) == 100.0


def test_no_more_than_the_most_even_when_less_than_the_least_is_allowed() -> None:
    assert budget(None, None, Pace(0, most=50, least=100, busy=3_000, patience=0.5)) == 50


class NothingComes:
    """A read model that no signal reaches just now."""

    async def read_model_age(self) -> float | None:
        """Know of none."""
        return None


class Arrivals:
    """A topic that grows at a set rate, from the first look on."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.stopping = False
        self.looks = 0
        self._began = time.monotonic()
        self._before = 0.0

    async def arrived(self) -> int:
        """Count what has arrived."""
        self.looks += 1
        return int(self._before + self.rate * (time.monotonic() - self._began))

    def change(self, rate: float) -> None:
        """Grow at another rate from now on."""
        now = time.monotonic()
        self._before += self.rate * (now - self._began)
        self._began, self.rate = now, rate

    def moved(self) -> None:
        """Note nothing."""


async def test_a_quiet_topic_leaves_the_linger_only() -> None:
    rest = Rest(
        Pace(linger=0.6, most=2_000.0, least=1.0, busy=3_000.0, patience=0.5), NothingComes()
    )
    rest.traffic = Arrivals(0)
    await rest(1, time.monotonic())
    started = time.monotonic()
    await rest(200, started)
    assert 0.55 < time.monotonic() - started < 1.5


async def test_a_rest_ends_early_when_the_drain_does() -> None:
    traffic = Arrivals(100_000)
    rest = Rest(
        Pace(linger=0.0, most=1_000.0, least=10.0, busy=3_000.0, patience=0.5), NothingComes()
    )
    rest.traffic = traffic
    resting = asyncio.create_task(rest(600, time.monotonic()))
    await asyncio.sleep(1.2)
    assert not resting.done()
    traffic.change(0)
    await asyncio.wait_for(resting, 5.0)


async def test_nobody_rests_while_the_process_stops() -> None:
    traffic = Arrivals(100_000)
    rest = Rest(PACE, NothingComes())
    rest.traffic = traffic
    resting = asyncio.create_task(rest(1_000_000, time.monotonic()))
    await asyncio.sleep(0.05)
    traffic.stopping = True
    await asyncio.wait_for(resting, 2.0)


ALLOWANCE = Allowance(most=0.25, least=0.05, patience=0.15)


@pytest.mark.parametrize(
    ("share", "age", "expected"),
    [
        (0.25, 0.1, 0.25),
        (0.25, 0.2, 0.125),
        (0.06, 0.2, 0.05),
        (0.05, 9.0, 0.05),
        (0.05, 0.15, 0.05 + REGAINED),
        (0.12, None, 0.12),
    ],
)
def test_files_lose_half_while_live_signals_are_late_and_regain_it_slowly(
    share: float, age: float | None, expected: float
) -> None:
    assert allowed(share, age, ALLOWANCE) == pytest.approx(expected)


@given(
    st.lists(st.none() | st.floats(0, 100)),
    st.floats(0.01, 1.0),
    st.floats(0.01, 1.0),
)
def test_files_always_have_at_least_the_least_and_at_most_the_most(
    ages: list[float | None], one: float, other: float
) -> None:
    allowance = Allowance(most=max(one, other), least=min(one, other), patience=0.15)
    share = allowance.most
    for age in ages:
        share = allowed(share, age, allowance)
        assert allowance.least <= share <= allowance.most


async def test_late_live_signals_cost_files_their_time() -> None:
    share = Share(0.5, 0.25, 0.15)
    share.live()
    share.took(0.1)
    share.took(0.3)
    share.took(0.1)
    started = time.monotonic()
    await share.rest(0.1)
    assert 0.29 <= time.monotonic() - started < 1.0


async def test_files_do_not_rest_any_longer_when_nothing_comes() -> None:
    share = Share(0.01)
    share.live()
    started = time.monotonic()
    await share.rest(10.0)
    assert LIVE_WINDOW_S <= time.monotonic() - started < LIVE_WINDOW_S + 3 * LOOK_S


class InHand:
    """A batch in hand, and how often somebody said that it is worked on."""

    def __init__(self) -> None:
        self.stopping = False
        self.signs = 0

    def moved(self) -> None:
        """Count a sign of life."""
        self.signs += 1


async def test_files_that_rest_or_wait_for_their_turn_are_known_to_live() -> None:
    """Else `/healthz` calls a batch of five parts stuck that rests 19 seconds a part."""
    share, in_hand = Share(0.1), InHand()
    share.consuming = in_hand
    with share.busy():
        await share.turn()
    assert in_hand.signs == 1
    await share.rest(0.15)
    assert in_hand.signs >= 1 + 1.35 / LOOK_S


async def test_files_rest_no_longer_than_is_good_for_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "LONGEST_REST_S", 0.3)
    share = Share(0.01)
    share.live()
    started = time.monotonic()
    await share.rest(10.0)
    assert 0.3 <= time.monotonic() - started < LIVE_WINDOW_S


async def test_files_rest_no_longer_when_they_have_to_go() -> None:
    share, in_hand = Share(0.01), InHand()
    share.consuming = in_hand
    share.live()
    in_hand.stopping = True
    started = time.monotonic()
    await share.rest(10.0)
    assert time.monotonic() - started < LOOK_S


async def test_how_much_files_have_is_seen() -> None:
    share = Share(0.5, 0.05, 0.15)
    assert share.present == 1.0
    share.live()
    assert share.present == 0.5
    share.took(0.2)
    await share.rest(0.01)
    assert share.present == 0.25


async def test_files_have_their_turn_between_live_signals_and_in_a_drain_all_the_same() -> None:
    share = Share(0.25)
    await asyncio.wait_for(share.turn(), 0.1)
    with share.busy():
        waiting = asyncio.create_task(share.turn())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 0.2)
    with share.busy():
        await asyncio.wait_for(share.turn(), 10 * LOOK_S)


async def test_files_give_way_while_live_signals_flow_and_only_then() -> None:
    share = Share(0.25)
    started = time.monotonic()
    await share.rest(10.0)
    assert time.monotonic() - started < 0.1
    share.live()
    await share.rest(0.1)
    assert time.monotonic() - started >= 0.3
