"""`POST /v1/activities`: a calendar, a log of calls or messages, or signals, one a line."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, BinaryIO, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from ulid import ULID

from services.ingest.domain.mapping import Normalized, Origin
from services.ingest.routes.doorway import (
    Doorway,
    bounded,
    caller_of,
    doorway_of,
    traceparent_of,
)
from services.ingest.routes.problems import RESPONSES, JsonResponse
from services.ingest.sources.activities import SLICE, Account, Terms, activities, layout_of, survey
from services.ingest.store.outgoing import outgoing
from shared.auth import Caller
from shared.events.envelope import rfc3339
from shared.events.signal import Region
from shared.events.wire import SourceName
from shared.kafka.producer import Outgoing

IN_MEMORY: Final = 1 << 20
"""Bytes of an upload that are held before it goes to a temporary file, deleted at the end."""

router = APIRouter(tags=["activities"])


class Wishes(BaseModel):
    """What the caller says about the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: SourceName | None = Field(
        default=None, description="Default: calendar, call_log, or what the line says."
    )
    region: Region | None = Field(
        default=None, description="Country of the national phone numbers in the file, like DE."
    )
    timezone: str = Field(
        default="UTC",
        max_length=64,
        description="Where times without an offset are read, an IANA name like Europe/Berlin.",
    )

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone of IANA; give one like Europe/Berlin") from None
        return name


class Note(BaseModel):
    """Something to know about one activity of a file."""

    line: int = Field(description="Line where it begins, from 1.")
    field: str = Field(description="Column, property or field; empty: the activity as a whole.")
    reason: str = Field(description="What is wrong and what would be right.")


class ActivityReport(BaseModel):
    """What became of a file of activities."""

    import_id: str
    layout: str = Field(description="calendar, call-log, phone-backup or json-lines.")
    accepted: int = Field(description="Each occurrence of a recurring event counts.")
    rejected_activities: int
    passed_over: int = Field(description="Events with nobody invited, withheld numbers, blanks.")
    rejected: tuple[Note, ...] = Field(description="At most 1,000 of the rejected ones.")
    warnings: tuple[Note, ...] = Field(description="At most 1,000 values that were left out.")


_FILE = {"schema": {"type": "string", "format": "binary"}}
_TYPES = ("text/calendar", "text/csv", "application/jsonl", "application/octet-stream")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself; what it is, it says.",
        "content": dict.fromkeys(_TYPES, _FILE),
    }
}


@router.post(
    "/v1/activities",
    status_code=202,
    response_model=ActivityReport,
    responses=RESPONSES,
    openapi_extra=_BODY,
)
async def post_activities(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
    wishes: Annotated[Wishes, Query()],
) -> JsonResponse:
    """Import a calendar (.ics), a table of calls or messages, or activity signals, one a line.

    The answer comes when Kafka has acknowledged every activity.  The same file again changes
    nothing; `POST /v1/imports/{import_id}/undo` takes it back.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        async for piece in bounded(request, doorway.settings.max_file_bytes):
            spool.write(piece)
        file = cast("BinaryIO", spool)
        now = datetime.now(UTC)
        import_id, received_at = f"imp_{ULID()}", rfc3339(now)
        terms = Terms(
            origin=Origin(
                f"/kith/activities#{import_id}",
                caller.tenant,
                caller.workspace,
                received_at,
                received_at,
                traceparent_of(request),
                import_id,
            ),
            now=now,
            layout=layout_of(file),
            source=wishes.source,
            region=wishes.region,
            zone=ZoneInfo(wishes.timezone),
            max_rows=doorway.settings.max_file_rows,
        )
        account = await _send(file, terms, doorway, caller)
    report = ActivityReport(
        import_id=import_id,
        layout=terms.layout,
        accepted=account.accepted,
        rejected_activities=account.refused,
        passed_over=account.passed,
        rejected=tuple(Note(**note) for note in account.rejected),
        warnings=tuple(Note(**note) for note in account.warnings),
    )
    return JsonResponse(report.model_dump(), 202)


async def _send(file: BinaryIO, terms: Terms, doorway: Doorway, caller: Caller) -> Account:
    counted = survey(file, terms, doorway.rules)
    while await asyncio.to_thread(next, counted, None) is not None:
        pass
    account = Account()
    found = activities(file, terms, doorway.rules, account)
    imports, number = doorway.imports, None
    while messages := await asyncio.to_thread(_slice, found):
        if number is None:  # before anything is on its way: it may break off half-way
            name = terms.origin.import_id or ""
            number = await imports.note_direct(caller.place, name, terms.source, terms.layout)
        await doorway.producer.send_batch(messages)
    if number is not None:
        await imports.fetchrow(caller.place, "count_direct", number, account.accepted)
    return account


def _slice(found: Iterator[tuple[Origin, Normalized]]) -> list[Outgoing]:
    return [
        outgoing(normalized, origin, is_activity=True, is_bulk=True)
        for origin, normalized in islice(found, SLICE)
    ]
