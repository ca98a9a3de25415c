"""Requests that are due: pick up, ask once, store what came of it."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Final

from services.enricher.domain.interpret import summary, to_signal
from services.enricher.domain.lifecycle import Settlement, settle
from services.enricher.domain.outcome import (
    BadAnswer,
    Ineligible,
    Match,
    Outcome,
    SourcePaused,
    Unknown,
)
from services.enricher.domain.request import Claimed
from services.enricher.handlers.loop import Loop
from services.enricher.providers.base import EnrichmentError, Provider
from services.enricher.store import Store
from shared.cache import RateLimit
from shared.errors import PoisonMessageError, ServiceError, SourceUnavailableError
from shared.events.codec import encode
from shared.events.signal import NormalizedSignal
from shared.identifiers.digests import Digests
from shared.observability.logs import get_logger
from shared.observability.metrics import ENRICHMENT_REQUESTS

log = get_logger(__name__)

STORE_RETRY_S: Final = 0.5
"""Between two attempts to store an answer, seconds: it was paid for, and is nowhere else."""

LONGEST_WAIT_S: Final = 0.5
"""The longest single wait for a token, seconds: a stop must be noticed."""

LOST_CALLS_EVERY_S: Final = 2.0
"""How often calls of dead processes are looked for, seconds."""


class Lookups:
    """Asks one vendor, within its rate and so many calls at once."""

    def __init__(
        self,
        store: Store,
        provider: Provider,
        limit: RateLimit,
        digests: Digests,
        *,
        concurrency: int,
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._provider = provider
        self._limit = limit
        self._digests = digests
        self._lease = lease_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._calls: set[asyncio.Task[None]] = set()

    def loops(self, poll_seconds: float) -> list[Loop]:
        """Return the work that has to go on by itself."""
        return [
            Loop("lookups", self.begin_one, poll_seconds),
            Loop("lost_calls", self.give_up_lost_calls, LOST_CALLS_EVERY_S),
        ]

    async def begin_one(self) -> bool:
        """Pick up a request and begin its call; False when none is due.

        The token is taken before the request is picked up: one that waits in `processing` for its
        turn would count as lost if the process died.
        """
        await self._slots.acquire()
        request = None
        wait = 0.0
        try:
            wait = await self._limit.take()
            if wait <= 0:
                request = await self._store.claim(self._provider.source, self._lease)
        finally:
            if request is None:
                self._slots.release()
        if request is not None:
            call = asyncio.create_task(self._carry_out(request))
            self._calls.add(call)
            call.add_done_callback(self._finished)
        await asyncio.sleep(min(wait, LONGEST_WAIT_S))
        return request is not None or wait > 0

    def _finished(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._slots.release()

    async def drain(self) -> None:
        """Wait for the calls in flight; each has its own time limit."""
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def give_up_lost_calls(self) -> bool:
        """Fail the calls that nobody will hear of."""
        for source in await self._store.give_up_lost_calls():
            log.warning("call_lost", vendor=source)
            ENRICHMENT_REQUESTS.labels(source, "outcome_unknown").inc()
        return False

    async def _carry_out(self, request: Claimed) -> None:
        outcome = await self._ask(request)
        now = datetime.now(UTC)
        signal = None
        if isinstance(outcome, Match):
            signal = self._interpret(outcome, request, now)
            outcome = outcome if signal else BadAnswer()
        settlement = settle(request.call, outcome, now, random.random())  # noqa: S311  # jitter
        if settlement.pause is not None:
            await self._limit.pause(settlement.pause)
        await self._store_answer(request, settlement, signal)

    async def _ask(self, request: Claimed) -> Outcome:
        if not request.question.answerable:  # it was erased while the request waited to try again
            return Ineligible()
        try:
            return await self._provider.lookup(request.question)
        except EnrichmentError as error:
            return error.failure
        except SourceUnavailableError as error:
            log.error("vendor_refuses_us", vendor=request.source, error=type(error).__name__)  # noqa: TRY400
            return SourcePaused()
        except Exception:
            # A bug in the adapter: nobody knows whether the question was sent.
            log.exception("lookup_failed", vendor=request.source, request_id=request.public_id)
            return Unknown()

    def _interpret(self, match: Match, request: Claimed, now: datetime) -> NormalizedSignal | None:
        try:
            return to_signal(match, request, self._digests, now)
        except ValueError:
            log.exception("answer_refused", vendor=request.source, request_id=request.public_id)
            return None

    async def _store_answer(
        self, request: Claimed, settlement: Settlement, signal: NormalizedSignal | None
    ) -> None:
        """Store an answer, however long the database is away."""
        while True:
            try:
                stored = await self._store.settle(
                    request,
                    settlement,
                    summary=summary(signal) if signal else None,
                    signal=encode(signal) if signal else None,
                )
            except PoisonMessageError:
                log.exception("answer_refused", vendor=request.source, request_id=request.public_id)
                return
            except ServiceError as error:
                log.warning("answer_waits", error=type(error).__name__)
                await asyncio.sleep(STORE_RETRY_S)
            else:
                if stored and settlement.status != "pending":
                    outcome = settlement.reason or settlement.status
                    ENRICHMENT_REQUESTS.labels(request.source, outcome).inc()
                return
