"""Signals from Kafka: read, normalise, pass on; the bad ones come back with a reason."""

from collections.abc import Sequence

from services.ingest.domain.intake import moment, occurred_at, read_arrival, signal_id
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.domain.reading import read_body, refuse_large
from shared.auth import Directory
from shared.errors import PoisonMessageError
from shared.events.topics import SIGNALS_NORMALIZED
from shared.kafka.batch import Batch, ConsumerRecord, Rejected
from shared.kafka.producer import Outgoing, Producer


class Signals:
    """The topic's handler and what it works with; the directory comes when the process starts."""

    def __init__(self, rules: Rules, producer: Producer) -> None:
        self._rules = rules
        self._producer = producer
        self.directory: Directory

    async def handle_signals(self, batch: Batch) -> Sequence[Rejected]:
        """Pass on what is well-formed, in order; return what is not."""
        outgoing: list[Outgoing] = []
        rejected: list[Rejected] = []
        for record in batch.records:
            try:
                outgoing.append(await _normalized(record, self._rules, self.directory))
            except PoisonMessageError as error:
                rejected.append(Rejected(record, error))
        await self._producer.send_batch(outgoing)
        return rejected


async def _normalized(record: ConsumerRecord, rules: Rules, directory: Directory) -> Outgoing:
    refuse_large(record.value)
    arrival = read_arrival(record.headers, record.value)
    signal, raw = read_body(arrival.data)
    place = await directory.resolve(arrival.tenant, arrival.workspace)
    received, received_text = moment(record.timestamp)
    origin = Origin(
        signal_id=signal_id(arrival.source, arrival.id),
        tenant=place.tenant,
        workspace=place.workspace,
        occurred_at=occurred_at(arrival.time, received, arrival.time_text),
        received_at=received_text,
        traceparent=arrival.traceparent,
    )
    normalized = to_normalized(signal, raw, origin, rules)
    return Outgoing(
        topic=SIGNALS_NORMALIZED.name,
        key=normalized.key,
        value=normalized.body,
        headers=normalized_headers(origin),
    )
