"""Decides again about contacts whose statistics have moved, where nothing else is to be done.

How much a value tells follows from how many have it. What was decided while a base was small, or
before an employer had many records, is decided again once the base has grown: so the outcome
follows from the records, and not from the order in which they came (ADR 0110).
"""

import asyncio
import time
from typing import Final

from services.resolver.handlers.matching import Matching
from shared.kafka.pace import Resting, Traffic
from shared.observability import metrics
from shared.observability.logs import get_logger, where

log = get_logger(__name__)

LOOK_AGAIN_S: Final = 30.0
"""Between two looks when no statistics have moved, or something went wrong, seconds."""


class Beside:
    """The traffic of a topic, as work sees it that is no sign of life of the topic's own."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    @property
    def stopping(self) -> bool:
        """Whether nobody should rest any longer."""
        return self._traffic.stopping

    async def arrived(self) -> int | None:
        """Count the records that the topic ever got; None while Kafka does not say."""
        return await self._traffic.arrived()

    def moved(self) -> None:
        """Say nothing: whether the topic is read is for its consumer to show."""


class Settling:
    """Takes small steps for as long as the process lasts; events that arrive go first."""

    def __init__(self, matching: Matching, rest: Resting) -> None:
        self._matching = matching
        self._rest = rest

    async def run(self) -> None:
        """Take steps, resting after each as the traffic demands."""
        while True:
            started = time.monotonic()
            settled = await self._step()
            metrics.SETTLED.inc(settled)
            if settled:
                await self._rest(settled, started)
            else:
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _step(self) -> int:
        """Take one step; 0 when there is none, or it has to be tried later."""
        try:
            return await self._matching.settle()
        except Exception as error:  # noqa: BLE001  # the loop goes on whatever one step ran into
            log.warning("settled_later", error=where(error))
        try:
            await self._matching.postpone()
        except Exception as error:  # noqa: BLE001  # the database may be what is amiss
            log.warning("settled_later", error=where(error))
        return 0
