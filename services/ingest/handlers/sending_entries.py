"""The second step of an import of activities: its file is read again, and sent.

What was chosen stands in the rows; what an entry says comes from the file, or of a large mailbox
from what the preview kept of it. Read by the same terms
it says the same, so that it may stop anywhere and go on in another process. Each entry is held to
its row all the same: a newer release may read a file differently, and what was chosen about one
message must not fall on another.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final, Literal

import orjson

from services.ingest.domain.accounting import ACCEPTED
from services.ingest.domain.entries import Entry, Taken, unpack
from services.ingest.domain.settling import Settled
from services.ingest.domain.witnessing import SIGNATURE, people_of, reads_as, settle_entry
from services.ingest.handlers.collecting import LOST
from services.ingest.handlers.tools import LostError, Tools, activity_terms_of, name_of
from services.ingest.sources.activity_files import helpers_for, reading
from services.ingest.store.entries import skip_entries
from services.ingest.store.imports import LEASE_SECONDS, PORTION, Job, Row
from services.ingest.store.outgoing import outgoing
from shared.errors import PoisonMessageError, TransientError
from shared.observability.logs import get_logger

log = get_logger(__name__)

SLICE: Final = 200
"""Entries that are read in a thread and sent at once."""

PATIENCE: Final = timedelta(days=1)
"""How long an import is tried again that stands still for a fault."""

MOST_CARRIED: Final = 50_000
"""Signatures that are remembered of messages that are left out; some kilobytes each."""

ERASED: Final = "of somebody who was erased"

CHANGED: Final = "reads differently from what was previewed; import the file again"

SHORTER: Final = "was not found when the file was read again; import it again"


async def send_entries(job: Job, tools: Tools) -> None:
    """Send what was not left out, from where it stopped.

    What the file does not say any more as it did when it was previewed is rejected, with the
    reason: an import that cannot be read to its end ends all the same.
    """
    sending = _Sending(job, tools)
    if sending.is_done:
        return
    reason = SHORTER
    try:
        await sending.send_all()
    except LostError:
        raise
    except PoisonMessageError as error:
        reason = f"was not sent, as the file cannot be read again: {error.detail}"
    except Exception as error:
        if not await _is_given_up(job, tools, may_pass=isinstance(error, TransientError)):
            raise
        reason = f"was not sent, as the file could not be read for a day: {type(error).__name__}"
    if not sending.is_done:
        log.info("the rest of an import is not sent", import_id=job.name, reason=reason)
        await sending.reject_rest(reason)


async def _is_given_up(job: Job, tools: Tools, *, may_pass: bool) -> bool:
    """Tell whether an import has stood still for too long; what may pass has until it expires."""
    told = await tools.store.fetchrow(job.place, "get_idle", job.id)
    return told is not None and told["idle"] > PATIENCE and (told["is_due"] or not may_pass)


class _Sending:
    """Entries on their way from the file to Kafka."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self._job = job
        self._tools = tools
        self._staged: int = job.row["staged"]
        self._sent_to: int = job.row["sent_to"]
        self._carried: dict[int, Taken] = {}
        """What entries say of their senders that were not sent, or maybe not, by number."""

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left to be sent."""
        return self._sent_to >= self._staged

    async def send_all(self) -> None:
        """Send the entries behind those that were sent, as they were found or read again."""
        await self._send_kept()
        if not self.is_done:
            await self._send_read()

    async def _send_kept(self) -> None:
        """Send what the preview kept, up to where it kept nothing.

        From the first entry on, also where some were sent: what those say that are left out is
        carried in memory alone, and any that comes may repeat it.
        """
        number = 1
        while not self.is_done and (entries := await self._kept(number)):
            number = entries[-1].number + 1
            sent = self._sent_to
            self._carry(one for one in entries if one.number <= sent)
            coming = iter([one for one in entries if one.number > sent])
            while batch := _take(coming):
                await self._send_in_turn(batch)

    async def _kept(self, number: int) -> list[Entry]:
        """Return the entries that were kept together from that one on; none: read the file."""
        job, tools = self._job, self._tools
        row = await tools.store.fetchrow(job.place, "get_kept_entries", job.id, number)
        if row is None:
            return []

        def opened(data: bytes) -> list[Entry]:
            return unpack(tools.vault.unseal_if_sealed(data))

        entries = await asyncio.to_thread(opened, row["data"])
        return entries if entries and entries[0].number == number else []

    async def _send_in_turn(self, batch: Sequence[Entry]) -> None:
        began = time.monotonic()
        await self._send(batch)
        await self._tools.share.rest(time.monotonic() - began)

    async def _send_read(self) -> None:
        """Send what the file says; the next entries are read meanwhile."""
        job, tools = self._job, self._tools
        own = orjson.loads(job.row["told"])["own"]
        known = (job.row["file_bytes"], job.row["file_digest"])
        async with tools.uploads.opened(job.place, job.id, *known) as whole:
            terms = activity_terms_of(job, tools.settings, own)
            with helpers_for(whole.file, terms.layout, tools.settings.mail_helpers) as helpers:
                entries = reading(whole.file, terms, tools.rules, helpers)
                await asyncio.to_thread(self._carry, islice(entries, self._sent_to))
                coming = asyncio.create_task(asyncio.to_thread(_take, entries))
                try:
                    while not self.is_done and (batch := await coming):
                        coming = asyncio.create_task(asyncio.to_thread(_take, entries))
                        await self._send_in_turn(batch)
                finally:
                    # A thread may still read the file that is about to be closed.
                    await asyncio.gather(coming, return_exceptions=True)

    async def reject_rest(self, reason: str) -> None:
        """Give a verdict to all that was not sent."""
        while not self.is_done:
            last = min(self._sent_to + PORTION, self._staged)
            await self._leave_out([*range(self._sent_to + 1, last + 1)], "rejected", reason)
            await self._note(last)

    async def _send(self, batch: Sequence[Entry]) -> None:
        job, tools = self._job, self._tools
        first, last = batch[0].number, min(batch[-1].number, self._staged)
        rows = await tools.store.fetch(job.place, "find_sendable_entries", job.id, first, last)
        asked = {row["number"]: row["asked"] for row in rows}
        wanted = [one for one in batch if one.number in asked]
        sending = [one for one in wanted if reads_as(one, asked[one.number])]
        if len(sending) < len(wanted):
            changed = {one.number for one in wanted} - {one.number for one in sending}
            await self._leave_out(sorted(changed), "rejected", CHANGED)
        erased = await tools.store.fetch(job.place, "find_erased", job.id)
        if erased:
            sending = await self._without(sending, {row["record_key"] for row in erased})
        sent = {one.number for one in sending}
        self._carry(one for one in batch if one.number not in sent)
        signals = [one for entry in sending for one in entry.signals]
        signals += await self._said_elsewhere(sending)
        await tools.producer.send_batch(
            [
                outgoing(one.normalized, one.origin, is_activity=one.is_activity, is_bulk=True)
                for one in signals
            ]
        )
        tools.count(job.terms["source"], ACCEPTED, len(sending))
        await self._note(last)

    def _carry(self, entries: Iterable[Entry]) -> None:
        for one in entries:
            if len(one.signals) > 1 and len(self._carried) < MOST_CARRIED:
                self._carried[one.number] = one.signals[1]

    async def _said_elsewhere(self, sending: Sequence[Entry]) -> list[Taken]:
        """Return what entries say of their senders, where only one left out has the signal."""
        repeated = sorted(self._carried.keys() & {one.repeats for one in sending})
        if not repeated:
            return []
        job = self._job
        rows = await self._tools.store.fetch(job.place, "find_skipped_entries", job.id, repeated)
        said = {number: self._carried.pop(number) for number in repeated}
        return [said[row["number"]] for row in rows]

    async def _without(self, sending: Sequence[Entry], erased: Collection[bytes]) -> list[Entry]:
        """Leave out what somebody takes part in who was erased since the file came."""
        theirs = {one.number for one in sending if not people_of(one).isdisjoint(erased)}
        if theirs:
            await self._leave_out(sorted(theirs), "skipped", ERASED)
        return [one for one in sending if one.number not in theirs]

    async def _leave_out(
        self, numbers: Sequence[int], verdict: Literal["skipped", "rejected"], reason: str
    ) -> None:
        if not await skip_entries(self._tools.store, self._job, numbers, verdict, reason):
            raise LostError(LOST)

    async def _note(self, last: int) -> None:
        job = self._job
        values = (job.id, job.worker, last, LEASE_SECONDS)
        if await self._tools.store.fetchrow(job.place, "note_sent", *values) is None:
            raise LostError(LOST)
        self._sent_to = last


def _take(entries: Iterator[Entry]) -> list[Entry]:
    return list(islice(entries, SLICE))


async def ask_entries(job: Job, tools: Tools, rows: Sequence[Row]) -> list[Settled]:
    """Ask what became of entries; tells the verdicts of those of which all is decided."""
    outcomes = await _outcomes(job, tools, rows)
    return [
        one
        for row, told in zip(rows, outcomes, strict=True)
        if (one := settle_entry(row["number"], told)) is not None
    ]


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
