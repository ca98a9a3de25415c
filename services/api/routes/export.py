"""`/api/v1/contacts/export`: contacts as a file, sent while they are read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from services.api.domain.contacts import ROOT
from services.api.domain.custom_fields import fields_by_key
from services.api.domain.documents import ErrorDocument
from services.api.domain.export.files import KINDS, TABLES, text_of
from services.api.domain.export.record import Record, chosen, compose
from services.api.domain.export.request import (
    EXPORT_ALIASES,
    EXPORT_PARAMETERS,
    MAX_BODY,
    ExportBody,
    ExportRequest,
    file_name,
    missing_contacts,
    parse_export,
    parse_export_body,
    too_many,
)
from services.api.domain.export.table import MAX_CUSTOM, Layout, is_header
from services.api.domain.history import HISTORY_SORT, history_resource
from services.api.domain.listing import CUSTOM_FILTER
from services.api.domain.paging import PageRequest
from services.api.domain.parameters import Parameters
from services.api.domain.problems import Problem, RequestError
from services.api.routes.answers import ERRORS
from services.api.routes.gate import InStore, file_reader, reach_position
from services.api.routes.narrowing import narrowed
from services.api.routes.openapi import documented
from services.api.routes.workbook import MAX_ROWS, Workbook
from services.api.settings import ExportSettings
from services.api.store import Store
from shared.auth import Place
from shared.observability import metrics
from shared.observability.logs import get_logger

log = get_logger(__name__)

TOTAL_HEADER: Final = "Kith-Total"
"""The response header that says how many contacts the file will hold, about: they may change."""

HISTORY_PAGE: Final = 1_000
"""Entries of a history that are read at once."""

_RETRY_SECONDS: Final = "5"

FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file. `Kith-Total` says how many contacts it holds.",
        "content": {kind.media_type: {} for kind in KINDS.values()},
    },
    404: {"model": ErrorDocument, "description": "A contact that is named is not known here."},
}
"""What an export is answered with."""

router = APIRouter(prefix=f"{ROOT}/contacts", tags=["export"], responses=ERRORS)


class Exports:
    """How many exports one replica works on at once: each holds a database connection at times."""

    def __init__(self, settings: ExportSettings) -> None:
        self.settings = settings
        self._running = 0

    def begin(self) -> None:
        """Take a place; raises 503 when there is none."""
        if self._running >= self.settings.at_once:
            problem = Problem(
                503,
                "too_many_exports",
                "Too many exports",
                "Other exports are being written; this one can begin when one of them ends.",
            )
            raise RequestError([problem], {"Retry-After": _RETRY_SECONDS})
        self._running += 1

    def end(self) -> None:
        """Give the place back."""
        self._running -= 1


class Download(StreamingResponse):
    """A file that is written as it is sent."""

    def __init__(
        self, pieces: AsyncGenerator[bytes], request: ExportRequest, total: int, exports: Exports
    ) -> None:
        kind = KINDS[request.format]
        name = file_name(request, datetime.now(UTC).date().isoformat())
        super().__init__(
            pieces,
            media_type=kind.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                TOTAL_HEADER: str(total),
                "Cache-Control": "private, no-store",
                "Vary": "Accept, Authorization",
                "X-Content-Type-Options": "nosniff",
            },
        )
        self._exports = exports

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._exports.end()


def exports_of(request: Request) -> Exports:
    """Return what bounds the exports of this replica."""
    exports: Exports = request.app.state.exports
    return exports


InExports = Annotated[Exports, Depends(exports_of)]
"""What bounds exports."""
Exporter = Annotated[Place, Depends(file_reader)]
"""Where the caller may read; they need not accept JSON."""


@router.get(
    "/export",
    summary="Export contacts",
    response_class=StreamingResponse,
    responses=FILES,
    openapi_extra=documented(EXPORT_PARAMETERS),
)
async def get_export(
    request: Request, place: Exporter, store: InStore, exports: InExports
) -> Download:
    """Contacts of the workspace as a file: all, those that a filter leaves, a group, or by id.

    CSV and workbooks have the columns that `docs/formats.md` lists and keep spreadsheets from
    computing what contacts say; JSON is what `POST /v1/signals` takes. `kith import` reads all of
    them but JSON back without loss. An archived or merged contact is exported where it is asked
    for; the id of a contact that was merged stands for the one that it is now. The parameters
    `ids`, `fields` and `group` are short for `filter[id]`, `fields[contacts]`, `filter[label]`.
    """
    items = request.query_params.multi_items()
    return await _export(request, items, place, store, exports)


@router.post(
    "/export",
    summary="Export contacts, many of them named",
    response_class=StreamingResponse,
    responses=FILES,
    openapi_extra={
        "security": [{"apiKey": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["meta"],
                        "properties": {"meta": ExportBody.model_json_schema()},
                    }
                }
            },
        },
    },
)
async def post_export(
    request: Request, place: Exporter, store: InStore, exports: InExports
) -> Download:
    """Do the same as `GET` for up to 10,000 ids: a URL has no room for them."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise RequestError(
                [Problem(413, "too_large", "Too large", f"At most {MAX_BODY} bytes.")]
            )
    return await _export(request, parse_export_body(bytes(body)), place, store, exports)


async def _export(
    request: Request, items: list[tuple[str, str]], place: Place, store: Store, exports: Exports
) -> Download:
    parameters = Parameters(
        items, known=EXPORT_PARAMETERS, aliases=EXPORT_ALIASES, family=CUSTOM_FILTER
    )
    asked = parse_export(parameters, request.headers.get("Accept"))
    await reach_position(request, place, (name for name, _ in items))
    asked = replace(asked, filters=await narrowed(store, place, asked.filters))
    ids = await _named(asked, place, store)
    most = exports.settings.max_contacts
    total = await store.count(place, asked.filters, ids)
    if total > most:
        raise too_many(total, most, "an export")
    if asked.format == "xlsx" and total > MAX_ROWS:
        raise too_many(total, MAX_ROWS, "a workbook")
    layout = await _layout(asked, place, store, ids)
    history = await _history(place, store, ids[0]) if asked.with_history and ids else None
    exports.begin()
    pages = _pages(asked, place, store, ids, history)
    if asked.format == "xlsx":
        pieces = _workbook(layout, total, pages)
    else:
        pieces = _text(asked, layout, pages)
    return Download(_told(asked, pieces), asked, total, exports)


async def _named(asked: ExportRequest, place: Place, store: Store) -> list[str] | None:
    """Return the only contacts that may be exported; None: any may.

    Who was merged is exported as the contact that they are now; who is not known is an error.
    """
    ids: list[str] | None = None
    if asked.ids is not None:
        known = await store.find_survivors(place, asked.ids)
        if missing := [one for one in asked.ids if one not in known]:
            raise missing_contacts(missing)
        while merged := [one for one in known.values() if one is not None and one not in known]:
            found = await store.find_survivors(place, merged)
            known |= {**dict.fromkeys(merged), **found}  # some may not be in the read model yet
        ids = [one for one, survivor in known.items() if survivor is None]
    if asked.filters.q is not None:
        hits = await store.find_hits(place, asked.filters.q)
        ids = hits if ids is None else [one for one in ids if one in set(hits)]
    return ids


async def _layout(
    asked: ExportRequest, place: Place, store: Store, ids: list[str] | None
) -> Layout:
    wants_custom = asked.fields is None or "custom_fields" in asked.fields
    if asked.format not in TABLES or not wants_custom:
        return Layout(asked.fields)
    known = fields_by_key(await store.definitions.find_fields(place))
    defined = [key for key, field in known.items() if not field.is_archived]
    names = await store.find_custom_names(place, asked.filters, ids)
    columns = dict.fromkeys(filter(is_header, (*defined, *names)))
    return Layout(asked.fields, tuple(columns)[:MAX_CUSTOM])


async def _history(place: Place, store: Store, contact_id: str) -> list[dict[str, Any]]:
    """Read all that happened to a contact, newest first."""
    entries: list[dict[str, Any]] = []
    page = PageRequest(HISTORY_PAGE)
    while rows := await store.find_history(place, contact_id, page):
        kept = rows[:HISTORY_PAGE]
        entries += [history_resource(row, HISTORY_SORT)["attributes"] for row in kept]
        if len(rows) <= HISTORY_PAGE:
            break
        page = PageRequest(HISTORY_PAGE, after=(str(kept[-1].version),))
    return entries


async def _pages(
    asked: ExportRequest,
    place: Place,
    store: Store,
    ids: list[str] | None,
    history: list[dict[str, Any]] | None,
) -> AsyncIterator[list[Record]]:
    """Yield the contacts page by page; no transaction stays open while a client is slow."""
    after: str | None = None
    while found := await store.find_all(place, asked.filters, ids, after):
        after = found[-1][0].id
        records = [chosen(compose(row, said), asked.fields) for row, said in found]
        if history is not None:
            for record, (row, _) in zip(records, found, strict=True):
                record |= {"version": row.attributes.version, "history": history}
        yield records


async def _text(
    asked: ExportRequest, layout: Layout, pages: AsyncIterator[list[Record]]
) -> AsyncGenerator[bytes]:
    text = text_of(asked.format, layout)
    yield text.begin
    first = True
    async for records in pages:
        yield text.piece(records, first)
        _count(asked.format, records)
        first = False
        await asyncio.sleep(0)
    yield text.end


async def _workbook(
    layout: Layout, total: int, pages: AsyncIterator[list[Record]]
) -> AsyncGenerator[bytes]:
    book = Workbook(layout, total)
    async for records in pages:
        yield await asyncio.to_thread(book.add, records)
        _count("xlsx", records)
    yield book.finish()


def _count(format_: str, records: Sequence[Record]) -> None:
    metrics.EXPORTED_CONTACTS.labels(format_).inc(len(records))


async def _told(asked: ExportRequest, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Pass the file on; one that breaks off breaks the connection, which the client sees."""
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
    except Exception as error:
        log.warning("an export broke off", error=error, format=asked.format)
        raise
