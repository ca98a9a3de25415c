"""One pair of the review queue, explained in words: what a person would decide about next."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from kith.demo.report import Case
from kith.review_text import reference
from services.resolver.domain.reviewing import Filters
from services.resolver.store.questions import list_pairs, show_pair
from services.resolver.store.review import ReviewStore
from shared.auth import Place

if TYPE_CHECKING:
    import asyncpg

    from shared.postgres.pool import Connection

SIGNALS: Final = 6
"""Signals that are told, those that say most."""

SHOWN: Final = ("full_name", "email", "phone", "job", "address")
"""Fields that are told side by side."""


async def choose_case(
    connection: "asyncpg.Connection[asyncpg.Record]", place: Place
) -> Case | None:
    """Explain the pair that is worth most; one with a score rather than one without."""
    store = ReviewStore(cast("Connection", connection), place)
    pairs = await list_pairs(store, Filters(least=0.0), None, 1)
    pairs = pairs or await list_pairs(store, Filters(), None, 1)
    if not pairs:
        return None
    case = await show_pair(store, Filters(statuses=None, numbers=(pairs[0]["number"],)))
    return tell_case(case) if case else None


def tell_case(case: Mapping[str, Any]) -> Case:
    """Cut a case down to what fits under a report."""
    evidence = case["evidence"] or {"signals": ()}
    rows = {row["field"]: row for row in case["values"]}
    return Case(
        pair=reference(case),
        contacts=tuple(one["id"] for one in case["contacts"]),
        names=tuple(one["name"] or one["id"] for one in case["contacts"]),
        score=case["score"],
        words=case["words"],
        values=tuple(
            (name, _first(rows[name]["left"]), _first(rows[name]["right"]))
            for name in SHOWN
            if name in rows
        ),
        signals=tuple(one["words"] for one in evidence["signals"][:SIGNALS]),
    )


def _first(values: list[dict[str, Any]]) -> str:
    return f"{values[0]['value']} ({values[0]['source']})" if values else ""
