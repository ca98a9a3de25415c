"""Derived columns of the read model, brought up to date where they are: no history is folded."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import orjson

from services.projector.domain.rows import SEPARATOR
from services.projector.store.views import queries
from shared.events.derived import Derived, derived
from shared.postgres.errors import translated

PAGE: Final = 1_000
"""Rows that are looked through at once, and at most written in one transaction."""

PAUSE_SECONDS: Final = 0.05
"""Until rows that a batch writes just now are looked at again."""

Report = Callable[[int], None]
"""Is told how many rows are looked through."""


async def derive(dsn: str, report: Report) -> int:
    """Give every row what follows from its values (ADR 0097); returns how many had not had it.

    Runs as the tables' owner, while all else goes on: a step is one page, waits for no lock, and
    leaves alone what is of another version by then.  Stopped, it is begun anew.
    """
    with translated():
        connection = await asyncpg.connect(dsn)
        try:
            return await _derive_all(connection, report)
        finally:
            await connection.close()


async def _derive_all(connection: asyncpg.Connection, report: Report) -> int:
    after, looked_at, written = ("", 0), 0, 0
    while rows := await connection.fetch(queries["find_page_of_derived"], *after, PAGE):
        stale = [
            (row, found)
            for row in rows
            if (found := derived(orjson.loads(row["fields"]))) != _shown(row)
        ]
        if stale:
            told = await connection.fetch(
                queries["save_derived"],
                [row["public_id"] for row, _ in stale],
                [row["workspace_id"] for row, _ in stale],
                [row["version"] for row, _ in stale],
                [found.seniority for _, found in stale],
                [SEPARATOR.join(found.departments) for _, found in stale],
                [found.timezone for _, found in stale],
            )
            written += len(told)
            if len(told) < len(stale):
                await asyncio.sleep(PAUSE_SECONDS)
                continue  # a batch has them: the page once more, when it is done
        looked_at += len(rows)
        after = rows[-1]["public_id"], rows[-1]["workspace_id"]
        report(looked_at)
    return written


def _shown(row: asyncpg.Record) -> Derived | None:
    """Return what a row has; None: it is older than the columns."""
    if row["departments"] is None:
        return None
    return Derived(row["seniority"], tuple(row["departments"]), row["timezone"])
