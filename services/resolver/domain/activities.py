"""On whose timelines activities go: decided after the gate has said who the participants are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.resolver.domain.activity import (
    ActivityDelivery,
    ActivityPlan,
    ActivityRecordRow,
    ActivityRevision,
    Happened,
    KnownActivity,
    Participation,
    holder_of,
    is_known,
    participants_of,
)
from services.resolver.domain.ledger import Standing, standing_of
from services.resolver.domain.model import Contact, Delivery, Ids, Known, Plan, RecordedEvent
from shared.errors import PoisonMessageError
from shared.events.activity import Attendance, NormalizedParticipant, ParticipantRole
from shared.events.contact import ActivityRecorded, ActivityWithdrawn, ContactEvent
from shared.events.structs import struct_of

MOST_OTHERS: Final = 20
"""How many other participants an event names: a circular to hundreds would be told hundreds of
times, each time with hundreds of names."""

_ActivityRecorded: Final = struct_of(ActivityRecorded)
_ActivityWithdrawn: Final = struct_of(ActivityWithdrawn)

ActivityIds = Iterator[tuple[int, str]]
"""Id and public id of new activities."""


@dataclass(slots=True)
class Sorted:
    """What became of a batch's activities at the ledger."""

    applied: list[tuple[ActivityDelivery, KnownActivity, ActivityRevision]] = field(
        default_factory=list
    )
    """Those that count, in their order."""
    refused: list[tuple[ActivityDelivery, PoisonMessageError]] = field(default_factory=list)
    plan: ActivityPlan = field(default_factory=ActivityPlan)


def sort_out(
    activities: Iterable[ActivityDelivery], happened: Happened, known: Known, ids: ActivityIds
) -> Sorted:
    """Enter activities in the ledger, as if they came one by one, or say why they can't be.

    `happened` is the batch's own copy and is brought forward.
    """
    found = Sorted()
    plan = found.plan
    for one in activities:
        activity = happened.get(one.name)
        what = _standing(one, activity)
        if what in ("new", "newer") and (refusal := _stranger(one, known)):
            found.refused.append((one, refusal))
            continue
        plan.outcomes[what] = plan.outcomes.get(what, 0) + 1
        if what == "duplicate":
            plan.also_told[one.name, one.signal.import_id or ""] = None
            continue
        if activity is None:
            activity = happened[one.name] = KnownActivity(*next(ids))
        revision = _enter(one, activity, plan, superseded=what == "stale")
        if what != "stale":
            found.applied.append((one, activity, revision))
    return found


def newcomers(applied: Iterable[ActivityDelivery], known: Known) -> list[Delivery]:
    """List the participants that the gate has to decide about: those whose record is not known."""
    return [one for one in participants_of(applied) if not is_known(one, known)]


def _standing(one: ActivityDelivery, activity: KnownActivity | None) -> Standing:
    signal = one.signal
    every = activity.revisions if activity else []
    if any(_repeats(one, revision) for revision in every if revision.is_undone):
        return "duplicate"
    revisions = [revision for revision in every if not revision.is_undone]
    return standing_of(one.content_hash, signal.stated_at, signal.source_version, revisions)


def _repeats(one: ActivityDelivery, undone: ActivityRevision) -> bool:
    """Tell whether what was taken back is told again, and no later import means it (ADR 0053)."""
    signal = one.signal
    return (
        undone.content_hash == one.content_hash
        and undone.occurred_at == signal.stated_at
        and undone.source_version == signal.source_version
        and signal.import_id in (None, undone.import_id)
    )


def _stranger(one: ActivityDelivery, known: Known) -> PoisonMessageError | None:
    """Refuse an activity that names a contact which its workspace does not have."""
    for participant in one.signal.participants:
        if participant.contact_id is None:
            continue
        contact = known.about.get((one.tenant_id, participant.contact_id))
        if contact is None or one.workspace_id not in known.contacts[contact].bindings:
            return PoisonMessageError(
                "invalid",
                f"{participant.contact_id} is no contact of this workspace; name one that is, or "
                "an e-mail address, a phone number or a profile",
                field="participants",
            )
    return None


def _enter(
    one: ActivityDelivery, activity: KnownActivity, plan: ActivityPlan, *, superseded: bool
) -> ActivityRevision:
    revisions, signal = activity.revisions, one.signal
    revision = ActivityRevision(
        revisions[-1].number + 1 if revisions else 1,
        one.content_hash,
        signal.stated_at,
        signal.source_version,
        current=not superseded,
        import_id=signal.import_id,
    )
    if not superseded:
        for index, before in enumerate(revisions):
            if before.current:
                plan.superseded.append((*one.name, before.number))
                revisions[index] = ActivityRevision(
                    before.number,
                    before.content_hash,
                    before.occurred_at,
                    before.source_version,
                    current=False,
                    import_id=before.import_id,
                )
    revisions.append(revision)
    plan.ledger.append(ActivityRecordRow(one, activity.id, revision.number, superseded))
    return revision


def tell(found: Sorted, known: Known, plan: Plan, ids: Ids) -> None:
    """Put the activities that count on the timelines of their participants, and tell each of them.

    After the gate: every participant's record is given to a contact by now. `plan` is the gate's,
    and gets the events; what else there is to write goes into `found.plan`.
    """
    for one, activity, _ in found.applied:
        people = [] if one.signal.deleted else list(_people(one, known))
        now = {contact for _, contact in people}
        for contact in _advanced(activity.contacts - now, known, plan):
            _record(one, contact, _withdrawn(one, activity, contact), plan, ids)
        names = [known.contacts[contact].public_id for contact in now]
        for contact in _advanced(now, known, plan):
            own = [one.signal.participants[number] for number, who in people if who == contact.id]
            _record(one, contact, _recorded(one, activity, contact, own, names), plan, ids)
        activity.contacts = now
        found.plan.activities[activity.id] = (activity, one)
        found.plan.participations[activity.id] = [
            Participation(
                number,
                contact_id,
                one.signal.participants[number],
                record.record_key if (record := one.people[number]) else None,
                known.contacts[contact_id].version,
            )
            for number, contact_id in people
        ]


def _advanced(ids: Iterable[int], known: Known, plan: Plan) -> Iterator[Contact]:
    """Give contacts their next version, in the order of their ids."""
    for contact_id in sorted(ids):
        contact = known.contacts[contact_id]
        contact.version += 1
        plan.contacts[contact_id] = contact
        if contact_id not in plan.created:
            plan.updated.add(contact_id)
        yield contact


def _recorded(
    one: ActivityDelivery,
    activity: KnownActivity,
    contact: Contact,
    own: Sequence[NormalizedParticipant],
    names: Sequence[str],
) -> ActivityRecorded:
    return _ActivityRecorded(
        occurred_at=one.signal.stated_at,
        cause=one.signal.signal_id,
        workspace=one.signal.workspace,
        contact_id=contact.public_id,
        version=contact.version,
        activity_id=activity.public_id,
        source=one.source.name,
        source_record=one.signal.record_key,
        roles=roles_of(participant.role for participant in own),
        attendance=attendance_of(participant.attendance for participant in own),
        activity=one.signal.activity,
        others=others_than(contact.public_id, names),
        participants=len(one.signal.participants),
    )


def _withdrawn(
    one: ActivityDelivery, activity: KnownActivity, contact: Contact
) -> ActivityWithdrawn:
    return _ActivityWithdrawn(
        occurred_at=one.signal.stated_at,
        cause=one.signal.signal_id,
        workspace=one.signal.workspace,
        contact_id=contact.public_id,
        version=contact.version,
        activity_id=activity.public_id,
        reason="deleted" if one.signal.deleted else "not_named",
    )


def roles_of(roles: Iterable[ParticipantRole]) -> tuple[ParticipantRole, ...]:
    """List roles, each once."""
    return tuple(dict.fromkeys(roles))


def attendance_of(attendances: Iterable[Attendance | None]) -> Attendance | None:
    """Return what became of the invitation: the first that says so."""
    return next((one for one in attendances if one is not None), None)


def others_than(own: str, public_ids: Sequence[str]) -> tuple[str, ...]:
    """List the other participants, as far as an event names them."""
    return tuple(sorted(one for one in public_ids if one != own)[:MOST_OTHERS])


def _people(one: ActivityDelivery, known: Known) -> Iterator[tuple[int, int]]:
    """Return (place in the list, contact) of the participants that are contacts."""
    for number, participant in enumerate(one.signal.participants):
        record = one.people[number]
        contact = (
            holder_of(record, known)
            if record is not None
            else known.about.get((one.tenant_id, participant.contact_id or ""))
        )
        if contact is not None:
            yield number, contact


def _record(
    one: ActivityDelivery, contact: Contact, event: ContactEvent, plan: Plan, ids: Ids
) -> None:
    plan.events.append(
        RecordedEvent(
            event_id=next(ids.events),
            tenant_id=one.tenant_id,
            tenant=one.signal.tenant,
            entity_id=contact.id,
            event=event,
            private_to=(one.workspace_id, one.signal.workspace),
            received_at=one.signal.received_at,
            traceparent=one.traceparent,
        )
    )
