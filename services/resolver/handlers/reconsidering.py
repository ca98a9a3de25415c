"""Takes apart what a value had joined that turns out to be shared, in small steps.

The gate notes in its own transaction whom to look at. The first steps are taken at once, so that
the next batch finds contacts as they ought to be; the rest, and what a process that was killed
left behind, is done by a loop beside the topics (ADR 0059).
"""

import asyncio
import contextlib
import time
from typing import Final

from services.resolver.store import Store
from shared.observability import metrics
from shared.observability.logs import get_logger, where

log = get_logger(__name__)

AT_ONCE_S: Final = 1.0
"""Time for steps right after a batch, seconds: enough for all but contacts of many hundreds."""

LOOK_AGAIN_S: Final = 30.0
"""Between two looks at the queue when nobody said that there is work, seconds."""


class Reconsideration:
    """Works off the queue of contacts that are to be decided about again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._work = asyncio.Event()

    async def begin(self) -> None:
        """Take the first steps after a batch; what is left, or fails, is the loop's."""
        until = time.monotonic() + AT_ONCE_S
        while await self._step():
            if time.monotonic() > until:
                self._work.set()
                return

    async def run(self) -> None:
        """Take steps for as long as the process lasts."""
        while True:
            while await self._step():
                pass
            self._work.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), LOOK_AGAIN_S)

    async def _step(self) -> bool:
        """Take one step; False when there is none, or it has to be tried later."""
        try:
            if not await self._store.reconsider():
                return False
        except Exception as error:  # noqa: BLE001  # neither signals nor the loop may end by it
            log.warning("reconsidered_later", error=where(error))
            return False
        metrics.RECONSIDERATION_STEPS.inc()
        return True
