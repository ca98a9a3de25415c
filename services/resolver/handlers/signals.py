"""The resolver's topics: load, decide, store; one transaction per batch."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from services.resolver.domain.arrival import deliver, read_signal
from services.resolver.domain.gate import decide
from services.resolver.domain.model import Delivery, Source
from services.resolver.handlers.reconsidering import Reconsideration
from services.resolver.store import Store
from shared.auth import Place
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.signal import NormalizedSignal
from shared.kafka.batch import Batch, ConsumerRecord, Rejected
from shared.observability import metrics

LIVE_WINDOW_S: Final = 2.0
"""Live signals within this time count as flowing, seconds."""


class Signals:
    """Handles the live and the bulk topic of normalised signals."""

    def __init__(self, store: Store, bulk_share: float, full: int = 500) -> None:
        """`full` is how many records make a batch full: then more wait."""
        self._store = store
        self._bulk_share = bulk_share
        self._full = full
        self._behind_at = 0.0
        self.reconsideration = Reconsideration(store)
        self._sources: dict[str, Source] = {}
        self._live_at = 0.0

    async def handle_signals(self, batch: Batch) -> Sequence[Rejected]:
        """Give every signal of the batch its place among the contacts."""
        self._live_at = time.monotonic()
        if len(batch.records) >= self._full:
            self._behind_at = self._live_at
        return await self._resolve(batch)

    @property
    def is_behind(self) -> bool:
        """Whether more live signals waited a moment ago than one batch takes."""
        return time.monotonic() - self._behind_at < LIVE_WINDOW_S

    async def handle_bulk(self, batch: Batch) -> Sequence[Rejected]:
        """Do the same for signals from files, within their share of the time."""
        started = time.monotonic()
        rejected = await self._resolve(batch)
        ended = time.monotonic()
        if ended - self._live_at < LIVE_WINDOW_S:
            await asyncio.sleep((ended - started) * (1 / self._bulk_share - 1))
        return rejected

    async def _resolve(self, batch: Batch) -> Sequence[Rejected]:
        deliveries, rejected = await self._read(batch.records)
        async with self._store.transaction() as tx:
            known = await tx.load(deliveries)
            ids = await tx.take_ids(
                len(deliveries) + sum(len(one.signal.facts.employments) for one in deliveries)
            )
            plan = decide(deliveries, known, ids, datetime.now(UTC))
            await tx.apply(plan)
            await tx.save_offsets(batch.group, batch.next_offsets)
        for outcome, count in plan.outcomes.items():
            metrics.GATE_RESULTS.labels(outcome).inc(count)
        metrics.GATE_RESULTS.labels("candidate").inc(len(plan.candidates))
        if plan.found_out:
            await self.reconsideration.begin()
        return rejected

    async def _read(
        self, records: Sequence[ConsumerRecord]
    ) -> tuple[list[Delivery], list[Rejected]]:
        deliveries, rejected = [], []
        places: dict[tuple[str, str], Place] = {}
        for record in records:
            try:
                headers = dict(record.headers)
                signal = _read_signal(headers, record.value)
                named = (signal.tenant, signal.workspace)
                place = places.get(named)
                if place is None:
                    place = places[named] = await self._store.directory.resolve(*named)
                source = self._sources.get(signal.source) or await self._source(signal.source)
                trace = headers.get("traceparent")
                deliveries.append(
                    deliver(
                        signal,
                        place.tenant_id,
                        place.workspace_id,
                        source,
                        trace.decode("ascii", "replace") if trace else None,
                    )
                )
            except PoisonMessageError as error:
                rejected.append(Rejected(record, error))
        return deliveries, rejected

    async def _source(self, name: str) -> Source:
        self._sources = await self._store.sources_by_name()
        try:
            return self._sources[name]
        except KeyError:
            raise PoisonMessageError(
                "unknown_source", "is no row of contact.data_source", field="source"
            ) from None


_NORMALIZED: Final = topics.TYPE_BY_MODEL[NormalizedSignal].encode()


def _read_signal(headers: Mapping[str, bytes | None], body: bytes | None) -> NormalizedSignal:
    if headers.get("ce_type") != _NORMALIZED:
        raise PoisonMessageError(
            "unknown_version", f"must be {_NORMALIZED.decode()}", field="ce_type"
        )
    return read_signal(body or b"")
