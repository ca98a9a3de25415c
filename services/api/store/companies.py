"""What the api reads of companies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.api.domain.companies import CompanyEventRow, CompanyQuery, CompanyRow
from services.api.domain.company_bindings import BindingRow
from services.api.domain.company_documents import CompanyAttributes
from services.api.domain.paging import PageRequest
from services.api.store.ordering import page_clause, sort_values
from services.api.store.reading import MAX_HITS, QUERIES, Reading, ids_of, like
from shared.auth import Place
from shared.events.company_binding import CompanyBinding, KeptOfCompany


class Companies(Reading):
    """Companies of a tenant, with what a workspace keeps of them."""

    async def find(self, place: Place, query: CompanyQuery) -> list[CompanyRow]:
        """Read a page of companies, one row more than its size, backwards before a cursor."""
        asked = query.filters
        async with self._reading(place) as connection:
            ids = None
            if asked.q is not None:
                named = (place.tenant_id, asked.q, MAX_HITS)
                hits = await connection.fetch(QUERIES["find_company_hits"], *named)
                ids = [hit["public_id"] for hit in hits]
            arguments = [
                place.tenant_id,
                ids,
                like(asked.name) if asked.name else None,
                asked.domain,
                asked.industry,
                asked.city,
                asked.country,
                list(asked.size_ranges) or None,
                asked.min_employees,
                asked.max_employees,
                list(asked.funding_stages) or None,
                asked.technology,
                asked.created_after,
                asked.created_before,
            ]
            tail, more = page_clause(query.sort, query.page, first=len(arguments) + 1)
            rows = await connection.fetch(QUERIES["find_companies"] + tail, *arguments, *more)
        return [_company(row, sort_values(row, query.sort)) for row in rows]

    async def get(self, place: Place, company_id: str) -> CompanyRow | None:
        """Read one company."""
        async with self._reading(place) as connection:
            row = await connection.fetchrow(QUERIES["get_company"], place.tenant_id, company_id)
        return _company(row, ()) if row else None

    async def find_bindings(self, place: Place, company_id: str) -> list[BindingRow]:
        """Read what a workspace keeps of a company and of those that stand behind it."""
        async with self._reading(place) as connection:
            rows = await connection.fetch(
                QUERIES["find_company_bindings"], *ids_of(place), company_id
            )
        return [
            BindingRow(
                row["is_own"],
                KeptOfCompany(
                    row["company_id"],
                    row["survivor_id"],
                    CompanyBinding(
                        labels=tuple(row["labels"]),
                        labels_removed=tuple(row["labels_removed"]),
                        label_order=tuple(row["label_order"]),
                        custom_fields=orjson.loads(row["custom_fields"]),
                        notes=row["notes"],
                    ),
                ),
                row["updated_at"],
            )
            for row in rows
        ]

    async def find_events(
        self, place: Place, company_id: str, page: PageRequest
    ) -> list[CompanyEventRow]:
        """Read a page of a company's events, newest first, backwards before a cursor."""
        below = int(page.after[0]) if page.after else None
        above = int(page.before[0]) if page.before else None
        beyond = (below, above, page.before is not None, page.size + 1)
        async with self._reading(place) as connection:
            rows = await connection.fetch(
                QUERIES["find_company_events"], *ids_of(place), company_id, *beyond
            )
        return [_company_event(row) for row in rows]

    async def find_at(self, place: Place, company_id: str, at: datetime) -> CompanyEventRow | None:
        """Read the newest event of a company that kith knew at a moment."""
        async with self._reading(place) as connection:
            row = await connection.fetchrow(
                QUERIES["find_company_at"], *ids_of(place), company_id, at
            )
        return _company_event(row) if row else None


def _company(row: asyncpg.Record, sort_values: Sequence[str]) -> CompanyRow:
    profile: dict[str, Any] = orjson.loads(row["profile"])
    origins = profile.pop("origins", {})
    named = ("name", "domain", "source", "version", "created_at", "updated_at")
    return CompanyRow(
        id=row["public_id"],
        attributes=CompanyAttributes.model_validate(
            {
                **profile,
                **{name: row[name] for name in named},
                "relations": orjson.loads(row["all_relations"]),
            }
        ),
        survivor_id=row["survivor_public_id"],
        provenance=origins,
        sort_values=tuple(sort_values),
    )


def _company_event(row: asyncpg.Record) -> CompanyEventRow:
    return CompanyEventRow(
        row["version"],
        row["event_type"],
        row["occurred_at"],
        row["recorded_at"],
        orjson.loads(row["payload"]),
    )
