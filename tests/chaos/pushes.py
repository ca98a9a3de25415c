"""Signals that are pushed over HTTP while things break, each until it is accepted, once.

One key may send what it likes; another one asks more often than it may, and has to hear so.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import httpx

from kith import administration
from kith.administration import Terms
from shared.idempotency import CLAIM_SECONDS
from shared.kafka.batch import ConsumerRecord
from tests.chaos.pipeline import PATIENCE_S
from tests.chaos.run import Run, check_told, make_place
from tests.chaos.workload import Place
from tests.support.invariants import Connection

CALLERS: Final = 4
"""Who push side by side."""

PAUSE_S: Final = 0.02
"""Between two pushes of a caller, seconds."""

ANSWER_S: Final = 10.0
"""An answer that takes longer is none, seconds."""

SLOWEST_S: Final = 5.0
"""What holds nothing of the truth may delay an answer by no more, seconds."""

PER_MINUTE: Final = 120
"""What the second key may send; it is asked for twice as much."""

UNBOUNDED: Final = 1_000_000
"""What the first key may send a minute."""

AGAIN_S: Final = 5.0
"""Between two tries of what another attempt is in the way of, seconds."""


class Pushes:
    """Pushes until it is told to stop."""

    def __init__(self, run: Run, place: tuple[Place, int], tokens: Sequence[str]) -> None:
        self._run = run
        self._place = place
        self._tokens = tokens
        self._accepted: set[str] = set()
        self.stopping = asyncio.Event()
        self._answered = asyncio.Event()
        self.refused: Counter[int] = Counter()
        """How often the second key was answered what."""
        self.slowest_s = 0.0
        """The longest that an answer took."""

    async def caller(self, number: int, tasks: asyncio.TaskGroup) -> None:
        """Push signals one after the other."""
        count = 0
        async with self._client(0) as http:
            while not self.stopping.is_set():
                count += 1
                mark = f"push-{number}-{count}"
                if not await self._push(http, mark):
                    tasks.create_task(self._insist(mark))
                await asyncio.sleep(PAUSE_S)

    async def _insist(self, mark: str) -> None:
        """Send a signal again, until nobody can be at work on its first attempt any more."""
        async with self._client(0) as http, asyncio.timeout(CLAIM_SECONDS + PATIENCE_S):
            done = False
            while not done:
                await asyncio.sleep(AGAIN_S)
                done = await self._push(http, mark)

    async def _push(self, http: httpx.AsyncClient, mark: str) -> bool:
        """Send one signal until it is accepted; False where another attempt is in the way."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = await self._send(http, mark)
                status = answer and answer.status_code
                if status == HTTPStatus.ACCEPTED:
                    self._accepted.add(mark)
                    self._answered.set()
                    return True
                if status == HTTPStatus.CONFLICT:
                    return False
                if answer is not None and status != HTTPStatus.SERVICE_UNAVAILABLE:
                    self._run.broken.add("I8", f"{mark}: answered {status} {answer.text}")
                await asyncio.sleep(PAUSE_S)

    async def _send(self, http: httpx.AsyncClient, mark: str) -> httpx.Response | None:
        began = time.monotonic()
        try:
            return await http.post(
                f"{self._run.fleet.url('ingest')}/v1/signals",
                json={
                    "source": "hubspot_crm",
                    "source_record_id": mark,
                    "mark": mark,
                    "emails": [{"value": f"{mark}@push.example"}],
                },
                headers={"Idempotency-Key": mark},
            )
        except httpx.TransportError:
            return None
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    async def asker(self) -> None:
        """Ask with the second key, more often than it may."""
        async with self._client(1) as http:
            while not self.stopping.is_set():
                url = f"{self._run.fleet.url('ingest')}/v1/imports"
                try:
                    answer = await http.get(url)
                except httpx.TransportError:
                    continue
                finally:
                    await asyncio.sleep(30 / PER_MINUTE)
                self.refused[answer.status_code] += 1
                self._answered.set()

    async def go_on(self) -> None:
        """Wait until something more is accepted than was by now."""
        before = len(self._accepted)
        await self._heard(lambda: len(self._accepted) > before + CALLERS)

    async def refused_again(self) -> None:
        """Wait until the second key hears once more that it asks too often."""
        before = self.refused[HTTPStatus.TOO_MANY_REQUESTS]
        await self._heard(lambda: self.refused[HTTPStatus.TOO_MANY_REQUESTS] > before)

    async def _heard(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._answered.clear()
                await self._answered.wait()

    def _client(self, key: int) -> httpx.AsyncClient:
        bearer = {"Authorization": f"Bearer {self._tokens[key]}"}
        return httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, headers=bearer)

    async def check(self, connection: Connection, events: Sequence[ConsumerRecord]) -> None:
        """Hold the ledger to what was accepted."""
        broken, (_, tenant_id) = self._run.broken, self._place
        await check_told(self._run, connection, self._place, events)
        rows = await connection.fetch(
            "SELECT raw ->> 'mark' AS mark FROM contact.source_record WHERE tenant_id = $1",
            tenant_id,
        )
        found = Counter(row["mark"] for row in rows)
        for mark in self._accepted - found.keys():
            broken.add("I1", f"{mark}: accepted, but not in the ledger")
        for mark, count in found.items():
            if count > 1:
                broken.add("I2", f"{mark}: {count} times in the ledger")


@asynccontextmanager
async def pushing(run: Run) -> AsyncIterator[Pushes]:
    """Push until the end of the context."""
    place = await make_place(run.stack, "pushes")
    async with administration.connected(run.stack.postgres_dsn("kith_cli")) as database:
        keys = [
            await administration.create_key(
                database, place[0].workspace, "chaos", ["signals:write"], terms=Terms(None, most)
            )
            for most in (UNBOUNDED, PER_MINUTE)
        ]
    pushes = Pushes(run, place, [key.token for key in keys])
    run.beside.append(pushes.check)
    async with asyncio.TaskGroup() as tasks:
        for number in range(CALLERS):
            tasks.create_task(pushes.caller(number, tasks))
        tasks.create_task(pushes.asker())
        try:
            yield pushes
        finally:
            pushes.stopping.set()
