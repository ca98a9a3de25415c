"""A contact's state as a message: published on `contact.state.v1`, and kept as snapshots.

What one workspace keeps for itself is a part of its own: who may read the one need not be shown
the other.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, cast

from pydantic import Field, JsonValue

from shared.events.contact import ContactStatus, KnownBy, Origin, VisibleField
from shared.events.fold import Binding, ContactState
from shared.events.signal import Employment, Identifier, ImportSource
from shared.events.structs import struct_of
from shared.events.wire import ContactId, GroupId, Version, Wire


class ContactSnapshot(Wire):
    """A contact as all its events up to a version make it, as far as its workspaces share it."""

    contact_id: ContactId
    version: Version
    status: ContactStatus
    source: str
    """Who told of it first."""
    created_at: datetime
    updated_at: datetime
    fields: dict[VisibleField, str] = Field(default_factory=dict)
    provenance: dict[VisibleField, Origin] = Field(default_factory=dict)
    identifiers: tuple[Identifier, ...] = ()
    employments: tuple[Employment, ...] = ()
    candidates: tuple[ContactId, ...] = ()
    """Other contacts that may be the same person and wait for review."""
    known_by: tuple[KnownBy, ...] = ()
    survivor_id: ContactId | None = None
    """Whom an absorbed contact stands for: its values are the survivor's now."""


class PrivateSnapshot(Wire):
    """What one workspace keeps about a contact for itself, at the version of its snapshot."""

    labels: tuple[str, ...] = ()
    notes: str | None = None
    custom_fields: dict[str, JsonValue] = Field(default_factory=dict)
    groups: tuple[GroupId, ...] = ()


_ContactSnapshot: Final = struct_of(ContactSnapshot)
_PrivateSnapshot: Final = struct_of(PrivateSnapshot)
_KnownBy: Final = struct_of(KnownBy)
_Origin: Final = struct_of(Origin)


def snapshot_of(state: ContactState) -> ContactSnapshot:
    """Write down what all workspaces share of a state that was folded from structs."""
    return _ContactSnapshot(
        contact_id=state.contact_id,
        version=state.version,
        status=state.status,
        source=state.source,
        created_at=state.created_at,
        updated_at=state.updated_at,
        fields=cast("dict[VisibleField, str]", state.fields),
        provenance={
            cast("VisibleField", name): _Origin(
                source=one.source, source_record=one.source_record, asserted_at=one.asserted_at
            )
            for name, one in state.provenance.items()
        },
        identifiers=state.identifiers,
        employments=state.employments,
        candidates=state.candidates,
        known_by=tuple(
            _KnownBy(
                workspace=workspace,
                import_source=cast("ImportSource | None", one.import_source),
                bound_at=one.bound_at,
            )
            for workspace, one in state.bindings.items()
        ),
        survivor_id=state.survivor_id,
    )


def private_snapshots(state: ContactState) -> Iterator[tuple[str, PrivateSnapshot]]:
    """Write down what each workspace keeps for itself, where it keeps anything."""
    for workspace, one in state.bindings.items():
        if one.labels or one.notes or one.custom_fields or one.groups:
            yield (
                workspace,
                _PrivateSnapshot(
                    labels=one.labels,
                    notes=one.notes,
                    custom_fields=one.custom_fields,
                    groups=one.groups,
                ),
            )


def state_from(snapshot: ContactSnapshot, private: Mapping[str, PrivateSnapshot]) -> ContactState:
    """Read a state back, with what these workspaces keep for themselves: fold later events on it.

    A workspace that is not among them keeps nothing, as far as the reader may know.
    """
    nothing = PrivateSnapshot()
    return ContactState(
        contact_id=snapshot.contact_id,
        version=snapshot.version,
        status=snapshot.status,
        source=snapshot.source,
        created_at=snapshot.created_at,
        updated_at=snapshot.updated_at,
        fields=dict[str, str](snapshot.fields.items()),
        provenance=dict[str, Origin](snapshot.provenance.items()),
        identifiers=snapshot.identifiers,
        employments=snapshot.employments,
        candidates=snapshot.candidates,
        bindings={
            one.workspace: Binding(
                import_source=one.import_source,
                bound_at=one.bound_at,
                labels=(kept := private.get(one.workspace, nothing)).labels,
                notes=kept.notes,
                custom_fields=kept.custom_fields,
                groups=kept.groups,
            )
            for one in snapshot.known_by
        },
        survivor_id=snapshot.survivor_id,
    )
