"""New contacts: ask about those that a rule selects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ulid import ULID

from services.enricher.domain.question import Question
from services.enricher.domain.request import NewRequest, automatic_key
from services.enricher.domain.rules import AutoRule
from services.enricher.store import Store
from shared.errors import PoisonMessageError
from shared.events.codec import decode_event
from shared.events.contact import ContactCreated
from shared.events.fold import fold
from shared.events.topics import TYPE_BY_MODEL
from shared.kafka.batch import Batch, ConsumerRecord, Rejected

_CREATED: Final = TYPE_BY_MODEL[ContactCreated].encode()


@dataclass(frozen=True, slots=True)
class ContactEvents:
    """Handles `contact.events.v1`."""

    store: Store
    rule: AutoRule
    vendor: str
    """The vendor that new contacts are asked about at."""

    async def __call__(self, batch: Batch) -> Sequence[Rejected]:
        """Record a request for every new contact that the rule selects."""
        rejected: list[Rejected] = []
        requests: list[NewRequest] = []
        for record in batch.records if self.rule.enabled else ():
            if not is_creation(record):
                continue
            try:
                request = await self._request(record)
            except PoisonMessageError as error:
                rejected.append(Rejected(record, error))
            else:
                requests.extend([request] if request else [])
        if requests:
            await self.store.add(requests, batch.group, batch.next_offsets)
        else:
            await self.store.keep_place(batch.group, batch.next_offsets)
        return rejected

    async def _request(self, record: ConsumerRecord) -> NewRequest | None:
        envelope, event = decode_event(record.headers, record.value)
        state = fold(None, [event]) if isinstance(event, ContactCreated) else None
        if state is None or not isinstance(event, ContactCreated):
            return None
        question = Question.about(state)
        if not self.rule.selects(event, question):
            return None
        place = await self.store.directory.resolve(envelope.tenant, event.workspace)
        return NewRequest(
            public_id=f"req_{ULID()}",
            tenant_id=place.tenant_id,
            workspace_id=place.workspace_id,
            contact_id=event.contact_id,
            source=self.vendor,
            idempotency_key=automatic_key(event.contact_id, self.vendor, question),
            question=question,
            traceparent=envelope.traceparent,
        )


def is_creation(record: ConsumerRecord) -> bool:
    """Tell by its header alone whether a record is of interest: most are not."""
    return any(name == "ce_type" and value == _CREATED for name, value in record.headers)
