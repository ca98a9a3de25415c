"""Requests counted in a real Valkey, for all replicas together; it is killed on the way."""

import asyncio
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared import cache
from shared.limits import DAY, Limit, Limiter
from shared.observability import metrics
from tests.integration.enricher.test_cache import port, settings, valkey

__all__ = ["port"]


async def test_replicas_count_together_and_go_on_alone(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "TIMEOUT_S", 10.0)  # who is busy is not away
    limit = Limit("key", "{w}:k", 20, DAY)
    async with (
        valkey(port, tmp_path) as server,
        cache.connect(settings(port)) as one,
        cache.connect(settings(port)) as other,
    ):
        replicas = [Limiter(one), Limiter(other)]
        takes = [replicas[number % 2].take([limit]) for number in range(50)]
        standings = [found[0] for found in await asyncio.gather(*takes)]
        assert sum(standing.wait == 0 for standing in standings) == 20
        assert {standing.left for standing in standings if standing.wait == 0} == set(range(20))

        unshared = metrics.LIMITS_UNSHARED._value.get()
        server.kill()
        await server.wait()
        found = [(await replica.take([limit]))[0] for replica in replicas for _ in range(21)]
        passed = [standing.wait == 0 for standing in found]
        assert passed == [*[True] * 20, False] * 2  # open, and bounded by each replica
        assert metrics.LIMITS_UNSHARED._value.get() == unshared + 42


async def test_the_script_and_the_replica_agree(port: int, tmp_path: Path) -> None:
    """One limit seen in both ways, over the end of a window."""
    async with valkey(port, tmp_path), Redis(port=port) as redis:
        shared, own = Limiter(redis), Limiter(None)
        limits = [Limit("key", "{w}:k", 5, 1), Limit("workspace", "{w}", 200, 60)]
        end = time.monotonic() + 2.2
        agreed = 0
        while time.monotonic() < end:
            told = [await limiter.take(limits) for limiter in (shared, own)]
            outcomes = [[one.wait > 0 for one in standings] for standings in told]
            agreed += outcomes[0] == outcomes[1]
            ours, theirs = ([one.resets for one in standings] for standings in told)
            gaps = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
            assert all(gap < 0.5 or gap > 0.9 for gap in gaps)  # or a window ended in between
            await asyncio.sleep(0.05)
        assert agreed >= 30
