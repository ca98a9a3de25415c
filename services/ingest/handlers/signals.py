"""Signals from Kafka: read, normalise, pass on; the bad ones come back with a reason."""

import time
from collections.abc import Sequence

from services.ingest.domain.accounting import Account, Sources
from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.intake import Arrival, moment, occurred_at, read_arrival, signal_id
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.reading import read_activity_body, read_body, refuse_large
from services.ingest.store.outgoing import outgoing
from shared.auth import Directory, Place
from shared.errors import PoisonMessageError
from shared.kafka.batch import Batch, Rejected
from shared.kafka.pace import Share
from shared.kafka.producer import Outgoing, Producer
from shared.observability import metrics


class Signals:
    """The topic's handler and what it works with; the directory comes when the process starts."""

    def __init__(self, rules: Rules, producer: Producer, share: Share) -> None:
        self._rules = rules
        self._producer = producer
        self._share = share
        self._sources = Sources()
        self.directory: Directory

    async def handle_signals(self, batch: Batch) -> Sequence[Rejected]:
        """Pass on what is well-formed, in order; return what is not."""
        self._share.live()
        rules = self._rules
        messages: list[Outgoing] = []
        rejected: list[Rejected] = []
        places: dict[tuple[str | None, str | None], Place] = {}
        account = Account(self._sources)
        for record in batch.records:
            source = ""
            try:
                refuse_large(record.value)
                arrival = read_arrival(record.headers, record.value)
                named = (arrival.tenant, arrival.workspace)
                place = places.get(named)
                if place is None:
                    place = places[named] = await self.directory.resolve(*named)
                origin = _origin(arrival, place, record.timestamp)
                if arrival.is_activity:
                    activity, raw = read_activity_body(arrival.data)
                    source = activity.source
                    normalized = to_normalized_activity(activity, raw, origin, rules)
                else:
                    signal, raw = read_body(arrival.data)
                    source = signal.source
                    normalized = to_normalized(signal, raw, origin, rules)
            except PoisonMessageError as error:
                rejected.append(Rejected(record, error))
                account.refuse(source, error.reason)
            else:
                account.accept(source, record.timestamp)
                messages.append(outgoing(normalized, origin, is_activity=arrival.is_activity))
        await self._producer.send_batch(messages)
        _count(account)
        return rejected


def _count(account: Account) -> None:
    for source, verdict, count in account.verdicts():
        metrics.INGESTED_SIGNALS.labels(source, "topic", verdict).inc(count)
    for source, seconds in account.ages(time.time() * 1000):
        metrics.INGEST_SOURCE_AGE_SECONDS.labels(source).observe(seconds)


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
