"""Fold a contact's events into its present state: what the read model shows and history replays.

The projector, the API's point-in-time history and the invariant checks must agree on it, hence
it is shared. Folding is by version: an event at or below the state's version changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import JsonValue

from shared.events.contact import (
    Assertion,
    BindingChanged,
    ContactArchived,
    ContactCreated,
    ContactEvent,
    ContactStatus,
    ContactUnarchived,
    FactAsserted,
    FactRetracted,
    FieldChange,
    MergeProposed,
    Origin,
)
from shared.events.signal import Employment, Identifier


@dataclass(frozen=True, slots=True)
class Binding:
    """What one workspace sees besides the shared facts."""

    import_source: str | None
    bound_at: datetime
    labels: tuple[str, ...] = ()
    notes: str | None = None
    custom_fields: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactState:
    """A contact as its events tell it up to `version`."""

    contact_id: str
    version: int
    status: ContactStatus
    source: str
    created_at: datetime
    updated_at: datetime
    fields: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Origin] = field(default_factory=dict)
    identifiers: tuple[Identifier, ...] = ()
    employments: tuple[Employment, ...] = ()
    candidates: tuple[str, ...] = ()
    """Other contacts that may be the same person and wait for review."""
    bindings: dict[str, Binding] = field(default_factory=dict)
    """Workspace id → binding."""


class VersionGapError(Exception):
    """Events between the state's version and the next event are missing: fetch them first."""


def fold(
    state: ContactState | None, events: Iterable[ContactEvent], *, gaps: bool = False
) -> ContactState | None:
    """Apply events in version order; repeats are skipped.

    Raises `VersionGapError` when an event does not follow the state's version. A reader that sees
    one workspace only allows `gaps`: what it may not see are other workspaces' private events.
    """
    for event in events:
        if state is None:
            if not isinstance(event, ContactCreated) or event.version != 1:
                raise VersionGapError
            state = _born(event)
        elif event.version <= state.version:
            continue
        elif event.version != state.version + 1 and not gaps:
            raise VersionGapError
        else:
            state = _apply(state, event)
    return state


def _born(event: ContactCreated) -> ContactState:
    origin = _origin(event.asserted)
    state = ContactState(
        contact_id=event.contact_id,
        version=event.version,
        status=event.status,
        source=event.source,
        created_at=event.occurred_at,
        updated_at=event.occurred_at,
        fields=dict[str, str](event.fields.items()),
        provenance=dict.fromkeys(event.fields, origin),
        identifiers=event.identifiers,
        employments=event.asserted.facts.employments,
    )
    return _bound(state, event)


def _apply(state: ContactState, event: ContactEvent) -> ContactState:
    state = replace(
        state, version=event.version, updated_at=max(state.updated_at, event.occurred_at)
    )
    match event:
        case FactAsserted():
            state = replace(
                _changed(state, event.changes, _origin(event.asserted)),
                status=event.status or state.status,
                identifiers=(*state.identifiers, *event.identifiers_added),
                employments=(*state.employments, *event.employments_added),
            )
            return _bound(state, event)
        case FactRetracted():
            return _changed(state, event.changes, None)
        case BindingChanged():
            return _privately_changed(state, event)
        case MergeProposed():
            others = dict.fromkeys((*state.candidates, event.other_id))
            return replace(state, candidates=tuple(others))
        case ContactArchived():
            return replace(state, status="archived")
        case ContactUnarchived():
            return replace(state, status="active")
        case ContactCreated():
            return state


def _origin(asserted: Assertion) -> Origin:
    return Origin(
        source=asserted.source,
        source_record=asserted.source_record,
        asserted_at=asserted.asserted_at,
    )


def _changed(
    state: ContactState, changes: Iterable[FieldChange], own: Origin | None
) -> ContactState:
    if not changes:
        return state
    fields, provenance = dict(state.fields), dict(state.provenance)
    for change in changes:
        origin = change.origin or own
        if change.new is None or origin is None:
            fields.pop(change.field, None)
            provenance.pop(change.field, None)
        else:
            fields[change.field] = change.new
            provenance[change.field] = origin
    return replace(state, fields=fields, provenance=provenance)


def _bound(state: ContactState, event: ContactCreated | FactAsserted) -> ContactState:
    if event.workspace is None or event.workspace in state.bindings:
        return state
    binding = Binding(event.import_source, event.occurred_at)
    return replace(state, bindings={**state.bindings, event.workspace: binding})


def _privately_changed(state: ContactState, event: BindingChanged) -> ContactState:
    if event.workspace is None:
        return state
    before = state.bindings.get(event.workspace) or Binding(None, event.occurred_at)
    after = replace(
        before, labels=event.labels, notes=event.notes, custom_fields=event.custom_fields
    )
    return replace(state, bindings={**state.bindings, event.workspace: after})
