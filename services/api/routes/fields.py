"""`/api/v1/custom-fields`: what they are; `PATCH /contacts/{id}`: values that people give."""

from typing import Any, Final

from fastapi import APIRouter, Request

from services.api.domain.contacts import ROOT
from services.api.domain.custom_fields import (
    MOST_BYTES,
    FieldDocument,
    FieldRow,
    FieldsDocument,
    described,
    field_resource,
    parse_field,
    parse_values,
)
from services.api.domain.documents import ErrorDocument
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from services.api.domain.problems import not_found
from services.api.domain.review import OutcomeDocument, decision_meta
from services.api.routes.answers import ERRORS, Answer, one_answer
from services.api.routes.gate import InStore, Reader, body_of
from services.api.routes.openapi import documented
from services.api.routes.resolver import InResolver
from services.api.routes.review import Decider
from services.api.store import Store
from shared.auth import Place

CHANGED: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": ErrorDocument, "description": "There is no such field or contact here."},
    409: {
        "model": ErrorDocument,
        "description": "Another field has this key, or values that there are would not fit.",
    },
    422: {"model": ErrorDocument, "description": "A value is not allowed: see source.pointer."},
}
"""What a change may be answered with besides."""

_SECURITY: Final[dict[str, Any]] = {"security": [{"apiKey": []}]}

router = APIRouter(prefix=ROOT, tags=["custom fields"], responses=ERRORS)


@router.get(
    "/custom-fields",
    summary="List custom fields",
    response_class=Answer,
    responses={200: {"model": FieldsDocument}},
    openapi_extra=documented({WAIT_PARAMETER}),
)
async def list_fields(request: Request, place: Reader, store: InStore) -> Answer:
    """List what this workspace defined for contacts and companies, archived ones last.

    Values of contacts that no field is defined for are kept as they come.
    """
    Parameters(request.query_params.multi_items(), known=frozenset({WAIT_PARAMETER}))
    rows = await store.definitions.find_fields(place)
    return one_answer(request, {"data": [field_resource(row) for row in rows]})


@router.post(
    "/custom-fields",
    summary="Define a custom field",
    status_code=201,
    response_class=Answer,
    responses={201: {"model": FieldDocument}, **CHANGED},
    openapi_extra={**_SECURITY, **described("field")},
)
async def create_field(
    request: Request, decider: Decider, resolver: InResolver, store: InStore
) -> Answer:
    """Define what people set has to fit; what sources brought stays, marked where it does not."""
    order = parse_field(await body_of(request, MOST_BYTES), None)
    made = await resolver.order(request, "create_field", order)
    row = await _get(store, decider.place, made["shown"]["id"])
    answer = one_answer(request, {"data": field_resource(row)})
    answer.status_code = 201
    answer.headers["Location"] = f"{ROOT}/custom-fields/{row.id}"
    return answer


@router.get(
    "/custom-fields/{field_id}",
    summary="Get a custom field",
    response_class=Answer,
    responses={200: {"model": FieldDocument}, 404: CHANGED[404]},
    openapi_extra=documented({WAIT_PARAMETER}),
)
async def get_field(request: Request, field_id: str, place: Reader, store: InStore) -> Answer:
    """One of them; which contacts have one of theirs says `GET /contacts?filter[custom.KEY]=…`."""
    Parameters(request.query_params.multi_items(), known=frozenset({WAIT_PARAMETER}))
    return one_answer(request, {"data": field_resource(await _get(store, place, field_id))})


@router.patch(
    "/custom-fields/{field_id}",
    summary="Change a custom field",
    response_class=Answer,
    responses={200: {"model": FieldDocument}, **CHANGED},
    openapi_extra={**_SECURITY, **described("change")},
)
async def change_field(
    request: Request, field_id: str, decider: Decider, resolver: InResolver, store: InStore
) -> Answer:
    """Say something else of it: what is not named stays, and so does the key.

    Another type, and fewer options, are refused while a contact has a value that would no longer
    fit, or a smart group asks for one. An archived field asks nothing of values any more.
    """
    order = parse_field(await body_of(request, MOST_BYTES), field_id)
    await resolver.order(request, "change_field", order)
    row = await _get(store, decider.place, field_id)
    return one_answer(request, {"data": field_resource(row)})


@router.patch(
    "/contacts/{contact_id}",
    summary="Give a contact values of custom fields",
    response_class=Answer,
    responses={200: {"model": OutcomeDocument}, **CHANGED},
    openapi_extra={**_SECURITY, **described("values")},
)
async def change_contact(
    request: Request, contact_id: str, _: Decider, resolver: InResolver
) -> Answer:
    """Give values that stand whatever sources say later; null takes one away."""
    order = parse_values(await body_of(request, MOST_BYTES), contact_id)
    said = await resolver.order(request, "fill_fields", order)
    return one_answer(request, {"meta": decision_meta(said)})


async def _get(store: Store, place: Place, field_id: str) -> FieldRow:
    rows = await store.definitions.find_fields(place, field_id)
    if not rows:
        raise not_found("custom field")
    return rows[0]
