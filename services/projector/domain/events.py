"""Events as the projector reads them: the JSON itself, not the models.

The hot path folds every event of the system. Checking each against its pydantic model costs more
than all the rest of the projector, and the relay is the only writer of the topic. So the JSON is
trusted as long as it folds; a record that does not is read again strictly, for its reason.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.codec import decode_event

KIND_BY_TYPE: Final = {
    ce_type.encode(): model.__name__ for ce_type, model in topics.EVENTS.messages.items()
}
"""CloudEvents type as it stands in the header → name of the event."""

COMPANY_KINDS: Final = frozenset(
    model.__name__
    for model in topics.EVENTS.messages.values()
    if "contact_id" not in model.model_fields
)
"""Events of companies; all others are a contact's."""

RESHAPING_KINDS: Final = frozenset(
    {"ContactsMerged", "ContactsSplit", "FactRetracted", "ContactDeleted"}
)
"""Events that say anew who knows a contact."""

ACTIVITY_KINDS: Final = frozenset({"ActivityRecorded", "ActivityWithdrawn"})
"""Events that tell what a contact took part in."""

Body = dict[str, Any]
"""An event's or a state's JSON."""


class Event(NamedTuple):
    """One event and what its message says about it."""

    kind: str
    body: Body
    tenant: str
    workspace: str | None
    """The only workspace that may see it; None when all of the tenant's may."""
    recorded_at: datetime
    """When kith first saw the signal behind it."""


def read_event(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Event:
    """Read a record of `contact.events.v1`; raises `PoisonMessageError` when it is none."""
    attributes = dict(headers)
    try:
        kind = KIND_BY_TYPE[attributes["ce_type"] or b""]
        body = orjson.loads(value or b"")
        recorded = attributes.get("ce_recordedtime") or attributes["ce_time"] or b""
        workspace = attributes.get("ce_workspace")
        event = Event(
            kind,
            body,
            (attributes["ce_tenant"] or b"").decode(),
            None if workspace is None else workspace.decode(),
            datetime.fromisoformat(recorded.decode()),
        )
        if not _names_itself(kind, body) or event.recorded_at.tzinfo is None:
            return read_strictly(headers, value)
    except (KeyError, ValueError, TypeError, AttributeError):
        return read_strictly(headers, value)
    return event


def read_strictly(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Event:
    """Read a record through its model, for the reason why it cannot be read as it is."""
    envelope, model = decode_event(headers, value)
    if envelope.tenant is None:
        raise PoisonMessageError("invalid", "is required, a tenant's public id", field="ce_tenant")
    return Event(
        type(model).__name__,
        model.model_dump(mode="json", exclude_none=True),
        envelope.tenant,
        envelope.workspace,
        envelope.recordedtime or envelope.time or model.occurred_at,
    )


def _names_itself(kind: str, body: Body) -> bool:
    """Tell whether the body says which version of which entity it is."""
    entity = body["company_id" if kind in COMPANY_KINDS else "contact_id"]
    return isinstance(entity, str) and type(body["version"]) is int and body["version"] > 0
