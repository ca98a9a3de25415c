"""What an import asks: what its rows would lead to, and afterwards what became of them.

Reads only, in one snapshot: nobody waits for a preview, and a preview waits for nobody.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import asyncpg
from msgspec import Struct

from services.resolver.domain.arrival import deliver, read_signal
from services.resolver.domain.model import Delivery, Source
from services.resolver.domain.preview_documents import (
    MOST_AGAINST,
    Document,
    Namesakes,
    tell_preview,
    tell_refusal,
)
from services.resolver.domain.previewing import Preview, imagined, name_of, names_of, preview
from services.resolver.store.fields import FIELDS
from services.resolver.store.loading import Loader
from services.resolver.store.store import Store
from shared.auth import Place
from shared.errors import PoisonMessageError
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql", "imports.sql")

Made = TypeVar("Made")

TURN: Final = 25
"""Signals that are decided in one go: some five milliseconds."""

Read = Delivery | tuple[str, PoisonMessageError]
"""A signal that can be decided, or its id and what is wrong with it."""


class Sent(Struct, frozen=True):
    """A signal that was sent: what names it, its record and its content."""

    signal_id: str
    record_key: str
    content_hash: str


async def preview_signals(
    store: Store, place: Place, context: Sequence[bytes], signals: Sequence[bytes]
) -> list[Document]:
    """Tell what each signal would lead to, after those of `context`, in their order."""
    sources = await store.sources_by_name()
    read = await _in_turns(_read(body, place, sources) for body in context)
    before = [one for one in read if isinstance(one, Delivery)]
    asked = await _in_turns(_read(body, place, sources) for body in signals)
    deliveries = [one for one in asked if isinstance(one, Delivery)]
    async with store.snapshot() as connection:
        known = await Loader(connection, store.sources, looking=True).load([*before, *deliveries])
        imagining = preview([*before, *deliveries], known, imagined(), datetime.now(UTC))
        found = await _in_turns(imagining)
        named = await _namesakes(connection, place, found[len(before) :])
    told = iter(found[len(before) :])
    return await _in_turns(
        tell_preview(next(told), place.workspace_id, name_of(one), named)
        if isinstance(one, Delivery)
        else tell_refusal(one[0], one[1].field, one[1].detail)
        for one in asked
    )


async def _in_turns(work: Iterable[Made]) -> list[Made]:
    """Do work piece by piece, and let others have their turn: live signals wait behind it."""
    made: list[Made] = []
    for number, one in enumerate(work, start=1):
        made.append(one)
        if number % TURN == 0:
            await asyncio.sleep(0)
    return made


async def find_verdicts(store: Store, place: Place, sent: Sequence[Sent]) -> list[Document]:
    """Tell what became of signals that were sent; those not decided yet are `waiting`."""
    async with store.snapshot() as connection:
        rows = await connection.fetch(
            QUERIES["find_verdicts"],
            place.tenant_id,
            place.workspace_id,
            [one.signal_id for one in sent],
            [bytes.fromhex(one.record_key) for one in sent],
            [bytes.fromhex(one.content_hash) for one in sent],
        )
    return [
        {
            "signal_id": row["signal_id"],
            "verdict": _verdict(row),
            "contact": row["contact"],
            "events": row["events"],
            "with": row["others"],
        }
        for row in rows
    ]


async def find_fields(store: Store, place: Place) -> list[Document]:
    """Tell what custom fields of contacts are in force in a workspace."""
    async with store.snapshot() as connection:
        rows = await connection.fetch(FIELDS["find_fields"], place.tenant_id, place.workspace_id)
    return [
        {name: row[name] for name in ("key", "type", "options", "currency")}
        for row in rows
        if row["entity_type"] == "contact" and row["archived_at"] is None
    ]


def _verdict(row: asyncpg.Record) -> str:
    """Say in a word what the ledger has of a signal."""
    if row["is_applied"]:
        if row["others"]:
            return "in_review"
        if row["made"]:
            return "created"
        return "updated" if row["events"] else "stale"
    return "unchanged" if row["is_known"] else "waiting"


def _read(body: bytes, place: Place, sources: Mapping[str, Source]) -> Read:
    """Read one signal as the topic's handler does, for the caller's own place."""
    try:
        signal = read_signal(body)
    except PoisonMessageError as error:
        return "", error
    source = sources.get(signal.source)
    if (signal.tenant, signal.workspace) != (place.tenant, place.workspace):
        return signal.signal_id, _ELSEWHERE
    if source is None:
        return signal.signal_id, _UNKNOWN_SOURCE
    return deliver(signal, place.tenant_id, place.workspace_id, source)


_ELSEWHERE: Final = PoisonMessageError(
    "unknown_tenant", "must be the API key's own", field="workspace"
)
_UNKNOWN_SOURCE: Final = PoisonMessageError(
    "unknown_source", "is no row of contact.data_source", field="source"
)


async def _namesakes(connection: Connection, place: Place, found: Sequence[Preview]) -> Namesakes:
    names = sorted(names_of(found))
    if not names:
        return {}
    called: dict[str, list[tuple[str, str]]] = {}
    for row in await connection.fetch(
        QUERIES["find_namesakes"], place.tenant_id, place.workspace_id, names, MOST_AGAINST
    ):
        called.setdefault(row["name"], []).append((row["public_id"], row["full_name"]))
    return called
