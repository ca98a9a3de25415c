"""One process of `tests.load.size`: resolves signals as a resolver does, or matches behind it.

    python -m tests.load.resolving signals|matching   (its settings as JSON in argv)

The production handlers on a database of its own, without Kafka between them. Prints a JSON object.
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any, Final

import orjson
import psutil
import uvloop
from aiokafka import ConsumerRecord

from kith.evaluation.pipeline import open_pipeline
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.domain.reading import read_value
from services.resolver.handlers.signals import Signals
from services.resolver.store import Store
from shared.auth import Place
from shared.errors import TransientError
from shared.events import topics
from shared.identifiers.digests import Digests
from shared.kafka.batch import Batch, next_offsets
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from shared.process import collect_rarely
from tests.load.meters import MIB
from tests.load.workload import a_person

SEED: Final = 7
"""Of the people of the bench."""

MOST: Final = 500
"""Signals of a batch at most, as the resolver takes them from Kafka."""

IDLE_S: Final = 0.01
"""Between two looks for work, seconds."""

Answer = dict[str, Any]


class Arrivals:
    """Normalised signals of new and of known people, as ingest would hand them on."""

    def __init__(
        self, place: Place, number: int, of: int, base: int, first: int, *, until: int | None
    ) -> None:
        """Be the worker `number` of `of`; people from `first` on are new, as every other signal is.

        The others are of somebody of the `base`; with `until` all are new, up to that one.
        """
        self._place = place
        self._rules = Rules(Digests("bench"))
        self._bodies = (
            self._mixed(number, of, base, first)
            if until is None
            else self._new(range(first + number, until, of))
        )
        self._offset = count()

    def _new(self, people: Iterator[int] | range) -> Iterator[bytes]:
        return (a_person(SEED, person, "hubspot_crm") for person in people)

    def _mixed(self, number: int, of: int, base: int, first: int) -> Iterator[bytes]:
        """Take turns: somebody new, and somebody whom another source told of before."""
        dice = random.Random(f"{number}-{first}")
        new = self._new(count(first + number, of))
        for body in new:
            yield body
            record = f"{number}-{first}-{next(self._offset)}"
            yield a_person(SEED, dice.randrange(base), "salesforce_crm", record)

    def batch(self, most: int) -> Batch:
        """Return the next signals; empty when there are no more."""
        now = datetime.now(UTC).isoformat()
        records = []
        for body in islice(self._bodies, most):
            offset = next(self._offset)
            origin = Origin(f"/bench#{offset}", self._place.tenant, self._place.workspace, now, now)
            signal = to_normalized(
                read_value(orjson.loads(body), may_hold_nul=False)[0], body, origin, self._rules
            )
            headers = tuple(normalized_headers(origin))
            records.append(_record(offset, signal.body, headers))
        return Batch(records, "bench", next_offsets(records))


def _record(
    offset: int, body: bytes, headers: Sequence[tuple[str, bytes]]
) -> ConsumerRecord[Any, Any]:
    topic = topics.SIGNALS_NORMALIZED.name
    return ConsumerRecord(topic, 0, offset, 0, 0, None, body, None, 0, len(body), tuple(headers))


async def resolve(
    *,
    dsn: str,
    number: int,
    of: int,
    base: int,
    first: int = 0,
    until: int | None = None,
    rate: float | None = None,
    seconds: float | None = None,
    most: int = MOST,
    gather_ms: int = 0,
) -> Answer:
    """Resolve what arrives, at a steady rate or as fast as it goes; tells how long each batch took.

    `most` is the largest batch; from batch to batch it takes `gather_ms` at least, as a resolver's
    subscription does. The processor time that making the signals takes is not told of.
    """
    settings = PostgresSettings.model_validate({"dsn": dsn})
    async with connect(settings, "bench-resolver", lookups_only=True) as pool:
        store = Store()
        store.open(pool)
        signals = Signals(store)
        place = await store.directory.resolve(None, None)
        arrivals = Arrivals(place, number, of, base, first, until=until)
        took: list[float] = []
        done = again = largest = 0
        not_ours = time.process_time()
        started = began = time.perf_counter()
        while seconds is None or time.perf_counter() - started < seconds:
            due = most
            if rate is not None:
                if (left := began + gather_ms / 1_000 - time.perf_counter()) > 0:
                    await asyncio.sleep(left)
                due = min(most, int((time.perf_counter() - started) * rate) - done)
                if due < 1:
                    await asyncio.sleep(IDLE_S)
                    continue
            made = time.process_time()
            batch = arrivals.batch(due)
            not_ours += time.process_time() - made
            if not batch.records:
                break
            began = time.perf_counter()
            while True:
                try:
                    await signals.handle_signals(batch)
                    break
                except TransientError:
                    again += 1
            took.append(1_000 * (time.perf_counter() - began))
            done += len(batch.records)
            largest = max(largest, len(batch.records))
        ended = time.perf_counter()
    return {
        "signals": done,
        "seconds": ended - started,
        "batch_ms": took,
        "largest_batch": largest,
        "tried_again": again,
        **_spent(not_ours),
    }


async def match(*, resolver: str, relay: str) -> Answer:
    """Match what the gate tells of, until nothing comes any more and the caller says it is over."""
    events = again = 0
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    async with open_pipeline(resolver, relay) as pipeline:
        while True:
            try:
                found = await pipeline.match_next()
            except TransientError:
                again += 1
                continue
            events += found
            if not found:
                if over.done():
                    break
                await asyncio.sleep(IDLE_S)
    return {
        "events": events,
        "tried_again": again,
        **_spent(),
    }


def _spent(not_ours: float = 0.0) -> Answer:
    """Return memory, and processor time but for what is not of the work measured, seconds."""
    memory = psutil.Process().memory_info().rss / MIB
    return {"rss_mib": memory, "cpu_s": time.process_time() - not_ours}


if __name__ == "__main__":
    roles: dict[str, Callable[..., Coroutine[Any, Any, Answer]]] = {
        "signals": resolve,
        "matching": match,
    }
    collect_rarely()  # as every service does
    answer = uvloop.run(roles[sys.argv[1]](**orjson.loads(sys.argv[2])))
    # A buffer of its own: an unbuffered interpreter writes what the pipe takes at once, no more.
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        output.write(orjson.dumps(answer))
