"""What every way of uploading a file comes to: pieces kept, a file recognised, an import begun."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from ulid import ULID

from services.ingest.domain.columns import read_choices
from services.ingest.routes.doorway import Doorway
from services.ingest.routes.mappings import NAME, no_mapping
from services.ingest.routes.problems import ProblemError
from services.ingest.sources.reading import SOURCES
from services.ingest.sources.sniff import sniff
from services.ingest.store.imports import Row
from services.ingest.store.uploads import PIECE
from shared.auth import Caller, Place
from shared.errors import PoisonMessageError
from shared.events.signal import ImportSource, Region
from shared.events.wire import SourceName

IN_MEMORY: Final = 1 << 20
"""Bytes of a file that are held before it goes to a temporary one, deleted at the end."""


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
    execute: bool = Field(
        default=False,
        description="Import everything as the preview says, without waiting for a choice.",
    )


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
    said = wishes.model_dump(include={"source", "import_source", "region"}, exclude_none=True)
    return {**said, "choices": choices, "execute": wishes.execute}


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
        await doorway.uploads.put(place, number, begins, data)
        if await doorway.imports.fetchrow(place, "receive", number, begins, begins + len(data)):
            offset += len(data)
            held.clear()
            return
        raise ProblemError(
            HTTPStatus.CONFLICT, "the file is written by another request too; ask where it ends"
        )

    try:
        async for piece in pieces:
            held += piece
            if len(held) >= PIECE:
                await put()
    except ClientDisconnect:
        if held:
            await put()
        raise
    if held:
        await put()
    return offset


async def begin_reading(doorway: Doorway, place: Place, number: int, terms: dict[str, Any]) -> None:
    """Let an import be read whose file is whole; one that is no table of contacts fails at once."""
    choices = terms["choices"]
    try:
        async with doorway.uploads.opened(place, number) as whole:
            sniffed = await asyncio.to_thread(sniff, whole.file, choices, whole.survey)
    except PoisonMessageError as error:
        failure = {"reason": error.reason, "detail": error.detail, "field": error.field}
        await doorway.imports.fail(place, number, failure)
        raise
    begun = await doorway.imports.begin_reading(
        place,
        number,
        digest=whole.digest,
        size=whole.size,
        reading=sniffed.told(),
        terms={**terms, "source": terms.get("source") or SOURCES[sniffed.layout]},
    )
    if not begun:
        raise ProblemError(HTTPStatus.CONFLICT, "the import is not waiting for its file any more")
    doorway.wake()


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
