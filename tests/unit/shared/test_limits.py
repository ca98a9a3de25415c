"""Counting requests in this process: what is let through in any window, and what is said of it."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared import limits
from shared.limits import Limit, Limiter, Standing


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def take(limiter: Limiter, *several: Limit) -> list[Standing]:
    return asyncio.run(limiter.take(several))


def test_a_limit_lets_so_many_through_and_says_when_to_come_again() -> None:
    clock = Clock()
    limiter, limit = Limiter(None, clock), Limit("key", "k", 3, 60)
    assert [take(limiter, limit)[0].left for _ in range(3)] == [2, 1, 0]
    [refused] = take(limiter, limit)
    assert refused.wait > 0
    clock.now += refused.wait - 0.01
    assert take(limiter, limit)[0].wait > 0
    clock.now += 0.02
    assert take(limiter, limit)[0].wait == 0


def test_what_one_limit_refuses_no_other_counts() -> None:
    limiter = Limiter(None, Clock())
    narrow, wide = Limit("key", "k", 1, 60), Limit("workspace", "w", 10, 60)
    assert [one.left for one in take(limiter, narrow, wide)] == [0, 9]
    refused = take(limiter, narrow, wide)
    assert [one.wait > 0 for one in refused] == [True, False]
    assert take(limiter, wide)[0].left == 8


def test_without_limits_nothing_is_counted() -> None:
    assert take(Limiter(None, Clock())) == []


@given(
    most=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=120),
)
def test_no_window_lets_more_through_than_it_should(most: int, pauses: Sequence[float]) -> None:
    """In a window of the clock never more than the limit pass, in any other at most twice it."""
    clock = Clock()
    limiter, limit = Limiter(None, clock), Limit("key", "k", most, 60)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        [standing] = take(limiter, limit)
        assert 0 <= standing.left < most
        assert 0 < standing.resets <= 60
        if standing.wait == 0:
            passed.append(clock.now)
    for window in {int(moment // 60) for moment in passed}:
        assert sum(int(moment // 60) == window for moment in passed) <= most
    for moment in passed:
        assert sum(moment <= other < moment + 60 for other in passed) <= 2 * most


def test_a_flood_of_keys_does_not_eat_the_memory(monkeypatch: object) -> None:
    limiter = Limiter(None, Clock())
    before, limits.OWN_SIZE = limits.OWN_SIZE, 10  # type: ignore[misc]
    try:
        for number in range(100):
            take(limiter, Limit("key", str(number), 5, 60))
        assert len(limiter._own._kept) == 10
    finally:
        limits.OWN_SIZE = before  # type: ignore[misc]
