"""Contact and company events to and from Kafka records: the one place that knows both shapes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from msgspec import Struct
from pydantic import ValidationError
from typing_extensions import TypeIs

from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.contact import CompanyEvent, ContactEvent
from shared.events.envelope import Envelope, from_record, rfc3339, to_headers
from shared.events.refusal import invalid
from shared.events.structs import struct_of, to_json
from shared.events.wire import Wire

_TYPES: Final[dict[type, str]] = {
    **topics.TYPE_BY_MODEL,
    **{struct_of(model): ce_type for ce_type, model in topics.EVENTS.messages.items()},
}
_ABOUT_COMPANIES: Final = frozenset(
    kind
    for model in topics.EVENTS.messages.values()
    if "contact_id" not in model.model_fields
    for kind in (model, struct_of(model))
)

SOURCE = "/kith/resolver"
"""CloudEvents `source` of every contact and company event."""

_FIXED: Final = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_source", SOURCE.encode()),
)
"""Headers that every event has alike."""

_PACKED: Final = (
    "ce_id",
    "ce_type",
    "ce_time",
    "ce_subject",
    "ce_tenant",
    "ce_recordedtime",
    "ce_sequence",
    "ce_workspace",
    "traceparent",
)
"""Headers that the outbox holds the values of; the last two may be absent."""

_ALWAYS: Final = 7
"""How many of them are never absent."""

_RECORDED: Final = _PACKED.index("ce_recordedtime")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What an event's envelope says besides the event itself; public ids throughout."""

    event_id: str
    tenant: str
    workspace: str | None
    recorded_at: datetime
    """When kith first saw the signal: end-to-end age counts from here."""
    traceparent: str | None = None


def is_about_company(event: ContactEvent | CompanyEvent) -> TypeIs[CompanyEvent]:
    """Tell whether an event is in a company's stream; else it is in a contact's."""
    return type(event) in _ABOUT_COMPANIES


def subject_of(event: ContactEvent | CompanyEvent) -> str:
    """Return the public id of the entity that an event is about: the message's key."""
    return event.company_id if is_about_company(event) else event.contact_id


def event_type(event: ContactEvent | CompanyEvent) -> str:
    """Return the CloudEvents type of an event, model or struct."""
    return _TYPES[type(event)]


def event_headers(
    event: ContactEvent | CompanyEvent, attributes: Attributes
) -> list[tuple[str, bytes]]:
    """Write the headers of an event, CloudEvents binary mode."""
    return to_headers(
        Envelope(
            id=attributes.event_id,
            source=SOURCE,
            type=event_type(event),
            data=b"",
            time=event.occurred_at,
            subject=subject_of(event),
            tenant=attributes.tenant,
            workspace=attributes.workspace,
            recordedtime=attributes.recorded_at,
            traceparent=attributes.traceparent,
            extensions={"sequence": f"{event.version:010d}"},
        )
    )


def packed_headers(event: ContactEvent | CompanyEvent, attributes: Attributes) -> str:
    """Write what `event_headers` says as one text for the outbox: a value to the line.

    Only what differs from event to event, in the order of `_PACKED`, since the hot path writes and
    reads one per event: 2 us instead of 12, and a third of the bytes less than with names.
    """
    values = [
        attributes.event_id,
        _TYPES[type(event)],
        rfc3339(event.occurred_at),
        subject_of(event),
        attributes.tenant,
        rfc3339(attributes.recorded_at),
        f"{event.version:010d}",
    ]
    if attributes.workspace is not None or attributes.traceparent is not None:
        values += [attributes.workspace or "", attributes.traceparent or ""]
    return "\n".join(values)


def unpack_headers(text: str) -> list[tuple[str, bytes]]:
    """Read what `packed_headers` wrote."""
    values = text.encode().split(b"\n")
    headers = [*_FIXED, *zip(_PACKED, values, strict=False)]
    return headers if len(values) <= _ALWAYS else [one for one in headers if one[1]]


def packed_recorded_at(text: str) -> datetime:
    """Return when kith first saw the signal, from what `packed_headers` wrote."""
    return datetime.fromisoformat(text.split("\n", _RECORDED + 1)[_RECORDED])


def encode(model: Wire) -> bytes:
    """Write the JSON of a model or its struct; what is absent is left out."""
    if isinstance(model, Struct):
        return to_json(model)
    return model.model_dump_json(exclude_none=True, exclude_defaults=True).encode()


def decode_event(
    headers: Iterable[tuple[str, bytes | None]], value: bytes | None
) -> tuple[Envelope, ContactEvent | CompanyEvent]:
    """Read an event of `contact.events.v1`; raises `PoisonMessageError` when it is none."""
    envelope = from_record(headers, value)
    return envelope, parse_event(envelope.type, envelope.data)


def parse_event(ce_type: str, data: bytes | str) -> ContactEvent | CompanyEvent:
    """Read the data of an event by its CloudEvents type."""
    model = topics.EVENTS.messages.get(ce_type)
    if model is None:
        raise PoisonMessageError("unknown_version", "is no event type known here", field="ce_type")
    try:
        return cast("ContactEvent | CompanyEvent", model.model_validate_json(data))
    except ValidationError as error:
        raise invalid(error) from None


__all__ = [
    "SOURCE",
    "Attributes",
    "decode_event",
    "encode",
    "event_headers",
    "event_type",
    "is_about_company",
    "packed_headers",
    "packed_recorded_at",
    "parse_event",
    "subject_of",
    "unpack_headers",
]
