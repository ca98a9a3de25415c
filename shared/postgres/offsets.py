"""Kafka offsets kept in the database, in the same transaction as what they stand for.

At assignment the lower of this and Kafka's own offset wins, so that a database restored from a
backup reads again what it lost (DESIGN 3.1). Each consuming schema has its table `kafka_offset`.
"""

from collections.abc import Mapping

from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool


class OffsetStore:
    """The offsets of one schema's consumers."""

    def __init__(self, pool: Pool, schema: str) -> None:
        self._pool = pool
        table = f"{schema}.kafka_offset"
        self._load = (
            f"SELECT partition, next_offset FROM {table} "  # noqa: S608 -- our own schema name
            "WHERE consumer_group = $1 AND topic = $2"
        )
        self._save = (
            f"INSERT INTO {table} AS o (consumer_group, topic, partition, next_offset) "  # noqa: S608
            "SELECT $1, t, p, n FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u(t, p, n) "
            "ORDER BY t, p "
            "ON CONFLICT (consumer_group, topic, partition) "
            "DO UPDATE SET next_offset = excluded.next_offset, saved_at = now()"
        )

    async def load(self, group: str, topic: str) -> dict[int, int]:
        """Return partition → next offset to read, for the partitions seen so far."""
        with translated():
            rows = await self._pool.fetch(self._load, group, topic)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def save(
        self, connection: Connection, group: str, offsets: Mapping[tuple[str, int], int]
    ) -> None:
        """Store (topic, partition) → next offset, inside the caller's transaction."""
        if offsets:
            items = sorted(offsets.items())
            await connection.execute(
                self._save,
                group,
                [topic for (topic, _), _ in items],
                [partition for (_, partition), _ in items],
                [offset for _, offset in items],
            )
