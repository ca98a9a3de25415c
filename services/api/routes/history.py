"""`/api/v1/contacts/{id}/history` and `/timeline`: what happened, and what was."""

from typing import Any

from fastapi import APIRouter, Request

from services.api.domain.contacts import ROOT, contact_resource, included, row_of_state
from services.api.domain.documents import AtMeta, Contact, Document, HistoryEntry, ListDocument
from services.api.domain.history import (
    AT_PARAMETERS,
    HISTORY_PARAMETERS,
    cut_history,
    history_resource,
    parse_history,
    state_of,
)
from services.api.domain.listing import parse_shape
from services.api.domain.parameters import Parameters
from services.api.domain.problems import not_found
from services.api.routes.answers import ERRORS, Answer, list_answer, one_answer
from services.api.routes.contacts import contact_or_404
from services.api.routes.gate import InStore, Lag, Reader, ReadLag
from services.api.routes.openapi import documented
from services.api.store import Store
from shared.auth import Place

router = APIRouter(prefix=f"{ROOT}/contacts", tags=["history"], responses=ERRORS)


@router.get(
    "/{contact_id}/history",
    summary="A contact's history, or the contact as it was",
    response_class=Answer,
    responses={200: {"model": ListDocument[HistoryEntry] | Document[Contact, AtMeta]}},
    openapi_extra=documented(HISTORY_PARAMETERS | AT_PARAMETERS),
)
async def get_history(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """Tell what happened to the contact, newest first; with `at`, show it as kith knew it then.

    `at` goes by when kith learned of things (`recorded_at`), not by when they happened.
    """
    if "at" in request.query_params:
        return await _as_it_was(request, contact_id, place, store)
    return await _timeline(request, contact_id, place, store, lag)


@router.get(
    "/{contact_id}/timeline",
    summary="A contact's history",
    response_class=Answer,
    responses={200: {"model": ListDocument[HistoryEntry]}},
    openapi_extra=documented(HISTORY_PARAMETERS),
)
async def get_timeline(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """Tell what happened to the contact, newest first."""
    return await _timeline(request, contact_id, place, store, lag)


async def _timeline(
    request: Request, contact_id: str, place: Place, store: Store, lag: Lag
) -> Answer:
    asked = parse_history(request.query_params.multi_items())
    await contact_or_404(store, place, contact_id)
    rows = await store.find_history(place, contact_id, asked)
    kept, page = cut_history(asked, rows)
    data = [history_resource(row, cursor) for row, cursor in zip(kept, page.cursors, strict=True)]
    return list_answer(request, data, page, await lag.seconds())


async def _as_it_was(request: Request, contact_id: str, place: Place, store: Store) -> Answer:
    parameters = Parameters(request.query_params.multi_items(), known=AT_PARAMETERS)
    shape, at = parse_shape(parameters), parameters.moment("at")
    await contact_or_404(store, place, contact_id)
    state = state_of(await store.find_past(place, contact_id, at), place.workspace) if at else None
    if state is None:
        raise not_found("contact known at that time")
    row = row_of_state(state, place.workspace)
    meta = {"at": at.isoformat() if at else None, "version": state.version}
    document: dict[str, Any] = {"data": contact_resource(row, shape), "meta": meta}
    more = included([row], shape)
    if more is not None:
        document["included"] = more
    return one_answer(request, document)
