"""`/v1/imports/uploads`: resumable uploads by tus 1.0.0 (core, creation, termination, expiration).

Any tus client works; https://tus.io/protocols/resumable-upload says how. What an import is told
otherwise by query stands in `Upload-Metadata`, under the same names.
"""

import base64
import binascii
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from services.ingest.routes.doorway import bounded
from services.ingest.routes.imports import At, Calling, delete_import, not_now
from services.ingest.routes.problems import RESPONSES, ProblemError
from services.ingest.routes.receiving import (
    Wishes,
    begin,
    begin_reading,
    find,
    keep,
    most_bytes,
    terms_of,
)
from services.ingest.store.imports import Row
from shared.events.refusal import invalid

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,termination,expiration"
CONTENT_TYPE: Final = "application/offset+octet-stream"

router = APIRouter(tags=["imports"])


async def _speaks_tus(request: Request, response: Response) -> None:
    response.headers["Tus-Resumable"] = VERSION
    if request.headers.get("tus-resumable") != VERSION:
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED,
            f"say which protocol: Tus-Resumable: {VERSION}",
            headers={"Tus-Version": VERSION},
        )


Tus = Depends(_speaks_tus)


@router.options("/uploads", status_code=204)
async def options(doorway: At) -> Response:
    """Say what is spoken here."""
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(most_bytes("mail", doorway.settings)),
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


@router.post("/uploads", status_code=201, responses=RESPONSES, dependencies=[Tus])
async def post_upload(request: Request, caller: Calling, doorway: At) -> Response:
    """Begin an upload of `Upload-Length` bytes."""
    length = request.headers.get("upload-length", "")
    if not length.isdecimal() or not int(length):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "say how many bytes the file has: Upload-Length", field="file"
        )
    wishes = _wishes(request.headers.get("upload-metadata", ""))
    limit = most_bytes(wishes.kind, doorway.settings)
    if int(length) > limit:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the file may have at most {limit} bytes; split it",
            reason="too_large",
            field="file",
        )
    terms = await terms_of(wishes, caller, doorway)
    name, _ = await begin(doorway, caller, terms, int(length))
    row = await find(doorway, caller, name)
    headers = {**_headers(row), "Location": f"{request.url.path.rstrip('/')}/{name}"}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


@router.head("/uploads/{import_id}", responses=RESPONSES, dependencies=[Tus])
async def head_upload(import_id: str, caller: Calling, doorway: At) -> Response:
    """Say how much of a file is here."""
    row = await find(doorway, caller, import_id)
    headers = {**_headers(row), "Cache-Control": "no-store"}
    return Response(status_code=HTTPStatus.OK, headers=headers)


@router.patch("/uploads/{import_id}", status_code=204, responses=RESPONSES, dependencies=[Tus])
async def patch_upload(import_id: str, request: Request, caller: Calling, doorway: At) -> Response:
    """Take what comes of a file from `Upload-Offset` on; with its last byte it is read."""
    if request.headers.get("content-type") != CONTENT_TYPE:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send it as Content-Type: {CONTENT_TYPE}"
        )
    row = await find(doorway, caller, import_id)
    if row["state"] != "receiving" or row["file_bytes"] is None:
        raise not_now(row["state"], "receiving its file by resumable upload")
    offset, length = row["received_bytes"], row["file_bytes"]
    if request.headers.get("upload-offset") != str(offset):
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"the file goes on at byte {offset}: Upload-Offset",
            headers=_headers(row),
        )
    pieces = bounded(request, length - offset)
    end = await keep(doorway, caller.place, row["id"], pieces, offset)
    if end == length:
        await begin_reading(doorway, caller.place, row["id"], orjson.loads(row["terms"]), end)
    row = await find(doorway, caller, import_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_headers(row))


@router.delete("/uploads/{import_id}", status_code=204, responses=RESPONSES, dependencies=[Tus])
async def delete_upload(import_id: str, caller: Calling, doorway: At) -> Response:
    """Give an upload up."""
    answer = await delete_import(import_id, caller, doorway)
    answer.headers["Tus-Resumable"] = VERSION
    return answer


def _headers(row: Row) -> dict[str, str]:
    headers = {"Tus-Resumable": VERSION, "Upload-Offset": str(row["received_bytes"])}
    if row["file_bytes"] is not None:
        headers["Upload-Length"] = str(row["file_bytes"])
    if row["expires_at"] is not None:
        headers["Upload-Expires"] = format_datetime(row["expires_at"], usegmt=True)
    return headers


def _wishes(metadata: str) -> Wishes:
    """Read `Upload-Metadata`: names and values in base64, between commas; a list between spaces."""
    said: dict[str, Any] = {}
    for pair in filter(None, map(str.strip, metadata.split(","))):
        name, _, value = pair.partition(" ")
        try:
            said[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "must be names, each with its value in base64, between commas",
                reason="malformed",
                field="Upload-Metadata",
            ) from None
    if "own" in said:
        said["own"] = said["own"].split()
    try:
        return Wishes.model_validate(said)
    except ValidationError as error:
        raise invalid(error) from None
