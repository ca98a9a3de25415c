"""`/api/v1/contacts`: the list, search, one contact, its identifiers."""

import re
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request

from services.api.domain.background import background_of, posts_of
from services.api.domain.contacts import (
    ROOT,
    ContactRow,
    contact_path,
    contact_resource,
    identifier_resource,
    included,
)
from services.api.domain.documents import (
    Background,
    BackgroundAttributes,
    Contact,
    ContactIdentifier,
    DetailMeta,
    Document,
    ListDocument,
    SocialPost,
    SocialPostAttributes,
    SocialPosts,
)
from services.api.domain.listing import (
    ALIASES,
    CUSTOM_FILTER,
    DETAIL_PARAMETERS,
    LIST_PARAMETERS,
    SEARCH_PARAMETERS,
    SEARCH_SORT,
    ContactQuery,
    parse_listing,
    parse_search,
    parse_shape,
)
from services.api.domain.paging import PageRequest, cut_page, encode_cursor, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from services.api.domain.problems import not_found
from services.api.routes.answers import ERRORS, MOVED, Answer, list_answer, moved_answer, one_answer
from services.api.routes.gate import InStore, Lag, Reader, ReadLag, Searcher
from services.api.routes.narrowing import narrowed, with_statuses, with_types
from services.api.routes.openapi import documented
from services.api.store import Store
from shared.auth import Place

CONTACT_ID: Final = re.compile(r"con_[0-9A-HJKMNP-TV-Z]{26}")
"""Anything else is no contact's id."""

IDENTIFIER_PARAMETERS: Final = frozenset(
    {"page[size]", "page[after]", "page[before]", "fields[contact_identifiers]", WAIT_PARAMETER}
)
"""What `GET /contacts/{id}/identifiers` may be asked."""

BACKGROUND_PARAMETERS: Final = frozenset({WAIT_PARAMETER})
"""What `GET /contacts/{id}/background` and `…/social-posts` may be asked."""

router = APIRouter(prefix=f"{ROOT}/contacts", tags=["contacts"], responses=ERRORS)


@router.get(
    "",
    summary="List contacts",
    response_class=Answer,
    responses={200: {"model": ListDocument[Contact]}},
    openapi_extra=documented(LIST_PARAMETERS),
)
async def list_contacts(request: Request, place: Searcher, store: InStore, lag: ReadLag) -> Answer:
    """Contacts of the workspace: filtered, sorted, a page at a time.

    Archived and merged contacts are listed only when `filter[status]` asks for them. The
    parameters `q`, `company`, `company_id`, `status`, `lead_status`, `lead_source`,
    `created_after`, `created_before` and `page[cursor]` work without `filter[…]`, too; `tag` is
    `filter[label]`, `group_id` is `filter[group]`. `filter[custom.KEY]` is a custom
    field's value, `filter[custom.KEY][OP]` asks otherwise: neq, in, not_in, contains, not_contains,
    starts_with, gt, gte, lt, lte, exists, as its type allows.
    """
    parameters = Parameters(
        _items(request), known=LIST_PARAMETERS, aliases=ALIASES, family=CUSTOM_FILTER
    )
    query = parse_listing(parameters)
    return await page_of_contacts(request, place, store, lag, query)


@router.get(
    "/search",
    summary="Search contacts",
    response_class=Answer,
    responses={200: {"model": ListDocument[Contact]}},
    openapi_extra=documented(SEARCH_PARAMETERS, required="filter[q]"),
)
async def search_contacts(
    request: Request, place: Searcher, store: InStore, lag: ReadLag
) -> Answer:
    """Contacts that fit a text, best first; slips of the pen are forgiven.

    `meta.score` of each contact says how well it fits. At most 1,000 contacts are found; filters
    narrow those down.
    """
    parameters = Parameters(_items(request), known=SEARCH_PARAMETERS, aliases=ALIASES)
    query = parse_search(parameters)
    found = await store.search(place, query.text, query.filters, query.page)
    kept, page = cut_page(query.page, found, lambda hit: _cursor(SEARCH_SORT, hit[0]))
    rows = await with_types(store, place, [row for row, _ in kept])
    if query.shape.with_identifiers:
        rows = await with_statuses(store, place, rows)
    data = []
    for row, (_, score), cursor in zip(rows, kept, page.cursors, strict=True):
        resource = contact_resource(row, query.shape, cursor)
        resource["meta"]["score"] = round(score, 4)
        data.append(resource)
    return list_answer(request, data, page, await lag.seconds(), included(rows, query.shape))


@router.get(
    "/{contact_id}",
    summary="Get a contact",
    response_class=Answer,
    responses={200: {"model": Document[Contact, DetailMeta]}, **MOVED},
    openapi_extra=documented(DETAIL_PARAMETERS),
)
async def get_contact(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """One contact, its identifiers, and in `meta.provenance` where each value came from.

    The id of a contact that was merged into another leads there, for as long as that holds.
    """
    shape = parse_shape(Parameters(_items(request), known=DETAIL_PARAMETERS))
    row = await contact_or_404(store, place, contact_id)
    if row.survivor_id is not None:
        return moved_answer(request, contact_id, row.survivor_id)
    [row] = await with_types(store, place, [row])
    if shape.with_identifiers:
        [row] = await with_statuses(store, place, [row])
    document: dict[str, Any] = {
        "data": contact_resource(row, shape),
        "meta": {"lag": await lag.seconds()},
    }
    if score := await store.find_score(place, contact_id):
        meta = document["data"].setdefault("meta", {})
        meta["intelligence_score"], meta["intelligence"] = score
    more = included([row], shape)
    if more is not None:
        document["included"] = more
    return one_answer(request, document, etag=f'W/"{row.attributes.version}"')


@router.get(
    "/{contact_id}/identifiers",
    summary="List a contact's identifiers",
    response_class=Answer,
    responses={200: {"model": ListDocument[ContactIdentifier]}, **MOVED},
    openapi_extra=documented(IDENTIFIER_PARAMETERS),
)
async def list_identifiers(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """List what the contact is known by, in the order in which it was learned."""
    parameters = Parameters(_items(request), known=IDENTIFIER_PARAMETERS, aliases=ALIASES)
    asked, shape = parse_page(parameters, "number", 1, numeric=True), parse_shape(parameters)
    row = await contact_or_404(store, place, contact_id)
    if row.survivor_id is not None:
        return moved_answer(request, contact_id, row.survivor_id)
    [row] = await with_statuses(store, place, [row])
    numbers = _numbers(asked, len(row.identifiers))
    kept, page = cut_page(asked, numbers, lambda number: encode_cursor("number", [str(number)]))
    data = [
        identifier_resource(
            contact_id,
            number,
            one,
            shape.identifier_fields,
            cursor,
            status=row.statuses.get((one.type, one.value)),
        )
        for number, cursor in zip(kept, page.cursors, strict=True)
        for one in (row.identifiers[number - 1],)
    ]
    return list_answer(request, data, page, await lag.seconds())


@router.get(
    "/{contact_id}/background",
    summary="Get what a contact learned and can do",
    response_class=Answer,
    responses={200: {"model": Document[Background, DetailMeta]}, **MOVED},
    openapi_extra=documented(BACKGROUND_PARAMETERS),
)
async def get_background(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """Education, skills, certificates and languages, each once, of all that sources say."""
    Parameters(_items(request), known=BACKGROUND_PARAMETERS)
    row = await contact_or_404(store, place, contact_id)
    if row.survivor_id is not None:
        return moved_answer(request, contact_id, row.survivor_id)
    said = background_of(await store.find_facts(place, contact_id))
    data = Background(
        id=contact_id,
        attributes=BackgroundAttributes.model_validate(said),
        links={"self": f"{contact_path(contact_id)}/background"},
    )
    return one_answer(
        request, {"data": data.model_dump(mode="json"), "meta": {"lag": await lag.seconds()}}
    )


@router.get(
    "/{contact_id}/social-posts",
    summary="List what a contact wrote in public",
    response_class=Answer,
    responses={200: {"model": SocialPosts}, **MOVED},
    openapi_extra=documented(BACKGROUND_PARAMETERS),
)
async def list_social_posts(
    request: Request, contact_id: str, place: Reader, store: InStore, lag: ReadLag
) -> Answer:
    """Public posts, each once, of all that sources show; the newest first."""
    Parameters(_items(request), known=BACKGROUND_PARAMETERS)
    row = await contact_or_404(store, place, contact_id)
    if row.survivor_id is not None:
        return moved_answer(request, contact_id, row.survivor_id)
    posts = posts_of(await store.find_facts(place, contact_id))
    data = [
        SocialPost(
            id=f"{contact_id}.{number}", attributes=SocialPostAttributes.model_validate(post)
        ).model_dump(mode="json")
        for number, post in enumerate(posts, start=1)
    ]
    return one_answer(request, {"data": data, "meta": {"lag": await lag.seconds()}})


async def page_of_contacts(
    request: Request, place: Place, store: Store, lag: Lag, query: ContactQuery
) -> Answer:
    """Answer with a page of the contacts that are asked for."""
    query = replace(query, filters=await narrowed(store, place, query.filters))
    rows = await store.find_contacts(place, query)
    kept, page = cut_page(query.page, rows, lambda row: _cursor(query.sort_name, row))
    kept = await with_types(store, place, kept)
    if query.shape.with_identifiers:
        kept = await with_statuses(store, place, kept)
    data = [
        contact_resource(row, query.shape, cursor)
        for row, cursor in zip(kept, page.cursors, strict=True)
    ]
    return list_answer(request, data, page, await lag.seconds(), included(kept, query.shape))


async def contact_or_404(store: Store, place: Place, contact_id: str) -> ContactRow:
    """Read a contact; who is not in this workspace is not found, wherever else they are."""
    row = await store.get_contact(place, contact_id) if CONTACT_ID.fullmatch(contact_id) else None
    if row is None:
        raise not_found("contact")
    return row


def _items(request: Request) -> list[tuple[str, str]]:
    return list(request.query_params.multi_items())


def _cursor(sort_name: str, row: ContactRow) -> str:
    return encode_cursor(sort_name, row.sort_values)


def _numbers(page: PageRequest, count: int) -> list[int]:
    """List the places of a page, one more than its size, backwards before a cursor."""
    if page.before is not None:
        return list(range(min(int(page.before[0]), count + 1) - 1, 0, -1))[: page.size + 1]
    start = int(page.after[0]) + 1 if page.after else 1
    return list(range(start, count + 1))[: page.size + 1]
