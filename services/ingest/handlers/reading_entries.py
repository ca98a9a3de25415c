"""The first step of an import of activities: count what its file holds, and what of it is known."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import orjson

from services.ingest.domain.entries import Entry, pack
from services.ingest.domain.staging import RowClass
from services.ingest.domain.witnessing import Person, Witnessed, class_of, nothing_taken, witness
from services.ingest.handlers.reading import INVALID
from services.ingest.handlers.tools import LostError, Tools, activity_terms_of
from services.ingest.sources.activity_files import MAIL, helpers_for, is_large, reading, survey
from services.ingest.store.entries import Portion, append_entries
from services.ingest.store.imports import Job
from shared.observability import metrics

FIRST: Final = 50
"""Entries of the first batch: somebody waits to see something."""

BATCH: Final = 500
"""Entries that are staged at once."""

BATCH_PEOPLE: Final = 4_000
"""People of a batch after which it is full; one more entry has at most 500."""

SHOWN: Final = 25
"""Entries of each class of which a person is shown what they say."""

MOST_REMEMBERED: Final = 100_000
"""Records of people that are not asked about again while a file is read."""


async def read_entries(job: Job, tools: Tools) -> None:
    """Stage a light row for every entry, from where it stopped; then say that there is a choice.

    Raises `PoisonMessageError` when nothing of the file can be taken.
    """
    told: dict[str, Any] = orjson.loads(job.row["told"])
    layout = orjson.loads(job.row["reading"])["layout"]
    known = (job.row["file_bytes"], job.row["file_digest"])
    async with tools.uploads.opened(job.place, job.id, *known) as whole:
        # Helpers come first: they start while the rest of the mailbox is looked through for whose
        # it is.
        with helpers_for(whole.file, layout, tools.settings.mail_helpers) as helpers:
            if "own" not in told:
                shown = await asyncio.to_thread(survey, whole.file, layout, whole.survey.own)
                told["own"] = sorted({*job.terms.get("own", ()), *shown})
            terms = activity_terms_of(job, tools.settings, told["own"])
            entries = reading(whole.file, terms, tools.rules, helpers)
            staging = _Staging(job, tools, told, layout)
            staging.keeps = is_large(whole.file, layout)
            await staging.stage_all(entries)
    await _end(job, tools, told)


class _Staging:
    """Entries on their way from the file to their rows."""

    keeps = False
    """Whether what is found is kept to be sent, as reading it again would take long."""

    def __init__(self, job: Job, tools: Tools, told: dict[str, Any], layout: str) -> None:
        self._job = job
        self._tools = tools
        self._told = told
        self._is_mail = layout in MAIL
        self._before: int = job.row["staged"]
        self._classes: Counter[str] = Counter(orjson.loads(job.row["classes"]))
        self._warnings: int = job.row["warnings"]
        self._asked: set[bytes] = set()

    async def stage_all(self, entries: Iterator[Entry]) -> None:
        """Stage the entries behind those that are staged; the next are read meanwhile."""
        await asyncio.to_thread(pass_over, entries, self._before)
        take = partial(_take, entries, self._job.place.tenant, self._tools)
        coming = asyncio.create_task(asyncio.to_thread(take, FIRST))
        try:
            while batch := await coming:
                coming = asyncio.create_task(asyncio.to_thread(take, BATCH))
                began = time.monotonic()
                await self._stage(batch)
                await self._tools.share.rest(time.monotonic() - began)
        finally:
            # A thread may still read the file that is about to be closed.
            await asyncio.gather(coming, return_exceptions=True)

    async def _stage(self, batch: Sequence[Witnessed]) -> None:
        job, tools = self._job, self._tools
        asked = [one for one in batch if one.asked]
        people = {who.record_key: who for one in asked for who in one.people}
        fresh = [who for key, who in people.items() if key not in self._asked]
        standings, contacts = await tools.resolver.standings(job.place, asked, fresh)
        known = dict(zip((one.entry.number for one in asked), standings, strict=True))
        rows = [(one, class_of(one, known.get(one.entry.number))) for one in batch]
        shown = self._shown(rows)
        self._count(rows)
        portion = Portion(
            before=self._before,
            rows=rows,
            shown=shown,
            people=dict(zip(fresh, contacts, strict=True)),
            classes=self._classes,
            warnings=self._warnings,
            told=self._told,
            kept=await asyncio.to_thread(self._packed, batch) if self.keeps else None,
        )
        if not await append_entries(tools.store, job, portion):
            raise LostError("the import is read by another worker, or not at all any more")
        self._before += len(batch)
        self._remember(fresh)

    def _packed(self, batch: Sequence[Witnessed]) -> bytes | None:
        packed = pack([one.entry for one in batch])
        return packed and self._tools.vault.seal_if_open(packed)

    def _shown(self, rows: Sequence[tuple[Witnessed, RowClass]]) -> frozenset[int]:
        """Choose the entries that are shown: the first of each class."""
        counted = Counter(self._classes)
        numbers: set[int] = set()
        for one, row_class in rows:
            counted[row_class] += 1
            if one.shown and counted[row_class] <= SHOWN:
                numbers.add(one.entry.number)
        return frozenset(numbers)

    def _count(self, rows: Sequence[tuple[Witnessed, RowClass]]) -> None:
        left_out = Counter(one.entry.left_out for one, _ in rows if one.entry.left_out)
        self._told["left_out"] = dict(Counter(self._told.get("left_out", {})) + left_out)
        passed: Counter[str] = Counter(self._told.get("passed", {}))
        for one, _ in rows:
            passed.update(dict(one.entry.passed))
        self._told["passed"] = dict(passed)
        signed = sum(len(one.entry.signals) > 1 for one, _ in rows)
        self._told["signatures"] = self._told.get("signatures", 0) + signed
        counted = Counter(row_class for _, row_class in rows)
        self._classes.update(counted)
        self._warnings += sum(len(one.entry.notes) for one, _ in rows)
        self._tools.count(self._job.terms["source"], INVALID, counted["rejected"])
        for reason, count in left_out.items() if self._is_mail else ():
            metrics.MAIL_LEFT_OUT.labels(reason).inc(count)

    def _remember(self, people: Sequence[Person]) -> None:
        if len(self._asked) < MOST_REMEMBERED:
            self._asked.update(who.record_key for who in people)


def pass_over(entries: Iterator[Entry], count: int) -> None:
    """Read so many entries again that were dealt with before."""
    next(islice(entries, count, count), None)


def _take(entries: Iterator[Entry], tenant: str, tools: Tools, most: int) -> list[Witnessed]:
    """Take the next entries, within the bounds of one question."""
    taken: list[Witnessed] = []
    people = 0
    for entry in entries:
        taken.append(witness(entry, tenant, tools.rules))
        people += len(taken[-1].people)
        if len(taken) == most or people > BATCH_PEOPLE:
            break
    return taken


async def _end(job: Job, tools: Tools, told: dict[str, Any]) -> None:
    rows = await tools.store.fetch(job.place, "count_classes", job.id)
    classes = {row["class"]: row["rows"] for row in rows}
    if not classes.keys() - {"rejected"}:
        bad = await tools.store.fetch(job.place, "find_rows", job.id, 0, ["rejected"], None, 1)
        raise nothing_taken(sum(classes.values()), bad[0] if bad else None)
    [people] = await tools.store.fetch(job.place, "count_people", job.id)
    values = (orjson.dumps(classes).decode(), orjson.dumps({**told, "people": people}).decode())
    state = "executing" if job.terms.get("execute") else "ready"
    await tools.store.fetchrow(job.place, "end_entries", job.id, job.worker, *values, state)
