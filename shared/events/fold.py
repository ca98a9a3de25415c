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
    ContactsMerged,
    ContactsSplit,
    ContactStatus,
    ContactUnarchived,
    FactAsserted,
    FactRetracted,
    FieldChange,
    MergeProposed,
    MergeRejected,
    Origin,
    Shape,
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
    survivor_id: str | None = None
    """Whom an absorbed contact stands for: its values are the survivor's now."""


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
    return ContactState(
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
        bindings=_bound({}, event),
    )


def _apply(state: ContactState, event: ContactEvent) -> ContactState:
    """Apply one event; what it does not change is shared with the state before."""
    return replace(
        _told(state, event),
        version=event.version,
        updated_at=max(state.updated_at, event.occurred_at),
    )


def _told(state: ContactState, event: ContactEvent) -> ContactState:
    match event:
        case FactAsserted():
            fields, provenance = _changed(state, event.changes, _origin(event.asserted))
            state = replace(
                state,
                status=event.status or state.status,
                fields=fields,
                provenance=provenance,
                identifiers=(*state.identifiers, *event.identifiers_added),
                employments=(*state.employments, *event.employments_added),
                bindings=_bound(state.bindings, event),
            )
        case FactRetracted():
            fields, provenance = _changed(state, event.changes, None)
            state = replace(state, fields=fields, provenance=provenance)
        case BindingChanged():
            state = replace(state, bindings=_privately_changed(state.bindings, event))
        case MergeProposed():
            others = dict.fromkeys((*state.candidates, event.other_id))
            state = replace(state, candidates=tuple(others))
        case MergeRejected():
            settled = {event.other_id, *event.retired}
            left = tuple(one for one in state.candidates if one not in settled)
            state = replace(state, candidates=left)
        case ContactsMerged() | ContactsSplit():
            state = _shaped(state, event.shape, event.survivor_id)
        case ContactArchived():
            state = replace(state, status="archived")
        case ContactUnarchived():
            state = replace(state, status="active")
        case ContactCreated():
            pass  # nobody is born twice
    return state


def _origin(asserted: Assertion) -> Origin:
    return Origin(
        source=asserted.source,
        source_record=asserted.source_record,
        asserted_at=asserted.asserted_at,
    )


def _changed(
    state: ContactState, changes: Iterable[FieldChange], own: Origin | None
) -> tuple[dict[str, str], dict[str, Origin]]:
    if not changes:
        return state.fields, state.provenance
    fields, provenance = dict(state.fields), dict(state.provenance)
    for change in changes:
        origin = change.origin or own
        if change.new is None or origin is None:
            fields.pop(change.field, None)
            provenance.pop(change.field, None)
        else:
            fields[change.field] = change.new
            provenance[change.field] = origin
    return fields, provenance


def _shaped(state: ContactState, shape: Shape | None, survivor: str | None) -> ContactState:
    """Take a shape over; without one, nothing is left but who knew the contact."""
    if shape is None:
        return replace(
            state,
            status="merged",
            fields={},
            provenance={},
            identifiers=(),
            employments=(),
            candidates=(),
            bindings={
                workspace: Binding(one.import_source, one.bound_at)
                for workspace, one in state.bindings.items()
            },
            survivor_id=survivor,
        )
    return replace(
        state,
        status=shape.status,
        fields=dict[str, str](shape.fields.items()),
        provenance=dict[str, Origin](shape.provenance.items()),
        identifiers=shape.identifiers,
        employments=shape.employments,
        candidates=shape.candidates,
        bindings={
            one.workspace: replace(
                state.bindings.get(one.workspace) or Binding(None, one.bound_at),
                import_source=one.import_source,
                bound_at=one.bound_at,
            )
            for one in shape.known_by
        },
        survivor_id=None,
    )


def _bound(
    bindings: dict[str, Binding], event: ContactCreated | FactAsserted
) -> dict[str, Binding]:
    if event.workspace is None or event.workspace in bindings:
        return bindings
    return {**bindings, event.workspace: Binding(event.import_source, event.occurred_at)}


def _privately_changed(bindings: dict[str, Binding], event: BindingChanged) -> dict[str, Binding]:
    if event.workspace is None:
        return bindings
    before = bindings.get(event.workspace) or Binding(None, event.occurred_at)
    after = replace(
        before, labels=event.labels, notes=event.notes, custom_fields=event.custom_fields
    )
    return {**bindings, event.workspace: after}
