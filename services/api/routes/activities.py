"""`/api/v1/contacts/{id}/activities`: what a contact took part in."""

from fastapi import APIRouter, Request

from services.api.domain.activities import (
    ACTIVITY_PARAMETERS,
    ACTIVITY_SORT,
    activity_resource,
    parse_activities,
)
from services.api.domain.contacts import ROOT
from services.api.domain.documents import Activity, ListDocument
from services.api.domain.paging import cut_page, encode_cursor
from services.api.routes.answers import ERRORS, MOVED, Answer, list_answer, moved_answer
from services.api.routes.contacts import contact_or_404
from services.api.routes.gate import InStore, Reader, ReadLag
from services.api.routes.openapi import documented

router = APIRouter(prefix=f"{ROOT}/contacts", tags=["activities"], responses=ERRORS)


@router.get(
    "/{contact_id}/activities",
    summary="What a contact took part in",
    response_class=Answer,
    responses={200: {"model": ListDocument[Activity]}, **MOVED},
    openapi_extra=documented(ACTIVITY_PARAMETERS),
)
async def get_activities(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """E-mails, meetings, calls … of the contact and of those it was merged with, newest first."""
    query = parse_activities(request.query_params.multi_items())
    contact = await contact_or_404(store, place, contact_id)
    if contact.survivor_id is not None:
        return moved_answer(request, contact_id, contact.survivor_id)
    rows = await store.find_activities(place, contact_id, query)
    kept, page = cut_page(
        query.page,
        rows,
        lambda row: encode_cursor(ACTIVITY_SORT, [row.occurred_at.isoformat(), row.id]),
    )
    data = [activity_resource(row, cursor) for row, cursor in zip(kept, page.cursors, strict=True)]
    return list_answer(request, data, page, await lag.seconds())
