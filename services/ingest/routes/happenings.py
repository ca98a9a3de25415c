"""`POST /v1/mail` and `/v1/activities`: imports that do not wait for a choice, by shorter names."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.ingest.routes.imports import BODY, At, Calling, take
from services.ingest.routes.problems import RESPONSES, JsonResponse
from services.ingest.routes.receiving import Wishes

router = APIRouter(tags=["imports"])


@router.post("/v1/mail", status_code=202, responses=RESPONSES, openapi_extra=BODY)
async def post_mail(
    request: Request, caller: Calling, doorway: At, wishes: Annotated[Wishes, Query()]
) -> JsonResponse:
    """Import a mailbox or a message: `POST /v1/imports?kind=mail&execute=true`."""
    said = wishes.model_copy(update={"kind": "mail", "execute": True})
    return await take(request, caller, doorway, said)


@router.post("/v1/activities", status_code=202, responses=RESPONSES, openapi_extra=BODY)
async def post_activities(
    request: Request, caller: Calling, doorway: At, wishes: Annotated[Wishes, Query()]
) -> JsonResponse:
    """Import a calendar, a log or signals: `POST /v1/imports?kind=activities&execute=true`."""
    said = wishes.model_copy(update={"kind": "activities", "execute": True})
    return await take(request, caller, doorway, said)
