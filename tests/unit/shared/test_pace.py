"""The indexer yields to the hot path, and catches up when it can."""

import asyncio
import time

import pytest

from shared.kafka.pace import Pace, Rest, Share, budget

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


async def test_files_give_way_while_live_signals_flow_and_only_then() -> None:
    share = Share(0.25)
    started = time.monotonic()
    await share.rest(10.0)
    assert time.monotonic() - started < 0.1
    share.live()
    await share.rest(0.1)
    assert time.monotonic() - started >= 0.3
