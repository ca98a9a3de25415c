"""What every way of uploading a file comes to: pieces kept, a file recognised, an import begun."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, BinaryIO, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.requests import ClientDisconnect
from ulid import ULID

from services.ingest.domain.columns import read_choices
from services.ingest.domain.mapping import Origin
from services.ingest.routes.doorway import Doorway
from services.ingest.routes.mappings import NAME, no_mapping
from services.ingest.routes.problems import ProblemError
from services.ingest.settings import Settings
from services.ingest.sources.activity_files import (
    ActivityTerms,
    FileKind,
    check,
    layout_of,
    source_of,
)
from services.ingest.sources.reading import SOURCES
from services.ingest.sources.sniff import CallLogError, sniff
from services.ingest.sources.sniffed import LOG
from services.ingest.sources.survey import Survey
from services.ingest.store.imports import Row
from shared.auth import Caller, Place
from shared.errors import PoisonMessageError, ServiceError
from shared.events.envelope import rfc3339
from shared.events.signal import ImportSource, Region
from shared.events.wire import SourceName
from shared.identifiers.email import normalize_email
from shared.identifiers.types import Refused

IN_MEMORY: Final = 1 << 20
"""Bytes of a file that are held before it goes to a temporary one, deleted at the end."""


MAX_OWN: Final = 200
"""Own addresses that a caller may name."""


class Wishes(BaseModel):
    """What the caller says about the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: FileKind | None = Field(
        default=None,
        description="What the file holds; default: what it shows. To be said of activity signals, "
        "one a line, and of tables of calls that do not show it (activities); of mail over the "
        "size that other files may have (mail).",
    )
    filename: str | None = Field(
        default=None, max_length=255, description="Not kept: it may name a person."
    )
    source: SourceName | None = Field(
        default=None,
        description="Default: csv_upload or vcard_upload; of mail, calendars and logs email_sync, "
        "calendar, call_log, or what the line says.",
    )
    own: list[str] = Field(
        default=[],
        max_length=MAX_OWN,
        description="Of mail: addresses of the mailbox's user, who is no contact; repeat it for "
        "several. Those that the mail itself shows are added: folders of sent mail, Delivered-To.",
    )
    timezone: str = Field(
        default="UTC",
        max_length=64,
        description="Of logs: where times without an offset are read, an IANA name like "
        "Europe/Berlin.",
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
    execute: bool = Field(
        default=False,
        description="Import everything as the preview says, without waiting for a choice.",
    )

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone of IANA; give one like Europe/Berlin") from None
        return name


async def terms_of(wishes: Wishes, caller: Caller, doorway: Doorway) -> dict[str, Any]:
    """Return what an import keeps of its caller's wishes; a saved mapping is looked up."""
    choices: dict[str, str] = {}
    if wishes.saved:
        saved = await doorway.store.find_mapping(caller.place, wishes.saved)
        if saved is None:
            raise no_mapping()
        choices |= saved
    if wishes.mapping:
        choices |= read_choices(wishes.mapping)
    said = wishes.model_dump(
        include={"kind", "source", "import_source", "region", "timezone"}, exclude_none=True
    )
    own = sorted({_own(index, written) for index, written in enumerate(wishes.own)})
    return {**said, "own": own, "choices": choices, "execute": wishes.execute}


def _own(index: int, written: str) -> str:
    address = normalize_email(written)
    if isinstance(address, Refused):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            address.reason,
            reason="invalid",
            field=f"own.{index}",
        )
    return address


def most_bytes(kind: FileKind | None, settings: Settings) -> int:
    """Return how large a file may be."""
    return settings.max_mail_bytes if kind == "mail" else settings.max_file_bytes


async def begin(
    doorway: Doorway, caller: Caller, terms: dict[str, Any], size: int | None
) -> tuple[str, int]:
    """Begin an import whose file is still to come; returns its name and number."""
    name = f"imp_{ULID()}"
    hours = doorway.settings.keep_import_hours
    return name, await doorway.imports.create(caller.place, name, terms, size, hours)


async def keep(
    doorway: Doorway, place: Place, number: int, pieces: AsyncIterator[bytes], offset: int = 0
) -> int:
    """Keep what comes of a file, from `offset` on; returns where it ends.

    What came before a connection broke stays: a resumable upload goes on behind it.
    """
    held = bytearray()

    async def put() -> None:
        nonlocal offset
        begins, data = offset, bytes(held)
        if await doorway.uploads.put(place, number, begins, data):
            offset += len(data)
            held.clear()
            return
        raise ProblemError(
            HTTPStatus.CONFLICT, "the file is written by another request too; ask where it ends"
        )

    try:
        async for piece in pieces:
            held += piece
            if len(held) >= doorway.uploads.piece_bytes:
                await put()
    except ClientDisconnect:
        if held:
            await put()
        raise
    if held:
        await put()
    return offset


async def begin_reading(
    doorway: Doorway, place: Place, number: int, terms: dict[str, Any], size: int
) -> None:
    """Let an import be read whose file is whole.

    One that is of no known kind fails at once, and its file is not kept.

    `size`: bytes that were received.
    """
    try:
        async with doorway.uploads.opened(place, number, size) as whole:
            looked = await asyncio.to_thread(look, doorway, whole.file, terms, whole.survey)
    except PoisonMessageError as error:
        failure = {"reason": error.reason, "detail": error.detail, "field": error.field}
        if await doorway.imports.fail(place, number, failure):
            with suppress(ServiceError):  # what cannot be deleted now is found again
                await doorway.uploads.delete(place, number)
                await doorway.imports.fetchrow(place, "note_file_forgotten", number)
        raise
    declared = terms.get("declared_source", terms.get("source"))
    begun = await doorway.imports.begin_reading(
        place,
        number,
        digest=whole.digest,
        size=whole.size,
        reading=looked.reading,
        terms={**terms, "source": declared or looked.source, "declared_source": declared},
        of_activities=looked.of_activities,
    )
    if not begun:
        raise ProblemError(HTTPStatus.CONFLICT, "the import is not waiting for its file any more")
    doorway.wake()


class Looked(NamedTuple):
    """What a file was found to be."""

    reading: dict[str, Any]
    """As `services.ingest.domain.imports.Reading`."""
    source: str
    """Where it comes from, unless its caller says otherwise."""
    of_activities: bool


def look(
    doorway: Doorway, file: BinaryIO, terms: dict[str, Any], survey: Survey | None = None
) -> Looked:
    """Recognise a file, or refuse it with the reason."""
    kind = terms.get("kind")
    layout = layout_of(file, kind)
    if layout is None:
        try:
            sniffed = sniff(file, terms["choices"], survey)
        except CallLogError:
            if kind == "contacts":
                raise
            layout = LOG
        else:
            return Looked(sniffed.told(), SOURCES[sniffed.layout], of_activities=False)
    settings, now = doorway.settings, datetime.now(UTC)
    nobody = Origin("", "", "", rfc3339(now), rfc3339(now))
    trial = ActivityTerms(
        origin=nobody,
        now=now,
        layout=layout,
        source=terms.get("source"),
        own=frozenset(),
        region=terms.get("region"),
        timezone=terms["timezone"],
        max_rows=settings.max_file_rows,
    )
    check(file, trial, doorway.rules)
    told = {"layout": layout, "encoding": "", "encoding_assumed": False}
    return Looked(told, source_of(layout), of_activities=True)


async def find(doorway: Doorway, caller: Caller, import_id: str) -> Row:
    """Return an import of the caller's workspace, or answer 404."""
    row = await doorway.imports.get(caller.place, import_id)
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "this workspace has no import of that id")
    return row


def with_file(row: Row) -> Row:
    """Return an import whose file is still kept, or answer 410."""
    if row["purged_at"] is not None:
        raise ProblemError(HTTPStatus.GONE, "the file's time is up; its report is still there")
    if row["erased_at"] is not None:
        raise ProblemError(
            HTTPStatus.GONE,
            "somebody in the file was erased, and the file with them; its rows are still there",
        )
    return row
