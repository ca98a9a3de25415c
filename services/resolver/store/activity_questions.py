"""What an import of mail, calendars or logs asks: what is known of it, and what became of it.

Reads only, in one snapshot, a statement for all that is asked at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
from msgspec import Struct

from services.resolver.domain.preview_documents import Document
from services.resolver.store.store import Store
from shared.auth import Place
from shared.events.signal import IdentifierType
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql", "activity_questions.sql")

VERSIONS: Final = 32
"""So many versions of a contact one activity leads to at most: it is founded, and told of it."""


class Content(Struct, frozen=True):
    """A version of a record: what names it, and what it says, as digests in hexadecimal."""

    record_key: str
    content_hash: str


class Identifier(Struct, frozen=True):
    """How somebody is reached."""

    type: IdentifierType
    value: str


class Sent(Struct, frozen=True):
    """A signal that was sent."""

    signal_id: str
    record_key: str
    content_hash: str
    stated_at: datetime


async def find_standings(
    store: Store, place: Place, activities: Sequence[Content], people: Sequence[Identifier]
) -> Document:
    """Tell of activities whether they are `new`, `newer` or `known`, of people which contact."""
    async with store.snapshot() as connection:
        found = await connection.fetch(
            QUERIES["find_activity_standings"],
            place.tenant_id,
            [bytes.fromhex(one.record_key) for one in activities],
            [bytes.fromhex(one.content_hash) for one in activities],
        )
        held = await connection.fetch(
            QUERIES["find_reachable"],
            place.tenant_id,
            place.workspace_id,
            [one.type for one in people],
            [one.value for one in people],
        )
    return {
        "activities": [row["standing"] for row in found],
        "people": [row["contact"] for row in held],
    }


async def find_outcomes(
    store: Store, place: Place, activities: Sequence[Sent], records: Sequence[Sent]
) -> Document:
    """Tell what became of activities, and of records that were sent beside them.

    Each is `applied`, `stale`, `known` (nothing new) or `waiting` (not decided yet).
    """
    async with store.snapshot() as connection:
        happened = await connection.fetch(
            QUERIES["find_activity_verdicts"], place.tenant_id, *_columns(activities), VERSIONS
        )
        said = await connection.fetch(
            QUERIES["find_record_verdicts"], place.tenant_id, *_columns(records)
        )
    return {
        "activities": [
            {"outcome": _outcome(row, is_stale=bool(row["is_stale"])), "events": row["events"]}
            for row in happened
        ],
        "records": [{"outcome": _outcome(row), "events": row["events"]} for row in said],
    }


def _columns(sent: Sequence[Sent]) -> tuple[list[str], list[bytes], list[bytes], list[datetime]]:
    return (
        [one.signal_id for one in sent],
        [bytes.fromhex(one.record_key) for one in sent],
        [bytes.fromhex(one.content_hash) for one in sent],
        [one.stated_at for one in sent],
    )


def _outcome(row: asyncpg.Record, *, is_stale: bool = False) -> str:
    if row["is_applied"]:
        return "stale" if is_stale else "applied"
    return "known" if row["is_known"] else "waiting"
