"""Where a page of a list starts, and its order: by keys that a cursor repeats."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from services.api.domain.listing import SortKey
from services.api.domain.paging import PageRequest

_MOMENTS: Final = {"created_at", "updated_at"}
_COLUMNS: Final = {
    "id": "view.public_id",
    "created_at": "view.created_at",
    "updated_at": "view.updated_at",
    "status": "view.status",
    "lead_status": "view.stage",
    "lead_source": "view.source",
}
RENAMED: Final = {"lead_status": "stage", "lead_source": "source"}
"""Attribute → column of the read model, where they are called otherwise."""


def page_clause(
    sort: Sequence[SortKey], page: PageRequest, *, first: int
) -> tuple[str, list[str | int]]:
    """Write where a page starts, its order and its limit; `first` is its first argument's number.

    A page before a cursor is looked for backwards, with every direction turned around.
    """
    backwards = page.before is not None
    terms = [(_expression(key.field), key.descending != backwards) for key in sort]
    order = ", ".join(f"{term} {'DESC' if down else 'ASC'}" for term, down in terms)
    cursor = page.before if backwards else page.after
    where = ""
    if cursor is not None:
        values = [f"${first + n}::text{_cast(key.field)}" for n, key in enumerate(sort)]
        where = f"\n    AND ({_beyond(terms, values)})"
    arguments: list[str | int] = [*(cursor or ()), page.size + 1]
    return f"{where}\nORDER BY {order}\nLIMIT ${first + len(arguments) - 1}", arguments


def sort_values(row: asyncpg.Record, sort: Sequence[SortKey]) -> list[str]:
    """Return what a row is ordered by, as cursors say it."""
    return [_sort_value(row, key.field) for key in sort]


def _beyond(terms: Sequence[tuple[str, bool]], values: Sequence[str]) -> str:
    """Write "comes after the cursor", as a row comparison where an index can serve it."""
    names = [term for term, _ in terms]
    if len({down for _, down in terms}) == 1:
        sign = "<" if terms[0][1] else ">"
        return f"({', '.join(names)}) {sign} ({', '.join(values)})"
    ways = []
    for place, (term, down) in enumerate(terms):
        equal = [f"{names[n]} = {values[n]}" for n in range(place)]
        ways.append(" AND ".join([*equal, f"{term} {'<' if down else '>'} {values[place]}"]))
    return " OR ".join(f"({way})" for way in ways)


def _expression(field: str) -> str:
    """Write what a field is ordered by: names without regard to case, absent ones first."""
    return _COLUMNS.get(field) or f"COALESCE(lower(view.{field}), '')"


def _cast(field: str) -> str:
    if field in _MOMENTS:
        return "::timestamptz"
    return ' COLLATE "C"' if field == "id" else ""


def _sort_value(row: asyncpg.Record, field: str) -> str:
    if field in _MOMENTS:
        return str(row[field].isoformat())
    if field in _COLUMNS:
        return str(row["public_id" if field == "id" else RENAMED.get(field, field)])
    return (row[field] or "").lower()
