"""What the envelope of a signal must say: which event it is, what names it, when it happened."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from shared.errors import PoisonMessageError
from shared.events.activity import ActivitySignal
from shared.events.envelope import from_record, rfc3339
from shared.events.signal import ContactSignal
from shared.events.topics import TYPE_BY_MODEL

SIGNAL_TYPE: Final = TYPE_BY_MODEL[ContactSignal]
"""The CloudEvents type of a contact signal."""

ACTIVITY_TYPE: Final = TYPE_BY_MODEL[ActivitySignal]
"""The CloudEvents type of an activity signal."""

_SIGNAL_TYPE: Final = SIGNAL_TYPE.encode()
_JSON: Final = frozenset({None, b"application/json", b"application/json; charset=utf-8"})
_UTC = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_MAX_ATTRIBUTE: Final = 255

Headers = Sequence[tuple[str, bytes | None]]
"""Kafka headers as the client gives them."""

MAX_SIGNAL_ID: Final = 255
"""Characters; `NormalizedSignal.signal_id` takes no more."""

FUTURE_LIMIT: Final = timedelta(hours=24)
"""A `time` further ahead is a fault of the sender; a nearer one is a clock that goes fast."""


class Arrival(Struct, frozen=True, gc=False):
    """What the headers of a signal say."""

    id: str
    source: str
    time: datetime | None
    time_text: str
    """`time` as the sender wrote it, when that is UTC already; else empty."""
    tenant: str | None
    workspace: str | None
    traceparent: str | None
    data: bytes
    is_activity: bool = False
    """It says what happened, not who somebody is."""


def read_arrival(headers: Headers, value: bytes | None) -> Arrival:
    """Read a signal's envelope, or refuse it; both content modes of CloudEvents."""
    return _read_usual(headers, value) or _read_any(headers, value)


def _read_usual(headers: Headers, value: bytes | None) -> Arrival | None:
    """Read binary mode with nothing odd about it, in a quarter of the time."""
    found = dict(headers)
    identity, source = found.get("ce_id"), found.get("ce_source")
    if (
        len(found) != len(headers)
        or found.get("ce_specversion") != b"1.0"
        or found.get("ce_type") != _SIGNAL_TYPE
        or found.get("content-type") not in _JSON
        or not identity
        or not source
        or len(identity) > _MAX_ATTRIBUTE
        or len(source) > _MAX_ATTRIBUTE
    ):
        return None
    time_text = found.get("ce_time")
    try:
        time = None
        if time_text is not None:
            if _UTC.fullmatch(time_text) is None:
                return None
            time = datetime.fromisoformat(time_text.decode())
        return Arrival(
            identity.decode(),
            source.decode(),
            time,
            time_text.decode() if time_text else "",
            _text(found.get("ce_tenant")),
            _text(found.get("ce_workspace")),
            _text(found.get("traceparent")),
            value or b"",
        )
    except ValueError:
        return None


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode()


def _read_any(headers: Headers, value: bytes | None) -> Arrival:
    envelope = from_record(headers, value)
    if envelope.type not in (SIGNAL_TYPE, ACTIVITY_TYPE):
        raise PoisonMessageError(
            "unknown_version", f"must be {SIGNAL_TYPE} or {ACTIVITY_TYPE}", field="ce_type"
        )
    return Arrival(
        envelope.id,
        envelope.source,
        envelope.time,
        "",
        envelope.tenant,
        envelope.workspace,
        envelope.traceparent,
        envelope.data,
        envelope.type == ACTIVITY_TYPE,
    )


def signal_id(source: str, event_id: str) -> str:
    """Name a signal by its event's source and id; a name that is too long ends in its digest."""
    name = f"{source}#{event_id}"
    if "\0" in name:
        raise PoisonMessageError("invalid", "contains a NUL character; leave it out", field="ce_id")
    if len(name) <= MAX_SIGNAL_ID:
        return name
    return f"{name[:222]}~{blake2b(name.encode(), digest_size=16).hexdigest()}"


def occurred_at(arrival: Arrival, received: datetime, received_text: str) -> str:
    """Return when a signal came about, RFC 3339: as stated, but never after it was received."""
    stated = arrival.time
    if stated is None:
        return received_text
    if stated <= received:
        return arrival.time_text or rfc3339(stated)
    if stated - received > FUTURE_LIMIT:
        raise PoisonMessageError(
            "invalid", "is more than 24 hours ahead; send when it happened, in UTC", field="ce_time"
        )
    return received_text


@lru_cache(maxsize=1_024)
def moment(timestamp_ms: int) -> tuple[datetime, str]:
    """Return a broker's timestamp as a moment in UTC, and as RFC 3339 writes it.

    Remembered, as many records of a batch came in the same millisecond.
    """
    found = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return found, rfc3339(found)
