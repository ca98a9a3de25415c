"""`/api/v1/companies`: the list, one company, who works there, what happened to it.

What people say of companies is ordered from the resolver.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request

from services.api.domain.companies import (
    COMPANIES_PARAMETERS,
    COMPANY_ALIASES,
    COMPANY_AT_PARAMETERS,
    COMPANY_PARAMETERS,
    CompanyRow,
    company_history_resource,
    company_path,
    company_resource,
    parse_companies,
    parse_company_fields,
    row_of_event,
)
from services.api.domain.company_bindings import (
    MOST_BYTES as MOST_BINDING_BYTES,
)
from services.api.domain.company_bindings import (
    CompanyBindingDocument,
    binding_resource,
    described_binding,
    parse_binding,
)
from services.api.domain.company_documents import Company, CompanyHistoryEntry
from services.api.domain.company_entries import (
    MOST_BYTES,
    described_company,
    parse_company_change,
    parse_new_company,
    row_of_answer,
)
from services.api.domain.contacts import ROOT
from services.api.domain.custom_fields import fields_by_key
from services.api.domain.documents import (
    AtMeta,
    Contact,
    DetailMeta,
    Document,
    ErrorDocument,
    ListDocument,
    PositionMeta,
)
from services.api.domain.history import HISTORY_PARAMETERS, cut_history, parse_history
from services.api.domain.listing import ALIASES, CUSTOM_FILTER, LIST_PARAMETERS, parse_listing
from services.api.domain.paging import cut_page, encode_cursor
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER, CompanyPosition, encode_position
from services.api.domain.problems import Problem, RequestError, not_found
from services.api.routes.answers import ERRORS, Answer, list_answer, moved_answer, one_answer
from services.api.routes.contacts import page_of_contacts
from services.api.routes.gate import InStore, Reader, ReadLag, Searcher, body_of
from services.api.routes.openapi import documented
from services.api.routes.resolver import InResolver
from services.api.routes.review import Decider
from services.api.store import Store
from shared.auth import Place

COMPANY_ID: Final = re.compile(r"cmp_[0-9A-HJKMNP-TV-Z]{26}")
"""Anything else is no company's id."""

AT_COMPANY_PARAMETERS: Final = LIST_PARAMETERS - {"filter[company_id]", "filter[company]"}
"""What `GET /companies/{id}/contacts` may be asked: what contacts may, but for the company."""

MOVED: Final[dict[int | str, dict[str, Any]]] = {
    308: {"description": "The company was merged into another: see Location."},
}

ENTERED: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": ErrorDocument, "description": "Another is known by this: see meta.named."},
    422: {"model": ErrorDocument, "description": "A value is not allowed: see detail."},
}
"""What an entry may be answered with besides."""

_SECURITY: Final[dict[str, Any]] = {"security": [{"apiKey": []}]}

router = APIRouter(prefix=f"{ROOT}/companies", tags=["companies"], responses=ERRORS)


@router.get(
    "",
    summary="List companies",
    response_class=Answer,
    responses={200: {"model": ListDocument[Company]}},
    openapi_extra=documented(COMPANIES_PARAMETERS),
)
async def list_companies(request: Request, place: Reader, store: InStore, lag: ReadLag) -> Answer:
    """Companies of the tenant: filtered, sorted, a page at a time; merged ones are left out."""
    parameters = Parameters(_items(request), known=COMPANIES_PARAMETERS, aliases=COMPANY_ALIASES)
    query = parse_companies(parameters)
    rows = await store.companies.find(place, query)
    kept, page = cut_page(
        query.page, rows, lambda row: encode_cursor(query.sort_name, row.sort_values)
    )
    data = [
        company_resource(row, query.fields, cursor)
        for row, cursor in zip(kept, page.cursors, strict=True)
    ]
    return list_answer(request, data, page, await lag.seconds())


@router.post(
    "",
    summary="Make a company",
    status_code=201,
    response_class=Answer,
    responses={201: {"model": Document[Company, PositionMeta]}, **ENTERED},
    openapi_extra={**_SECURITY, **described_company(is_new=True)},
)
async def create_company(request: Request, _: Decider, resolver: InResolver) -> Answer:
    """Make a company of what a person says: of a name, a domain or a page in a directory at least.

    What another company is known by makes none: 409, and `meta.named` says which. A company of the
    same name is put up for review beside the new one.
    """
    order = parse_new_company(await body_of(request, MOST_BYTES))
    answer = _entered(request, await resolver.order(request, "create_company", order))
    answer.status_code = 201
    return answer


@router.patch(
    "/{company_id}",
    summary="Change a company",
    response_class=Answer,
    responses={
        200: {"model": Document[Company, PositionMeta]},
        404: {"model": ErrorDocument, "description": "There is no such company here."},
        412: {"model": ErrorDocument, "description": "It changed since `If-Match` was answered."},
        **ENTERED,
    },
    openapi_extra={**_SECURITY, **described_company(is_new=False)},
)
async def change_company(
    request: Request, company_id: str, _: Decider, resolver: InResolver
) -> Answer:
    """Say otherwise what a company shows: what people say stands before what sources say.

    What is not named stays; null takes back what people said, and sources' word shows again. The id
    of a merged company stands for its survivor. With `If-Match`, only that version is changed.
    """
    if not COMPANY_ID.fullmatch(company_id):
        raise not_found("company")
    if_match = request.headers.get("If-Match")
    order = parse_company_change(await body_of(request, MOST_BYTES), company_id, if_match)
    try:
        return _entered(request, await resolver.order(request, "change_company", order))
    except RequestError as refused:
        if "expected" in order and refused.status == 409 and not refused.problems[0].meta:
            detail = "It changed since that version: nothing was done. Look again."
            problem = Problem(412, "changed_since", "Changed since", detail, header="If-Match")
            raise RequestError([problem]) from None
        raise


@router.get(
    "/{company_id}",
    summary="Get a company",
    response_class=Answer,
    responses={200: {"model": Document[Company, DetailMeta]}, **MOVED},
    openapi_extra=documented(COMPANY_PARAMETERS),
)
async def get_company(
    request: Request, company_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """One company, and in `meta.provenance` where each value came from.

    A company shows what is said of all that were merged into it. The id of one that was merged
    leads to its survivor, for as long as that holds.
    """
    fields = parse_company_fields(Parameters(_items(request), known=COMPANY_PARAMETERS))
    row = await _company_or_404(store, place, company_id)
    if row.survivor_id is not None:
        return moved_answer(request, company_id, row.survivor_id)
    document = {"data": company_resource(row, fields), "meta": {"lag": await lag.seconds()}}
    return one_answer(request, document, etag=f'W/"{row.attributes.version}"')


@router.get(
    "/{company_id}/contacts",
    summary="List who works at a company",
    response_class=Answer,
    responses={200: {"model": ListDocument[Contact]}, **MOVED},
    openapi_extra=documented(AT_COMPANY_PARAMETERS),
)
async def list_contacts_at(
    request: Request, company_id: str, place: Searcher, store: InStore, lag: ReadLag
) -> Answer:
    """Contacts whose present company it is, or one that was merged into it."""
    query = parse_listing(
        Parameters(
            _items(request), known=AT_COMPANY_PARAMETERS, aliases=ALIASES, family=CUSTOM_FILTER
        )
    )
    company = await _company_or_404(store, place, company_id)
    if company.survivor_id is not None:
        return moved_answer(request, company_id, company.survivor_id)
    query = replace(query, filters=replace(query.filters, company_id=company_id))
    return await page_of_contacts(request, place, store, lag, query)


@router.get(
    "/{company_id}/history",
    summary="A company's history, or the company as it was",
    response_class=Answer,
    responses={200: {"model": ListDocument[CompanyHistoryEntry] | Document[Company, AtMeta]}},
    openapi_extra=documented(HISTORY_PARAMETERS | COMPANY_AT_PARAMETERS),
)
async def get_company_history(
    request: Request, company_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """Tell what happened to the company, newest first; with `at`, show it as kith knew it then."""
    if "at" in request.query_params:
        return await _as_it_was(request, company_id, place, store)
    asked = parse_history(_items(request))
    await _company_or_404(store, place, company_id)
    rows = await store.companies.find_events(place, company_id, asked)
    kept, page = cut_history(asked, rows)
    data = [
        company_history_resource(company_id, row, cursor)
        for row, cursor in zip(kept, page.cursors, strict=True)
    ]
    return list_answer(request, data, page, await lag.seconds())


@router.get(
    "/{company_id}/binding",
    summary="Get what this workspace keeps of a company",
    response_class=Answer,
    responses={200: {"model": CompanyBindingDocument}, **MOVED},
    openapi_extra=documented({WAIT_PARAMETER}),
)
async def get_company_binding(
    request: Request, company_id: str, place: Reader, store: InStore
) -> Answer:
    """Labels, notes and custom fields that people of this workspace gave a company: no other's.

    Those of companies that were merged into it show too, as long as the merge holds.
    """
    Parameters(_items(request), known=frozenset({WAIT_PARAMETER}))
    company = await _company_or_404(store, place, company_id)
    if company.survivor_id is not None:
        return moved_answer(request, company_id, company.survivor_id)
    return await _kept(request, store, place, company_id)


@router.patch(
    "/{company_id}/binding",
    summary="Change what this workspace keeps of a company",
    response_class=Answer,
    responses={
        200: {"model": CompanyBindingDocument},
        404: {"model": ErrorDocument, "description": "There is no such company here."},
        422: {"model": ErrorDocument, "description": "A value is not allowed: see source.pointer."},
    },
    openapi_extra={**_SECURITY, **described_binding()},
)
async def change_company_binding(
    request: Request, company_id: str, decider: Decider, resolver: InResolver, store: InStore
) -> Answer:
    """Give a company labels, notes and values of custom fields, for this workspace alone.

    What is not named stays; `labels` are all there are to be; null takes notes or a value away.
    Fields are those that are defined with `"entity": "company"`.
    """
    if not COMPANY_ID.fullmatch(company_id):
        raise not_found("company")
    order = parse_binding(await body_of(request, MOST_BINDING_BYTES), company_id)
    await resolver.order(request, "change_company_binding", order)
    company = await store.companies.get(decider.place, company_id)
    survivor = company.survivor_id if company else None
    return await _kept(request, store, decider.place, survivor or company_id)


async def _kept(request: Request, store: Store, place: Place, company_id: str) -> Answer:
    fields = fields_by_key(await store.definitions.find_fields(place), "company")
    rows = await store.companies.find_bindings(place, company_id)
    return one_answer(request, {"data": binding_resource(company_id, rows, fields)})


async def _as_it_was(request: Request, company_id: str, place: Place, store: Store) -> Answer:
    parameters = Parameters(_items(request), known=COMPANY_AT_PARAMETERS)
    fields, at = parse_company_fields(parameters), parameters.moment("at")
    await _company_or_404(store, place, company_id)
    event = await store.companies.find_at(place, company_id, at) if at else None
    if event is None:
        raise not_found("company known at that time")
    meta = {"at": at.isoformat() if at else None, "version": event.version}
    return one_answer(
        request, {"data": company_resource(row_of_event(event), fields), "meta": meta}
    )


async def _company_or_404(store: Store, place: Place, company_id: str) -> CompanyRow:
    row = await store.companies.get(place, company_id) if COMPANY_ID.fullmatch(company_id) else None
    if row is None:
        raise not_found("company")
    return row


def _entered(request: Request, said: Mapping[str, Any]) -> Answer:
    """Answer with the company as it is now, which the read model may not show yet."""
    row = row_of_answer(said["shown"])
    position = encode_position(CompanyPosition(row.id, row.attributes.version))
    document = {
        "data": company_resource(row, None),
        "meta": {"outcome": said["outcome"], "position": position},
    }
    answer = one_answer(request, document)
    answer.headers["ETag"] = f'W/"{row.attributes.version}"'
    answer.headers["Location"] = company_path(row.id)
    return answer


def _items(request: Request) -> list[tuple[str, str]]:
    return list(request.query_params.multi_items())
