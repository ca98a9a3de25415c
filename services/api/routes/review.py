"""Who is whom: `/api/v1/merge-candidates`, `/resolution`, and why contacts are what they are."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from services.api.domain.contacts import ROOT
from services.api.domain.documents import ErrorDocument, ListDocument
from services.api.domain.media import check_accept, check_content_type
from services.api.domain.paging import cut_page
from services.api.domain.parameters import Parameters
from services.api.domain.problems import not_found
from services.api.domain.review import (
    ANSWER_PARAMETERS,
    MOST_BYTES,
    MOST_SPLIT_BYTES,
    QUEUE_ALIASES,
    QUEUE_PARAMETERS,
    ExplanationDocument,
    OutcomeDocument,
    Pair,
    PairDocument,
    decision_meta,
    explanation,
    pair_resource,
    parse_decision,
    parse_merging,
    parse_queue,
    parse_splitting,
    queue_cursor,
)
from services.api.routes.answers import ERRORS, Answer, list_answer, one_answer
from services.api.routes.contacts import CONTACT_ID
from services.api.routes.gate import Reader, ReadLag, authenticate, body_of, forbidden
from services.api.routes.openapi import documented
from services.api.routes.resolver import InResolver
from shared.auth import Caller

WRITE_SCOPE: Final = "contacts:write"
"""What a key needs to decide."""

DECIDED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": OutcomeDocument},
    404: {"model": ErrorDocument, "description": "There is no such contact here."},
    409: {
        "model": ErrorDocument,
        "description": "`conflict`: a contact changed since it was seen. `one_contact`: the "
        "two are one by now; only to undo the merge, or to split, takes them apart.",
    },
}
"""What a decision is answered with."""

router = APIRouter(prefix=ROOT, tags=["review"], responses=ERRORS)


async def _decider(request: Request) -> Caller:
    caller = await authenticate(request)
    if WRITE_SCOPE not in caller.scopes:
        raise forbidden(WRITE_SCOPE)
    check_accept(request.headers.get("Accept"))
    check_content_type(request.headers.get("Content-Type"))
    return caller


Decider = Annotated[Caller, Depends(_decider)]
"""Who may decide."""


@router.get(
    "/merge-candidates",
    summary="List pairs that wait for a decision",
    response_class=Answer,
    responses={200: {"model": ListDocument[Pair]}},
    openapi_extra=documented(QUEUE_PARAMETERS),
)
@router.get("/resolution/review-queue", include_in_schema=False)
async def list_pairs(request: Request, _: Reader, resolver: InResolver, lag: ReadLag) -> Answer:
    """Pairs of this workspace's contacts that may be one person, those worth most first.

    Worth is how likely they are one, times how much depends on it. Read forwards only: the order
    changes as people decide.
    """
    items = request.query_params.multi_items()
    asked, query = parse_queue(Parameters(items, known=QUEUE_PARAMETERS, aliases=QUEUE_ALIASES))
    pairs: list[dict[str, Any]] = await resolver.ask(request, ("merge-candidates",), query)
    kept, page = cut_page(asked, pairs, queue_cursor)
    data = [pair_resource(pair, at) for pair, at in zip(kept, page.cursors, strict=True)]
    forwards = type(page)(page.size, page.cursors, has_prev=False, has_next=page.has_next)
    return list_answer(request, data, forwards, await lag.seconds())


@router.get(
    "/merge-candidates/{pair}",
    summary="Get a pair with its evidence",
    response_class=Answer,
    responses={200: {"model": PairDocument}},
    openapi_extra=documented(ANSWER_PARAMETERS),
)
async def get_pair(request: Request, pair: str, _: Reader, resolver: InResolver) -> Answer:
    """Both contacts side by side, and each signal with its weight, in words too."""
    _check(request)
    _refuse_unknown("pair", *pair.split(".", maxsplit=1))
    case = await resolver.ask(request, ("merge-candidates", pair))
    return one_answer(request, {"data": pair_resource(case)})


@router.post(
    "/merge-candidates/{pair}/approve",
    summary="Say that a pair is one person",
    response_class=Answer,
    responses=DECIDED,
    openapi_extra={"security": [{"apiKey": []}]},
)
async def approve(request: Request, pair: str, _: Decider, resolver: InResolver) -> Answer:
    """Merge the two. `meta.versions` names what was seen: 409 when one has changed since."""
    return await _decide(request, pair, resolver, "approve_merge")


@router.post(
    "/merge-candidates/{pair}/reject",
    summary="Say that a pair is two people",
    response_class=Answer,
    responses=DECIDED,
    openapi_extra={"security": [{"apiKey": []}]},
)
async def reject(request: Request, pair: str, _: Decider, resolver: InResolver) -> Answer:
    """Keep the two apart for good. `meta.versions` names what was seen: 409 as above.

    Where they are one contact by now it is a 409 too.
    """
    return await _decide(request, pair, resolver, "reject_merge")


@router.get(
    "/contacts/{contact_id}/why",
    summary="Why these records are one contact",
    response_class=Answer,
    responses={200: {"model": ExplanationDocument}},
    openapi_extra=documented(ANSWER_PARAMETERS),
)
async def get_why(request: Request, contact_id: str, _: Reader, resolver: InResolver) -> Answer:
    """Tell what joined each record, and each merge with its evidence; scores are made again."""
    _check(request)
    _refuse_unknown("contact", contact_id)
    said = await resolver.ask(request, ("contacts", contact_id, "why"))
    return one_answer(request, {"data": explanation("merge_reasons", contact_id, "why", said)})


@router.get(
    "/contacts/{contact_id}/why-not/{other_id}",
    summary="Why two contacts are not one",
    response_class=Answer,
    responses={200: {"model": ExplanationDocument}},
    openapi_extra=documented(ANSWER_PARAMETERS),
)
async def get_why_not(
    request: Request, contact_id: str, other_id: str, _: Reader, resolver: InResolver
) -> Answer:
    """Compare the two now: signals, weights, vetoes, and what is missing to a merge."""
    path = (contact_id, "why-not", other_id)
    return await _tell_of_two(request, resolver, "merge_comparisons", path)


@router.get(
    "/contacts/{contact_id}/merge-preview/{other_id}",
    summary="What a merge would make of two contacts",
    response_class=Answer,
    responses={200: {"model": ExplanationDocument}},
    openapi_extra=documented(ANSWER_PARAMETERS),
)
async def get_merge_preview(
    request: Request, contact_id: str, other_id: str, _: Reader, resolver: InResolver
) -> Answer:
    """Both contacts with what they hold, counted, where they differ, and the merged one.

    The first survives. Nothing is changed.
    """
    path = (contact_id, "merge-preview", other_id)
    return await _tell_of_two(request, resolver, "merge_previews", path)


@router.post(
    "/resolution/merge",
    summary="Merge two contacts",
    response_class=Answer,
    responses=DECIDED,
    openapi_extra={"security": [{"apiKey": []}]},
)
async def post_merge(request: Request, _: Decider, resolver: InResolver) -> Answer:
    """Make `meta.absorbed_id` one with `meta.survivor_id`, whether the two waited for it or not.

    `meta.versions` names what was seen of both: 409 when one has changed since.
    """
    order = parse_merging(await body_of(request, MOST_BYTES))
    return _decided(request, await resolver.judge(request, "merge_contacts", order))


@router.post(
    "/resolution/split",
    summary="Undo a merge, or take records or identifiers out of a contact",
    response_class=Answer,
    responses=DECIDED,
    openapi_extra={"security": [{"apiKey": []}]},
)
async def post_split(request: Request, _: Decider, resolver: InResolver) -> Answer:
    """Undo `meta.merge_id`, by default the newest merge, as if it had never been.

    With `meta.records` or `meta.identifiers` instead these go, with what they brought: they are
    somebody else's. `meta.versions` names what was seen: 409 when it has changed since.
    """
    order = parse_splitting(await body_of(request, MOST_SPLIT_BYTES))
    return _decided(request, await resolver.judge(request, "split_contact", order))


@router.get(
    "/contacts/{contact_id}/how",
    summary="How a contact came to be, step by step",
    response_class=Answer,
    responses={200: {"model": ExplanationDocument}},
    openapi_extra=documented(ANSWER_PARAMETERS),
)
async def get_how(request: Request, contact_id: str, _: Reader, resolver: InResolver) -> Answer:
    """Replay the contact's events: what happened, and what the contact was afterwards."""
    _check(request)
    _refuse_unknown("contact", contact_id)
    said = await resolver.ask(request, ("contacts", contact_id, "how"))
    return one_answer(request, {"data": explanation("contact_steps", contact_id, "how", said)})


async def _tell_of_two(
    request: Request, resolver: InResolver, kind: str, path: tuple[str, str, str]
) -> Answer:
    """Pass on what is asked of two contacts; `path` has the one, what is asked, and the other."""
    contact, asked, other = path
    _check(request)
    _refuse_unknown("contact", contact, other)
    said = await resolver.ask(request, ("contacts", *path))
    data = explanation(kind, contact, f"{asked}/{other}", said)
    return one_answer(request, {"data": {**data, "id": f"{contact}.{other}"}})


async def _decide(request: Request, pair: str, resolver: InResolver, command: str) -> Answer:
    order = parse_decision(pair, await body_of(request, MOST_BYTES))
    return _decided(request, await resolver.judge(request, command, order))


def _decided(request: Request, answer: Mapping[str, Any]) -> Answer:
    return one_answer(request, {"meta": decision_meta(answer)})


def _check(request: Request) -> None:
    Parameters(request.query_params.multi_items(), known=ANSWER_PARAMETERS)


def _refuse_unknown(what: str, *contacts: str) -> None:
    """Answer 404 to what can be nobody's id, before anybody is asked."""
    if not all(CONTACT_ID.fullmatch(contact) for contact in contacts):
        raise not_found(what)
