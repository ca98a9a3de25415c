"""Requests in PostgreSQL: the row is queue, record and outbox in one."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from typing_extensions import override

from services.enricher.domain.lifecycle import Call, Settlement
from services.enricher.domain.question import Question
from services.enricher.domain.request import Claimed, NewRequest
from shared.auth import Directory
from shared.events import contact as contact_events
from shared.events import topics
from shared.events.codec import parse_event
from shared.events.contact import CompanyEvent, ContactEvent
from shared.postgres.consumers import ConsumerStore
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import Queries

PLACE_EVERY_S: Final = 5.0
"""How often the place in Kafka is recorded while nothing else is, seconds."""

SENDING_LOCK: Final = 0x6B6974680001
"""Advisory lock that keeps senders apart: "kith", 1."""

_SQL: Final = Queries.load("services.enricher.sql")

Offsets = Mapping[tuple[str, int], int]
"""(topic, partition) → the offset to read next."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """A signal that waits for Kafka."""

    id: int
    signal: bytes
    traceparent: str | None


class Outbox:
    """Signals taken for publishing, and the way to mark them as published."""

    def __init__(self, connection: Connection, signals: Sequence[Unsent]) -> None:
        self._connection = connection
        self.signals = signals

    async def sent(self) -> None:
        """Note that Kafka has them all."""
        with translated():
            ids = [one.id for one in self.signals]
            await self._connection.execute(_SQL["mark_sent"], ids)


class Store(ConsumerStore):
    """Schema `enrichment`, and what the enricher may read of the contacts."""

    schema = "enrichment"
    directory: Directory
    """Which tenant and workspace a public id stands for."""

    def __init__(self) -> None:
        self._place_kept_at = -PLACE_EVERY_S

    @override
    def open(self, pool: Pool) -> None:
        super().open(pool)
        self.directory = Directory(pool)

    async def add(
        self, requests: Sequence[NewRequest], group: str, offsets: Offsets
    ) -> frozenset[str]:
        """Record requests and how far Kafka was read, in one transaction; returns the new ids."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(_SQL["add_requests"], *_columns(requests))
                await self.offsets.save(connection, group, offsets)
        return frozenset(row["public_id"] for row in rows)

    async def keep_place(self, group: str, offsets: Offsets) -> None:
        """Record now and then how far Kafka was read, where nothing else had to be stored.

        What is read again after a loss was of no interest then, and changes nothing.
        """
        now = time.monotonic()
        if now - self._place_kept_at < PLACE_EVERY_S:
            return
        with translated():
            async with self._pool.acquire() as connection:
                await self.offsets.save(connection, group, offsets)
        self._place_kept_at = now

    async def find_histories(
        self, contacts: Sequence[tuple[int, str]]
    ) -> dict[tuple[int, str], list[ContactEvent]]:
        """Read the events of contacts named by (tenant, public id); unknown ones are absent."""
        if not contacts:
            return {}
        tenants, ids = zip(*contacts, strict=True)
        with translated():
            rows = await self._pool.fetch(_SQL["find_contact_events"], tenants, ids)
        histories: dict[tuple[int, str], list[ContactEvent]] = {}
        for row in rows:
            event = _event(row["event_type"], row["payload"])
            if not isinstance(event, CompanyEvent):
                key = (row["tenant_id"], row["entity_public_id"])
                histories.setdefault(key, []).append(event)
        return histories

    async def claim(self, source: str, lease_seconds: float) -> Claimed | None:
        """Pick up the request that waits longest; committed when this returns."""
        with translated():
            row = await self._pool.fetchrow(_SQL["claim"], source, lease_seconds)
        if row is None:
            return None
        return Claimed(
            id=row["id"],
            public_id=row["public_id"],
            tenant=row["tenant"],
            workspace=row["workspace"],
            contact_id=row["entity_public_id"],
            source=row["source"],
            question=Question.from_json(row["question"]),
            call=Call(attempts=row["attempts"], faults=row["faults"]),
            traceparent=row["traceparent"],
        )

    async def settle(
        self,
        request: Claimed,
        settlement: Settlement,
        *,
        summary: Mapping[str, int] | None = None,
        signal: bytes | None = None,
    ) -> bool:
        """Store what a call led to; False when the request is no longer this call's."""
        with translated():
            row = await self._pool.fetchrow(
                _SQL["settle"],
                request.id,
                request.call.attempts,
                settlement.status,
                settlement.reason,
                settlement.faults,
                settlement.credits,
                settlement.not_before,
                orjson.dumps(summary).decode() if summary is not None else None,
                signal,
            )
        return row is not None

    async def give_up_lost_calls(self) -> list[str]:
        """Fail calls that nobody will hear of; returns their sources."""
        with translated():
            rows = await self._pool.fetch(_SQL["give_up_lost_calls"])
        return [row["source"] for row in rows]

    @asynccontextmanager
    async def unsent(self, limit: int) -> AsyncIterator[Outbox]:
        """Take signals to publish; until the context ends everybody else finds none."""
        with translated():
            async with self._pool.acquire() as connection:
                if not await connection.fetchval(_SQL["begin_sending"], SENDING_LOCK):
                    yield Outbox(connection, [])
                    return
                try:
                    rows = await connection.fetch(_SQL["find_unsent"], limit)
                    yield Outbox(
                        connection,
                        [Unsent(row["id"], row["signal"], row["traceparent"]) for row in rows],
                    )
                finally:
                    await connection.execute(_SQL["end_sending"], SENDING_LOCK)


def _columns(requests: Sequence[NewRequest]) -> tuple[list[Any], ...]:
    """Turn requests into the arrays of `add_requests`."""
    return (
        [one.public_id for one in requests],
        [one.tenant_id for one in requests],
        [one.workspace_id for one in requests],
        [one.contact_id for one in requests],
        [one.source for one in requests],
        [one.status for one in requests],
        [one.reason for one in requests],
        [one.idempotency_key for one in requests],
        [one.question.to_json() if one.question else None for one in requests],
        [one.traceparent for one in requests],
    )


def _event(class_name: str, payload: str) -> ContactEvent | CompanyEvent:
    model = getattr(contact_events, class_name)
    return parse_event(topics.TYPE_BY_MODEL[model], payload)
