"""What the api reads of contacts, and of how far the read model is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from services.api.domain.activities import ActivityQuery, ActivityRow
from services.api.domain.background import Facts
from services.api.domain.contacts import ContactRow, besides
from services.api.domain.documents import COLUMN_ATTRIBUTES, ContactAttributes, Employment
from services.api.domain.history import HistoryRow, Past
from services.api.domain.listing import ContactQuery, Filters, SortKey
from services.api.domain.paging import PageRequest
from services.api.domain.position import (
    CompanyPosition,
    ContactPosition,
    EntityPosition,
    SignalPosition,
)
from services.api.domain.smart_groups import too_heavy
from services.api.store.companies import Companies
from services.api.store.conditions import Arguments, clause
from services.api.store.definitions import Definitions
from services.api.store.ordering import RENAMED, page_clause, sort_values
from services.api.store.reading import MAX_HITS, QUERIES, Reading, ids_of, like
from shared.auth import Place
from shared.events.jobs import stints
from shared.events.signal import Identifier, PointStatus
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool

QUERY_MS: Final = 5_000
"""How long a page of a list may take that a query narrows, milliseconds: there are few connections,
and what users write may compute something for every contact."""

EXPORT_PAGE: Final = 200
"""Contacts that an export reads at once: a page takes the event loop some 20 ms."""

_BY_ID: Final = (SortKey("id", descending=False),)


class Store(Reading):
    """Contacts, their histories and activities, and which positions are shown; the rest beside."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.companies = Companies(pool)
        self.definitions = Definitions(pool)

    async def find_contacts(self, place: Place, query: ContactQuery) -> list[ContactRow]:
        """Read a page of contacts, one row more than its size, backwards before a cursor."""
        async with self._answering(place, query.filters, QUERY_MS) as connection:
            ids = None
            if query.filters.q is not None:
                hits = await connection.fetch(
                    QUERIES["find_hits"], *ids_of(place), query.filters.q, MAX_HITS
                )
                ids = [hit["public_id"] for hit in hits]
            asked, arguments = _narrowed(place, query.filters, ids)
            tail, more = page_clause(query.sort, query.page, first=len(arguments) + 1)
            statement = QUERIES["find_contacts"] + asked + tail
            rows = await connection.fetch(statement, *arguments, *more)
        return [_contact(row, sort_values(row, query.sort)) for row in rows]

    async def search(
        self,
        place: Place,
        text: str,
        filters: Filters,
        page: PageRequest,
    ) -> list[tuple[ContactRow, float]]:
        """Read a page of search results with their scores, best first."""
        cursor = page.after or page.before or ("0", "")
        async with self._reading(place) as connection:
            rows = await connection.fetch(
                QUERIES["search_contacts"],
                *ids_of(place),
                text,
                MAX_HITS,
                list(filters.statuses),
                page.after is not None,
                page.before is not None,
                *cursor,
                page.size + 1,
                *_derived_arguments(filters),
            )
        return [
            (_contact(row, [row["score"], row["public_id"]]), float(row["score"])) for row in rows
        ]

    async def get_contact(self, place: Place, contact_id: str) -> ContactRow | None:
        """Read one contact with its identifiers and where each value came from."""
        async with self._reading(place) as connection:
            row = await connection.fetchrow(QUERIES["get_contact"], *ids_of(place), contact_id)
        if row is None:
            return None
        return _contact(row, ())

    async def find_point_statuses(
        self, place: Place, contacts: Sequence[str]
    ) -> dict[str, dict[tuple[str, str], PointStatus]]:
        """Read what was found out of contacts' e-mails and phones, by type and value."""
        found: dict[str, dict[tuple[str, str], PointStatus]] = {}
        async with self._reading(place) as connection:
            for row in await connection.fetch(
                QUERIES["find_point_statuses"], *ids_of(place), list(contacts)
            ):
                named = (row["identifier_type"], row["value"])
                found.setdefault(row["contact_id"], {})[named] = row["status"]
        return found

    async def find_score(
        self, place: Place, contact_id: str
    ) -> tuple[float, dict[str, float]] | None:
        """Read how much is known of a contact, 0.0 to 1.0, and what each kind of it adds."""
        async with self._reading(place) as connection:
            row = await connection.fetchrow(QUERIES["find_score"], *ids_of(place), contact_id)
        return (round(row["score"], 3), orjson.loads(row["parts"])) if row else None

    async def is_shown(self, place: Place, target: ContactPosition, *, by_text: bool) -> bool:
        """Tell whether the read model has a contact at a version; `by_text`: search, too."""
        values = (target.contact_id, target.version, by_text)
        async with self._reading(place) as connection:
            return bool(await connection.fetchval(QUERIES["is_shown"], *ids_of(place), *values))

    async def find_history(
        self, place: Place, contact_id: str, page: PageRequest
    ) -> list[HistoryRow]:
        """Read a page of a contact's timeline, newest first, backwards before a cursor."""
        below = int(page.after[0]) if page.after else None
        above = int(page.before[0]) if page.before else None
        async with self._reading(place) as connection:
            rows = await connection.fetch(
                QUERIES["find_history"],
                *ids_of(place),
                contact_id,
                below,
                above,
                page.before is not None,
                page.size + 1,
            )
        return [
            HistoryRow(
                contact_id=contact_id,
                version=row["version"],
                event_type=row["event_type"],
                occurred_at=row["occurred_at"],
                recorded_at=row["recorded_at"],
                source=row["source"],
                summary=orjson.loads(row["summary"]),
            )
            for row in rows
        ]

    async def find_past(self, place: Place, contact_id: str, until: datetime) -> Past:
        """Read a contact as kith knew it at a moment: its newest snapshot, and what came after."""
        named = (place.tenant_id, contact_id, until)
        async with self._reading(place) as connection:
            snapshot = await connection.fetchrow(
                QUERIES["find_snapshot"], *named, place.workspace_id
            )
            version = snapshot["version"] if snapshot else 0
            rows = await connection.fetch(QUERIES["find_events_until"], *named, version)
        events = [(row["event_type"], row["payload"]) for row in rows]
        if snapshot is None:
            return Past(events)
        return Past(events, snapshot["state"], snapshot["private"])

    async def find_all(
        self, place: Place, filters: Filters, ids: list[str] | None, after: str | None
    ) -> list[tuple[ContactRow, list[Facts]]]:
        """Read the next contacts in the order of their ids, each with what its sources say."""
        page = PageRequest(EXPORT_PAGE - 1, after=(after,) if after else None)
        async with self._reading(place) as connection:
            asked, arguments = _narrowed(place, filters, ids)
            tail, more = page_clause(_BY_ID, page, first=len(arguments) + 1)
            statement = QUERIES["find_contacts"] + asked + tail
            rows = await connection.fetch(statement, *arguments, *more)
            found = [row["public_id"] for row in rows]
            said: dict[str, list[Facts]] = {name: [] for name in found}
            for row in await connection.fetch(QUERIES["find_facts"], *ids_of(place), found):
                said[row["contact_id"]].append(orjson.loads(row["facts"]))
        return [(_contact(row, ()), said[row["public_id"]]) for row in rows]

    async def find_facts(self, place: Place, contact_id: str) -> list[Facts]:
        """Read what every source says of a contact, what counts most first."""
        async with self._reading(place) as connection:
            rows = await connection.fetch(QUERIES["find_facts"], *ids_of(place), [contact_id])
        return [orjson.loads(row["facts"]) for row in rows]

    async def find_hits(self, place: Place, text: str) -> list[str]:
        """Read which contacts fit a search text, best first."""
        async with self._reading(place) as connection:
            hits = await connection.fetch(QUERIES["find_hits"], *ids_of(place), text, MAX_HITS)
        return [hit["public_id"] for hit in hits]

    async def count(self, place: Place, filters: Filters, ids: list[str] | None) -> int:
        """Count contacts."""
        asked, arguments = _narrowed(place, filters, ids)
        async with self._answering(place, filters) as connection:
            counted: int = await connection.fetchval(
                QUERIES["count_contacts"] + _conditions() + asked, *arguments
            )
        return counted

    async def find_custom_names(
        self, place: Place, filters: Filters, ids: list[str] | None
    ) -> list[str]:
        """Read what custom fields are called, those that most contacts have first."""
        asked, arguments = _narrowed(place, filters, ids)
        order = f"\nGROUP BY own.name ORDER BY count(*) DESC, own.name LIMIT {MAX_HITS}"
        async with self._answering(place, filters) as connection:
            rows = await connection.fetch(
                QUERIES["find_custom_names"] + _conditions() + asked + order, *arguments
            )
        return [row["name"] for row in rows]

    async def find_survivors(self, place: Place, ids: Sequence[str]) -> dict[str, str | None]:
        """Read which contacts are known, and whom each stands behind, if anybody."""
        async with self._reading(place) as connection:
            rows = await connection.fetch(QUERIES["find_survivors"], *ids_of(place), list(ids))
        return {row["public_id"]: row["survivor_id"] for row in rows}

    async def get_lag(self) -> float:
        """Read how many seconds the read model is behind, for all tenants alike."""
        with translated():
            return float(await self._pool.fetchval(QUERIES["get_lag"]))

    async def find_activities(
        self, place: Place, contact_id: str, query: ActivityQuery
    ) -> list[ActivityRow]:
        """Read a page of what a contact took part in, newest first, backwards before a cursor."""
        page = query.page
        async with self._reading(place) as connection:
            rows = await connection.fetch(
                QUERIES["find_activities"],
                *ids_of(place),
                contact_id,
                list(query.kinds) or None,
                list(query.directions) or None,
                query.after,
                query.before,
                *(page.after or page.before or (None, None)),
                page.before is not None,
                page.size + 1,
            )
        return [
            ActivityRow(
                id=row["activity_public_id"],
                kind=row["kind"],
                occurred_at=row["occurred_at"],
                source=row["source"],
                detail=orjson.loads(row["detail"]),
            )
            for row in rows
        ]

    async def find_applied(
        self, place: Place, signal: SignalPosition
    ) -> list[EntityPosition] | None:
        """Read what a signal led to; None while the resolver has not seen it.

        A contact signal led to one contact, an activity to all who took part, or to none; one about
        companies alone to those of its position that are entered.
        """
        name = (signal.record_key, signal.content_hash)
        async with self._reading(place) as connection:
            rows = await connection.fetch(QUERIES["find_applied"], *ids_of(place), *name)
            if not rows:
                rows = await connection.fetch(QUERIES["find_happened"], *ids_of(place), *name)
            if not rows:
                keys, contents = zip(*signal.records, strict=True)
                found = await connection.fetch(
                    QUERIES["find_company_applied"], place.tenant_id, keys, contents
                )
                if found:
                    return [
                        CompanyPosition(row["company_id"], row["applied_version"]) for row in found
                    ]
        if not rows:
            return None
        return [
            ContactPosition(row["contact_id"], row["applied_version"])
            for row in rows
            if row["contact_id"]
        ]

    @asynccontextmanager
    async def _answering(
        self, place: Place, filters: Filters, limit_ms: int | None = None
    ) -> AsyncIterator[Connection]:
        """Read by filters; a query that somebody wrote gets `limit_ms`, if given, and no more.

        Whoever waited in vain is told to ask for less: the same would take as long again.
        """
        async with self._reading(place) as connection:
            if filters.query is not None and limit_ms is not None:
                await connection.execute(QUERIES["hurry"], limit_ms)
            try:
                yield connection
            except asyncpg.QueryCanceledError:
                if filters.query is None:
                    raise
                raise too_heavy() from None


def _conditions() -> str:
    """Return what `find_contacts` asks of a row."""
    return "\nWHERE" + QUERIES["find_contacts"].partition("WHERE")[2]


def _narrowed(place: Place, filters: Filters, ids: list[str] | None) -> tuple[str, list[Any]]:
    """Write what `find_contacts` is asked besides its own conditions, and all its arguments."""
    arguments = _filter_arguments(place, filters, ids)
    if filters.query is None:
        return "", arguments
    more = Arguments(len(arguments) + 1)
    asked = clause(filters.query, place, more)
    return f"\n    AND {asked}", arguments + more.values


def _filter_arguments(place: Place, filters: Filters, ids: list[str] | None) -> list[Any]:
    return [
        *ids_of(place),
        list(filters.statuses),
        list(filters.lead_statuses) or None,
        list(filters.lead_sources) or None,
        like(filters.company) if filters.company else None,
        filters.company_id,
        filters.email.lower() if filters.email else None,
        filters.phone,
        filters.city,
        filters.country,
        filters.created_after,
        filters.created_before,
        filters.updated_after,
        filters.updated_before,
        ids,
        list(filters.labels) or None,
        list(filters.groups) or None,
        *_derived_arguments(filters),
    ]


def _derived_arguments(filters: Filters) -> list[list[str] | None]:
    return [
        list(filters.seniorities) or None,
        list(filters.departments) or None,
        list(filters.timezones) or None,
    ]


def _contact(row: asyncpg.Record, sort_values: Sequence[str]) -> ContactRow:
    detail = orjson.loads(row["detail"])
    bindings: dict[str, Any] = detail["bindings"]
    binding: dict[str, Any] = next(iter(bindings.values()), {})
    columns = {name: row[RENAMED.get(name, name)] for name in COLUMN_ATTRIBUTES}
    provenance = row["provenance"]
    return ContactRow(
        id=row["public_id"],
        attributes=ContactAttributes(
            **columns,
            **besides(detail["fields"]),
            labels=binding.get("labels") or (),
            groups=binding.get("groups") or (),
            notes=binding.get("notes"),
            custom_fields=binding.get("custom_fields") or {},
            employments=stints(Employment.model_validate(one) for one in detail["employments"]),
        ),
        company_id=row["company_public_id"],
        identifiers=tuple(Identifier.model_validate(one) for one in detail["identifiers"]),
        survivor_id=detail.get("survivor_id"),
        possible_duplicates=tuple(detail["candidates"]),
        provenance=None if provenance is None else orjson.loads(provenance),
        sort_values=tuple(sort_values),
    )
