"""Activities follow the people who took part, when a merge is undone or records are taken out.

What came while two contacts were one was put on the timeline of the one. Once the participant's
record is another contact's, so is the activity (ADR 0043, ADR 0054). A merge moves nothing: what an
absorbed contact took part in shows at its survivor.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct

from services.resolver.domain.activities import attendance_of, others_than, roles_of
from services.resolver.domain.cluster import Order
from services.resolver.domain.model import Contact, Plan
from shared.events.activity import ActivityKind, Attendance, Direction, Happening, ParticipantRole
from shared.events.contact import ActivityRecorded, ActivityWithdrawn, ContactEvent
from shared.events.structs import struct_of

_ActivityRecorded: Final = struct_of(ActivityRecorded)
_ActivityWithdrawn: Final = struct_of(ActivityWithdrawn)
_Happening: Final = struct_of(Happening)


class TakingPart(Struct, frozen=True, gc=False):
    """One participant of an activity as stored, and whose timeline it belongs on now."""

    number: int
    role: ParticipantRole
    attendance: Attendance | None
    at: int
    """The contact on whose timeline it is."""
    at_name: str
    belongs: int
    """The contact on whose timeline it ought to be."""


class Stored(Struct, frozen=True, gc=False):
    """An activity as stored, with all who take part."""

    id: int
    public_id: str
    workspace_id: int
    workspace: str
    source: str
    record_key: bytes
    activity: Happening
    participants: int
    """How many took part, whether or not they are contacts."""
    people: Sequence[TakingPart]


@dataclass(slots=True)
class Relocation:
    """What to write so that activities are where they belong."""

    plan: Plan
    moves: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(activity, participant, contact, version that tells of it)."""


def relocate(
    activities: Iterable[Stored], contacts: Mapping[int, Contact], tenant: str, order: Order
) -> Relocation:
    """Move activities to the contacts that they belong to, and tell both sides.

    `contacts` are those that were merged or split; an activity's other participants stay where
    they are, and hear nothing.
    """
    found = Relocation(Plan(now=order.now))
    for one in activities:
        names = {person.at: person.at_name for person in one.people}
        names |= {
            person.belongs: contacts[person.belongs].public_id
            for person in one.people
            if person.belongs in contacts
        }
        moved = [person for person in one.people if person.at != person.belongs]
        taking_part = sorted(names[contact] for contact in {p.belongs for p in one.people})
        for contact_id in sorted({p.at for p in moved} | {p.belongs for p in moved}):
            own = [person for person in one.people if person.belongs == contact_id]
            found.moves += tell(
                found.plan,
                one,
                contacts[contact_id],
                own,
                taking_part,
                reason="moved",
                tenant=tenant,
                order=order,
            )
    return found


def tell(
    plan: Plan,
    one: Stored,
    contact: Contact,
    own: Sequence[TakingPart],
    taking_part: Sequence[str],
    *,
    reason: Literal["moved", "retracted"],
    tenant: str,
    order: Order,
) -> list[tuple[int, int, int, int]]:
    """Tell a contact of an activity as it is stored; without a part of its `own`, that it is gone.

    `reason` says why, in that case. Returns (activity, participant, contact, version that tells of
    it) for each part.
    """
    contact.version += 1
    plan.contacts[contact.id] = contact
    plan.updated.add(contact.id)
    event: ContactEvent
    if own:
        event = _recorded(one, contact, own, taking_part, order)
    else:
        event = _withdrawn(one, contact, order, reason)
    private_to = (one.workspace_id, one.workspace)
    plan.events.append(order.recorded((contact.tenant_id, tenant), contact.id, event, private_to))
    return [(one.id, person.number, contact.id, contact.version) for person in own]


def happening(
    kind: ActivityKind, direction: Direction | None, occurred_at: datetime, **rest: Any
) -> Happening:
    """Make the activity of an event from what is stored of it."""
    said = {name: value for name, value in rest.items() if value is not None}
    return _Happening(kind=kind, direction=direction, occurred_at=occurred_at, **said)


def _recorded(
    one: Stored,
    contact: Contact,
    own: Sequence[TakingPart],
    taking_part: Sequence[str],
    order: Order,
) -> ActivityRecorded:
    """Tell of an activity as it is stored; `own` is what the contact had to do with it."""
    return _ActivityRecorded(
        occurred_at=order.now,
        cause=order.command_id,
        workspace=one.workspace,
        contact_id=contact.public_id,
        version=contact.version,
        activity_id=one.public_id,
        source=one.source,
        source_record=one.record_key.hex(),
        roles=roles_of(person.role for person in own),
        attendance=attendance_of(person.attendance for person in own),
        activity=one.activity,
        others=others_than(contact.public_id, taking_part),
        participants=one.participants,
    )


def _withdrawn(
    one: Stored, contact: Contact, order: Order, reason: Literal["moved", "retracted"]
) -> ActivityWithdrawn:
    """Tell a contact that an activity is no longer its own."""
    return _ActivityWithdrawn(
        occurred_at=order.now,
        cause=order.command_id,
        workspace=one.workspace,
        contact_id=contact.public_id,
        version=contact.version,
        activity_id=one.public_id,
        reason=reason,
    )
