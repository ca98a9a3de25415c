"""What vendors found, on its way to Kafka: the request's row is the outbox."""

from dataclasses import dataclass
from typing import Final

from services.enricher.domain.interpret import CLOUDEVENTS_SOURCE
from services.enricher.handlers.loop import Loop
from services.enricher.store import Outbox, Store, Unsent
from shared.events.envelope import Envelope, to_headers
from shared.events.signal import NormalizedSignal
from shared.events.topics import SIGNALS_NORMALIZED, TYPE_BY_MODEL
from shared.kafka.producer import Outgoing, Producer

BATCH: Final = 50
"""Signals sent at once."""


@dataclass(frozen=True, slots=True)
class SignalSender:
    """Publishes findings to `contact.signals.normalized.v1`."""

    store: Store
    producer: Producer
    topic: str = SIGNALS_NORMALIZED.name

    def loops(self, poll_seconds: float) -> list[Loop]:
        """Return the work that has to go on by itself."""
        return [Loop("signals", self.send, poll_seconds)]

    async def send(self) -> bool:
        """Send what waits, then mark it; a crash in between sends it again, as a duplicate."""
        async with self.store.unsent(BATCH) as outbox:
            if outbox.signals:
                await self.producer.send_batch(self.wrap(outbox))
                await outbox.sent()
        return len(outbox.signals) == BATCH

    def wrap(self, outbox: Outbox) -> list[Outgoing]:
        """Make messages of the signals that wait."""
        return [_outgoing(one, self.topic) for one in outbox.signals]


def _outgoing(unsent: Unsent, topic: str) -> Outgoing:
    """Wrap a stored signal as ingest wraps its own."""
    signal = NormalizedSignal.model_validate_json(unsent.signal)
    envelope = Envelope(
        id=signal.signal_id,
        source=CLOUDEVENTS_SOURCE,
        type=TYPE_BY_MODEL[NormalizedSignal],
        data=unsent.signal,
        time=signal.occurred_at,
        tenant=signal.tenant,
        workspace=signal.workspace,
        recordedtime=signal.received_at,
        traceparent=unsent.traceparent,
    )
    return Outgoing(
        topic=topic,
        key=signal.record_key.encode(),
        value=unsent.signal,
        headers=list(to_headers(envelope)),
    )
