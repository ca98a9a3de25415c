"""The second step of an import of activities: its file is read again, and sent.

What was chosen stands in the rows; what an entry says comes from the file. Read by the same terms
it says the same, so that it may stop anywhere and go on in another process.
"""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import orjson

from services.ingest.domain.accounting import ACCEPTED
from services.ingest.domain.entries import Entry
from services.ingest.domain.witnessing import SIGNATURE, people_of, settle_entry
from services.ingest.handlers.reading_entries import pass_over
from services.ingest.handlers.tools import LostError, Tools, activity_terms_of, name_of
from services.ingest.sources.activity_files import reading
from services.ingest.store.entries import skip_entries
from services.ingest.store.imports import LEASE_SECONDS, Job, Row
from services.ingest.store.outgoing import outgoing

SLICE: Final = 200
"""Entries that are read in a thread and sent at once."""

ASKED: Final = 500
"""Entries that are asked about at once."""

ERASED: Final = "of somebody who was erased"

_LOST: Final = "the import is executed by another worker"


async def send_entries(job: Job, tools: Tools) -> None:
    """Send what was not left out, from where it stopped."""
    sent_to: int = job.row["sent_to"]
    if sent_to >= job.row["staged"]:
        return
    own = orjson.loads(job.row["told"])["own"]
    async with tools.uploads.opened(job.place, job.id, job.row["file_bytes"]) as whole:
        terms = activity_terms_of(job, tools.settings, own)
        with reading(whole.file, terms, tools.rules) as entries:
            await asyncio.to_thread(pass_over, entries, sent_to)
            coming = asyncio.create_task(asyncio.to_thread(_take, entries))
            try:
                while batch := await coming:
                    coming = asyncio.create_task(asyncio.to_thread(_take, entries))
                    began = time.monotonic()
                    await _send(job, tools, batch)
                    await tools.share.rest(time.monotonic() - began)
            finally:
                # A thread may still read the file that is about to be closed.
                await asyncio.gather(coming, return_exceptions=True)


def _take(entries: Iterator[Entry]) -> list[Entry]:
    return list(islice(entries, SLICE))


async def _send(job: Job, tools: Tools, batch: Sequence[Entry]) -> None:
    first, last = batch[0].number, batch[-1].number
    rows = await tools.store.fetch(job.place, "find_sendable_entries", job.id, first, last)
    wanted = {row["number"] for row in rows}
    sending = [one for one in batch if one.number in wanted]
    erased = await tools.store.fetch(job.place, "find_erased", job.id)
    if erased:
        sending = await _without(job, tools, sending, {row["record_key"] for row in erased})
    await tools.producer.send_batch(
        [
            outgoing(one.normalized, one.origin, is_activity=one.is_activity, is_bulk=True)
            for entry in sending
            for one in entry.signals
        ]
    )
    tools.count(job.terms["source"], ACCEPTED, len(sending))
    values = (job.id, job.worker, last, LEASE_SECONDS)
    if await tools.store.fetchrow(job.place, "note_sent", *values) is None:
        raise LostError(_LOST)


async def _without(
    job: Job, tools: Tools, sending: Sequence[Entry], erased: Collection[bytes]
) -> list[Entry]:
    """Leave out what somebody takes part in who was erased since the file came."""
    theirs = {one.number for one in sending if not people_of(one).isdisjoint(erased)}
    if theirs and not await skip_entries(tools.store, job, sorted(theirs), ERASED):
        raise LostError(_LOST)
    return [one for one in sending if one.number not in theirs]


async def collect_entries(job: Job, tools: Tools) -> int | None:
    """Ask for verdicts in the order of the file; tells the first entry that still waits."""
    after: int = job.row["concluded_to"]
    waits_at: int | None = None
    while rows := await tools.store.fetch(job.place, "find_open_entries", job.id, after, ASKED):
        outcomes = await _outcomes(job, tools, rows)
        settled = [
            one
            for row, told in zip(rows, outcomes, strict=True)
            if (one := settle_entry(row["number"], told)) is not None
        ]
        if not await tools.store.conclude(job, settled):
            raise LostError(_LOST)
        if len(settled) < len(rows):
            if waits_at is None:
                given = {one.number for one in settled}
                waits_at = next(row["number"] for row in rows if row["number"] not in given)
            if not settled:
                break  # what comes behind was sent later
        after = rows[-1]["number"]
    return waits_at


async def _outcomes(job: Job, tools: Tools, rows: Sequence[Row]) -> list[list[dict[str, Any]]]:
    """Ask what became of entries: of each its activity, then what else it said."""
    name = name_of(job.name)
    asked = [orjson.loads(row["asked"]) for row in rows]
    ids = [f"{name}/{row['number']}" for row in rows]
    activities = [
        {"signal_id": own, **one["activity"]} for own, one in zip(ids, asked, strict=True)
    ]
    records = [
        {"signal_id": own + SIGNATURE, **one["record"]}
        for own, one in zip(ids, asked, strict=True)
        if "record" in one
    ]
    happened, said = await tools.resolver.outcomes(job.place, activities, records)
    rest = iter(said)
    return [
        [told, next(rest)] if "record" in one else [told]
        for told, one in zip(happened, asked, strict=True)
    ]
