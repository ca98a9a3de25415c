"""How many requests who may send: sliding windows, counted in Redis for all replicas together.

A window slides as two counters do: what was counted in the window before weighs as much as of it is
still within reach. One round trip decides all limits of a request, and counts only what passes all.
While Redis is away, each replica counts for itself: nobody is kept out, and nobody floods.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio import Redis

from shared.cache import Scripts
from shared.observability import metrics

MINUTE: Final = 60
DAY: Final = 86_400

OWN_SIZE: Final = 20_000
"""Most windows that a replica counts by itself: a flood of keys must not eat the memory."""

_TAKE: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local answer, counts, passes = {}, {}, 1
for i, key in ipairs(KEYS) do
    local most, length = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local window = math.floor(now / length)
    local into = now / length - window
    local kept = redis.call('HMGET', key, 'window', 'now', 'before')
    local at, count, before = tonumber(kept[1]), tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
    if at == window - 1 then
        before, count = count, 0
    elseif at ~= window then
        before, count = 0, 0
    end
    local used, wait = before * (1 - into) + count, 0
    if used + 1 > most then
        passes = 0
        if count + 1 <= most then
            wait = 1 - (most - 1 - count) / before - into
        else
            wait = 1 - into + 1 - (most - 1) / count
        end
    end
    counts[i] = {window, count, before, length}
    answer[#answer + 1] = math.floor(most - used)
    answer[#answer + 1] = math.ceil(wait * length * 1000)
    answer[#answer + 1] = math.ceil((1 - into) * length * 1000)
end
if passes == 1 then
    for i, key in ipairs(KEYS) do
        local window, count, before, length = unpack(counts[i])
        redis.call('HSET', key, 'window', window, 'now', count + 1, 'before', before)
        redis.call('EXPIRE', key, 2 * length)
    end
end
return answer
"""
"""Per limit: what is left before this request, milliseconds to wait (0: it passes), milliseconds to
the end of the window. By Redis' own clock, since those of replicas differ."""

Clock = Callable[[], float]
"""Seconds since 1970."""


class LimitSettings(BaseSettings):
    """How many requests callers may send, from `LIMIT_…`; 0 switches a limit off."""

    model_config = SettingsConfigDict(env_prefix="LIMIT_", frozen=True, env_ignore_empty=True)

    key_per_minute: int = Field(
        default=6_000, ge=0, description="Requests a minute of one API key that has no own limit."
    )
    user_per_minute: int = Field(
        default=12_000, ge=0, description="Requests a minute of all keys of one user."
    )
    workspace_per_minute: int = Field(
        default=30_000, ge=0, description="Requests a minute of all keys of one workspace."
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests of one subject in any window of a length."""

    name: str
    """What the policy is called in headers: `key`, `user`, `workspace`, `key-day`."""
    subject: str
    """Whose requests, and in braces what keeps a caller's limits on one shard of Redis."""
    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after a request was counted, or refused."""

    limit: Limit
    left: int
    wait: float
    """Seconds until a request passes; 0 where this one did."""
    resets: float
    """Seconds to the end of the window."""


class Limiter:
    """Counts requests."""

    def __init__(self, redis: Redis | None, clock: Clock = time.time) -> None:
        self._scripts = Scripts(redis)
        self._own = _Windows(clock)
        self._is_shared = redis is not None

    async def take(self, limits: Sequence[Limit]) -> list[Standing]:
        """Count a request, unless one of its limits refuses it (`wait` above 0)."""
        if not limits:
            return []
        keys = [f"kith:limit:{limit.subject}:{limit.name}" for limit in limits]
        arguments = [str(number) for limit in limits for number in (limit.most, limit.seconds)]
        told = await self._scripts.run(_TAKE, keys, arguments)
        if told is None:
            if self._is_shared:
                metrics.LIMITS_UNSHARED.inc()
            told = self._own.take(keys, limits)
        passes = not any(told[1::3])
        standings = [
            Standing(limit, max(0, left - passes), wait / 1000, resets / 1000)
            for limit, left, wait, resets in zip(
                limits, told[::3], told[1::3], told[2::3], strict=True
            )
        ]
        for standing in standings:
            if standing.wait > 0:
                metrics.RATE_LIMITED.labels(standing.limit.name).inc()
        return standings


class _Windows:
    """The same in this process alone; a test holds the two together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def take(self, keys: Sequence[str], limits: Sequence[Limit]) -> list[int]:
        now = self._clock()
        answer: list[int] = []
        counted: list[tuple[str, int, int, int]] = []
        passes = True
        for key, limit in zip(keys, limits, strict=True):
            window = math.floor(now / limit.seconds)
            into = now / limit.seconds - window
            at, count, before = self._kept.get(key, (window, 0, 0))
            if at == window - 1:
                count, before = 0, count
            elif at != window:
                count, before = 0, 0
            used = before * (1 - into) + count
            wait = 0.0
            if used + 1 > limit.most:
                passes = False
                if count + 1 <= limit.most:
                    wait = 1 - (limit.most - 1 - count) / before - into
                else:
                    wait = 1 - into + 1 - (limit.most - 1) / count
            counted.append((key, window, count, before))
            answer += [
                math.floor(limit.most - used),
                math.ceil(wait * limit.seconds * 1000),
                math.ceil((1 - into) * limit.seconds * 1000),
            ]
        if passes:
            for key, window, count, before in counted:
                self._kept[key] = (window, count + 1, before)
                self._kept.move_to_end(key)
        while len(self._kept) > OWN_SIZE:
            self._kept.popitem(last=False)
        return answer
