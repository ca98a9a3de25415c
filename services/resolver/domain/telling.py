"""How a decision is told: the events of a contact and of a company."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from services.resolver.domain.bindings import Private
from services.resolver.domain.claims import is_private, without_private
from services.resolver.domain.model import Contact, Delivery, Document, NewCompany, RecordedEvent
from services.resolver.domain.survivorship import Values
from shared.events.contact import (
    Assertion,
    BindingChanged,
    CompanyCreated,
    CompanyEvent,
    ContactCreated,
    ContactEvent,
    ContactStatus,
    FactAsserted,
    FactRetracted,
    FieldChange,
    IdentifierRemoved,
    MergeProposed,
    ProposalReason,
)
from shared.events.signal import Employment, Facts, Identifier
from shared.events.structs import struct_of, to_json, verbatim

_Assertion: Final = struct_of(Assertion)
_BindingChanged: Final = struct_of(BindingChanged)
_CompanyCreated: Final = struct_of(CompanyCreated)
_ContactCreated: Final = struct_of(ContactCreated)
_FactAsserted: Final = struct_of(FactAsserted)
_FactRetracted: Final = struct_of(FactRetracted)
_IdentifierRemoved: Final = struct_of(IdentifierRemoved)
_MergeProposed: Final = struct_of(MergeProposed)


def document(facts: Facts) -> Document:
    """Write down what a record says, for the ledger and for those who hear of it.

    The text is made once and goes into both, unless a workspace keeps some of it for itself.
    """
    text = to_json(facts)
    if not is_private(facts):
        return Document(facts, text, text)
    return Document(facts, text, to_json(without_private(facts)))


def recorded(
    delivery: Delivery,
    event_id: str,
    entity_id: int,
    event: ContactEvent | CompanyEvent,
    *,
    is_private: bool = False,
) -> RecordedEvent:
    """Give an event that a signal led to what its envelope needs; the workspace's own is private.

    `entity_id` is the contact's or the company's.
    """
    signal = delivery.signal
    return RecordedEvent(
        event_id=event_id,
        tenant_id=delivery.tenant_id,
        tenant=signal.tenant,
        entity_id=entity_id,
        event=event,
        private_to=(delivery.workspace_id, signal.workspace) if is_private else None,
        received_at=signal.received_at,
        traceparent=delivery.traceparent,
    )


def created(
    delivery: Delivery,
    contact: Contact,
    said: Document,
    identifiers: tuple[Identifier, ...],
    values: Values,
) -> ContactCreated:
    """Tell of a new contact, with all that it was born with."""
    signal = delivery.signal
    return _ContactCreated(
        occurred_at=signal.occurred_at,
        cause=signal.signal_id,
        workspace=signal.workspace,
        contact_id=contact.public_id,
        version=1,
        source=delivery.source.name,
        status=contact.status,
        first_name=values.get("first_name"),
        last_name=values.get("last_name"),
        import_source=signal.import_source,
        identifiers=identifiers,
        fields=values,
        asserted=_asserted(delivery, said),
    )


def fact_asserted(
    delivery: Delivery,
    contact: Contact,
    said: Document,
    *,
    status: ContactStatus | None,
    identifiers: tuple[Identifier, ...],
    employments: tuple[Employment, ...],
    changes: tuple[FieldChange, ...],
) -> FactAsserted:
    """Tell what a signal brought a contact that was known."""
    signal = delivery.signal
    return _FactAsserted(
        occurred_at=signal.occurred_at,
        cause=signal.signal_id,
        workspace=signal.workspace,
        contact_id=contact.public_id,
        version=contact.version,
        status=status,
        import_source=signal.import_source,
        identifiers_added=identifiers,
        employments_added=employments,
        changes=changes,
        asserted=_asserted(delivery, said),
    )


def binding_changed(delivery: Delivery, contact: Contact, keeps: Private) -> BindingChanged:
    """Tell a workspace, and nobody else, what it keeps about a contact."""
    signal = delivery.signal
    return _BindingChanged(
        occurred_at=signal.occurred_at,
        cause=signal.signal_id,
        workspace=signal.workspace,
        contact_id=contact.public_id,
        version=contact.version,
        labels=keeps.labels,
        notes=keeps.notes,
        custom_fields=dict(keeps.custom_fields),
        groups=keeps.groups,
    )


def identifier_removed(
    delivery: Delivery,
    contact: Contact,
    identifier: Identifier,
    reason: Literal["shared", "dropped"],
) -> IdentifierRemoved:
    """Tell that a contact is no longer known by an identifier, and why."""
    return _IdentifierRemoved(
        occurred_at=delivery.signal.occurred_at,
        cause=delivery.signal.signal_id,
        contact_id=contact.public_id,
        version=contact.version,
        type=identifier.type,
        value=identifier.value,
        reason=reason,
    )


def jobs_retracted(
    delivery: Delivery,
    contact: Contact,
    jobs: tuple[Employment, ...],
    kept: tuple[Employment, ...],
) -> FactRetracted:
    """Tell that a record no longer tells of jobs, and no other does; and what is like them."""
    return _FactRetracted(
        occurred_at=delivery.signal.occurred_at,
        cause=delivery.signal.signal_id,
        contact_id=contact.public_id,
        version=contact.version,
        source=delivery.source.name,
        source_record=delivery.signal.record_key,
        employments_removed=jobs,
        employments_kept=kept,
    )


def merge_proposed(
    delivery: Delivery,
    contact: Contact,
    other: Contact,
    shared: Sequence[Identifier],
    reason: ProposalReason,
) -> MergeProposed:
    """Tell that two contacts may be one person."""
    return _MergeProposed(
        occurred_at=delivery.signal.occurred_at,
        cause=delivery.signal.signal_id,
        contact_id=contact.public_id,
        version=contact.version,
        other_id=other.public_id,
        reason=reason,
        identifiers=tuple(shared),
    )


def alike(cause: str, at: datetime, pair: tuple[Contact, Contact], score: float) -> MergeProposed:
    """Tell the first of a pair that the other may be the same person, by what records say."""
    contact, other = pair
    return _MergeProposed(
        occurred_at=at,
        cause=cause,
        contact_id=contact.public_id,
        version=contact.version,
        other_id=other.public_id,
        reason="alike",
        confidence=round(score, 4),
    )


def company_created(delivery: Delivery, new: NewCompany) -> CompanyCreated:
    """Tell of a new company."""
    return _CompanyCreated(
        occurred_at=delivery.signal.occurred_at,
        cause=delivery.signal.signal_id,
        company_id=new.company.public_id,
        version=1,
        name=new.company.name,
        domain=new.domain,
        source=delivery.source.name,
    )


def _asserted(delivery: Delivery, said: Document) -> Assertion:
    signal = delivery.signal
    return _Assertion(
        source=delivery.source.name,
        source_record=signal.record_key,
        source_record_id=signal.source_record_id,
        confidence=signal.confidence,
        asserted_at=signal.occurred_at,
        facts=verbatim(said.shared),
    )
