"""`POST /v1/mail`: a mailbox or a message; what people wrote each other becomes activities."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http import HTTPStatus
from io import SEEK_END
from itertools import islice
from typing import Annotated, BinaryIO, Final, cast

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from ulid import ULID

from services.ingest.domain.mapping import Origin
from services.ingest.routes.doorway import Doorway, caller_of, doorway_of, traceparent_of
from services.ingest.routes.problems import RESPONSES, JsonResponse, ProblemError
from services.ingest.routes.uploads import file_of
from services.ingest.sources.mail.boxes import BoxKind, read_box, sniff_box, why_no_mail
from services.ingest.sources.mail.helping import Helpers
from services.ingest.sources.mail.own import OwnSurvey
from services.ingest.sources.mail.reading import MailNote, MailReader, MailTally, MailTerms, Taken
from services.ingest.store.outgoing import outgoing
from shared.auth import Caller, Place
from shared.events.envelope import rfc3339
from shared.events.signal import Region
from shared.events.wire import SourceName
from shared.identifiers.email import normalize_email
from shared.identifiers.types import Refused
from shared.kafka.producer import Outgoing
from shared.observability.metrics import MAIL_LEFT_OUT

IN_MEMORY: Final = 1 << 20
"""Bytes of an upload that are held before it goes to a temporary file, deleted at the end."""

SLICE: Final = 200
"""Signals that are read in a thread and sent at once."""

LARGE: Final = 32 << 20
"""Bytes of a mailbox from which on helpers read it too: they take most of a second to start."""

PROGRESS_SECONDS: Final = 1.0
"""How often a caller who asks for it is told how far the reading is."""

LINES: Final = "application/x-ndjson"
"""What to accept in order to be told: a JSON object per line, the last one is the report."""

MAX_OWN: Final = 200
"""Own addresses that a caller may name."""

router = APIRouter(tags=["mail"])


class MailWishes(BaseModel):
    """What the caller says about the mail."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: SourceName = Field(default="email_sync", description="Where the mail is from.")
    own: list[str] = Field(
        default=[],
        max_length=MAX_OWN,
        description="Addresses of the mailbox's user, who is no contact; repeat it for several. "
        "Those that the mail itself shows are added: folders of sent mail, Delivered-To.",
    )
    region: Region | None = Field(
        default=None,
        description="Country of national phone numbers in signatures, like DE, where the "
        "sender's domain is of no country.",
    )
    look: bool = Field(default=False, description="Say what would be taken, and take nothing.")


class MailReport(BaseModel):
    """What became of the messages: `messages` = `activities` + `refused` + all of `left_out`."""

    import_id: str
    kind: str = Field(description="mbox, eml or emlx.")
    source: str
    own: tuple[str, ...] = Field(description="Addresses taken for the user's own.")
    messages: int
    activities: int = Field(description="Messages that were taken, each once.")
    signatures: int = Field(description="Signatures that said something new of their sender.")
    refused: int = Field(description="Messages with a value that cannot be taken: see `notes`.")
    left_out: dict[str, int] = Field(
        description="Messages by reason: again, automatic, bot, chat, draft, list, no_reply, "
        "no_sender, nobody_else, spam, undated."
    )
    passed: dict[str, int] = Field(
        description="Mailboxes of messages taken that take no part, by reason: own, no_reply, "
        "bot, invalid, too_many."
    )
    notes: tuple[MailNote, ...] = Field(description="At most 1,000 parts that could not be read.")


_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file itself, or a form with one file: mbox, .eml or .emlx.",
        "content": {
            "application/mbox": {"schema": {"type": "string", "format": "binary"}},
            "message/rfc822": {"schema": {"type": "string", "format": "binary"}},
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
    "/v1/mail",
    status_code=202,
    response_model=MailReport,
    responses=RESPONSES,
    openapi_extra=_BODY,
)
async def post_mail(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
    wishes: Annotated[MailWishes, Query()],
) -> Response:
    """Take the mail of a file: who wrote to whom, and what signatures say.

    The answer comes when Kafka has acknowledged all of it; accept `application/x-ndjson` to be told
    how far it is.  The same mail again changes nothing; an undo of the import takes it back.
    """
    said = frozenset(_own(wishes.own))
    with ExitStack() as stack:
        spool = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
        async for piece in file_of(request, doorway.settings.max_mail_bytes):
            spool.write(piece)
        file = cast("BinaryIO", spool)
        kind = await asyncio.to_thread(sniff_box, file)
        if kind is None:
            raise why_no_mail(file)
        own = said | await asyncio.to_thread(_survey, file, kind)
        is_large = file.seek(0, SEEK_END) >= LARGE
        helpers = stack.enter_context(
            Helpers(doorway.settings.mail_helpers if is_large and kind == "mbox" else 0)
        )
        origin = _origin(request, caller)
        work = _Work(
            file, kind, wishes, doorway, helpers, place=caller.place, origin=origin, own=own
        )
        if LINES in request.headers.get("accept", ""):
            # The file lives until the last line is written.
            kept = stack.pop_all()
            return StreamingResponse(work.lines(kept), 202, media_type=LINES)
        async for _ in work.run():
            pass
    return JsonResponse(work.report().model_dump(), 202)


def _own(addresses: list[str]) -> Iterator[str]:
    for index, written in enumerate(addresses):
        address = normalize_email(written)
        if isinstance(address, Refused):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                address.reason,
                reason="invalid",
                field=f"own.{index}",
            )
        yield address


def _survey(file: BinaryIO, kind: BoxKind) -> frozenset[str]:
    survey = OwnSurvey()
    for stored in read_box(file, kind):
        survey.look_at(stored)
    return survey.learnt()


def _origin(request: Request, caller: Caller) -> Origin:
    now = rfc3339(datetime.now(UTC))
    import_id = f"imp_{ULID()}"
    return Origin(
        f"/kith/mail#{import_id}",
        caller.tenant,
        caller.workspace,
        now,
        now,
        traceparent_of(request),
        import_id,
    )


class _Work:
    """One file on its way: read in slices, each sent before the next is read."""

    def __init__(
        self,
        file: BinaryIO,
        kind: BoxKind,
        wishes: MailWishes,
        doorway: Doorway,
        helpers: Helpers,
        *,
        place: Place,
        origin: Origin,
        own: frozenset[str],
    ) -> None:
        terms = MailTerms(origin, wishes.source, own, datetime.now(UTC), wishes.region)
        self._reader = MailReader(terms, doorway.rules)
        self._taken = _read(file, kind, self._reader, helpers)
        self._import_id = origin.signal_id.rpartition("#")[2]
        self._kind = kind
        self._wishes = wishes
        self._doorway = doorway
        self._place = place

    async def run(self) -> AsyncIterator[MailTally]:
        """Send everything; yields the tally after every slice."""
        imports, number = self._doorway.imports, None
        coming = asyncio.create_task(self._slice())
        while taken := await coming:
            coming = asyncio.create_task(self._slice())
            try:
                if not self._wishes.look:
                    if number is None:  # before anything is on its way: it may break off half-way
                        number = await imports.note_direct(
                            self._place, self._import_id, self._wishes.source, self._kind
                        )
                    await self._doorway.producer.send_batch([_outgoing(one) for one in taken])
                yield self._reader.tally
            except BaseException:
                await asyncio.wait([coming])  # a thread reads the file that is about to be closed
                coming.exception()
                raise
        if number is not None:
            count = self._reader.tally.activities
            await imports.fetchrow(self._place, "count_direct", number, count)
        for reason, count in self._reader.tally.left_out.items():
            MAIL_LEFT_OUT.labels(reason).inc(count)

    async def _slice(self) -> list[Taken]:
        """Read the next signals; those before them are sent meanwhile."""
        return await asyncio.to_thread(lambda: list(islice(self._taken, SLICE)))

    async def lines(self, file: ExitStack) -> AsyncIterator[bytes]:
        """Write the progress now and then, and the report at the end."""
        told = time.monotonic()
        with file:
            async for tally in self.run():
                if time.monotonic() - told >= PROGRESS_SECONDS:
                    told = time.monotonic()
                    progress = {"messages": tally.messages, "activities": tally.activities}
                    yield orjson.dumps({"progress": progress}) + b"\n"
            report = self.report()
            yield orjson.dumps({"report": report.model_dump()}) + b"\n"

    def report(self) -> MailReport:
        """Return what became of the file."""
        tally = self._reader.tally
        return MailReport(
            import_id=self._import_id,
            kind=self._kind,
            source=self._wishes.source,
            own=tuple(sorted(self._reader.own)),
            messages=tally.messages,
            activities=tally.activities,
            signatures=tally.signatures,
            refused=tally.refused,
            left_out=dict(sorted(tally.left_out.items())),
            passed=dict(sorted(tally.passed.items())),
            notes=tuple(tally.notes),
        )


def _read(file: BinaryIO, kind: BoxKind, reader: MailReader, helpers: Helpers) -> Iterator[Taken]:
    for line, parts in helpers.parse(read_box(file, kind), reader.now):
        yield from reader.take_parsed(parts, line)


def _outgoing(taken: Taken) -> Outgoing:
    return outgoing(taken.normalized, taken.origin, is_activity=taken.is_activity, is_bulk=True)
