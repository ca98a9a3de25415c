"""Which sources there are: what `contact.data_source` lists, remembered for a while."""

import time
from collections.abc import Callable, Collection
from typing import Final, NoReturn

from services.ingest.store.store import Store
from shared.errors import PoisonMessageError, ServiceError

LOOK_SECONDS: Final = 5.0
"""Between two looks for sources that were not there: releases bring them."""


class KnownSources:
    """The sources of this installation."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._looked_at: float | None = None
        self.names: frozenset[str] = frozenset()
        """Those seen last."""

    async def unknown(self, named: Collection[str]) -> frozenset[str]:
        """Return those of these names that are no source's.

        None while the database does not answer: the resolver will say so then.
        """
        now = self._clock()
        is_due = self._looked_at is None or now - self._looked_at >= LOOK_SECONDS
        if is_due and not self.names.issuperset(named):
            try:
                self.names = await self._store.find_sources()
            except ServiceError:
                return frozenset()
            self._looked_at = now
        return frozenset(named) - self.names if self.names else frozenset()

    def refuse(self) -> NoReturn:
        """Refuse a name that no source has."""
        names = ", ".join(sorted(self.names))
        raise PoisonMessageError("unknown_source", f"must be one of: {names}", field="source")
