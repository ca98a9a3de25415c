"""What signals and activities of an import would lead to, and what became of them."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol

from fastapi import Request, Response
from msgspec import Raw, Struct
from msgspec.json import Decoder

from services.resolver.routes.answers import ProblemError, body_of, decoded, said
from services.resolver.routes.gate import Asker
from services.resolver.store import activity_questions, previews

MAX_PREVIEW_BYTES: Final = 32 << 20
"""The largest question about signals."""

MOST_SIGNALS: Final = 1_000
"""Signals in one question, and as many that come before them."""

MOST_PEOPLE: Final = 10_000
"""People in one question about activities."""

_DIGEST = re.compile("[0-9a-f]{32}")


class Decided(Struct, frozen=True):
    """Signals of which a preview is asked, and those that would come before them."""

    signals: list[Raw]
    context: list[Raw] = []


class Outcomes(Struct, frozen=True):
    """Signals whose verdicts are asked."""

    signals: list[previews.Sent]


class Standings(Struct, frozen=True):
    """Activities of which it is asked what is known, and people who take part."""

    activities: list[activity_questions.Content]
    people: list[activity_questions.Identifier] = []


class Happened(Struct, frozen=True):
    """Activities whose outcomes are asked, and records that were sent beside them."""

    activities: list[activity_questions.Sent]
    records: list[activity_questions.Sent] = []


_decode_decided: Final = Decoder(Decided).decode
_decode_outcomes: Final = Decoder(Outcomes).decode
_decode_standings: Final = Decoder(Standings).decode
_decode_happened: Final = Decoder(Happened).decode


async def post_decisions(request: Request, asker: Asker) -> Response:
    """Tell what normalised signals would lead to; nothing is written."""
    asked = decoded(_decode_decided, await body_of(request, MAX_PREVIEW_BYTES))
    _refuse_many(asked.signals)
    _refuse_many(asked.context)
    told = await previews.preview_signals(
        request.app.state.store,
        asker.place,
        [bytes(one) for one in asked.context],
        [bytes(one) for one in asked.signals],
    )
    return said({"decisions": told})


async def post_verdicts(request: Request, asker: Asker) -> Response:
    """Tell what became of signals that were sent."""
    asked = decoded(_decode_outcomes, await body_of(request, MAX_PREVIEW_BYTES))
    _refuse_many(asked.signals)
    _refuse_no_digests(asked.signals)
    told = await previews.find_verdicts(request.app.state.store, asker.place, asked.signals)
    return said({"verdicts": told})


async def post_standings(request: Request, asker: Asker) -> Response:
    """Tell what is known of activities and of the people who take part; nothing is written."""
    body = await body_of(request, MAX_PREVIEW_BYTES)
    asked = decoded(_decode_standings, body, "activities")
    _refuse_many(asked.activities, "activities")
    if len(asked.people) > MOST_PEOPLE:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"ask of at most {MOST_PEOPLE} people", "people"
        )
    _refuse_no_digests(asked.activities, "activities")
    return said(
        await activity_questions.find_standings(
            request.app.state.store, asker.place, asked.activities, asked.people
        )
    )


async def post_outcomes(request: Request, asker: Asker) -> Response:
    """Tell what became of activities that were sent, and of records beside them."""
    body = await body_of(request, MAX_PREVIEW_BYTES)
    asked = decoded(_decode_happened, body, "activities")
    for name, sent in (("activities", asked.activities), ("records", asked.records)):
        _refuse_many(sent, name)
        _refuse_no_digests(sent, name)
    return said(
        await activity_questions.find_outcomes(
            request.app.state.store, asker.place, asked.activities, asked.records
        )
    )


async def get_fields(request: Request, asker: Asker) -> Response:
    """Tell what custom fields of contacts are defined in the workspace, but for archived ones."""
    return said({"fields": await previews.find_fields(request.app.state.store, asker.place)})


class _Digested(Protocol):
    """What is named by digests."""

    @property
    def record_key(self) -> str:
        """Of its record."""

    @property
    def content_hash(self) -> str:
        """Of what it says."""


def _refuse_no_digests(asked: Sequence[_Digested], name: str = "signals") -> None:
    for one in asked:
        if not (_DIGEST.fullmatch(one.record_key) and _DIGEST.fullmatch(one.content_hash)):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "record_key and content_hash must be 32 hexadecimal digits",
                name,
            )


def _refuse_many(signals: Sequence[object], name: str = "signals") -> None:
    if len(signals) > MOST_SIGNALS:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"ask of at most {MOST_SIGNALS} {name}", name
        )
