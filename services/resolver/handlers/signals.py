"""The resolver's topics: load, decide, store; one transaction per batch."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from services.resolver.domain.activities import newcomers, sort_out, tell
from services.resolver.domain.activity import (
    ActivityDelivery,
    deliver_activity,
    is_activity,
    read_activity,
)
from services.resolver.domain.arrival import (
    deliver,
    deliver_companies,
    is_company,
    read_company_signal,
    read_signal,
)
from services.resolver.domain.gate import decide
from services.resolver.domain.model import Delivery, Plan, Source
from services.resolver.handlers.reconsidering import Reconsideration
from services.resolver.store import Store
from shared.auth import Place
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.activity import NormalizedActivity
from shared.events.signal import NormalizedCompanySignal, NormalizedSignal
from shared.kafka.batch import Batch, ConsumerRecord, Rejected, next_offsets
from shared.kafka.pace import Share
from shared.observability import metrics

_Arrived = TypeVar("_Arrived", Delivery, ActivityDelivery)

PORTION: Final = 4_000
"""Activities and their participants in one transaction, at most: a batch of circulars has many."""

_Activity = tuple[ConsumerRecord, ActivityDelivery]
"""A record and the activity that it brings."""


_Companies = tuple[ConsumerRecord, Delivery]
"""A record and the delivery of companies alone that it brings."""

_UNPLACED: Final = (
    "is the name of no company that is known, and a name alone makes none; give its domain or its "
    "page at LinkedIn, Crunchbase or Tracxn, or replay this once the company is known"
)
"""Why a company of a signal about companies alone leads nowhere (DESIGN 9)."""


@dataclass(slots=True)
class _Arrivals:
    """What a batch brings, by kind."""

    deliveries: list[Delivery] = field(default_factory=list)
    happened: list[_Activity] = field(default_factory=list)
    companies: list[_Companies] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


class Signals:
    """Handles the live and the bulk topic of normalised signals."""

    def __init__(self, store: Store, share: Share | None = None, beside: int | None = None) -> None:
        """Give files their share; `beside`: so many of their signals at once beside live ones.

        Without either they get all of the time, and are taken as they come.
        """
        self._store = store
        self._share = share or Share(1.0)
        self._beside = beside
        self.reconsideration = Reconsideration(store)
        self._sources: dict[str, Source] = {}

    async def handle_signals(self, batch: Batch) -> Sequence[Rejected]:
        """Give every signal of the batch its place among the contacts."""
        with self._share.busy():
            rejected = await self._resolve(batch)
        if batch.records:
            self._share.took(time.time() - min(one.timestamp for one in batch.records) / 1000)
        return rejected

    async def handle_bulk(self, batch: Batch) -> Sequence[Rejected]:
        """Do the same for signals from files, within their share of the time.

        While live signals flow, few at once: a transaction holds what it locked until its end, and
        what it leads to stands before theirs wherever events are read in their order.  The ledger
        makes it harmless that a part is done again when a later one has to be, and so it is: what
        a part rejected is told at the end only (`shared.kafka.batch.Handler`).
        """
        rejected: list[Rejected] = []
        records = batch.records
        while records:
            await self._share.turn()
            most = self._beside if self._share.is_wanted else None
            part = records[:most]
            records = records[len(part) :]
            started = time.monotonic()
            rejected += await self._resolve(Batch(part, batch.group, next_offsets(part)))
            await self._share.rest(time.monotonic() - started)
        return rejected

    async def _resolve(self, batch: Batch) -> Sequence[Rejected]:
        arrived = await self._read(batch.records)
        deliveries, rejected = arrived.deliveries, arrived.rejected
        if arrived.companies:
            rejected += await self._resolve_companies(arrived.companies)
        if arrived.happened:
            return rejected + await self._resolve_happened(batch, deliveries, arrived.happened)
        async with self._store.transaction(by_key=True) as tx:
            deliveries = _left(deliveries, await tx.find_retracted(deliveries))
            deliveries = await tx.by_present_names(deliveries)
            known = await tx.load(deliveries)
            news = await tx.load_companies(deliveries)
            ids = await tx.take_ids(_new_names(deliveries))
            plan = decide(deliveries, known, ids, datetime.now(UTC), news)
            await tx.apply(plan, news)
            await tx.save_offsets(batch.group, batch.next_offsets)
        _count(plan)
        if plan.found_out:
            await self.reconsideration.begin()
        return rejected

    async def _resolve_companies(self, told: list[_Companies]) -> list[Rejected]:
        """Take what a batch tells of companies alone, in a transaction before that of its people.

        The ledger makes it harmless that only the latter says how far the topic was read.
        """
        deliveries = [one for _, one in told]
        async with self._store.transaction() as tx:
            known = await tx.load((), deliveries)
            news = await tx.load_companies(deliveries, are_alone=True)
            assert news is not None, "each tells of a company"
            ids = await tx.take_ids(_new_names(deliveries))
            plan = decide((), known, ids, datetime.now(UTC), news)
            await tx.apply(plan, news)
        lost: dict[int, list[int]] = {}
        for one in news.unplaced:
            place = one.delivery.signal.companies.index(one.said)
            lost.setdefault(id(one.delivery), []).append(place)
        nowhere = sum(len(lost.get(id(one), ())) == len(one.signal.companies) for _, one in told)
        metrics.GATE_RESULTS.labels("company").inc(len(told) - nowhere)
        return [
            Rejected(record, _unplaced(lost[id(one)], len(one.signal.companies)))
            for record, one in told
            if id(one) in lost
        ]

    async def _resolve_happened(
        self, batch: Batch, deliveries: list[Delivery], happened: list[_Activity]
    ) -> list[Rejected]:
        """Resolve a batch with activities, in several transactions when they have many people.

        The ledger makes it harmless that only the last of them says how far the topic was read.
        """
        rejected: list[Rejected] = []
        portions = list(_portions(happened))
        for number, portion in enumerate(portions, 1):
            activities = [one for _, one in portion]
            async with self._store.transaction() as tx:
                signals = deliveries if number == 1 else []
                retracted = await tx.find_retracted([*signals, *activities])
                signals, activities = _left(signals, retracted), _left(activities, retracted)
                signals = await tx.by_present_names(signals)
                known, found = await tx.load_happened(signals, activities)
                fresh = len({one.name for one in activities} - found.keys())
                entered = sort_out(activities, found, known, await tx.take_activity_ids(fresh))
                people = newcomers([one for one, _, _ in entered.applied], known)
                deciding = [*signals, *people]
                news = await tx.load_companies(signals)
                ids = await tx.take_ids(_new_names(deciding))
                plan = decide(deciding, known, ids, datetime.now(UTC), news)
                tell(entered, known, plan, ids)
                await tx.apply(plan, news)
                await tx.apply_activities(entered.plan, plan.now)
                if number == len(portions):
                    await tx.save_offsets(batch.group, batch.next_offsets)
            _count(plan)
            if plan.found_out:
                await self.reconsideration.begin()
            for outcome, count in entered.plan.outcomes.items():
                metrics.ACTIVITIES.labels(outcome).inc(count)
            records = {id(one): record for record, one in portion}
            rejected += [Rejected(records[id(one)], error) for one, error in entered.refused]
        return rejected

    async def _read(self, records: Sequence[ConsumerRecord]) -> _Arrivals:
        arrived = _Arrivals()
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
                of = (
                    place.tenant_id,
                    place.workspace_id,
                    source,
                    trace.decode("ascii", "replace") if trace else None,
                )
                if is_company(signal):
                    arrived.companies.append((record, deliver_companies(signal, *of)))
                elif is_activity(signal):
                    arrived.happened.append((record, deliver_activity(signal, *of)))
                else:
                    arrived.deliveries.append(deliver(signal, *of))
            except PoisonMessageError as error:
                arrived.rejected.append(Rejected(record, error))
        return arrived

    async def _source(self, name: str) -> Source:
        self._sources = await self._store.sources_by_name()
        try:
            return self._sources[name]
        except KeyError:
            raise PoisonMessageError(
                "unknown_source", "is no row of contact.data_source", field="source"
            ) from None


_NORMALIZED: Final = topics.TYPE_BY_MODEL[NormalizedSignal].encode()
_HAPPENED: Final = topics.TYPE_BY_MODEL[NormalizedActivity].encode()
_OF_COMPANIES: Final = topics.TYPE_BY_MODEL[NormalizedCompanySignal].encode()


def _read_signal(
    headers: Mapping[str, bytes | None], body: bytes | None
) -> NormalizedSignal | NormalizedActivity | NormalizedCompanySignal:
    kind = headers.get("ce_type")
    if kind == _NORMALIZED:
        return read_signal(body or b"")
    if kind == _HAPPENED:
        return read_activity(body or b"")
    if kind == _OF_COMPANIES:
        return read_company_signal(body or b"")
    raise PoisonMessageError(
        "unknown_version",
        f"must be {_NORMALIZED.decode()}, {_HAPPENED.decode()} or {_OF_COMPANIES.decode()}",
        field="ce_type",
    )


def _unplaced(places: list[int], companies: int) -> PoisonMessageError:
    """Say which companies of a signal lead nowhere: by their places in it, of so many.

    Replayed, it leaves alone what is entered of it: that is in the ledger.
    """
    first, *more = (f"companies.{place}.name" for place in places)
    detail = _UNPLACED
    if more:
        detail += f"; so {'is' if len(more) == 1 else 'are'} {', '.join(more)}"
    if len(places) < companies:
        detail += "; the others are entered"
    return PoisonMessageError("invalid", detail, field=first)


def _left(arrived: list[_Arrived], retracted: set[tuple[int, int, str]]) -> list[_Arrived]:
    """Pass by what comes after its import was taken back: a file may still have been on its way."""
    if not retracted:
        return arrived
    return [
        one
        for one in arrived
        if (one.tenant_id, one.workspace_id, one.signal.import_id) not in retracted
    ]


def _portions(happened: Sequence[_Activity]) -> Iterator[list[_Activity]]:
    """Cut a batch of activities where it has as many people as one transaction takes."""
    portion: list[_Activity] = []
    people = 0
    for one in happened:
        people += 1 + len(one[1].people)
        if portion and people > PORTION:
            yield portion
            portion, people = [], 1 + len(one[1].people)
        portion.append(one)
    yield portion


def _new_names(deliveries: Sequence[Delivery]) -> int:
    """Return for how many contacts and companies ids are needed at most."""
    return len(deliveries) + sum(
        len(one.signal.facts.employments) + len(one.signal.companies) for one in deliveries
    )


def _count(plan: Plan) -> None:
    for outcome, count in plan.outcomes.items():
        metrics.GATE_RESULTS.labels(outcome).inc(count)
    metrics.GATE_RESULTS.labels("candidate").inc(len(plan.candidates))
