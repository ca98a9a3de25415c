"""Contacts that people put aside and take out again: orders, and what comes of them."""

from collections.abc import Collection, Iterable
from datetime import datetime

from services.resolver.domain.model import Contact, Ids, Plan, RecordedEvent
from shared.events.command import ArchiveContact, UnarchiveContact
from shared.events.contact import ContactArchived, ContactUnarchived

Archiving = tuple[ArchiveContact | UnarchiveContact, int, str | None]
"""A command, its tenant's id, and its trace context."""

LogRow = tuple[str, int, int, int]
"""(command id, tenant, contact, version that it led to)."""


def archive(
    orders: Iterable[Archiving],
    contacts: Iterable[Contact],
    done: Collection[str],
    ids: Ids,
    now: datetime,
) -> tuple[Plan, list[LogRow]]:
    """Decide a batch of commands in order; what would change nothing writes no event.

    A command for a contact that its tenant does not have is logged nowhere and changes nothing:
    the caller learned that from the API, which knows no such contact either.
    """
    by_name = {(one.tenant_id, one.public_id): one for one in contacts}
    plan, log, seen = Plan(now=now), [], set(done)
    for command, tenant_id, traceparent in orders:
        contact = by_name.get((tenant_id, command.contact_id))
        if contact is None or command.command_id in seen:
            continue
        seen.add(command.command_id)
        event = _event(command, contact, now)
        if event is not None:
            contact.version = event.version
            contact.status = "archived" if isinstance(event, ContactArchived) else "active"
            plan.contacts[contact.id] = contact
            plan.updated.add(contact.id)
            plan.events.append(
                RecordedEvent(
                    event_id=next(ids.events),
                    tenant_id=tenant_id,
                    tenant=command.tenant,
                    entity_id=contact.id,
                    event=event,
                    private_to=None,
                    received_at=command.issued_at,
                    traceparent=traceparent,
                )
            )
        log.append((command.command_id, tenant_id, contact.id, contact.version))
    return plan, log


def _event(
    command: ArchiveContact | UnarchiveContact, contact: Contact, now: datetime
) -> ContactArchived | ContactUnarchived | None:
    version = contact.version + 1
    match command:
        case ArchiveContact() if contact.status in ("active", "incomplete"):
            return ContactArchived(
                occurred_at=now,
                cause=command.command_id,
                contact_id=contact.public_id,
                version=version,
                reason=command.reason,
            )
        case UnarchiveContact() if contact.status == "archived":
            return ContactUnarchived(
                occurred_at=now,
                cause=command.command_id,
                contact_id=contact.public_id,
                version=version,
            )
        case _:
            return None
