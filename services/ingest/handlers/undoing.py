"""The last step of an import that was a mistake: all that it brought is taken back."""

from typing import Any, Final

import orjson

from services.ingest.handlers.tools import LostError, Tools
from services.ingest.store.imports import LEASE_SECONDS, Job
from shared.errors import TransientError

MOST_KEPT: Final = 1_000
"""Later edits that are listed; all of them are counted."""


async def undo(job: Job, tools: Tools) -> bool:
    """Take back a part of what an import brought; tells whether nothing is left of it."""
    told: dict[str, Any] = orjson.loads(job.row["undo"])
    while True:
        outcome, said = await tools.resolver.order(
            job.place, "retract_import", {"import_id": job.name}
        )
        if "remaining" not in said:
            raise TransientError(f"the resolver did not take back: {outcome}")
        kept = said.get("kept_edits", [])
        told = {
            "retracted": told.get("retracted", 0) + said["retracted"],
            "remaining": said["remaining"],
            "kept": told.get("kept", 0) + len(kept),
            "kept_edits": [*told.get("kept_edits", []), *kept][:MOST_KEPT],
        }
        words = orjson.dumps(told).decode()
        if not said["remaining"]:
            values = (job.id, job.worker, "undoing", "undone", words)
            await tools.store.fetchrow(job.place, "finish", *values)
            return True
        if (
            await tools.store.fetchrow(
                job.place, "note_undo", job.id, job.worker, words, LEASE_SECONDS
            )
            is None
        ):
            raise LostError("the import is undone by another worker")
