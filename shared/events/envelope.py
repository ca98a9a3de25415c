"""CloudEvents 1.0 in the Kafka protocol binding, binary and structured content mode.

Source: cloudevents/spec v1.0, `bindings/kafka-protocol-binding.md`. Written here, not taken from
the CloudEvents SDK, since the hot path builds and reads headers by the hundred thousand and the
binding is a page long.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import orjson

from shared.errors import PoisonMessageError

Headers = Sequence[tuple[str, bytes]]
"""Kafka headers as the client gives and takes them."""

_STRUCTURED = b"application/cloudevents"
_JSON = b"application/json"
MAX_DEPTH = 64
"""Deepest nesting of a JSON body that is read."""


_write_json = msgspec.json.Encoder().encode
"""Writes a moment in UTC as RFC 3339 does, between quotes, in a tenth of `isoformat`'s time."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of one CloudEvent; `data` is the body, still JSON bytes or parsed."""

    id: str
    source: str
    type: str
    data: bytes
    time: datetime | None = None
    subject: str | None = None
    tenant: str | None = None
    """Extension `tenant`: the tenant's public id."""
    workspace: str | None = None
    """Extension `workspace`: the workspace's public id."""
    recordedtime: datetime | None = None
    """Extension `recordedtime`: when kith first saw what led to this message."""
    traceparent: str | None = None
    """W3C trace context, header `traceparent`."""
    extensions: dict[str, str] = field(default_factory=dict)


def to_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Write an envelope as Kafka headers, binary content mode; the body is `envelope.data`."""
    headers = [
        ("content-type", _JSON),
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
    ]
    optional = (
        ("ce_time", rfc3339(envelope.time) if envelope.time else None),
        ("ce_subject", envelope.subject),
        ("ce_tenant", envelope.tenant),
        ("ce_workspace", envelope.workspace),
        ("ce_recordedtime", rfc3339(envelope.recordedtime) if envelope.recordedtime else None),
        ("traceparent", envelope.traceparent),
    )
    headers.extend((name, value.encode()) for name, value in optional if value is not None)
    headers.extend((f"ce_{name}", value.encode()) for name, value in envelope.extensions.items())
    return headers


def header(headers: Iterable[tuple[str, bytes | None]], name: str) -> str | None:
    """Return the first header of that name as text; None when absent or not UTF-8."""
    for key, value in headers:
        if key == name and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def from_record(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Envelope:
    """Read the envelope of a Kafka record in either content mode.

    Raises `PoisonMessageError` that names the attribute that is missing or wrong.
    """
    attributes: dict[str, str] = {}
    for name, raw in headers:
        if raw is None:
            continue
        try:
            attributes.setdefault(name.lower(), raw.decode())
        except UnicodeDecodeError:
            raise PoisonMessageError(
                "malformed", "is not UTF-8; headers are UTF-8 text", field=f"header {name[:40]!r}"
            ) from None
    content_type = attributes.get("content-type", "").strip().lower()
    if content_type.startswith(_STRUCTURED.decode()):
        return _from_structured(value or b"", attributes.get("traceparent"))
    return _from_attributes(
        {name[3:]: text for name, text in attributes.items() if name.startswith("ce_")},
        value or b"",
        attributes.get("traceparent"),
    )


def _from_structured(value: bytes, traceparent: str | None) -> Envelope:
    document = parse_object(value)
    if "data_base64" in document:
        raise PoisonMessageError(
            "invalid", "must be absent: send JSON in `data`", field="data_base64"
        )
    data = document.pop("data", None)
    attributes = {name: text for name, text in document.items() if isinstance(text, str)}
    return _from_attributes(attributes, orjson.dumps(data), traceparent)


def _from_attributes(attributes: dict[str, str], data: bytes, traceparent: str | None) -> Envelope:
    known = dict(attributes)
    if known.pop("specversion", None) != "1.0":
        raise PoisonMessageError(
            "unknown_version", "must be `1.0` (CloudEvents 1.0)", field="ce_specversion"
        )
    known.pop("datacontenttype", None)
    required = {name: known.pop(name, "") for name in ("id", "source", "type")}
    for name, text in required.items():
        if not text or len(text) > 255:
            raise PoisonMessageError(
                "invalid", "is required, 1 to 255 characters", field=f"ce_{name}"
            )
    return Envelope(
        **required,
        data=data,
        time=_time(known.pop("time", None), "ce_time"),
        subject=known.pop("subject", None),
        tenant=known.pop("tenant", None),
        workspace=known.pop("workspace", None),
        recordedtime=_time(known.pop("recordedtime", None), "ce_recordedtime"),
        traceparent=traceparent or known.pop("traceparent", None),
        extensions=known,
    )


def parse_object(value: bytes) -> dict[str, object]:
    """Parse a JSON object, or say in a `PoisonMessageError` why it is none."""
    try:
        document = orjson.loads(value)
    except (orjson.JSONDecodeError, RecursionError) as error:
        position = getattr(error, "pos", 0)
        raise PoisonMessageError(
            "malformed", f"is not UTF-8 JSON (near byte {position}); send one JSON object"
        ) from None
    if not isinstance(document, dict):
        raise PoisonMessageError(
            "malformed", f"is a JSON {type(document).__name__}; send one JSON object"
        )
    # A value cannot nest deeper than it has brackets: counting them spares most bodies the walk.
    brackets = value.count(b"{") + value.count(b"[")
    if brackets > MAX_DEPTH and deeper_than(document, MAX_DEPTH):
        raise PoisonMessageError("malformed", f"is nested deeper than {MAX_DEPTH} levels")
    return document


def deeper_than(document: object, limit: int) -> bool:
    """Tell, without recursion, whether a JSON value nests deeper than `limit`."""
    level = [document]
    for _ in range(limit):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def rfc3339(moment: datetime) -> str:
    """Format a moment as RFC 3339 in UTC."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return _write_json(moment)[1:-1].decode()


def _time(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PoisonMessageError(
            "invalid", "must be RFC 3339 with an offset, like 2026-01-31T12:00:00Z", field=name
        )
    return moment
