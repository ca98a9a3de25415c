"""What the api reads of what a workspace made for itself: tags, groups, custom fields."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.api.domain.custom_fields import FieldRow
from services.api.domain.marks import MarkKind, MarkRow
from services.api.domain.paging import PageRequest
from services.api.store.reading import QUERIES, Reading, ids_of
from shared.auth import Place


class Definitions(Reading):
    """Tags, groups and custom fields of a workspace."""

    async def find_marks(
        self, place: Place, kind: MarkKind, name: str | None, page: PageRequest
    ) -> list[MarkRow]:
        """Read a page of tags or groups by name, one more than its size."""
        statement = QUERIES["find_tags"] if kind == "tags" else QUERIES["find_groups"]
        after, before = (cursor[0] if cursor else None for cursor in (page.after, page.before))
        async with self._reading(place) as connection:
            rows = await connection.fetch(
                statement, *ids_of(place), None, name, after, before, page.size + 1
            )
        return [MarkRow(row["public_id"], dict(row)) for row in rows]

    async def get_mark(self, place: Place, kind: MarkKind, public_id: str) -> MarkRow | None:
        """Read one tag or group."""
        statement = QUERIES["find_tags"] if kind == "tags" else QUERIES["find_groups"]
        async with self._reading(place) as connection:
            rows = await connection.fetch(statement, *ids_of(place), public_id, None, None, None, 1)
        return MarkRow(rows[0]["public_id"], dict(rows[0])) if rows else None

    async def find_fields(self, place: Place, public_id: str | None = None) -> list[FieldRow]:
        """Read the custom fields that a workspace defined, or one of them, archived ones too."""
        async with self._reading(place) as connection:
            rows = await connection.fetch(QUERIES["find_fields"], *ids_of(place), public_id)
        return [FieldRow(row["public_id"], dict(row)) for row in rows]

    async def find_smart_groups(self, place: Place, ids: Sequence[str]) -> dict[str, Any]:
        """Read which of these groups are smart, and what each asks."""
        async with self._reading(place) as connection:
            rows = await connection.fetch(QUERIES["find_smart_groups"], *ids_of(place), list(ids))
        return {row["public_id"]: orjson.loads(row["query_def"]) for row in rows}
