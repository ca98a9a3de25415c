"""The review queue, why, why not and how: answered from what decisions stored."""

from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import Request, Response
from pydantic import BaseModel, Field, ValidationError

from services.resolver.domain.review_documents import tell_foreseen
from services.resolver.domain.reviewing import PAIR, Filters
from services.resolver.routes.answers import ProblemError, said
from services.resolver.routes.gate import Asker
from services.resolver.store import Store, questions
from services.resolver.store.review import reading
from shared.events.refusal import invalid

LONGEST_LIST: Final = 101
"""Pairs in one answer: a page of the api, and the one that tells that there is more."""


class Asked(BaseModel):
    """Which pairs are asked for."""

    status: list[Literal["open", "approved", "rejected", "retired", "auto_merged"]] = ["open"]
    tier: list[Literal["exact", "high", "medium", "low", "none"]] = []
    least: Annotated[float, Field(ge=0, le=1)] | None = None
    contact: str | None = None
    after_value: float | None = None
    after_number: int | None = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_LIST)] = 26


async def get_pairs(request: Request, asker: Asker) -> Response:
    """List the review queue, what is worth most first."""
    given = request.query_params
    lists = {name: given.getlist(name) for name in ("status", "tier") if name in given}
    try:
        asked = Asked.model_validate({**given, **lists})
    except ValidationError as error:
        found = invalid(error)
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, found.detail, found.field or None
        ) from None
    filters = Filters(
        statuses=asked.status,
        tiers=asked.tier or None,
        least=asked.least,
        contacts=(asked.contact,) if asked.contact else None,
    )
    after = None
    if asked.after_value is not None and asked.after_number is not None:
        after = (asked.after_value, asked.after_number)
    async with reading(request.app.state.pool, asker.place) as store:
        return said(await questions.list_pairs(store, filters, after, asked.limit))


async def get_pair(request: Request, pair: str, asker: Asker) -> Response:
    """Show one pair in full."""
    contacts = tuple(pair.split(PAIR, maxsplit=1))
    async with reading(request.app.state.pool, asker.place) as store:
        named = Filters(statuses=None, contacts=contacts)
        return said(await questions.show_pair(store, named) if len(contacts) > 1 else None)


async def get_why(request: Request, contact: str, asker: Asker) -> Response:
    """Tell why the records of a contact are one contact."""
    async with reading(request.app.state.pool, asker.place) as store:
        return said(await questions.why(store, contact))


async def get_why_not(request: Request, contact: str, other: str, asker: Asker) -> Response:
    """Tell how two contacts compare now."""
    async with reading(request.app.state.pool, asker.place) as store:
        return said(await questions.why_not(store, contact, other))


async def get_merge_preview(request: Request, contact: str, other: str, asker: Asker) -> Response:
    """Tell what a merge would make of two contacts, of which the first survives."""
    async with reading(request.app.state.pool, asker.place) as reader:
        if not await reader.knows([contact, other]):
            return said(None)
    store: Store = request.app.state.store
    async with store.transaction() as tx:
        foreseen = await tx.foresee(contact, other, asker.place)
    return said(foreseen and tell_foreseen(foreseen))


async def get_how(request: Request, contact: str, asker: Asker) -> Response:
    """Replay a contact step by step."""
    async with reading(request.app.state.pool, asker.place) as store:
        return said(await questions.how(store, contact))
