"""Takes snapshots of contacts' states beside the topics, so that no past is far from one."""

import asyncio
from typing import Final

from services.resolver.store import Store
from shared.observability import metrics
from shared.observability.logs import get_logger, where

log = get_logger(__name__)

BREATH_S: Final = 0.05
"""Between two steps, seconds: signals go first."""


class Snapshots:
    """Looks through the log again and again; of several processes, one at a time."""

    def __init__(self, store: Store, interval_s: float) -> None:
        self._store = store
        self._interval_s = interval_s
        self._unreadable: set[int] = set()

    async def run(self) -> None:
        """Look for as long as the process lasts."""
        pause = self._interval_s
        while True:
            await asyncio.sleep(pause)
            pause = BREATH_S if await self._step() else self._interval_s

    async def _step(self) -> bool:
        """Take one step; False when there is none, or it has to be tried later."""
        try:
            taken = await self._store.take_snapshots(self._unreadable)
        except Exception as error:  # noqa: BLE001  # the loop goes on whatever one step ran into
            log.warning("snapshots_later", error=where(error))
            return False
        metrics.SNAPSHOTS.inc(taken or 0)
        return taken is not None
