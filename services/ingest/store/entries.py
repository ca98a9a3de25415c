"""Entries of files of activities in the database: light rows, and who takes part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from services.ingest.domain.staging import RowClass
from services.ingest.domain.witnessing import Person, Witnessed
from services.ingest.store.imports import LEASE_SECONDS, QUERIES, ImportStore, Job


@dataclass(frozen=True, slots=True)
class Portion:
    """Entries that are staged at once, and how far the import is with them."""

    before: int
    """Rows that were staged before."""
    rows: Sequence[tuple[Witnessed, RowClass]]
    shown: frozenset[int]
    """Numbers of those that a person is shown."""
    people: Mapping[Person, str | None]
    """Who takes part → whom the workspace knows by it."""
    classes: Mapping[str, int]
    warnings: int
    told: Mapping[str, Any]
    kept: bytes | None = None
    """What is to be sent of them, where it is not read again."""


async def append_entries(store: ImportStore, job: Job, portion: Portion) -> bool:
    """Stage entries behind those that are staged; tells whether the import is still ours."""
    place = job.place
    where = (job.id, place.tenant_id, place.workspace_id)
    async with store.inside(place) as connection:
        ours = await connection.fetchval(
            QUERIES["note_entries"],
            job.id,
            job.worker,
            portion.before,
            portion.before + len(portion.rows),
            _text(portion.classes),
            portion.warnings,
            _text(portion.told),
            LEASE_SECONDS,
        )
        if ours is None:
            return False
        await connection.execute(QUERIES["insert_entries"], *where, *_columns(portion))
        if portion.kept:
            # Below the beginning of the file, whose first piece is at 0.
            begins = -portion.rows[0][0].entry.number
            await connection.execute(QUERIES["put_chunk"], *where, begins, portion.kept, None)
        if portion.people:
            # In one order: two workers may write of the same import when one of them is late.
            people = sorted(portion.people.items(), key=lambda one: one[0].record_key)
            await connection.execute(
                QUERIES["insert_people"],
                *where,
                [one.record_key for one, _ in people],
                [one.key for one, _ in people],
                [contact for _, contact in people],
            )
        if portion.people or portion.shown:
            # Whoever was erased may have been staged before: then the portion brings nobody new.
            await connection.execute(QUERIES["note_erased"], job.id)
    return True


async def skip_entries(
    store: ImportStore,
    job: Job,
    numbers: Sequence[int],
    verdict: Literal["skipped", "rejected"],
    reason: str,
) -> bool:
    """Leave entries out that were about to be sent; tells whether the import is still ours."""
    async with store.inside(job.place) as connection:
        count = await connection.fetchval(QUERIES["skip_entries"], job.id, numbers, verdict, reason)
        values = (job.worker, _text({verdict: count}), 0, LEASE_SECONDS)
        return await connection.fetchval(QUERIES["add_verdicts"], job.id, *values) is not None


def _columns(portion: Portion) -> list[list[Any]]:
    """Turn entries into the arrays that `insert_entries` takes."""
    rows = [one for one, _ in portion.rows]
    return [
        [one.entry.number for one in rows],
        [one.entry.line for one in rows],
        [row_class for _, row_class in portion.rows],
        [_clean(one.entry.field) for one in rows],
        [_clean(one.entry.left_out or one.entry.reason) for one in rows],
        [_text(one.entry.notes) if one.entry.notes else None for one in rows],
        [one.asked for one in rows],
        [_escaped(one.shown) if one.entry.number in portion.shown else None for one in rows],
    ]


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _escaped(text: str) -> str:
    return text.replace("\\u0000", "\\ufffd")


def _text(value: object) -> str:
    """Write JSON that a column takes: names of columns may hold what no database text can."""
    return _escaped(orjson.dumps(value).decode())
