"""What every way in shares: what it works with, who calls, and bodies within bounds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request

from services.ingest.domain.accounting import Sources
from services.ingest.domain.mapping import Rules
from services.ingest.routes.problems import ProblemError
from services.ingest.settings import Settings
from services.ingest.sources.survey import Survey
from services.ingest.store import Store
from services.ingest.store.copies import CopiedUploads
from services.ingest.store.imports import ImportStore
from services.ingest.store.sources import KnownSources
from shared.auth import Caller, KeyRing, bearer_token
from shared.kafka.pace import Share
from shared.kafka.producer import Producer
from shared.observability.traces import parse_traceparent

WRITE_SCOPE: Final = "signals:write"
"""What a key needs to send signals."""

READ_SCOPE: Final = "contacts:read"
"""What a key needs to be shown the contacts that rows would lead to."""

JUDGE_SCOPE: Final = "contacts:write"
"""What a key needs to say who is whom, and to take an import back."""

_FOREIGN: Final = frozenset(
    {"application/cloudevents+json", "application/cloudevents-batch+json", "text/csv"}
)
"""Media types of what is no list of signals, besides XML and what has several parts."""

LET_PASS_BYTES: Final = 64 * 1024 * 1024
"""Of a body that is refused, so much is taken before the connection closes."""

LET_PASS_SECONDS: Final = 5.0
"""And for so long, seconds."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """What the routes work with."""

    settings: Settings
    rules: Rules
    producer: Producer
    keys: KeyRing
    store: Store
    imports: ImportStore
    uploads: CopiedUploads[Survey]
    wake: Callable[[], None]
    """Says that an import has work to be done."""
    share: Share
    """Is told of live signals: files give way to them."""
    known: KnownSources
    """Which sources there are."""
    sources: Sources = field(default_factory=Sources)
    """Those that are counted by name."""


def doorway_of(request: Request) -> Doorway:
    """Return what the app was given."""
    doorway: Doorway = request.app.state.doorway
    return doorway


async def caller_of(request: Request, doorway: Annotated[Doorway, Depends(doorway_of)]) -> Caller:
    """Tell who calls, or refuse: without a valid key 401, without the scope 403."""
    token = bearer_token(request.headers.get("authorization"))
    caller = await doorway.keys.check(token) if token else None
    if caller is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "send a valid API key: Authorization: Bearer kith_…",
            headers={"WWW-Authenticate": 'Bearer realm="kith"'},
        )
    require(caller, WRITE_SCOPE)
    return caller


def require(caller: Caller, scope: str) -> None:
    """Refuse a caller whose key lacks a scope."""
    if scope not in caller.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"the API key lacks the scope {scope}")


def traceparent_of(request: Request) -> str | None:
    """Return the caller's trace context, if it is one."""
    text = request.headers.get("traceparent")
    return text if text and parse_traceparent(text) is not None else None


def refuse_foreign(request: Request) -> None:
    """Refuse a body that its headers say to be compressed, or to be no signal of kith's.

    Many clients name no media type for JSON, or that of a form: what is read is the body.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "the body is compressed; send it as it is, without Content-Encoding",
            field="Content-Encoding",
            headers={"Accept-Encoding": "identity"},
        )
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in _FOREIGN or media.endswith("xml") or media.startswith("multipart/"):
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "send JSON, as application/json; of a CloudEvent its data alone",
            field="Content-Type",
            headers={"Accept": "application/json"},
        )


async def bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body in pieces; refuse it as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "")
    pieces = request.stream()
    size = int(declared) if declared.isdigit() else 0
    if size > limit:
        await _let_pass(pieces)
        raise _too_large(limit)
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > limit:
            await _let_pass(pieces)
            raise _too_large(limit)
        yield piece


async def _let_pass(pieces: AsyncIterator[bytes]) -> None:
    """Take what a client is still sending, within bounds, and keep none of it.

    A connection closed upon unread bytes is reset, and with it goes the answer that says why.
    """
    left = LET_PASS_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LET_PASS_SECONDS):
            async for piece in pieces:
                left -= len(piece)
                if left < 0:
                    return


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body may have at most {limit} bytes; send it in several requests",
        reason="too_large",
        headers={"Connection": "close"},
    )
