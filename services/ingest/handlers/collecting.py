"""What became of all that an import sent, asked portion by portion in the order of the file."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from services.ingest.domain.settling import Settled
from services.ingest.handlers.tools import LostError, Tools
from services.ingest.store.imports import Job, Row

ASKED: Final = 500
"""Rows that are asked about at once."""

LOST: Final = "the import is executed by another worker"

Ask = Callable[[Job, Tools, Sequence[Row]], Awaitable[list[Settled]]]
"""Tells the verdicts of those rows that have one by now."""


async def collect(job: Job, tools: Tools, find: str, ask: Ask) -> int | None:
    """Ask for verdicts of the rows that `find` finds; tells the first row that still waits."""
    after: int = job.row["concluded_to"]
    waits_at: int | None = None
    while rows := await tools.store.fetch(job.place, find, job.id, after, ASKED):
        began = time.monotonic()
        settled = await ask(job, tools, rows)
        if not await tools.store.conclude(job, settled):
            raise LostError(LOST)
        if len(settled) < len(rows):
            if waits_at is None:
                given = {one.number for one in settled}
                waits_at = next(row["number"] for row in rows if row["number"] not in given)
            if not settled:
                break  # what comes behind was sent later
        await tools.share.rest(time.monotonic() - began)
        after = rows[-1]["number"]
    return waits_at
