"""The first step of an import: read the file, stage its rows, ask what each would lead to."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final

import orjson

from services.ingest.domain.defined import Definition
from services.ingest.domain.staging import (
    Previewed,
    Staged,
    count_classes,
    keys_said,
    nobody,
    previewed,
    signal_id_of,
    told_apart,
    unasked,
)
from services.ingest.handlers.tools import LostError, Tools, name_of, terms_of
from services.ingest.sources.sniff import sniff
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.staging import stage
from services.ingest.store.imports import Job, Row
from services.ingest.store.resolver import MOST_SIGNALS

INVALID: Final = "invalid"
"""What a row that is rejected is counted as, like a signal that is."""

FIRST: Final = 50
"""Rows of the first batch: somebody waits to see something."""

BATCH: Final = 500
"""Rows that are staged at once."""

ABREAST: Final = 3
"""Batches that are asked about or put down at a time, by two processes and the database."""

BATCH_BYTES: Final = 4 << 20
"""Bytes of rows that are asked about at once, whatever their number."""


async def read_file(job: Job, tools: Tools) -> None:
    """Stage and preview every row, from where it stopped; then say that there is a choice.

    Raises `PoisonMessageError` when the file holds nobody.
    """
    known = (job.row["file_bytes"], job.row["file_digest"])
    definitions = await tools.resolver.fields(job.place)
    async with tools.uploads.opened(job.place, job.id, *known) as whole:
        choices = job.terms.get("choices", {})
        sniffed = await asyncio.to_thread(sniff, whole.file, choices, whole.survey)
        await _note_fields(job, tools, sniffed, definitions)
        terms = terms_of(job, tools.settings, definitions)
        rows = stage(whole.file, sniffed, terms, tools.rules)
        await _Reading(job, tools).stage_all(rows)
    await _tell_twins_apart(job, tools)
    await _end(job, tools)


async def _note_fields(
    job: Job, tools: Tools, sniffed: Sniffed, definitions: Mapping[str, Definition]
) -> None:
    """Say with how the file is read which columns a definition is followed in, and its type."""
    columns = sniffed.mapping.custom if sniffed.mapping else {}
    told = {
        column: definitions[key].field.type for key, column in columns.items() if key in definitions
    }
    if told and not await tools.store.note_fields(job, told):
        raise LostError("the import is read by another worker, or not at all any more")


@dataclass(frozen=True, slots=True)
class _Going:
    """Rows that are asked about or put down."""

    task: "asyncio.Task[float]"
    keys: AbstractSet[int]


class _Reading:
    """Rows on their way from the file to where they are staged."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self._job = job
        self._tools = tools
        self._before: int = job.row["staged"]
        self._classes: dict[str, int] = orjson.loads(job.row["classes"])
        self._warnings: int = job.row["warnings"]

    async def stage_all(self, rows: Iterator[Staged]) -> None:
        """Stage the rows behind those that are staged.

        While rows are asked about, the next ones are read and asked about too, and those before are
        put down, in their order.
        """
        await asyncio.to_thread(_pass_over, rows, self._before)
        coming = asyncio.create_task(asyncio.to_thread(_take, rows, FIRST))
        going: deque[_Going] = deque()
        try:
            while batch := await coming:
                coming = asyncio.create_task(asyncio.to_thread(_take, rows, BATCH))
                keys = {key for row in batch for key in row.keys}
                while going and not self._may_join(keys, going):
                    await self._tools.share.rest(await going.popleft().task)
                before = going[-1].task if going else None
                going.append(_Going(asyncio.create_task(self._go(batch, before)), keys))
            while going:
                await going.popleft().task
        finally:
            for one in going:
                one.task.cancel()
            # A thread may still read the file that is about to be closed.
            await asyncio.gather(coming, *(one.task for one in going), return_exceptions=True)

    def _may_join(self, keys: AbstractSet[int], going: Collection["_Going"]) -> bool:
        """Tell whether rows may be asked about beside those that are on their way.

        Rows of one person see one another: the earlier ones are looked up where they are put down.
        """
        most = 1 if self._tools.share.is_wanted else ABREAST
        return len(going) < most and all(keys.isdisjoint(one.keys) for one in going)

    async def _go(self, batch: Sequence[Staged], before: "asyncio.Task[float] | None") -> float:
        """Ask about rows, and put them down behind those before; returns the work's seconds."""
        began = time.monotonic()
        found = await ask(self._job, self._tools, batch)
        asked = time.monotonic()
        if before is not None:
            await before
        stored = time.monotonic()
        await self._store(batch, found)
        return asked - began + time.monotonic() - stored

    async def _store(self, batch: Sequence[Staged], found: Sequence[Previewed]) -> None:
        job, store = self._job, self._tools.store
        self._classes = count_classes(self._classes, found)
        self._warnings += sum(len(row.notes) for row in batch)
        asked = [row for row in batch if row.row_class is None]
        earlier = await store.find_earlier_choices(
            job.place, [(row.record_key, row.content_hash) for row in asked]
        )
        ours = await store.append_rows(
            job,
            found,
            before=self._before,
            classes=self._classes,
            warnings=self._warnings,
            choices={asked[place].number: choice for place, choice in earlier.items()},
        )
        if not ours:
            raise LostError("the import is read by another worker, or not at all any more")
        refused = sum(row.row_class == "rejected" for row in found)
        self._tools.count(self._job.terms["source"], INVALID, refused)
        self._before += len(batch)


def _pass_over(rows: Iterator[Staged], count: int) -> None:
    next(islice(rows, count, count), None)


def _take(rows: Iterator[Staged], most: int) -> list[Staged]:
    """Take the next rows, within the bounds of one question."""
    taken: list[Staged] = []
    size = 0
    for row in rows:
        taken.append(row)
        size += len(row.signal) + len(row.raw)
        if len(taken) == most or size > BATCH_BYTES:
            break
    return taken


async def ask(job: Job, tools: Tools, batch: Sequence[Staged]) -> list[Previewed]:
    """Ask the resolver about rows, beside earlier rows of the file that may be the same people."""
    asked = [row for row in batch if row.row_class is None]
    if not asked:
        return [unasked(row) for row in batch]
    name = name_of(job.name)
    numbers = {signal_id_of(name, row.line): row.number for row in asked}
    context: list[bytes] = []
    size = 0
    keys = list({key for row in asked for key in row.keys})
    below = asked[0].number
    if keys and below > 1:
        for row in await tools.store.fetch(
            job.place, "find_context", job.id, keys, below, MOST_SIGNALS
        ):
            signal = row["signal"].encode()
            size += len(signal)
            if size > BATCH_BYTES:
                break
            context.append(signal)
            numbers[signal_id_of(name, row["line"])] = row["creator"] or row["number"]
    told = await tools.resolver.decisions(job.place, context, [row.signal for row in asked])
    answers = iter(told)
    return [
        previewed(row, next(answers), numbers) if row.row_class is None else unasked(row)
        for row in batch
    ]


async def _tell_twins_apart(job: Job, tools: Tools) -> None:
    """Name rows that are called alike by their contents too, and ask about them again."""
    twins = await tools.store.fetch(job.place, "find_twins", job.id)
    numbers = sorted(row["number"] for row in twins)
    for begin in range(0, len(numbers), BATCH):
        part = numbers[begin : begin + BATCH]
        rows = await tools.store.fetch(job.place, "get_identified", job.id, part)
        batch = [_apart(job, tools, row) for row in rows]
        found = await ask(job, tools, batch)
        if not await tools.store.renew(job):
            raise LostError("the import is read by another worker, or not at all any more")
        await tools.store.replace_rows(job, found)


def _apart(job: Job, tools: Tools, row: Row) -> Staged:
    tenant = job.place.tenant
    signal, key = told_apart(row["signal"].encode(), row["identity"], tenant, tools.rules)
    return Staged(
        number=row["number"],
        line=row["line"],
        identity=row["identity"],
        record_key=key,
        signal=signal,
        keys=keys_said(signal, tenant, tools.rules),
    )


async def _end(job: Job, tools: Tools) -> None:
    rows = await tools.store.fetch(job.place, "count_classes", job.id)
    classes = {row["class"]: row["rows"] for row in rows}
    if not classes.keys() - {"blank", "rejected"}:
        bad = await tools.store.fetch(job.place, "find_rows", job.id, 0, ["rejected"], None, 1)
        first = [Staged(0, one["line"], "rejected", one["field"], one["reason"]) for one in bad]
        raise nobody(sum(classes.values()), first[0] if first else None)
    state = "executing" if job.terms.get("execute") else "ready"
    told = orjson.dumps(classes).decode()
    await tools.store.fetchrow(job.place, "end_reading", job.id, job.worker, told, state)
