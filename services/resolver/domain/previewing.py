"""What signals would lead to: the gate's own decisions, taken on a copy and never written.

Signals are decided one after another, as they would be in one batch, so that those of one file that
belong together are seen to. What each would change is read off its own part of the plan.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final, Literal

from services.resolver.domain.gate import decide
from services.resolver.domain.model import Claim, Contact, Delivery, Ids, Known, Plan
from services.resolver.domain.survivorship import display_name, groups_of, source_of
from shared.events.contact import FactAsserted, MergeProposed, ProposalReason, VisibleField
from shared.events.signal import Identifier
from shared.events.structs import struct_of

Outcome = Literal["created", "updated", "duplicate", "stale"]
"""What the gate makes of a signal."""

_FactAsserted: Final = struct_of(FactAsserted)
_MergeProposed: Final = struct_of(MergeProposed)


@dataclass(frozen=True, slots=True)
class Change:
    """A visible value that the signal would replace."""

    field: VisibleField
    old: str | None
    old_source: str | None
    new: str | None
    source: str
    """Who says the new value: the signal's own source, or another that wins through it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A visible value that stays, though the signal says otherwise."""

    field: VisibleField
    value: str
    source: str
    said: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What one signal would lead to."""

    delivery: Delivery
    outcome: Outcome
    contact: Contact
    """Whom it would be told of, as it would be after all signals; a new one has a negative id."""
    creator: str | None
    """The signal that would make the contact, when none has made it yet."""
    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    """What the contact would be known by from now on."""
    proposals: tuple[tuple[Contact, ProposalReason], ...] = ()
    """Contacts that may be the same person: a person would be asked."""


def preview(
    deliveries: Iterable[Delivery], known: Known, ids: Ids, now: datetime
) -> Iterator[Preview]:
    """Decide signals one by one; `known` is brought forward, and nothing is written."""
    creators: dict[int, str] = {}
    for delivery in deliveries:
        before = _claims_before(delivery, known)
        plan = decide((delivery,), known, ids, now)
        ((outcome, _),) = plan.outcomes.items()
        contact = known.contacts[_contact_of(delivery, plan, known)]
        if outcome == "created":
            creators[contact.id] = delivery.signal.signal_id
        yield Preview(
            delivery=delivery,
            outcome=outcome,  # type: ignore[arg-type]  # the gate's four words
            contact=contact,
            creator=creators.get(contact.id),
            changes=_changes(delivery, plan, contact, before.get(contact.id)),
            kept=_kept(delivery, contact) if outcome == "updated" else (),
            identifiers=tuple([identifier for _, identifier, _, _ in plan.identifiers]),
            proposals=_proposals(delivery, plan, contact, known),
        )


def imagined() -> Ids:
    """Return ids that no row has: contacts of negative numbers, named by them."""
    numbers = count(1)
    return Ids(
        contacts=((-one, f"new_{one}") for one in numbers),
        companies=((-one, f"new_{one}") for one in count(1)),
        bindings=(-one for one in count(1)),
        events=(f"new_{one}" for one in count(1)),
    )


def _claims_before(delivery: Delivery, known: Known) -> dict[int, dict[bytes, Claim]]:
    """Remember what is said of the contacts that the signal may reach."""
    reached = {
        known.holders[key] for key, _ in delivery.identifiers if key in known.holders
    } | _contacts_of_record(delivery, known)
    return {one: dict(known.contacts[one].claims) for one in reached if one in known.contacts}


def _contacts_of_record(delivery: Delivery, known: Known) -> set[int]:
    revisions = known.records.get((delivery.tenant_id, delivery.record_key), ())
    return {one.contact_id for one in revisions if one.current}


def _contact_of(delivery: Delivery, plan: Plan, known: Known) -> int:
    """Return whom a signal was given to; a duplicate is already with somebody."""
    for row in plan.ledger:
        return row.contact_id
    revisions = known.records[delivery.tenant_id, delivery.record_key]
    current = [one for one in revisions if one.current]
    return (current or revisions)[-1].contact_id


def _changes(
    delivery: Delivery, plan: Plan, contact: Contact, before: dict[bytes, Claim] | None
) -> tuple[Change, ...]:
    own = delivery.source.name
    for recorded in plan.events:
        event = recorded.event
        if isinstance(event, _FactAsserted) and recorded.entity_id == contact.id:
            return tuple(
                Change(
                    field=one.field,
                    old=one.old,
                    old_source=_said_by(one.field, before) if one.old and before else None,
                    new=one.new,
                    source=one.origin.source if one.origin else own,
                )
                for one in event.changes
            )
    return ()


def _said_by(name: VisibleField, claims: dict[bytes, Claim]) -> str:
    return source_of(name, claims.values()).source.name


def _kept(delivery: Delivery, contact: Contact) -> tuple[Kept, ...]:
    """List what the signal says and another source is believed instead."""
    said = {
        name: value for group in groups_of(delivery.signal.facts) for name, value in group.items()
    }
    found = []
    for name, value in said.items():
        winner = source_of(name, contact.claims.values())
        if winner.record_key == delivery.record_key:
            continue
        shown = next((group[name] for group in winner.groups if name in group), None)
        if shown is not None and shown != value:
            found.append(Kept(name, shown, winner.source.name, value))
    return tuple(found)


def _proposals(
    delivery: Delivery, plan: Plan, contact: Contact, known: Known
) -> tuple[tuple[Contact, ProposalReason], ...]:
    by_name = {one.public_id: one for one in known.contacts.values()} if plan.candidates else {}
    return tuple(
        (by_name[event.other_id], event.reason)
        for recorded in plan.events
        if isinstance(event := recorded.event, _MergeProposed)
        and recorded.entity_id == contact.id
        and event.cause == delivery.signal.signal_id
    )


def names_of(previews: Sequence[Preview]) -> set[str]:
    """Return the names of those who would be new: whoever is called the same may be meant."""
    return {
        name for one in previews if one.outcome == "created" and (name := name_of(one.delivery))
    }


def name_of(delivery: Delivery) -> str:
    """Return a signal's name as a list would show it, for comparison letter by letter."""
    return display_name(delivery.signal.facts).lower()
