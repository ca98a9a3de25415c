"""Rebuild search and graph from zero, each as a new generation beside the one that serves."""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import asyncpg

from services.indexer.domain.changes import Changes, Company
from services.indexer.settings import Neo4jSettings
from services.indexer.store.events import SWAP_LOCK, Transaction
from services.indexer.store.graph import Graph
from services.indexer.store.index import Index
from services.indexer.store.search import Search
from services.indexer.store.state import StateTopic
from shared.events import topics
from shared.events.codec import parse_event
from shared.events.contact import CompanyEvent
from shared.kafka.producer import Producer
from shared.kafka.settings import KafkaSettings
from shared.postgres.errors import translated
from shared.postgres.generations import EventLog, clone, swap
from shared.postgres.offsets import OffsetStore

TABLE: Final = "search.document"

CLOSE: Final = 500
"""With no more events than this left, the rest is read while batches wait."""

Report = Callable[[int], None]
"""Is told how many events are done."""

_CE_TYPES: Final = {model.__name__: name for name, model in topics.EVENTS.messages.items()}
"""Name of an event → its CloudEvents type."""


async def rebuild_search(dsn: str, report: Report) -> int:
    """Fill a new table of documents and swap it in; returns how many events there were.

    Runs as the table's owner. Who searches finds the old documents until the new ones are there.
    """
    with translated():
        reader = await asyncpg.connect(dsn)
        writer = await asyncpg.connect(dsn)
        try:
            await clone(writer, TABLE, f"{TABLE}_next")
            run = _Rebuild(reader, writer, Search(f"{TABLE}_next"), report)
            await run.follow_closely()
            await writer.execute(f"ANALYZE {TABLE}_next")
            async with writer.transaction():
                await run.finish()
                await swap(writer, TABLE, f"{TABLE}_next")
            return run.done
        finally:
            await reader.close()
            await writer.close()


async def rebuild_graph(dsn: str, settings: Neo4jSettings, report: Report) -> int:
    """Write a new generation of the graph, let it count, and remove the others."""
    with translated():
        reader = await asyncpg.connect(dsn)
        writer = await asyncpg.connect(dsn)
        live = Graph(settings)
        try:
            generation = await live.live() + 1
            await live.delete_others(generation - 1)  # what an interrupted rebuild left behind
            graph = Graph(settings, generation)
            try:
                run = _Rebuild(reader, writer, graph, report)
                await run.follow_closely()
                async with writer.transaction():
                    await run.finish()
                    await live.switch(generation)
                await live.delete_others(generation)
            finally:
                await graph.close()
            return run.done
        finally:
            await live.close()
            await reader.close()
            await writer.close()


async def rebuild_state(dsn: str, kafka: KafkaSettings, report: Report) -> int:
    """Send every contact's state again: after an upgrade, or where the topic was lost."""
    with translated():
        reader = await asyncpg.connect(dsn)
        writer = await asyncpg.connect(dsn)
        try:
            async with Producer(kafka) as producer:
                run = _Rebuild(reader, writer, StateTopic(producer), report)
                await run.follow_closely()
            return run.done
        finally:
            await reader.close()
            await writer.close()


class _Rebuild:
    """One run over both event tables, into one index."""

    def __init__(
        self,
        reader: asyncpg.Connection,
        writer: asyncpg.Connection,
        index: Index,
        report: Report,
    ) -> None:
        connection: Any = writer
        self._writer = writer
        self._index = index
        self._report = report
        self._tx = Transaction(connection, OffsetStore(connection, "search"), {})
        self._companies = EventLog(reader, "organisation_event")
        self._contacts = EventLog(reader, "contact_event")
        self.done = 0

    async def follow_closely(self) -> None:
        """Follow the log until little is left."""
        while True:
            before = self.done
            await self._follow(to_the_end=False)
            if self.done - before <= CLOSE:
                return

    async def finish(self) -> None:
        """Keep batches out until this transaction ends, and take the rest."""
        await self._writer.execute("SELECT pg_advisory_xact_lock($1)", SWAP_LOCK)
        await self._follow(to_the_end=True)

    async def _follow(self, *, to_the_end: bool) -> None:
        async for rows in self._companies.pages(to_the_end=to_the_end):
            companies = [_company(row) for row in rows]
            await self._save(Changes([], companies), len(rows))
        async for rows in self._contacts.pages(to_the_end=to_the_end):
            ids = _distinct(rows)
            await self._save(Changes(await self._tx.find_contacts(ids), []), len(rows))

    async def _save(self, changes: Changes, events: int) -> None:
        await self._index.save(self._tx, changes)
        self.done += events
        self._report(self.done)


def _company(row: asyncpg.Record) -> Company:
    event = parse_event(_CE_TYPES[row["event_type"]], row["payload"])
    return Company(row["tenant"], cast("CompanyEvent", event))


def _distinct(rows: Sequence[asyncpg.Record]) -> list[str]:
    return sorted({row["entity_public_id"] for row in rows})
