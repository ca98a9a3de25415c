"""`/api/v1/companies`: the list, one company, who works there, what happened to it."""

import re
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
    company_resource,
    parse_companies,
    parse_company_fields,
    row_of_event,
)
from services.api.domain.company_documents import Company, CompanyHistoryEntry
from services.api.domain.contacts import ROOT
from services.api.domain.documents import AtMeta, Contact, DetailMeta, Document, ListDocument
from services.api.domain.history import HISTORY_ALIASES, HISTORY_PARAMETERS, HISTORY_SORT
from services.api.domain.listing import ALIASES, LIST_PARAMETERS, parse_listing
from services.api.domain.paging import cut_page, encode_cursor, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.problems import not_found
from services.api.routes.answers import ERRORS, Answer, list_answer, moved_answer, one_answer
from services.api.routes.contacts import page_of_contacts
from services.api.routes.gate import InStore, Reader, ReadLag
from services.api.routes.openapi import documented
from services.api.store import Store
from shared.auth import Place

COMPANY_ID: Final = re.compile(r"cmp_[0-9A-HJKMNP-TV-Z]{26}")
"""Anything else is no company's id."""

AT_COMPANY_PARAMETERS: Final = LIST_PARAMETERS - {"filter[company_id]", "filter[company]"}
"""What `GET /companies/{id}/contacts` may be asked: what contacts may, but for the company."""

MOVED: Final[dict[int | str, dict[str, Any]]] = {
    308: {"description": "The company was merged into another: see Location."},
}

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
    rows = await store.find_companies(place, query)
    kept, page = cut_page(
        query.page, rows, lambda row: encode_cursor(query.sort_name, row.sort_values)
    )
    data = [
        company_resource(row, query.fields, cursor)
        for row, cursor in zip(kept, page.cursors, strict=True)
    ]
    return list_answer(request, data, page, await lag.seconds())


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
    request: Request, company_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """Contacts whose present company it is, or one that was merged into it."""
    query = parse_listing(Parameters(_items(request), known=AT_COMPANY_PARAMETERS, aliases=ALIASES))
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
    parameters = Parameters(_items(request), known=HISTORY_PARAMETERS, aliases=HISTORY_ALIASES)
    asked = parse_page(parameters, HISTORY_SORT, 1, numeric=True)
    await _company_or_404(store, place, company_id)
    rows = await store.find_company_events(place, company_id, asked)
    kept, page = cut_page(asked, rows, lambda row: encode_cursor(HISTORY_SORT, [str(row.version)]))
    data = [
        company_history_resource(company_id, row, cursor)
        for row, cursor in zip(kept, page.cursors, strict=True)
    ]
    return list_answer(request, data, page, await lag.seconds())


async def _as_it_was(request: Request, company_id: str, place: Place, store: Store) -> Answer:
    parameters = Parameters(_items(request), known=COMPANY_AT_PARAMETERS)
    fields, at = parse_company_fields(parameters), parameters.moment("at")
    await _company_or_404(store, place, company_id)
    event = await store.find_company_at(place, company_id, at) if at else None
    if event is None:
        raise not_found("company known at that time")
    meta = {"at": at.isoformat() if at else None, "version": event.version}
    return one_answer(
        request, {"data": company_resource(row_of_event(event), fields), "meta": meta}
    )


async def _company_or_404(store: Store, place: Place, company_id: str) -> CompanyRow:
    row = await store.get_company(place, company_id) if COMPANY_ID.fullmatch(company_id) else None
    if row is None:
        raise not_found("company")
    return row


def _items(request: Request) -> list[tuple[str, str]]:
    return list(request.query_params.multi_items())
