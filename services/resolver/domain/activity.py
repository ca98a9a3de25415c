"""Activities on their way through the gate: what arrived, what is known, what is to be written.

An activity's participants are deliveries like any other, each a source record without an id of its
own: the gate says whose they are. What is decided here is on whose timelines it goes (ADR 0054).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec import Struct
from typing_extensions import TypeIs

from services.resolver.domain.arrival import deliver
from services.resolver.domain.model import Delivery, Known, Source
from shared.events.activity import NormalizedActivity, NormalizedParticipant
from shared.events.signal import Facts, NormalizedSignal
from shared.events.structs import Reader, struct_of, text_of, verbatim

read_activity: Final = Reader(NormalizedActivity, verbatim="raw").read
"""Reads a normalised activity; its raw payload stays JSON."""

_Signal: Final = struct_of(NormalizedSignal, verbatim="raw")
_Activity: Final = struct_of(NormalizedActivity, verbatim="raw")

RecordName = tuple[int, bytes]
"""(tenant, record key)."""


class ActivityDelivery(Struct, frozen=True, gc=False):
    """One arrival of an activity's record, with ids and keys resolved."""

    signal: NormalizedActivity
    tenant_id: int
    workspace_id: int
    source: Source
    record_key: bytes
    content_hash: bytes
    people: tuple[Delivery | None, ...]
    """For each participant: the source record that they are; None where they are none."""
    raw: str
    """The payload as it came, JSON."""
    traceparent: str | None = None

    @property
    def name(self) -> RecordName:
        """Return what the ledger calls it."""
        return (self.tenant_id, self.record_key)


class ActivityRevision(Struct, frozen=True, gc=False):
    """One delivery of an activity that the ledger holds."""

    number: int
    content_hash: bytes
    occurred_at: datetime
    """When it was stated: the newer statement counts."""
    source_version: int | None
    current: bool
    import_id: str | None = None
    """The import that brought it."""
    is_undone: bool = False
    """It was taken back with its import."""


@dataclass(slots=True)
class KnownActivity:
    """An activity as the batch finds it, then as the batch leaves it."""

    id: int
    public_id: str
    revisions: list[ActivityRevision] = field(default_factory=list)
    """Oldest first."""
    contacts: set[int] = field(default_factory=set)
    """On whose timelines it is."""


Happened = dict[RecordName, KnownActivity]
"""Record → what the database knows of the activity."""


class ActivityRecordRow(Struct, frozen=True, gc=False):
    """A delivery to be written to the ledger of activities; stale ones are superseded at birth."""

    delivery: ActivityDelivery
    activity_id: int
    revision: int
    superseded: bool


class Participation(Struct, frozen=True, gc=False):
    """One participant of an activity, on a contact's timeline."""

    number: int
    """Place in the activity's list of participants."""
    contact_id: int
    participant: NormalizedParticipant
    record_key: bytes | None
    """The source record that the participant is; None where the source named the contact."""
    applied_version: int


@dataclass(slots=True)
class ActivityPlan:
    """What to write of activities, besides the gate's plan."""

    ledger: list[ActivityRecordRow] = field(default_factory=list)
    superseded: list[tuple[int, bytes, int]] = field(default_factory=list)
    """(tenant, record key, revision) that a newer revision replaces."""
    also_told: dict[tuple[RecordName, str], None] = field(default_factory=dict)
    """Activities that another import told again, empty for what is no import."""
    activities: dict[int, tuple[KnownActivity, ActivityDelivery]] = field(default_factory=dict)
    """Activity → its present version."""
    participations: dict[int, list[Participation]] = field(default_factory=dict)
    """Activity → who takes part now."""
    outcomes: dict[str, int] = field(default_factory=dict)


def deliver_activity(
    signal: NormalizedActivity,
    tenant_id: int,
    workspace_id: int,
    source: Source,
    traceparent: str | None = None,
) -> ActivityDelivery:
    """Make the delivery of an activity, and of each participant that a contact can be found for."""
    return ActivityDelivery(
        signal=signal,
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        source=source,
        record_key=bytes.fromhex(signal.record_key),
        content_hash=bytes.fromhex(signal.content_hash),
        people=tuple(
            None
            if one.facts is None
            else deliver(
                _signal_of(signal, one, one.facts), tenant_id, workspace_id, source, traceparent
            )
            for one in signal.participants
        ),
        raw=text_of(signal.raw),
        traceparent=traceparent,
    )


def _signal_of(
    signal: NormalizedActivity, one: NormalizedParticipant, facts: Facts
) -> NormalizedSignal:
    """Say of a participant what a contact signal would.

    The payload that it came in is the activity's, and kept there. It was true when the activity
    happened, and a meeting that is still to come says it now.
    """
    seen_in = f'{{"activity":"{signal.record_key}"}}'
    return _Signal(
        signal_id=signal.signal_id,
        tenant=signal.tenant,
        workspace=signal.workspace,
        source=signal.source,
        record_key=one.record_key or "",
        content_hash=one.content_hash or "",
        occurred_at=min(signal.activity.occurred_at, signal.stated_at),
        received_at=signal.received_at,
        import_id=signal.import_id,
        facts=facts,
        raw=verbatim(seen_in.encode()),
    )


def is_activity(signal: NormalizedSignal | NormalizedActivity) -> TypeIs[NormalizedActivity]:
    """Tell what was read: what happened, or who somebody is."""
    return isinstance(signal, _Activity)


def participants_of(activities: Iterable[ActivityDelivery]) -> list[Delivery]:
    """List the participants of activities that are source records, each record once."""
    found: dict[RecordName, Delivery] = {}
    for activity in activities:
        for one in activity.people:
            if one is not None:
                found.setdefault((one.tenant_id, one.record_key), one)
    return list(found.values())


def is_known(delivery: Delivery, known: Known) -> bool:
    """Tell whether the ledger holds a participant's record: its key says all that it says."""
    revisions = known.records.get((delivery.tenant_id, delivery.record_key), ())
    return any(one.current for one in revisions)


def holder_of(delivery: Delivery, known: Known) -> int | None:
    """Return the contact that a record was given to."""
    revisions = known.records.get((delivery.tenant_id, delivery.record_key), ())
    return next((one.contact_id for one in revisions if one.current), None)
