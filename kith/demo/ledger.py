"""What the database says came of it: read as the operator, by named statements."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from kith.demo.case import choose_case
from kith.demo.report import Case
from shared.auth import Place
from shared.events import topics
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("kith.demo.sql")
"""All statements, by name."""


@dataclass(frozen=True, slots=True)
class Home:
    """The workspace that the demo fills."""

    tenant_id: int
    workspace_id: int
    tenant: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the resolver, its matching and the projector are."""

    resolved: int
    """Normalised signals behind the resolver, ever."""
    matched: int
    """Events behind its matching, ever."""
    projected: int
    """Events behind the projector, ever."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Sequence numbers of events that wait to be published; None when none does."""

    newest: int | None
    oldest: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Contacts of a tenant."""

    living: int
    born: int
    """Since the moment asked about."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record that speaks of a contact."""

    contact: str
    record_key: str
    record_id: str | None
    source: str


class Ledger:
    """Asks the questions of the demo."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def home(self) -> Home:
        """Find the default workspace."""
        row = await self._row("get_default_workspace")
        return Home(row["tenant_id"], row["workspace_id"], row["tenant"], row["workspace"])

    async def moment(self) -> datetime:
        """Read the database's clock."""
        moment: datetime = (await self._row("get_moment"))[0]
        return moment

    async def progress(self) -> Progress:
        """See how far everything is."""
        return Progress(
            **await self._row("get_progress", topics.SIGNALS_NORMALIZED.name, topics.EVENTS.name)
        )

    async def count_readable(self) -> int:
        """Count the contacts in the read model."""
        return int((await self._row("count_readable"))[0])

    async def resolver_offsets(self, group: str, topic: str) -> dict[int, int]:
        """Read what the resolver stored with its batches: partition → next offset."""
        return await self._offsets("find_offsets", group, topic)

    async def projector_offsets(self, group: str, topic: str) -> dict[int, int]:
        """Read what the projector stored with its batches: partition → next offset."""
        return await self._offsets("find_read_offsets", group, topic)

    async def outbox(self) -> Outbox:
        """See what waits to be published."""
        return Outbox(**await self._row("get_outbox"))

    async def find_records(self, home: Home, prefix: str) -> dict[str, int]:
        """Find the contact of each record whose id begins so."""
        rows = await self._rows("find_records", home.tenant_id, prefix)
        return {row["source_record_id"]: row["contact_id"] for row in rows}

    async def find_records_by_key(self, home: Home, keys: Iterable[bytes]) -> dict[bytes, int]:
        """Find the contact of each record with one of these keys."""
        rows = await self._rows("find_records_by_key", home.tenant_id, list(keys))
        return {row["record_key"]: row["contact_id"] for row in rows}

    async def find_known_keys(
        self, home: Home, keys: Iterable[bytes], since: datetime
    ) -> list[bytes]:
        """Find which of these keys the ledger had before a moment."""
        rows = await self._rows("find_known_keys", home.tenant_id, list(keys), since)
        return [row["record_key"] for row in rows]

    async def count_contacts(self, home: Home, since: datetime) -> Counts:
        """Count contacts, and those born since a moment."""
        return Counts(**await self._row("count_contacts", home.tenant_id, since))

    async def find_open_candidates(self, home: Home) -> list[tuple[int, int]]:
        """Find the pairs that wait for a person."""
        rows = await self._rows("find_open_candidates", home.tenant_id)
        return [(row["contact_id_a"], row["contact_id_b"]) for row in rows]

    async def choose_case(self, home: Home) -> Case | None:
        """Explain the pair that a person should decide about next."""
        place = Place(home.tenant_id, home.workspace_id, home.tenant, home.workspace)
        return await choose_case(self._connection, place)

    async def count_differences(self, home: Home) -> int:
        """Count contacts that the read model does not show as the ledger has them."""
        row = await self._row("count_differences", home.tenant_id, home.workspace_id)
        return int(row[0])

    async def count_enrichments(self, home: Home, since: datetime) -> Mapping[str, int]:
        """Count questions to vendors since a moment, by what became of them."""
        rows = await self._rows("count_enrichments", home.tenant_id, since)
        return {row["outcome"]: row["number"] for row in rows}

    async def find_examples(self, home: Home, favoured: Sequence[str], number: int) -> list[str]:
        """Choose contacts that several sources speak of, by public id."""
        rows = await self._rows("find_examples", home.tenant_id, list(favoured), number)
        return [row["public_id"] for row in rows]

    async def find_sources(self, home: Home, contacts: Sequence[str]) -> list[SourceRecord]:
        """Find the records that speak of these contacts."""
        rows = await self._rows("find_sources", home.tenant_id, list(contacts))
        return [SourceRecord(*row.values()) for row in rows]

    async def _offsets(self, statement: str, group: str, topic: str) -> dict[int, int]:
        rows = await self._rows(statement, group, topic)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def _rows(self, name: str, *values: object) -> "list[asyncpg.Record]":
        return await self._connection.fetch(QUERIES[name], *values)

    async def _row(self, name: str, *values: object) -> "asyncpg.Record":
        rows = await self._rows(name, *values)
        return rows[0]


@asynccontextmanager
async def open_ledger(dsn: str) -> AsyncIterator[Ledger]:
    """Connect for the length of the demo."""
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
    try:
        yield Ledger(connection)
    finally:
        await connection.close()
