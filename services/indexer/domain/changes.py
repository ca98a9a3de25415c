"""Which contacts and companies a batch of events is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import PoisonMessageError
from shared.events.codec import decode_event
from shared.events.contact import CompanyCreated
from shared.events.envelope import Envelope
from shared.events.fold import ContactState

Headers = Iterable[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact at its newest version."""

    tenant: str
    state: ContactState


@dataclass(frozen=True, slots=True)
class Company:
    """A company as it was created: nothing else happens to one yet."""

    tenant: str
    created: CompanyCreated


@dataclass(frozen=True, slots=True)
class Changes:
    """What an index has to be brought up to."""

    contacts: Sequence[Contact]
    companies: Sequence[Company]


@dataclass(frozen=True, slots=True)
class Mention:
    """What one message says: that a contact has changed, or which company is new."""

    contact_id: str | None
    company: Company | None
    recorded_at: datetime | None


def read_mention(headers: Headers, value: bytes | None) -> Mention:
    """Read whom an event is about; raises `PoisonMessageError` when it is no event."""
    envelope, event = decode_event(headers, value)
    tenant = _tenant(envelope)
    if isinstance(event, CompanyCreated):
        return Mention(None, Company(tenant, event), envelope.recordedtime)
    return Mention(event.contact_id, None, envelope.recordedtime)


def _tenant(envelope: Envelope) -> str:
    if envelope.tenant is None:
        raise PoisonMessageError("invalid", "is required, a tenant's public id", field="ce_tenant")
    return envelope.tenant


def pause(documents: int, took: float, linger: float, rate: float) -> float:
    """Return how long to rest after a batch, seconds.

    At least `linger` passes from batch to batch, so that a contact that changes again and again is
    written once; and no more than `rate` documents are written a second, so that a backlog is
    worked off beside the hot path and never instead of it.
    """
    return max(0.0, max(linger, documents / rate) - took)
