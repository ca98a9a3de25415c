"""Builders of contact events: whole and valid, with only what matters said."""

from datetime import UTC, datetime
from typing import Any

from ulid import ULID

from shared.auth import Place
from shared.events.contact import (
    Assertion,
    BindingChanged,
    ContactCreated,
    FactAsserted,
    FieldChange,
    VisibleField,
)
from shared.events.signal import Facts, Identifier, IdentifierType

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""When everything happens that does not say when."""


def a_contact(
    place: Place,
    *,
    source: str = "hubspot_crm",
    occurred_at: datetime = NOW,
    identifiers: tuple[Identifier, ...] = (),
    fields: dict[VisibleField, str] | None = None,
    **more: Any,
) -> ContactCreated:
    """Build the birth of a contact with these visible fields."""
    return ContactCreated(
        contact_id=f"con_{ULID()}",
        version=1,
        occurred_at=occurred_at,
        cause="test",
        workspace=place.workspace,
        source=source,
        status=more.pop("status", "active"),
        identifiers=identifiers,
        fields=fields or {},
        asserted=_asserted(source, occurred_at),
        **more,
    )


def a_fact(
    contact: ContactCreated,
    version: int,
    *changes: FieldChange,
    source: str = "csv_upload",
    place: Place | None = None,
    occurred_at: datetime = NOW,
    **more: Any,
) -> FactAsserted:
    """Build a later fact about a contact."""
    return FactAsserted(
        contact_id=contact.contact_id,
        version=version,
        occurred_at=occurred_at,
        cause="test",
        workspace=place.workspace if place else contact.workspace,
        changes=changes,
        asserted=_asserted(source, occurred_at),
        **more,
    )


def a_note(
    contact: ContactCreated,
    version: int,
    place: Place,
    notes: str,
    labels: tuple[str, ...] = ("vip",),
) -> BindingChanged:
    """Build a workspace's private note about a contact, and its labels of it."""
    return BindingChanged(
        contact_id=contact.contact_id,
        version=version,
        occurred_at=NOW,
        cause="test",
        workspace=place.workspace,
        notes=notes,
        labels=labels,
    )


def identified(kind: IdentifierType, value: str) -> tuple[Identifier, ...]:
    """Build one identifier."""
    return (Identifier(type=kind, value=value),)


def _asserted(source: str, at: datetime) -> Assertion:
    return Assertion(source=source, source_record="0" * 32, asserted_at=at, facts=Facts())
