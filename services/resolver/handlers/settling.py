"""Decides again about contacts whose statistics have moved, where nothing else is to be done.

How much a value tells follows from how many have it. What was decided while a base was small, or
before an employer had many records, is decided again once the base has grown: so the outcome
follows from the records, and not from the order in which they came (ADR 0110).
"""

import asyncio
import time
from typing import Final, NamedTuple

from services.resolver.handlers.matching import Matching
from services.resolver.store.matching import Drifted
from shared.errors import SourceUnavailableError, TransientError
from shared.kafka.pace import Rest, Traffic
from shared.observability import metrics
from shared.observability.logs import get_logger, where

log = get_logger(__name__)

LOOK_AGAIN_S: Final = 30.0
"""Between two looks when no statistics have moved, or nothing can be decided, seconds."""

LATER_S: Final = 60.0
"""How long a contact waits that could not be decided about, at first, seconds."""

LATEST_S: Final = 3_600.0
"""The same at last, seconds: its wait doubles each time."""


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


class _Later(NamedTuple):
    """When a contact that could not be decided about is tried again."""

    at: float
    """By the monotonic clock."""
    wait: float
    """How long it waits until then, seconds."""


class Settling:
    """Takes small steps for as long as the process lasts; events that arrive go first."""

    def __init__(self, matching: Matching, rest: Rest) -> None:
        self._matching = matching
        self._rest = rest
        self._tenant: int | None = None
        """Whose contacts are decided about, until all are."""
        self._later: dict[int, _Later] = {}
        """Contacts that could not be decided about; another process tries for itself."""

    async def run(self) -> None:
        """Take steps, resting after each as the traffic demands.

        None is taken while nobody may rest: they would follow one another at once.
        """
        while True:
            if self._rest.traffic.stopping or not await self.step():
                await asyncio.sleep(LOOK_AGAIN_S)

    async def step(self) -> bool:
        """Take one step and rest; False when there is none, or it has to be tried later."""
        started = time.monotonic()
        waiting = [contact for contact, later in self._later.items() if later.at > started]
        try:
            drifted = await self._matching.find_drifted(self._tenant, waiting)
            self._tenant = drifted.tenant_id if drifted else None
            if drifted is None:
                # Whoever is due and was not found has been decided about by others, or is gone.
                self._later = {contact: self._later[contact] for contact in waiting}
                return False
            await self._settle(drifted)
            await self._rest(len(drifted.contacts), started)
        except Exception as error:  # noqa: BLE001  # the loop goes on whatever one step ran into
            log.warning("settled_later", error=where(error))
            return False
        return True

    async def _settle(self, drifted: Drifted) -> None:
        """Decide about contacts; those that cannot be decided about take no others with them."""
        tenant, contacts = drifted
        try:
            await self._matching.decide_again(drifted)
        except (TransientError, SourceUnavailableError):
            # No contact is to blame: all are tried again.
            raise
        except Exception as error:  # noqa: BLE001  # whatever is amiss is amiss of some contact
            if len(contacts) == 1:
                self._postpone(contacts[0])
                log.warning("settled_later", contact_id=contacts[0], error=where(error))
                return
            half = len(contacts) // 2
            for part in (contacts[:half], contacts[half:]):
                await self._settle(Drifted(tenant, part))
            return
        metrics.SETTLED.inc(len(contacts))
        for contact in contacts:
            self._later.pop(contact, None)

    def _postpone(self, contact: int) -> None:
        """Let a contact wait, twice as long as the last time."""
        before = self._later.get(contact)
        wait = min(2 * before.wait, LATEST_S) if before else LATER_S
        self._later[contact] = _Later(time.monotonic() + wait, wait)
