"""Which sources there are: what `contact.data_source` lists, remembered for a while."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final, NoReturn

from services.ingest.store.store import Store
from shared.errors import PoisonMessageError, ServiceError

LOOK_SECONDS: Final = 5.0
"""Between two looks for sources that were not there: releases bring them."""
PATIENCE_SECONDS: Final = 2.0
"""How long a push waits for a look."""


class KnownSources:
    """The sources of this installation."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._looked_at: float | None = None
        self._has_answered = False
        """The last time that it was asked."""
        self.names: frozenset[str] = frozenset()
        """Those seen last."""

    async def unknown(self, named: Collection[str]) -> frozenset[str]:
        """Return those of these names that are no source's.

        None while the database does not answer: the resolver will say so then.
        """
        now = self._clock()
        new = frozenset(named) - self.names
        if new and (self._looked_at is None or now - self._looked_at >= LOOK_SECONDS):
            self._has_answered = await self._look()
            self._looked_at = now
            new -= self.names
        return new if self._has_answered else frozenset()

    async def _look(self) -> bool:
        """Read the names; tell whether the database answered.

        A look that is given up ends by itself: to be cancelled, too, takes a database that answers.
        """
        look = asyncio.create_task(self._store.find_sources())
        look.add_done_callback(_take_notice)
        await asyncio.wait({look}, timeout=PATIENCE_SECONDS)
        if not look.done():
            look.cancel()
            return False
        try:
            self.names = look.result()
        except ServiceError:
            return False
        return True

    def refuse(self) -> NoReturn:
        """Refuse a name that no source has."""
        names = ", ".join(sorted(self.names))
        raise PoisonMessageError("unknown_source", f"must be one of: {names}", field="source")


def _take_notice(look: "asyncio.Task[frozenset[str]]") -> None:
    """Take note of an error that nobody waits for any more."""
    if not look.cancelled():
        look.exception()
