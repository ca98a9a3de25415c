"""Imports on their way through staging, preview, choice, execution, report and undo."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson

from services.ingest.domain.choosing import Chosen
from services.ingest.domain.settling import Settled
from services.ingest.domain.staging import Previewed
from shared.auth import NewKey, Place
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.ingest.sql", "imports.sql", "activity_imports.sql")
_ENTER: Final = Queries.load("services.ingest.sql")["enter"]

LEASE_SECONDS: Final = 6.0
"""A worker that does not say for so long that it goes on counts as gone."""

PORTION: Final = 10_000
"""Rows that one statement changes, at most: seconds, also on a slow machine."""

Row = dict[str, Any]
"""A row of the database, by the names of its columns."""


@dataclass(frozen=True, slots=True)
class Job:
    """An import that a worker holds."""

    id: int
    name: str
    """Its public id."""
    place: Place
    worker: str
    state: str
    row: Row
    """As it was when it was taken."""
    terms: Mapping[str, Any]
    """What the caller said of the file."""


class ImportStore:
    """Reads and writes imports, each inside its workspace's walls."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def inside(self, place: Place) -> AsyncIterator[Connection]:
        """Open a transaction about one workspace."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_ENTER, place.tenant_id, place.workspace_id)
                yield connection

    async def fetchrow(self, place: Place, query: str, *values: object) -> Row | None:
        """Run one statement of one workspace, for its only row."""
        async with self.inside(place) as connection:
            row = await connection.fetchrow(QUERIES[query], *values)
        return None if row is None else dict(row)

    async def fetch(self, place: Place, query: str, *values: object) -> list[Row]:
        """Run one statement of one workspace."""
        async with self.inside(place) as connection:
            return [dict(row) for row in await connection.fetch(QUERIES[query], *values)]

    # What people do.

    async def create(
        self, place: Place, name: str, terms: Mapping[str, Any], size: int | None, hours: int
    ) -> int:
        """Begin an import whose file is still to come; returns its number."""
        row = await self.fetchrow(
            place,
            "create_import",
            name,
            place.tenant_id,
            place.workspace_id,
            _json(terms),
            size,
            hours,
        )
        assert row is not None
        number: int = row["id"]
        return number

    async def get(self, place: Place, name: str) -> Row | None:
        """Return an import of this workspace."""
        return await self.fetchrow(place, "get_import", name)

    async def find(self, place: Place, before: str | None, limit: int) -> list[Row]:
        """List imports, the newest first."""
        return await self.fetch(
            place, "find_imports", place.tenant_id, place.workspace_id, before, limit
        )

    async def begin_reading(
        self,
        place: Place,
        number: int,
        *,
        digest: bytes | None,
        size: int,
        reading: Mapping[str, Any],
        terms: Mapping[str, Any],
        of_activities: bool = False,
    ) -> bool:
        """Say that the file is whole and how it is read; tells whether that was due."""
        values = (_json(reading), _json(terms))
        async with self.inside(place) as connection:
            begun = await connection.fetchval(
                QUERIES["begin_reading"], number, digest, size, *values, of_activities
            )
            if begun is not None:
                await connection.execute(QUERIES["delete_rows"], number)
        return begun is not None

    async def receive(
        self, place: Place, number: int, begins: int, ends: int, *, data: bytes, name: str | None
    ) -> bool:
        """Keep a file's next piece, or its name where files are kept elsewhere.

        Tells whether it was this piece's turn; nothing is changed where another came first.
        """
        async with self.inside(place) as connection:
            taken = await connection.fetchval(QUERIES["receive"], number, begins, ends)
            if taken is not None:
                where = (number, place.tenant_id, place.workspace_id)
                await connection.execute(QUERIES["put_chunk"], *where, begins, data, name)
        return taken is not None

    async def find_pieces(self, place: Place, number: int, begins: int) -> list[tuple[int, str]]:
        """Return the names of a file's pieces from a byte on, where files are kept elsewhere."""
        rows = await self.fetch(place, "find_chunk_names", number, begins)
        return [(row["begins"], row["name"]) for row in rows]

    async def forget_pieces(self, place: Place, number: int) -> None:
        """Forget a file's pieces, or their names."""
        async with self.inside(place) as connection:
            await connection.execute(QUERIES["delete_chunks"], number)

    async def fail(
        self, place: Place, number: int, failure: Mapping[str, Any], worker: str | None = None
    ) -> bool:
        """Say why an import comes to nothing; tells whether that was still to be said."""
        said = _json(failure)
        return await self.fetchrow(place, "fail", number, said, worker) is not None

    async def choose(
        self, place: Place, number: int, classes: Mapping[Any, str], rows: Sequence[Chosen]
    ) -> bool:
        """Keep what was chosen; tells whether there is still a choice."""
        async with self.inside(place) as connection:
            still = await connection.fetchval(
                QUERIES["choose_classes"], number, _json(dict(classes))
            )
            if still is not None and rows:
                await connection.execute(
                    QUERIES["choose_rows"],
                    number,
                    [one.number for one in rows],
                    [one.choice for one in rows],
                    [one.about for one in rows],
                )
        return still is not None

    async def step(self, place: Place, query: str, number: int) -> bool:
        """Take an import from one state to the next: `execute`, `begin_undo`, `discard`."""
        return await self.fetchrow(place, query, number) is not None

    # What workers do.

    async def claim(self, worker: str) -> Job | None:
        """Take the import that waits longest, of whatever workspace."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(QUERIES["look_everywhere"])
                row = await connection.fetchrow(QUERIES["claim"], worker, LEASE_SECONDS)
        if row is None:
            return None
        place = Place(row["tenant_id"], row["workspace_id"], row["tenant"], row["workspace"])
        terms = orjson.loads(row["terms"])
        return Job(row["id"], row["public_id"], place, worker, row["state"], dict(row), terms)

    async def release(self, job: Job, seconds: float) -> None:
        """Let go of an import for a while."""
        await self.fetchrow(job.place, "release", job.id, job.worker, seconds)

    async def renew(self, job: Job) -> bool:
        """Say that the work goes on; tells whether the import is still this worker's."""
        row = await self.fetchrow(job.place, "renew", job.id, job.worker, LEASE_SECONDS)
        return row is not None

    async def note_fields(self, job: Job, fields: Mapping[str, str]) -> bool:
        """Note column → type of what is defined; tells whether the import is still ours."""
        row = await self.fetchrow(job.place, "note_fields", job.id, job.worker, _json(dict(fields)))
        return row is not None

    async def append_rows(
        self,
        job: Job,
        rows: Sequence[Previewed],
        *,
        before: int,
        classes: Mapping[str, int],
        warnings: int,
        choices: Mapping[int, str],
    ) -> bool:
        """Stage rows behind those that are staged; tells whether the import is still ours."""
        place = job.place
        async with self.inside(place) as connection:
            ours = await connection.fetchval(
                QUERIES["note_staged"],
                job.id,
                job.worker,
                before,
                before + len(rows),
                _json(dict(classes)),
                warnings,
                LEASE_SECONDS,
            )
            if ours is None:
                return False
            await connection.execute(
                QUERIES["insert_rows"],
                job.id,
                place.tenant_id,
                place.workspace_id,
                *_columns(rows, choices),
            )
            keys = [(key, row.staged.number) for row in rows for key in row.staged.keys]
            if keys:
                await connection.execute(
                    QUERIES["insert_keys"],
                    job.id,
                    place.tenant_id,
                    place.workspace_id,
                    *map(list, zip(*keys, strict=True)),
                )
            await connection.execute(QUERIES["hollow_erased"], job.id, before)
        return True

    async def find_earlier_choices(
        self, place: Place, records: Sequence[tuple[bytes, bytes]]
    ) -> dict[int, str]:
        """Return what was left out by choice before: place among `records` → choice."""
        rows = await self.fetch(
            place,
            "find_earlier_choices",
            place.tenant_id,
            place.workspace_id,
            [record for record, _ in records],
            [content for _, content in records],
        )
        return {row["place"] - 1: row["choice"] for row in rows}

    async def replace_rows(self, job: Job, rows: Sequence[Previewed]) -> None:
        """Put down rows that were previewed anew."""
        values = (
            job.id,
            [row.staged.number for row in rows],
            [row.staged.record_key for row in rows],
            [row.staged.signal.decode() for row in rows],
            [row.row_class for row in rows],
            [row.reason for row in rows],
            [row.preview.decode() for row in rows],
            [row.creator for row in rows],
            [row.contact for row in rows],
        )
        async with self.inside(job.place) as connection:
            await connection.execute(QUERIES["replace_rows"], *values)
            await connection.execute(QUERIES["hollow_erased"], job.id, 0)

    async def conclude(self, job: Job, rows: Collection[Settled]) -> bool:
        """Give rows the verdict that they have none of; tells whether the import is still ours."""
        if not rows:
            return True
        counted = Counter(row.verdict for row in rows)
        events = sum(row.events for row in rows)
        async with self.inside(job.place) as connection:
            ours = await _add(connection, job, counted, events)
            if ours:
                await connection.execute(QUERIES["settle_rows"], *_verdicts(job, rows))
        return ours

    async def leave_out(self, job: Job, classes: Collection[str], above: int, upto: int) -> bool:
        """Give a verdict to rows that are not sent; tells whether the import is still ours."""
        async with self.inside(job.place) as connection:
            rows = await connection.fetch(QUERIES["leave_out"], job.id, list(classes), above, upto)
            return await _add(connection, job, {row["verdict"]: row["rows"] for row in rows}, 0)

    async def settle(self, job: Job, rows: Collection[Settled]) -> None:
        """Say what became of rows whose choice was carried out."""
        if rows:
            await self.fetch(job.place, "settle_rows", *_verdicts(job, rows))

    async def issue_key(self, place: Place, key: NewKey) -> bool:
        """Register a key of this workspace for the resolver."""
        row = await self.fetchrow(place, "issue_key", key.public_id, place.workspace, key.hash)
        return bool(row and row["issued"])

    # What time does.

    async def find_expired(self, limit: int) -> list[tuple[int, Place]]:
        """Return imports whose time is up."""
        return await self._everywhere("find_expired", limit)

    async def find_files_to_forget(self, limit: int) -> list[tuple[int, Place]]:
        """Return imports whose files nobody needs any more, or told of who was erased."""
        return await self._everywhere("find_files_to_forget", limit)

    async def _everywhere(self, query: str, limit: int) -> list[tuple[int, Place]]:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(QUERIES["look_everywhere"])
                rows = await connection.fetch(QUERIES[query], limit)
        return [
            (
                row["id"],
                Place(row["tenant_id"], row["workspace_id"], row["tenant"], row["workspace"]),
            )
            for row in rows
        ]

    async def forget(self, place: Place, number: int) -> None:
        """Forget what an import's rows say, and keep what became of them.

        In portions: all that a large one has would take longer than a statement may.
        """
        for query in ("forget_keys", "forget_people", "forget_erased"):
            while await self._value(place, query, number, PORTION):
                pass
        last = await self._value(place, "get_last_row", number)
        for above in range(0, last, PORTION):
            await self.fetch(place, "forget_rows", number, above, above + PORTION)
        await self.fetch(place, "note_purged", number)

    async def _value(self, place: Place, query: str, *values: object) -> int:
        async with self.inside(place) as connection:
            found: int = await connection.fetchval(QUERIES[query], *values)
        return found


async def _add(connection: Connection, job: Job, verdicts: Mapping[str, int], events: int) -> bool:
    """Count verdicts that were given; tells whether the import is still the worker's."""
    values = (job.worker, _json(dict(verdicts)), events, LEASE_SECONDS)
    return await connection.fetchval(QUERIES["add_verdicts"], job.id, *values) is not None


def _verdicts(job: Job, rows: Collection[Settled]) -> tuple[Any, ...]:
    """Turn verdicts into what `settle_rows` takes."""
    place = job.place
    columns = map(list, zip(*rows, strict=True))
    return (job.id, place.tenant_id, place.workspace_id, *columns)


def _json(value: object) -> str:
    """Write JSON that a column takes: names of columns may hold what no database text can."""
    return orjson.dumps(value).replace(rb"\u0000", rb"\ufffd").decode()


def _columns(rows: Sequence[Previewed], choices: Mapping[int, str]) -> list[list[Any]]:
    """Turn rows into the arrays that `insert_rows` takes."""
    return [
        [row.staged.number for row in rows],
        [row.staged.line for row in rows],
        [row.row_class for row in rows],
        [row.staged.field.replace("\0", "\ufffd") for row in rows],
        [row.reason for row in rows],
        [row.staged.identity or None for row in rows],
        [row.staged.record_key or None for row in rows],
        [row.staged.content_hash or None for row in rows],
        [row.staged.signal.decode() or None for row in rows],
        [row.staged.raw.decode() or None for row in rows],
        [_json(row.staged.notes) if row.staged.notes else None for row in rows],
        [row.preview.decode() or None for row in rows],
        [row.creator for row in rows],
        [row.contact for row in rows],
        [choices.get(row.staged.number) for row in rows],
    ]
