"""`/api/v1/tags` and `/api/v1/groups`: what they are called, and which contacts have them."""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.domain.contacts import ROOT
from services.api.domain.documents import Contact, ErrorDocument, ListDocument
from services.api.domain.listing import ALIASES, CUSTOM_FILTER, LIST_PARAMETERS, parse_listing
from services.api.domain.marks import (
    MARK_PARAMETERS,
    MARK_SORT,
    MOST_BYTES,
    ORDERS,
    Group,
    GroupDocument,
    MarkKind,
    MarkRow,
    Tag,
    TagDocument,
    deletion,
    described_body,
    mark_cursor,
    mark_resource,
    members,
    parse_mark,
    parse_members,
)
from services.api.domain.paging import PAGE_ALIASES, cut_page, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from services.api.domain.problems import not_found
from services.api.domain.review import OutcomeDocument, decision_meta
from services.api.routes.answers import ERRORS, Answer, list_answer, one_answer
from services.api.routes.contacts import page_of_contacts
from services.api.routes.gate import InStore, Reader, ReadLag, Searcher, body_of
from services.api.routes.openapi import documented
from services.api.routes.resolver import InResolver
from services.api.routes.review import Decider
from services.api.store import Store
from shared.auth import Place

CHANGED: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": ErrorDocument, "description": "There is no such tag, group or contact here."},
    409: {"model": ErrorDocument, "description": "Another has this name, or the group is smart."},
    422: {"model": ErrorDocument, "description": "A value is not allowed: see detail."},
}
"""What a change may be answered with besides."""

_ALIASES: Final = {**PAGE_ALIASES, "name": "filter[name]"}
_SECURITY: Final[dict[str, Any]] = {"security": [{"apiKey": []}]}

router = APIRouter(prefix=ROOT, tags=["tags and groups"], responses=ERRORS)


class _Kind(NamedTuple):
    """Tags or groups, and what the description of their routes says of them."""

    kind: MarkKind
    model: type[Tag] | type[Group]
    document: type[TagDocument] | type[GroupDocument]
    filtered: str
    """The filter of `GET /contacts` that the list of who has one is."""
    members: str
    """The last word of the path below which contacts with one are listed, given and taken."""
    list_members: str
    add: str
    remove: str
    remove_one: str

    @property
    def one(self) -> str:
        """Return what one of them is called."""
        return self.kind.removesuffix("s")

    @property
    def path(self) -> str:
        """Return the path of one of them."""
        return f"/{self.kind}/{{mark_id}}"

    @property
    def path_of_members(self) -> str:
        """Return the path of the contacts that have one."""
        return f"{self.path}/{self.members}"


TAGS: Final = _Kind(
    "tags",
    Tag,
    TagDocument,
    filtered="filter[label]",
    members="contacts",
    list_members="List contacts with a tag",
    add="Give contacts a tag",
    remove="Take a tag off contacts",
    remove_one="Take a tag off a contact",
)
GROUPS: Final = _Kind(
    "groups",
    Group,
    GroupDocument,
    filtered="filter[group]",
    members="members",
    list_members="List the members of a group",
    add="Put contacts into a group",
    remove="Take contacts out of a group",
    remove_one="Take a contact out of a group",
)


def _serve(what: _Kind) -> None:
    """Serve what one kind of them is called: both are asked and changed alike."""
    kind, one, document = what.kind, what.one, {"model": what.document}

    @router.get(
        f"/{kind}",
        summary=f"List {kind}",
        operation_id=f"list_{kind}",
        response_class=Answer,
        responses={200: {"model": ListDocument[what.model]}},  # type: ignore[name-defined]
        openapi_extra=documented(MARK_PARAMETERS),
    )
    async def list_marks(request: Request, place: Reader, store: InStore, lag: ReadLag) -> Answer:
        """List them by name. What sources bring as labels or groups are tags."""
        items = request.query_params.multi_items()
        parameters = Parameters(items, known=MARK_PARAMETERS, aliases=_ALIASES)
        asked = parse_page(parameters, MARK_SORT, 1)
        rows = await store.definitions.find_marks(
            place, kind, parameters.some("filter[name]"), asked
        )
        kept, page = cut_page(asked, rows, mark_cursor)
        data = [
            mark_resource(kind, row, cursor) for row, cursor in zip(kept, page.cursors, strict=True)
        ]
        return list_answer(request, data, page, await lag.seconds())

    @router.post(
        f"/{kind}",
        summary=f"Make a {one}",
        operation_id=f"create_{one}",
        status_code=201,
        response_class=Answer,
        responses={201: document, **CHANGED},
        openapi_extra={**_SECURITY, **described_body(kind)},
    )
    async def create(
        request: Request, decider: Decider, resolver: InResolver, store: InStore
    ) -> Answer:
        """Make one of a name that this workspace has not got yet."""
        said = parse_mark(kind, await body_of(request, MOST_BYTES), None)
        made = await resolver.order(request, ORDERS[kind, "create"], said)
        row = await _get(store, decider.place, kind, made["shown"]["id"])
        answer = one_answer(request, {"data": mark_resource(kind, row)})
        answer.status_code = 201
        answer.headers["Location"] = f"{ROOT}/{kind}/{row.id}"
        return answer

    @router.get(
        what.path,
        summary=f"Get a {one}",
        operation_id=f"get_{one}",
        response_class=Answer,
        responses={200: document},
        openapi_extra=documented({WAIT_PARAMETER}),
    )
    async def get_mark(request: Request, mark_id: str, place: Reader, store: InStore) -> Answer:
        """One of them; who has it is listed by `GET /contacts` with a filter."""
        row = await _get(store, place, kind, mark_id)
        return one_answer(request, {"data": mark_resource(kind, row)})

    @router.patch(
        what.path,
        summary=f"Change a {one}",
        operation_id=f"change_{one}",
        response_class=Answer,
        responses={200: document, **CHANGED},
        openapi_extra={**_SECURITY, **described_body(kind, is_change=True)},
    )
    async def change(
        request: Request, mark_id: str, decider: Decider, resolver: InResolver, store: InStore
    ) -> Answer:
        """Call it otherwise, wherever it is; what is not named stays as it is."""
        said = parse_mark(kind, await body_of(request, MOST_BYTES), mark_id)
        await resolver.order(request, ORDERS[kind, "change"], said)
        row = await _get(store, decider.place, kind, mark_id)
        return one_answer(request, {"data": mark_resource(kind, row)})

    @router.delete(
        what.path,
        summary=f"Delete a {one}",
        operation_id=f"delete_{one}",
        status_code=204,
        response_class=Response,
        responses=CHANGED,
        openapi_extra=_SECURITY,
    )
    async def delete(request: Request, mark_id: str, _: Decider, resolver: InResolver) -> Response:
        """Take it from everybody and forget it."""
        await resolver.order(request, ORDERS[kind, "delete"], deletion(kind, mark_id))
        return Response(status_code=204)


def _serve_members(what: _Kind) -> None:
    """Serve which contacts have one of them, and who is given it."""
    kind, one = what.kind, what.one
    asked = LIST_PARAMETERS - {what.filtered}

    @router.get(
        what.path_of_members,
        summary=what.list_members,
        operation_id=f"list_{one}_{what.members}",
        response_class=Answer,
        responses={200: {"model": ListDocument[Contact]}, 404: CHANGED[404]},
        openapi_extra=documented(asked),
    )
    async def list_having(
        request: Request, mark_id: str, place: Searcher, store: InStore, lag: ReadLag
    ) -> Answer:
        """Contacts, as `GET /contacts` lists them; of a smart group those that it finds now."""
        items = request.query_params.multi_items()
        parameters = Parameters(items, known=asked, aliases=ALIASES, family=CUSTOM_FILTER)
        query = parse_listing(parameters)
        row = await _get(store, place, kind, mark_id)
        having: dict[str, Any] = (
            {"labels": (row.values["name"],)} if kind == "tags" else {"groups": (row.id,)}
        )
        query = replace(query, filters=replace(query.filters, **having))
        return await page_of_contacts(request, place, store, lag, query)

    @router.post(
        what.path_of_members,
        summary=what.add,
        operation_id=f"add_{one}_{what.members}",
        response_class=Answer,
        responses={200: {"model": OutcomeDocument}, **CHANGED},
        openapi_extra={**_SECURITY, **described_body(None)},
    )
    async def add(request: Request, mark_id: str, _: Decider, resolver: InResolver) -> Answer:
        """Up to 500 at once: all of them, or none where one is not known here."""
        return await _order(request, resolver, kind, "add", mark_id)

    @router.delete(
        what.path_of_members,
        summary=what.remove,
        operation_id=f"remove_{one}_{what.members}",
        response_class=Answer,
        responses={200: {"model": OutcomeDocument}, **CHANGED},
        openapi_extra={**_SECURITY, **described_body(None)},
    )
    async def remove(request: Request, mark_id: str, _: Decider, resolver: InResolver) -> Answer:
        """Whichever sources say it: it stays off until a person says otherwise."""
        return await _order(request, resolver, kind, "remove", mark_id)

    @router.delete(
        f"{what.path_of_members}/{{contact_id}}",
        summary=what.remove_one,
        operation_id=f"remove_{one}_of_one",
        response_class=Answer,
        responses={200: {"model": OutcomeDocument}, **CHANGED},
        openapi_extra=_SECURITY,
    )
    async def remove_one(
        request: Request, mark_id: str, contact_id: str, _: Decider, resolver: InResolver
    ) -> Answer:
        """Do the same for one contact."""
        order = members(kind, mark_id, [contact_id])
        said = await resolver.order(request, ORDERS[kind, "remove"], order)
        return one_answer(request, {"meta": decision_meta(said)})


async def _order(
    request: Request, resolver: InResolver, kind: MarkKind, what: str, mark_id: str
) -> Answer:
    order = parse_members(kind, await body_of(request, MOST_BYTES), mark_id)
    said = await resolver.order(request, ORDERS[kind, what], order)
    return one_answer(request, {"meta": decision_meta(said)})


async def _get(store: Store, place: Place, kind: MarkKind, mark_id: str) -> MarkRow:
    row = await store.definitions.get_mark(place, kind, mark_id)
    if row is None:
        raise not_found(kind.removesuffix("s"))
    return row


for _what in (TAGS, GROUPS):
    _serve(_what)
    _serve_members(_what)
