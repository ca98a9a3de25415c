"""What every store of a consuming process has: its pool, its place in Kafka, a sign of life."""

from typing import ClassVar

from shared.postgres.errors import translated
from shared.postgres.offsets import OffsetStore
from shared.postgres.pool import Pool


class ConsumerStore:
    """A schema as one process uses it; open from the moment that the process has its pool."""

    schema: ClassVar[str]
    """Where the table `kafka_offset` is."""

    offsets: OffsetStore
    _pool: Pool

    def open(self, pool: Pool) -> None:
        """Work on this pool from now on: it opens after everything is wired."""
        self._pool = pool
        self.offsets = OffsetStore(pool, self.schema)

    async def load(self, group: str, topic: str) -> dict[int, int]:
        """Return partition → next offset, as the transactions stored it."""
        return await self.offsets.load(group, topic)

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        with translated():
            await self._pool.execute("SELECT 1")
