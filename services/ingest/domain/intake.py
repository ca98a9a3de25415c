"""What the envelope of a signal must say: which event it is, what names it, when it happened."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from shared.errors import PoisonMessageError
from shared.events.envelope import Envelope
from shared.events.signal import ContactSignal
from shared.events.topics import TYPE_BY_MODEL

SIGNAL_TYPE: Final = TYPE_BY_MODEL[ContactSignal]
"""The CloudEvents type that is read here."""

MAX_SIGNAL_ID: Final = 255
"""Characters; `NormalizedSignal.signal_id` takes no more."""

FUTURE_LIMIT: Final = timedelta(hours=24)
"""A `time` further ahead is a fault of the sender; a nearer one is a clock that goes fast."""


def check_type(envelope: Envelope) -> None:
    """Refuse events that are no contact signals of a version that is read here."""
    if envelope.type != SIGNAL_TYPE:
        raise PoisonMessageError("unknown_version", f"must be {SIGNAL_TYPE}", field="ce_type")


def signal_id(source: str, event_id: str) -> str:
    """Name a signal by its event's source and id; a name that is too long ends in its digest."""
    name = f"{source}#{event_id}"
    if "\0" in name:
        raise PoisonMessageError("invalid", "contains a NUL character; leave it out", field="ce_id")
    if len(name) <= MAX_SIGNAL_ID:
        return name
    return f"{name[:222]}~{blake2b(name.encode(), digest_size=16).hexdigest()}"


def occurred_at(stated: datetime | None, received: datetime) -> datetime:
    """Return when a signal came about: as stated, but never later than it was received."""
    if stated is None or stated <= received:
        return stated or received
    if stated - received > FUTURE_LIMIT:
        raise PoisonMessageError(
            "invalid", "is more than 24 hours ahead; send when it happened, in UTC", field="ce_time"
        )
    return received


def moment(timestamp_ms: int) -> datetime:
    """Return a broker's timestamp as a moment in UTC."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
