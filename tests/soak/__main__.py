"""`make soak`: what was undone has never been, in 10,000 histories on real PostgreSQL.

Each is lived twice, in a tenant where contacts are merged, edited, enriched and split at random,
and in one where the merges that were undone never happened; in both people give and take tags,
groups and values of custom fields, and imports are taken back. Companies of their own are made,
changed, merged and split beside them. Tables, events, read model, search documents and graph edges
must be the same. Then everything is said once more, and the machine tries every pair that a person
separated. Several processes live at once, each in a database of
its own; in a database several histories are lived side by side. `python -m tests.soak 2500 10000`
lives 2,500 histories from seed 10,000 on: others than those of a run before.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Final

from tests.soak.rounds import Tally, live
from tests.support.database import databases
from tests.support.stack import running_stack

HISTORIES: Final = 10_000
ROUND: Final = 250
"""Histories lived side by side, in two tenants of their own."""

PROCESSES: Final = max(2, os.cpu_count() or 2)
"""Processes that live histories: each waits for the database half of its time."""


async def main(histories: int = HISTORIES, first: int = 0) -> int:
    """Run on the stack of this checkout; the exit code is 1 when anything differed."""
    with running_stack(["postgres"]) as stack:
        async with databases(stack) as made:
            names = [await made.create() for _ in range(PROCESSES)]
            tally = await asyncio.to_thread(
                _live_all,
                [(made.dsn("kith_resolver", one), made.dsn("kith_migrator", one)) for one in names],
                range(first, first + histories),
            )
    return int(tally.wrong > 0)


def _live_all(databases: Sequence[tuple[str, str]], seeds: range) -> Tally:
    """Live all rounds, as many at once as there are databases."""
    tally, began = Tally(), time.monotonic()
    with ProcessPoolExecutor(len(databases), get_context("spawn")) as pool:
        firsts = range(seeds.start, seeds.stop, ROUND)
        rounds = [
            pool.submit(
                live, *databases[number % len(databases)], first, min(ROUND, seeds.stop - first)
            )
            for number, first in enumerate(firsts)
        ]
        for done in as_completed(rounds):
            tally.add(done.result())
            print(f"{tally}, {time.monotonic() - began:.0f} s", flush=True)
    return tally


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:3]))))
