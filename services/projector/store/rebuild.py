"""Rebuild the read models from zero while the present ones serve; check them against the log."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from services.projector.domain.events import Event
from services.projector.domain.projection import Places, fold_all, histories, older_ones, project
from services.projector.store.views import SWAP_LOCK, Transaction, queries
from shared.events import topics
from shared.events.codec import parse_event
from shared.events.contact import ActivityRecorded, CompanyEvent, ContactEvent
from shared.events.derived import Derived, derived
from shared.events.fold import ContactState, fold, fold_activities
from shared.postgres.errors import translated
from shared.postgres.generations import EventLog, clone, swap
from shared.postgres.offsets import OffsetStore
from shared.postgres.queries import Queries

TABLES: Final = ("read.contact_view", "read.timeline", "read.company_view", "read.activity")
"""What is rebuilt; offsets stay, as the swap happens while no batch is under way."""

CLOSE: Final = 500
"""With no more events than this left, the rest is read while batches wait."""

Report = Callable[[int], None]
"""Is told how many events are done."""

_CE_TYPES: Final = {model.__name__: ce_type for ce_type, model in topics.EVENTS.messages.items()}


async def rebuild(dsn: str, report: Report) -> int:
    """Fill new tables from the event tables and swap them in; returns how many events there were.

    Runs as the tables' owner. Readers see the old tables until they see the new ones.
    """
    with translated():
        reader = await asyncpg.connect(dsn)
        writer = await asyncpg.connect(dsn)
        try:
            for table in TABLES:
                await clone(writer, table, f"{table}_next")
            return await _Rebuild(reader, writer, report).run()
        finally:
            await reader.close()
            await writer.close()


class _Rebuild:
    """One run: two logs, read by one connection and applied by another."""

    def __init__(
        self, reader: asyncpg.Connection, writer: asyncpg.Connection, report: Report
    ) -> None:
        self._writer = writer
        self._report = report
        self._logs = [EventLog(reader, table) for table in ("contact_event", "organisation_event")]
        self._queries = Queries({name: _next_generation(queries[name]) for name in queries.names})
        self._done = 0

    async def run(self) -> int:
        """Follow the log until little is left, then take the rest and swap."""
        while True:
            before = self._done
            await self._follow(to_the_end=False)
            if self._done - before <= CLOSE:
                break
        for table in TABLES:
            await self._writer.execute(f"ANALYZE {table}_next")
        async with self._writer.transaction():
            await self._writer.execute("SELECT pg_advisory_xact_lock($1)", SWAP_LOCK)
            await self._follow(to_the_end=True)
            for table in TABLES:
                await swap(self._writer, table, f"{table}_next")
        return self._done

    async def _follow(self, *, to_the_end: bool) -> None:
        for log in self._logs:
            async for rows in log.pages(to_the_end=to_the_end):
                async with self._writer.transaction():
                    await self._apply([_event(row) for row in rows])
                self._done += len(rows)
                self._report(self._done)

    async def _apply(self, events: Sequence[Event]) -> None:
        connection: Any = self._writer
        tx = Transaction(connection, OffsetStore(connection, "read"), self._queries)
        grouped = histories(events)
        folded = fold_all(await tx.find_states(older_ones(grouped)), grouped)
        if folded.gaps:
            fetched = await tx.find_events(folded.gaps)
            folded.states.update(fold_all({}, histories(fetched)).states)
        places = await _places(self._writer)
        await tx.save(project(events, folded.states, places))


async def check(dsn: str, report: Report) -> list[str]:
    """Fold every contact by its models and compare; returns the ids of those that differ.

    A contact that changes meanwhile is at another version and is left out.
    """
    with translated():
        connection = await asyncpg.connect(dsn)
        try:
            return await _differences(connection, report)
        finally:
            await connection.close()


async def _differences(connection: asyncpg.Connection, report: Report) -> list[str]:
    different: list[str] = []
    after, done = "", 0
    while rows := await connection.fetch(queries["find_page_of_states"], after, 500):
        after = rows[-1]["public_id"]
        shown: dict[str, dict[str, Any]] = {}
        for row in rows:
            shown.setdefault(row["public_id"], {})[row["workspace"]] = row
        history: dict[str, list[ContactEvent]] = {}
        for row in await connection.fetch(queries["find_events"], list(shown)):
            event = parse_event(_CE_TYPES[row["event_type"]], row["payload"])
            if not isinstance(event, CompanyEvent):
                history.setdefault(event.contact_id, []).append(event)
        listed = await _listed(connection, list(shown))
        for contact, by_workspace in shown.items():
            state = fold(None, history.get(contact, ()))
            taken_part = fold_activities(history.get(contact, ()))
            if not (
                _agree(state, by_workspace)
                and _agree_on_activities(state, taken_part, listed.get(contact, {}))
            ):
                different.append(contact)
        done += len(shown)
        report(done)
    missing = await connection.fetch(queries["find_missing"])
    return different + [row["public_id"] for row in missing]


async def _listed(
    connection: asyncpg.Connection, contacts: list[str]
) -> dict[str, dict[str, asyncpg.Record]]:
    found: dict[str, dict[str, asyncpg.Record]] = {}
    for row in await connection.fetch(queries["find_activities"], contacts):
        found.setdefault(row["contact_public_id"], {})[row["activity_public_id"]] = row
    return found


def _agree_on_activities(
    state: ContactState | None,
    told: Mapping[str, ActivityRecorded],
    listed: Mapping[str, asyncpg.Record],
) -> bool:
    """Compare what a contact took part in; rows newer than the state were written meanwhile."""
    if state is None or any(row["version"] > state.version for row in listed.values()):
        return True
    shown = {name: row for name, row in listed.items() if not row["is_withdrawn"]}
    return shown.keys() == told.keys() and all(
        row["version"] == told[name].version
        and row["kind"] == told[name].activity.kind
        and row["occurred_at"] == told[name].activity.occurred_at
        for name, row in shown.items()
    )


def _agree(state: ContactState | None, shown: dict[str, dict[str, Any]]) -> bool:
    if state is None:
        return False
    if any(row["version"] < state.version for row in shown.values()):
        return all(row["version"] < state.version for row in shown.values())
    more = derived(state.fields)
    fields = {
        **state.fields,
        **more._asdict(),
        "company_public_id": state.fields.get("company_id"),
        "departments": list(more.departments),
    }
    return shown.keys() == state.bindings.keys() and all(
        row["status"] == state.status
        and row["import_source"] == state.bindings[workspace].import_source
        and row["created_at"] == state.created_at
        and row["updated_at"] == state.updated_at
        and all(row[column] == fields.get(column) for column in _COMPARED)
        and len(row["events"]) == state.version
        for workspace, row in shown.items()
    )


_COMPARED: Final = (
    "display_name",
    "first_name",
    "last_name",
    "email_primary",
    "phone_primary",
    "company_public_id",
    "company_name",
    "job_title",
    "city",
    "country",
    "birthday",
    *Derived._fields,
)
"""Columns that are compared one by one."""


async def _places(connection: asyncpg.Connection) -> Places:
    rows = await connection.fetch(queries["find_places"])
    return Places(
        {row["tenant"]: row["tenant_id"] for row in rows},
        {row["workspace"]: row["workspace_id"] for row in rows if row["workspace"]},
    )


def _event(row: asyncpg.Record) -> Event:
    recorded_at: datetime = row["recorded_at"]
    return Event(
        row["event_type"],
        orjson.loads(row["payload"]),
        row["tenant"],
        row["workspace"],
        recorded_at,
    )


def _next_generation(statement: str) -> str:
    for table in TABLES:
        statement = statement.replace(f"{table}\n", f"{table}_next\n").replace(
            f"{table} ", f"{table}_next "
        )
    return statement
