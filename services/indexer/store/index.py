"""What every index can do."""

from typing import Protocol

from services.indexer.domain.changes import Changes
from services.indexer.store.events import Transaction


class Index(Protocol):
    """Takes contacts and companies; writing the same or an older version changes nothing."""

    async def save(self, tx: Transaction, changes: Changes) -> None:
        """Write what is newer than what is there; raise `TransientError` while it is away."""

    async def ping(self) -> None:
        """Answer when the index does."""
