"""Normalised signals as messages for `contact.signals.normalized.v1`, or for its bulk topic."""

from services.ingest.domain.mapping import Normalized, Origin
from services.ingest.domain.outgoing import normalized_headers
from shared.events.topics import SIGNALS_NORMALIZED, SIGNALS_NORMALIZED_BULK
from shared.kafka.producer import Outgoing


def outgoing(
    normalized: Normalized, origin: Origin, *, is_activity: bool = False, is_bulk: bool = False
) -> Outgoing:
    """Make a message of a signal; `is_bulk`: it is one of many, which live ones overtake."""
    topic = SIGNALS_NORMALIZED_BULK if is_bulk else SIGNALS_NORMALIZED
    headers = normalized_headers(origin, is_activity=is_activity, is_company=normalized.is_company)
    return Outgoing(topic.name, normalized.key, normalized.body, headers)
