"""Signals from Kafka: read, normalise, pass on; the bad ones come back with a reason."""

from collections.abc import Sequence

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.intake import Arrival, moment, occurred_at, read_arrival, signal_id
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.domain.reading import read_activity_body, read_body, refuse_large
from shared.auth import Directory, Place
from shared.errors import PoisonMessageError
from shared.events.topics import SIGNALS_NORMALIZED
from shared.kafka.batch import Batch, Rejected
from shared.kafka.producer import Outgoing, Producer


class Signals:
    """The topic's handler and what it works with; the directory comes when the process starts."""

    def __init__(self, rules: Rules, producer: Producer) -> None:
        self._rules = rules
        self._producer = producer
        self.directory: Directory

    async def handle_signals(self, batch: Batch) -> Sequence[Rejected]:
        """Pass on what is well-formed, in order; return what is not."""
        rules, topic = self._rules, SIGNALS_NORMALIZED.name
        outgoing: list[Outgoing] = []
        rejected: list[Rejected] = []
        places: dict[tuple[str | None, str | None], Place] = {}
        for record in batch.records:
            try:
                refuse_large(record.value)
                arrival = read_arrival(record.headers, record.value)
                named = (arrival.tenant, arrival.workspace)
                place = places.get(named)
                if place is None:
                    place = places[named] = await self.directory.resolve(*named)
                origin = _origin(arrival, place, record.timestamp)
                normalized = (
                    to_normalized_activity(*read_activity_body(arrival.data), origin, rules)
                    if arrival.is_activity
                    else to_normalized(*read_body(arrival.data), origin, rules)
                )
            except PoisonMessageError as error:
                rejected.append(Rejected(record, error))
            else:
                headers = normalized_headers(origin, is_activity=arrival.is_activity)
                outgoing.append(Outgoing(topic, normalized.key, normalized.body, headers))
        await self._producer.send_batch(outgoing)
        return rejected


def _origin(arrival: Arrival, place: Place, timestamp_ms: int) -> Origin:
    received, received_text = moment(timestamp_ms)
    return Origin(
        signal_id(arrival.source, arrival.id),
        place.tenant,
        place.workspace,
        occurred_at(arrival, received, received_text),
        received_text,
        arrival.traceparent,
    )
