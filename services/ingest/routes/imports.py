"""`POST /v1/imports`: a file of contacts, read, sent on its own topic, a verdict on each row."""

import asyncio
import tempfile
from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, BinaryIO, Final, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from ulid import ULID

from services.ingest.domain.columns import read_choices
from services.ingest.domain.imports import ImportReport, Reading, Tally
from services.ingest.domain.mapping import Origin
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.routes.doorway import (
    Doorway,
    caller_of,
    doorway_of,
    traceparent_of,
)
from services.ingest.routes.mappings import NAME, no_mapping
from services.ingest.routes.problems import RESPONSES, JsonResponse, ProblemError
from services.ingest.routes.uploads import receive
from services.ingest.sources.reading import SOURCES, Terms, signals, survey
from services.ingest.sources.sniff import Sniffed, sniff
from shared.auth import Caller
from shared.events.envelope import rfc3339
from shared.events.signal import ImportSource, Region
from shared.events.topics import SIGNALS_NORMALIZED_BULK
from shared.events.wire import SourceName
from shared.kafka.producer import Outgoing

IN_MEMORY: Final = 1 << 20
"""Bytes of an upload that are held before it goes to a temporary file, deleted at the end."""

SLICE: Final = 200
"""Signals sent at once: about 20 ms of work, after which others get their turn."""

router = APIRouter(tags=["imports"])


class Wishes(BaseModel):
    """What the caller says about the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    filename: str | None = Field(
        default=None, max_length=255, description="Not kept: it may name a person."
    )
    source: SourceName | None = Field(
        default=None, description="Default: csv_upload or vcard_upload."
    )
    import_source: ImportSource | None = Field(
        default=None, description="Tag of the records that this import creates."
    )
    region: Region | None = Field(
        default=None, description="Country of the national phone numbers in the file, like DE."
    )
    mapping: str | None = Field(
        default=None,
        max_length=20_000,
        description='JSON, column → place: `{"Mobile": "phone[mobile]", "Shoe size": "skip"}`. '
        "What it does not name is read as suggested; other columns become custom fields.",
    )
    saved: str | None = Field(
        default=None,
        pattern=NAME,
        description="Name of a mapping kept under /v1/imports/mappings; `mapping` goes over it.",
    )


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, or a form with one file.",
        "content": {
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                "schema": {"type": "string", "format": "binary"}
            },
            "text/vcard": {"schema": {"type": "string", "format": "binary"}},
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


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=ImportReport,
    responses=RESPONSES,
    openapi_extra=_BODY,
)
async def post_import(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
    wishes: Annotated[Wishes, Query()],
) -> JsonResponse:
    """Import a table of contacts (CSV or .xlsx, of any product or none) or a vCard file.

    The answer comes when Kafka has acknowledged every row.  The same file again changes nothing,
    also with its rows in another order.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        digest = await receive(request, doorway.settings.max_file_bytes, spool)
        file = cast("BinaryIO", spool)
        choices = await _choices(wishes, caller, doorway)
        sniffed = await asyncio.to_thread(sniff, file, choices)
        import_id = f"imp_{ULID()}"
        now = rfc3339(datetime.now(UTC))
        origin = Origin(
            f"/kith/imports#{import_id}",
            caller.tenant,
            caller.workspace,
            now,
            now,
            traceparent_of(request),
        )
        terms = Terms(
            origin,
            wishes.source or SOURCES[sniffed.layout],
            doorway.settings.max_file_rows,
            wishes.import_source,
            wishes.region,
        )
        tally = await _send(file, sniffed, terms, doorway)
    earlier = await doorway.store.find_earlier(caller.place, digest)
    report = ImportReport(
        **sniffed.told(),
        import_id=import_id,
        source=terms.source,
        rows=tally.rows,
        accepted=tally.accepted,
        rejected_rows=tally.refused,
        blank_rows=tally.blank,
        rejected=tuple(tally.rejected),
        warnings=tuple(tally.warnings),
        same_file_as=earlier,
    ).model_dump()
    await doorway.store.append_import(caller.place, import_id, digest, report)
    return JsonResponse(report, 202)


@router.post(
    "/v1/imports/reading",
    response_model=Reading,
    responses=RESPONSES,
    openapi_extra=_BODY,
)
async def post_reading(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
    wishes: Annotated[Wishes, Query()],
) -> JsonResponse:
    """Say how a file would be read, and import nothing: its `columns` may be changed and sent."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        await receive(request, doorway.settings.max_file_bytes, spool)
        choices = await _choices(wishes, caller, doorway)
        sniffed = await asyncio.to_thread(sniff, cast("BinaryIO", spool), choices)
    return JsonResponse(Reading(**sniffed.told()).model_dump())


@router.get("/v1/imports/{import_id}", response_model=ImportReport, responses=RESPONSES)
async def get_import(
    import_id: str,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
) -> JsonResponse:
    """Say again what became of a file."""
    report = await doorway.store.find_import(caller.place, import_id)
    if report is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "this workspace has no import of that id")
    return JsonResponse(report)


async def _choices(wishes: Wishes, caller: Caller, doorway: Doorway) -> dict[str, str]:
    """Return what the operator says of columns: by a saved mapping, and with the file."""
    choices: dict[str, str] = {}
    if wishes.saved:
        saved = await doorway.store.find_mapping(caller.place, wishes.saved)
        if saved is None:
            raise no_mapping()
        choices |= saved
    return choices | read_choices(wishes.mapping) if wishes.mapping else choices


async def _send(file: BinaryIO, sniffed: Sniffed, terms: Terms, doorway: Doorway) -> Tally:
    seen: Counter[bytes] = Counter()
    for seen in survey(file, sniffed, terms, doorway.rules):  # noqa: B007  # the last one counts
        await asyncio.sleep(0)
    tally = Tally()
    outgoing: list[Outgoing] = []
    for origin, normalized in signals(file, sniffed, terms, doorway.rules, seen=seen, tally=tally):
        headers = normalized_headers(origin)
        topic = SIGNALS_NORMALIZED_BULK.name
        outgoing.append(Outgoing(topic, normalized.key, normalized.body, headers))
        if len(outgoing) >= SLICE:
            await doorway.producer.send_batch(outgoing)
            outgoing.clear()
    await doorway.producer.send_batch(outgoing)
    return tally
