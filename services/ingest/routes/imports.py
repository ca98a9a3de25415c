"""`/v1/imports`: files of contacts, read and previewed; nothing is imported unless one says so."""

import asyncio
import tempfile
from http import HTTPStatus
from typing import Annotated, Any, BinaryIO, Final, cast

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from services.ingest.domain.imports import Reading
from services.ingest.domain.telling import MOST_NOTES, tell_import, tell_report
from services.ingest.routes.doorway import Doorway, caller_of, doorway_of
from services.ingest.routes.problems import RESPONSES, JsonResponse, ProblemError
from services.ingest.routes.receiving import (
    IN_MEMORY,
    Wishes,
    begin,
    begin_reading,
    find,
    keep,
    look,
    most_bytes,
    terms_of,
    with_file,
)
from services.ingest.routes.uploads import file_of
from services.ingest.store.imports import Row
from shared.auth import Caller

IMPORTS: Final = ("/v1/imports", "/api/v1/contacts/import")
"""Where imports are served: under our name, and under the customer's (DESIGN 9)."""

PAGE: Final = 50
"""Imports in one answer."""

router = APIRouter(tags=["imports"])

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, or a form with one file.",
        "content": {
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                "schema": {"type": "string", "format": "binary"}
            },
            "text/vcard": {"schema": {"type": "string", "format": "binary"}},
            "application/mbox": {"schema": {"type": "string", "format": "binary"}},
            "message/rfc822": {"schema": {"type": "string", "format": "binary"}},
            "text/calendar": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}

Calling = Annotated[Caller, Depends(caller_of)]
At = Annotated[Doorway, Depends(doorway_of)]


@router.post("", status_code=202, responses=RESPONSES, openapi_extra=BODY)
async def post_import(
    request: Request, caller: Calling, doorway: At, wishes: Annotated[Wishes, Query()]
) -> JsonResponse:
    """Upload contacts (CSV, .xlsx, JSON, vCard, LDIF, XML), mail (mbox, .eml), a calendar or a log.

    The answer comes when the file is kept and recognised. It is then read, and what each row would
    lead to is found out; look at it until its `state` is `ready`, choose, and execute it.
    """
    return await take(request, caller, doorway, wishes)


async def take(request: Request, caller: Caller, doorway: Doorway, wishes: Wishes) -> JsonResponse:
    """Begin an import by the file of a request."""
    terms = await terms_of(wishes, caller, doorway)
    name, number = await begin(doorway, caller, terms, None)
    most = most_bytes(wishes.kind, doorway.settings)
    try:
        size = await keep(doorway, caller.place, number, file_of(request, most))
        await begin_reading(doorway, caller.place, number, terms, size)
    except (ProblemError, ClientDisconnect):  # nobody can go on with it
        await doorway.imports.step(caller.place, "discard", number)
        raise
    answer = JsonResponse(tell_import(await find(doorway, caller, name)), 202)
    path = request.url.path.rstrip("/")
    answer.headers["Location"] = f"{path if path in IMPORTS else IMPORTS[0]}/{name}"
    return answer


@router.post("/reading", response_model=Reading, responses=RESPONSES, openapi_extra=BODY)
async def post_reading(
    request: Request, caller: Calling, doorway: At, wishes: Annotated[Wishes, Query()]
) -> JsonResponse:
    """Say how a file would be read, and keep nothing: its `columns` may be changed and sent."""
    terms = await terms_of(wishes, caller, doorway)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        async for piece in file_of(request, most_bytes(wishes.kind, doorway.settings)):
            spool.write(piece)
        looked = await asyncio.to_thread(look, doorway, cast("BinaryIO", spool), terms)
    return JsonResponse(Reading(**looked.reading).model_dump())


class Asked(BaseModel):
    """Which imports are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str | None = Field(default=None, description="Only those begun before this one.")
    limit: Annotated[int, Field(ge=1, le=PAGE)] = PAGE


@router.get("", responses=RESPONSES)
async def get_imports(
    caller: Calling, doorway: At, asked: Annotated[Asked, Query()]
) -> JsonResponse:
    """List the imports of the workspace, the newest first."""
    rows = await doorway.imports.find(caller.place, asked.before, asked.limit)
    return JsonResponse({"imports": [tell_import(row) for row in rows]})


@router.get("/{import_id}", responses=RESPONSES)
async def get_import(import_id: str, caller: Calling, doorway: At) -> JsonResponse:
    """Say where an import stands."""
    return JsonResponse(tell_import(await find(doorway, caller, import_id)))


@router.get("/{import_id}/report", responses=RESPONSES)
async def get_report(import_id: str, caller: Calling, doorway: At) -> JsonResponse:
    """Say what became of every row: counts, and which rows were rejected and why."""
    row = await find(doorway, caller, import_id)
    store, place = doorway.imports, caller.place
    rejected = await store.fetch(
        place, "find_rows", row["id"], 0, None, ["rejected"], MOST_NOTES
    ) or await store.fetch(place, "find_rows", row["id"], 0, ["rejected"], None, MOST_NOTES)
    noted = await store.fetch(place, "find_noted", row["id"], MOST_NOTES)
    return JsonResponse(tell_report(row, rejected, noted))


@router.put("/{import_id}/mapping", status_code=202, responses=RESPONSES)
async def put_mapping(
    import_id: str, caller: Calling, doorway: At, wishes: Annotated[Wishes, Query()]
) -> JsonResponse:
    """Read the file anew, with its columns as they are said to be now; choices are forgotten."""
    row = await find(doorway, caller, import_id)
    if row["state"] != "ready":
        raise not_now(row["state"], "ready")
    with_file(row)
    refuse_activities(row, "has no columns; discard it and import the file anew")
    terms = await terms_of(wishes, caller, doorway)
    # What the file is said to hold is no matter of its columns.
    said = orjson.loads(row["terms"])
    if "kind" in said:
        terms = {"kind": said["kind"], **terms}
    await begin_reading(doorway, caller.place, row["id"], terms, row["file_bytes"])
    return JsonResponse(tell_import(await find(doorway, caller, import_id)), 202)


@router.delete("/{import_id}", status_code=204, responses=RESPONSES)
async def delete_import(import_id: str, caller: Calling, doorway: At) -> Response:
    """Discard an import that was not executed, with its file and all that its rows say."""
    row = await find(doorway, caller, import_id)
    if not await doorway.imports.step(caller.place, "discard", row["id"]):
        raise not_now(row["state"], "receiving, reading, ready or failed")
    await doorway.uploads.delete(caller.place, row["id"])
    await doorway.imports.forget(caller.place, row["id"])
    return Response(status_code=HTTPStatus.NO_CONTENT)


def refuse_activities(row: Row, why: str) -> None:
    """Refuse what mail, calendars and logs cannot have."""
    if row["of_activities"]:
        raise ProblemError(HTTPStatus.CONFLICT, f"a file of activities {why}")


def not_now(state: str, needed: str) -> ProblemError:
    """Refuse what the import's state does not allow."""
    return ProblemError(
        HTTPStatus.CONFLICT, f"the import is {state}; that is for one that is {needed}"
    )
