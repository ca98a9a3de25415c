"""The whole system under the bench: its own stack, its real processes, and when it is done."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from kith.stack import Fleet, Stack
from shared.events import topics
from tests.support.system import HOMES, empty_stack, services

HOME: Final = HOMES / "home"
"""The bench's own stack lives here."""

STAGES: Final = (
    *("ingest", "resolver", "relay", "matcher", "projector", "indexer", "enricher", "api"),
)
"""Our processes, in the order of a signal's way."""


@contextmanager
def bench_stack() -> Iterator[Stack]:
    """Start an empty stack, and leave nothing behind."""
    with empty_stack(HOME) as stack:
        yield stack


@contextmanager
def system(stack: Stack) -> Iterator[Fleet]:
    """Run every service; automatic enrichment is off: a vendor call costs more than ten signals."""
    with services(stack) as fleet:
        yield fleet


def pids(stack: Stack, fleet: Fleet | None) -> dict[str, int]:
    """List the stack's parts and our processes; replicas are named resolver-1, resolver-2."""
    found = dict(stack.pids())
    if fleet is not None:
        found |= {one.name: one.process.pid for one in fleet.processes() if one.process}
    return found


class Drain:
    """Knows how far each consumer is, from the offsets that it stores with its work."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def __aenter__(self) -> Self:
        self._connection = await asyncpg.connect(self._stack.postgres_dsn("kith_migrator"))
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._stack.kafka_bootstrap)
        await self._consumer.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()
        await self._connection.close()

    async def resolved(self) -> int:
        """Count the signals that the resolvers have taken in."""
        return await self._offset("contact", "resolver", topics.SIGNALS_NORMALIZED.name)

    async def wait(self, group: str, schema: str, signals: int, limit_s: float) -> float:
        """Wait until `signals` are resolved and `group` has all their events; returns when."""
        deadline = time.perf_counter() + limit_s
        while time.perf_counter() < deadline:
            if await self.resolved() >= signals:
                pending = await self._connection.fetchval(
                    "SELECT EXISTS (SELECT FROM contact.outbox)"
                )
                ends = await self._ends(topics.EVENTS)
                if not pending and await self._offset(schema, group, topics.EVENTS.name) >= ends:
                    return time.perf_counter()
            await asyncio.sleep(0.05)
        message = f"{group} was not done after {limit_s:.0f} s"
        raise TimeoutError(message)

    async def _offset(self, schema: str, group: str, topic: str) -> int:
        found = await self._connection.fetchval(
            f"SELECT coalesce(sum(next_offset), 0) FROM {schema}.kafka_offset"
            " WHERE consumer_group = $1 AND topic = $2",
            group,
            topic,
        )
        return int(found)

    async def _ends(self, topic: topics.Topic) -> int:
        partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        return sum((await self._consumer.end_offsets(partitions)).values())
