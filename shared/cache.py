"""Redis: the connection, and rate limits shared by all replicas.

Redis holds nothing that must survive: it may vanish at any moment, and then every replica keeps
its own limit until it is back.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from aiolimiter import AsyncLimiter
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.observability.logs import get_logger

log = get_logger(__name__)

TIMEOUT_S: Final = 0.25
"""How long Redis may take, seconds: waiting longer costs more than doing without."""

AWAY_S: Final = 5.0
"""How long Redis is left alone after it failed, seconds."""

_TAKE: Final = """
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return paused end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = 1000000 / tonumber(ARGV[1])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local early = due + interval - tonumber(ARGV[2]) * interval - now
if early > 0 then return math.ceil(early / 1000) end
redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', 60000)
return 0
"""
"""A token bucket as one number (GCRA): when it would be full again, in microseconds of Redis'
own clock. Returns the milliseconds to wait, 0 when a token was taken."""

_PAUSE: Final = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
return 0
"""
"""Lengthens a pause, never shortens it."""


class RedisSettings(BaseSettings):
    """Redis, from the environment variables `REDIS_…`."""

    model_config = SettingsConfigDict(env_prefix="REDIS_", frozen=True, hide_input_in_errors=True)

    url: SecretStr | None = Field(
        default=None,
        title="URL",
        description="redis://:password@host:port/0, rediss:// with TLS; "
        "without it every replica keeps its own limits",
    )


@asynccontextmanager
async def connect(settings: RedisSettings) -> AsyncIterator[Redis | None]:
    """Open a client; None where no Redis is configured. Connects when first used."""
    if settings.url is None:
        yield None
        return
    client = Redis.from_url(
        settings.url.get_secret_value(),
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )
    try:
        yield client
    finally:
        await client.aclose()


class Scripts:
    """Runs scripts in Redis, and leaves it alone for a while after it failed."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._away_until = 0.0

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """Return what a script says; None where Redis is absent or away."""
        if self._redis is None or _now() < self._away_until:
            return None
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                return await self._redis.eval(script, len(keys), *keys, *arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = _now() + AWAY_S
            log.warning("redis_away", error=type(error).__name__)
            return None


class RateLimit:
    """At most so many a second, all replicas together; each replica alone while Redis is away."""

    def __init__(self, redis: Redis | None, name: str, per_second: float) -> None:
        burst = max(1, math.floor(per_second))
        self._local = AsyncLimiter(burst, burst / per_second)
        self._scripts = Scripts(redis)
        self._arguments = (str(per_second), str(burst))
        self._keys = (f"kith:rate:{name}", f"kith:pause:{name}")
        self._paused_until = 0.0

    async def take(self) -> float:
        """Take a token and return 0; without one to take, return the seconds to wait."""
        own = self._paused_until - _now()
        if own > 0:
            return own
        if not self._local.has_capacity():
            return self._local.time_period / self._local.max_rate
        wait = float(await self._scripts.run(_TAKE, self._keys, self._arguments) or 0)
        if wait > 0:
            return wait / 1000
        await self._local.acquire()
        return 0.0

    async def pause(self, length: timedelta) -> None:
        """Give out no tokens for a while; the longest pause wins."""
        seconds = length.total_seconds()
        self._paused_until = max(self._paused_until, _now() + seconds)
        milliseconds = str(max(1, math.ceil(seconds * 1000)))
        await self._scripts.run(_PAUSE, self._keys[1:], (milliseconds,))


def _now() -> float:
    return asyncio.get_running_loop().time()
