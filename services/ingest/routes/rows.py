"""`/v1/imports/{id}/…`: the rows of an import: shown, chosen about, executed, reported, undone."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final, NamedTuple

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.choosing import JUDGED, Choices, check
from services.ingest.domain.staging import RowClass
from services.ingest.domain.telling import tell_import, tell_row
from services.ingest.routes.doorway import JUDGE_SCOPE, READ_SCOPE, Doorway, require
from services.ingest.routes.imports import At, Calling, not_now
from services.ingest.routes.problems import RESPONSES, JsonResponse, ProblemError
from services.ingest.routes.receiving import IN_MEMORY, find, with_file
from services.ingest.sources.rejected_entries import MEDIA, write_rejected_entries
from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.rejects import media_of, write_rejects
from services.ingest.sources.sniff import sniff
from services.ingest.store.imports import Row
from shared.auth import Caller
from shared.errors import PoisonMessageError

PAGE: Final = 100
"""Rows in one answer."""

REJECTS: Final = 5_000
"""Rejected rows that are read at once."""

LOOK_SECONDS: Final = 0.4
"""Between two looks at an import's progress."""

WATCH_SECONDS: Final = 600.0
"""The longest that one connection is told of progress; a client connects again."""

QUIET_SECONDS: Final = 10.0
"""After so long without progress a comment keeps the connection."""

RESTING: Final = frozenset({"ready", "done", "failed", "undone", "discarded"})
"""States that only a caller changes."""


class _Step(NamedTuple):
    """What takes an import on."""

    query: str
    before: str
    after: tuple[str, ...]
    """States in which it was done before: the same again is no error."""


EXECUTE: Final = _Step("execute", "ready", ("executing", "done"))
UNDO: Final = _Step("begin_undo", "done", ("undoing", "undone"))

router = APIRouter(tags=["imports"])


class Asked(BaseModel):
    """Which rows are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    after: Annotated[int, Field(ge=0)] = Field(default=0, description="Only those behind it.")
    limit: Annotated[int, Field(ge=1, le=PAGE)] = 25
    row_class: list[RowClass] = Field(default=[], alias="class")
    verdict: list[str] = []


@router.get("/{import_id}/rows", responses=RESPONSES)
async def get_rows(
    import_id: str, caller: Calling, doorway: At, asked: Annotated[Asked, Query()]
) -> JsonResponse:
    """List rows in the order of the file, also while it is read.

    What they would change of whom is told to keys of scope `contacts:read`.
    """
    row = await find(doorway, caller, import_id)
    rows = await doorway.imports.fetch(
        caller.place,
        "find_rows",
        row["id"],
        asked.after,
        asked.row_class or None,
        asked.verdict or None,
        asked.limit,
    )
    facts = READ_SCOPE in caller.scopes
    return JsonResponse(
        {
            "rows": [tell_row(one, facts=facts) for one in rows],
            "next": rows[-1]["number"] if len(rows) == asked.limit else None,
        }
    )


@router.put("/{import_id}/choices", responses=RESPONSES)
async def put_choices(
    import_id: str, caller: Calling, doorway: At, choices: Choices
) -> JsonResponse:
    """Choose by class and by row; all or nothing of a request is kept.

    To say who is whom needs the scope `contacts:write`.
    """
    if any(one.choice in JUDGED for one in choices.rows):
        require(caller, JUDGE_SCOPE)
    row = await find(doorway, caller, import_id)
    if row["state"] != "ready":
        raise not_now(row["state"], "ready")
    numbers = [one.number for one in choices.rows]
    found = await doorway.imports.fetch(caller.place, "find_choosable", row["id"], numbers)
    known = {one["number"]: one for one in found}
    for one in choices.rows:
        if one.number not in known:
            raise PoisonMessageError("invalid", f"there is no row {one.number}", field="rows")
    chosen = [check(one, known[one.number]) for one in choices.rows]
    if not await doorway.imports.choose(caller.place, row["id"], choices.classes, chosen):
        raise not_now("not waiting any more", "ready")
    return JsonResponse(tell_import(await find(doorway, caller, import_id)))


@router.post("/{import_id}/execute", status_code=202, responses=RESPONSES)
async def post_execute(import_id: str, caller: Calling, doorway: At) -> JsonResponse:
    """Import what was not left out. The same again is no error, and does nothing twice."""
    return await _step(import_id, caller, doorway, EXECUTE)


@router.post("/{import_id}/undo", status_code=202, responses=RESPONSES)
async def post_undo(import_id: str, caller: Calling, doorway: At) -> JsonResponse:
    """Take back all that an import brought; what others changed since stays and is listed."""
    require(caller, JUDGE_SCOPE)
    return await _step(import_id, caller, doorway, UNDO)


async def _step(import_id: str, caller: Caller, doorway: Doorway, step: _Step) -> JsonResponse:
    row = await find(doorway, caller, import_id)
    if row["state"] == step.before:
        await doorway.imports.step(caller.place, step.query, row["id"])
        doorway.wake()
    elif row["state"] not in step.after:
        raise not_now(row["state"], step.before)
    return JsonResponse(tell_import(await find(doorway, caller, import_id)), 202)


@router.get("/{import_id}/events", response_class=StreamingResponse, responses=RESPONSES)
async def get_events(import_id: str, caller: Calling, doorway: At) -> StreamingResponse:
    """Tell of progress as it comes (server-sent events), until the import rests."""
    await find(doorway, caller, import_id)
    return StreamingResponse(
        _progress(import_id, caller, doorway),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _progress(import_id: str, caller: Caller, doorway: Doorway) -> AsyncIterator[bytes]:
    told, quiet = b"", 0.0
    for _ in range(int(WATCH_SECONDS / LOOK_SECONDS)):
        document = tell_import(await find(doorway, caller, import_id))
        words = orjson.dumps(document)
        if words != told:
            told, quiet = words, 0.0
            yield b"event: progress\ndata: " + words + b"\n\n"
        elif quiet >= QUIET_SECONDS:
            quiet = 0.0
            yield b": still at it\n\n"
        if document["state"] in RESTING:
            return
        quiet += LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)


@router.get("/{import_id}/rejects", response_class=Response, responses=RESPONSES)
async def get_rejects(import_id: str, caller: Calling, doorway: At) -> Response:
    """Download the rejected rows in their file's layout, each with its reason, to be corrected.

    Of mail, calendars and logs the messages, meetings and calls that were rejected.
    """
    row = with_file(await find(doorway, caller, import_id))
    rejects = await _rejects(row, caller, doorway)
    if not rejects:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    if row["of_activities"] and row["file_forgotten_at"] is not None:
        raise ProblemError(HTTPStatus.GONE, "the file is not kept any more; its rows still are")
    out = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed when it is sent
    choices: dict[str, Any] = orjson.loads(row["terms"]).get("choices", {})
    known = (row["file_bytes"], row["file_digest"])
    async with doorway.uploads.opened(caller.place, row["id"], *known) as whole:
        if row["of_activities"]:
            layout = orjson.loads(row["reading"])["layout"]
            await asyncio.to_thread(write_rejected_entries, whole.file, layout, rejects, out)
            media, ending = MEDIA[layout]
        else:
            sniffed = await asyncio.to_thread(sniff, whole.file, choices, whole.survey)
            await asyncio.to_thread(write_rejects, whole.file, sniffed, rejects, out)
            media, ending = media_of(sniffed)
    return StreamingResponse(
        _pieces(out),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{import_id}-rejects.{ending}"'},
    )


async def _rejects(row: Row, caller: Caller, doorway: Doorway) -> list[Reject]:
    found: list[Reject] = []
    after = 0
    while rows := await doorway.imports.fetch(
        caller.place, "find_rejects", row["id"], after, REJECTS
    ):
        for one in rows:
            place = f"{one['field']}: " if one["field"] else ""
            reason = f"{place}{one['reason']}"
            found.append(Reject(one["line"], one["end_line"], reason, one["number"]))
        after = rows[-1]["number"]
    return found


async def _pieces(file: "tempfile.SpooledTemporaryFile[bytes]") -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(1 << 16):
            yield piece
