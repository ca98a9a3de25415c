"""Orders to ask a vendor, from people and rules elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from services.enricher.domain.request import NewRequest, admission
from services.enricher.store import Store
from shared.auth import Place
from shared.errors import PoisonMessageError
from shared.events.enrichment import EnrichmentRequested
from shared.events.envelope import from_record
from shared.events.fold import fold
from shared.events.refusal import invalid
from shared.events.topics import TYPE_BY_MODEL
from shared.kafka.batch import Batch, ConsumerRecord, Rejected
from shared.observability.metrics import ENRICHMENT_REQUESTS


@dataclass(frozen=True, slots=True)
class Order:
    """An order, and where it is from."""

    requested: EnrichmentRequested
    place: Place
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class EnrichmentOrders:
    """Handles `contact.enrichment.requests.v1`."""

    store: Store
    vendors: frozenset[str]
    """Sources that somebody here can ask."""

    async def __call__(self, batch: Batch) -> Sequence[Rejected]:
        """Record every order; what cannot be asked at all is recorded as ineligible."""
        rejected: list[Rejected] = []
        orders: list[Order] = []
        for record in batch.records:
            try:
                orders.append(await self._order(record))
            except PoisonMessageError as error:
                rejected.append(Rejected(record, error))
        requests = await self._requests(orders)
        added = await self.store.add(requests, batch.group, batch.next_offsets)
        for request in requests:
            if request.public_id in added and request.reason is not None:
                ENRICHMENT_REQUESTS.labels(request.source, request.reason).inc()
        return rejected

    async def _order(self, record: ConsumerRecord) -> Order:
        envelope = from_record(record.headers, record.value)
        if envelope.type != TYPE_BY_MODEL[EnrichmentRequested]:
            raise PoisonMessageError("unknown_version", "is no order known here", field="ce_type")
        try:
            requested = EnrichmentRequested.model_validate_json(envelope.data)
        except ValidationError as error:
            raise invalid(error) from None
        if requested.source not in self.vendors:
            raise PoisonMessageError(
                "unknown_source",
                f"is no vendor that can be asked; known: {', '.join(sorted(self.vendors))}",
                field="source",
            )
        place = await self.store.directory.resolve(requested.tenant, requested.workspace)
        return Order(requested, place, envelope.traceparent)

    async def _requests(self, orders: Sequence[Order]) -> list[NewRequest]:
        histories = await self.store.find_histories(
            [(order.place.tenant_id, order.requested.contact_id) for order in orders]
        )
        requests = []
        for order in orders:
            place, requested = order.place, order.requested
            history = histories.get((place.tenant_id, requested.contact_id), [])
            status, reason, question = admission(fold(None, history, gaps=True))
            requests.append(
                NewRequest(
                    public_id=requested.request_id,
                    tenant_id=place.tenant_id,
                    workspace_id=place.workspace_id,
                    contact_id=requested.contact_id,
                    source=requested.source,
                    idempotency_key=requested.idempotency_key,
                    question=question,
                    traceparent=order.traceparent,
                    status=status,
                    reason=reason,
                )
            )
        return requests
