"""Work that goes on by itself: repeated until the process stops, and never given up."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from shared.errors import ServiceError
from shared.observability.logs import get_logger

log = get_logger(__name__)

_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 15.0

HANGS_S: Final = 120.0
"""A loop that has not turned for so long hangs, seconds: twice the longest rest."""

STOP_S: Final = 9.0
"""How long a stop waits for the step and the calls in flight, seconds: longer than any call."""

Step = Callable[[], Awaitable[bool]]
"""Does one piece of work; True when there may be more at once."""


class Loop:
    """Repeats a step, resting while there is nothing to do and backing off while it fails."""

    def __init__(self, name: str, step: Step, rest_seconds: float) -> None:
        self._name = name
        self._step = step
        self._rest = rest_seconds
        self._stopping = asyncio.Event()
        self.turned_at = time.monotonic()
        """When the last step began: a loop that hangs does not turn."""

    def stop(self) -> None:
        """End after the present step."""
        self._stopping.set()

    async def run(self) -> None:
        """Repeat until stopped."""
        delay = _FIRST_DELAY_S
        while not self._stopping.is_set():
            self.turned_at = time.monotonic()
            try:
                more = await self._step()
            except ServiceError as error:
                log.warning("step_failed", kind=self._name, error=type(error).__name__)
                await self._pause(delay)
                delay = min(delay * 2, _LONGEST_DELAY_S)
            except Exception:
                # A bug: the other work must go on, and this one is tried again.
                log.exception("step_failed", kind=self._name)
                await self._pause(delay)
                delay = min(delay * 2, _LONGEST_DELAY_S)
            else:
                delay = _FIRST_DELAY_S
                if not more:
                    await self._pause(self._rest)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


class Watch:
    """Knows all loops of the process, for `/healthz`."""

    def __init__(self) -> None:
        self._loops: list[Loop] = []

    def add(self, loops: Iterable[Loop]) -> None:
        """Watch these too."""
        self._loops.extend(loops)

    async def check(self) -> None:
        """Raise when a loop hangs; one that fails and tries again is alive."""
        oldest = min((loop.turned_at for loop in self._loops), default=time.monotonic())
        if time.monotonic() - oldest > HANGS_S:
            raise TimeoutError


async def _nothing() -> None:
    """Wait for nothing."""


@asynccontextmanager
async def running(
    loops: Sequence[Loop], watch: Watch, drain: Callable[[], Awaitable[None]] = _nothing
) -> AsyncIterator[None]:
    """Run loops while the context lasts, then let their last steps and `drain` end."""
    watch.add(loops)
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        try:
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*tasks)
                await drain()
        except TimeoutError:
            log.warning("stop_took_too_long", seconds=STOP_S)
