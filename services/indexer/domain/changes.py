"""Which contacts and companies a batch of events is about."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.codec import decode_event
from shared.events.contact import ActivityRecorded, ActivityWithdrawn, CompanyEvent
from shared.events.envelope import Envelope
from shared.events.fold import ContactState

Headers = Iterable[tuple[str, bytes | None]]

_OF_CONTACTS: Final = frozenset(
    ce_type.encode()
    for ce_type, model in topics.EVENTS.messages.items()
    if "contact_id" in model.model_fields
)
_OF_ACTIVITIES: Final = frozenset(
    topics.TYPE_BY_MODEL[model].encode() for model in (ActivityRecorded, ActivityWithdrawn)
)
"""They change nothing that is indexed: a busy contact is not indexed anew for every message."""

_CONTACT_ID: Final = re.compile(rb"con_[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact at its newest version."""

    tenant: str
    state: ContactState
    reshaped: bool = False
    """Whether it was ever merged, split or retracted: an index may hold more than there is."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company as its newest event tells it."""

    tenant: str
    told: CompanyEvent


@dataclass(frozen=True, slots=True)
class Changes:
    """What an index has to be brought up to."""

    contacts: Sequence[Contact]
    companies: Sequence[Company]

    @property
    def reshaped(self) -> list[Contact]:
        """Return the contacts of which an index may hold more than there is."""
        return [one for one in self.contacts if one.reshaped]


@dataclass(frozen=True, slots=True)
class Mention:
    """What one message says: that a contact has changed, or which company has."""

    contact_id: str | None
    company: Company | None
    recorded_at: datetime | None


_NOTHING: Final = Mention(None, None, None)
"""Of an event that changes nothing here."""


def read_mention(headers: Headers, value: bytes | None) -> Mention:
    """Read whom an event is about; raises `PoisonMessageError` when it is no event."""
    return _read_headers(headers) or _read_whole(headers, value)


def _read_headers(headers: Headers) -> Mention | None:
    """Read an event of a contact by its headers: what it says is in the event table anyway."""
    found = dict(headers)
    if found.get("ce_type") in _OF_ACTIVITIES:
        return _NOTHING
    subject, recorded = found.get("ce_subject"), found.get("ce_recordedtime")
    if found.get("ce_type") not in _OF_CONTACTS or not found.get("ce_tenant"):
        return None
    if subject is None or recorded is None or _CONTACT_ID.fullmatch(subject) is None:
        return None
    try:
        return Mention(subject.decode(), None, datetime.fromisoformat(recorded.decode()))
    except ValueError:
        return None


def _read_whole(headers: Headers, value: bytes | None) -> Mention:
    envelope, event = decode_event(headers, value)
    tenant = _tenant(envelope)
    if isinstance(event, CompanyEvent):
        return Mention(None, Company(tenant, event), envelope.recordedtime)
    return Mention(event.contact_id, None, envelope.recordedtime)


def _tenant(envelope: Envelope) -> str:
    if envelope.tenant is None:
        raise PoisonMessageError("invalid", "is required, a tenant's public id", field="ce_tenant")
    return envelope.tenant
