"""Fold a contact's events into its present state: what the read model shows and history replays.

The projector, the API's point-in-time history and the invariant checks must agree on it, hence
it is shared. Folding is by version: an event at or below the state's version changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, cast

from pydantic import JsonValue
from typing_extensions import TypeIs

from shared.events.contact import (
    ActivityRecorded,
    ActivityWithdrawn,
    Assertion,
    BindingChanged,
    ContactArchived,
    ContactCreated,
    ContactDeleted,
    ContactEvent,
    ContactsMerged,
    ContactsSplit,
    ContactStatus,
    ContactUnarchived,
    FactAsserted,
    FactRetracted,
    FieldChange,
    GroupMemberAdded,
    GroupMemberRemoved,
    HistoryErased,
    IdentifierRemoved,
    MergeProposed,
    MergeRejected,
    MergeWithdrawn,
    Origin,
    Shape,
    TagAdded,
    TagRemoved,
)
from shared.events.jobs import with_jobs, without_jobs
from shared.events.signal import Employment, Identifier
from shared.events.structs import struct_of
from shared.events.wire import Wire


@dataclass(frozen=True, slots=True)
class Binding:
    """What one workspace sees besides the shared facts."""

    import_source: str | None
    bound_at: datetime
    labels: tuple[str, ...] = ()
    notes: str | None = None
    custom_fields: dict[str, JsonValue] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


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
    """A set: the order in which events tell them means nothing."""
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
    """Apply events in version order, models or their structs; repeats are skipped.

    Raises `VersionGapError` when an event does not follow the state's version. A reader that sees
    one workspace only allows `gaps`: what it may not see are other workspaces' private events.
    """
    for event in events:
        if state is None:
            if not _is_creation(event) or event.version != 1:
                raise VersionGapError
            state = _born(event)
        elif event.version <= state.version:
            continue
        elif event.version != state.version + 1 and not gaps:
            raise VersionGapError
        else:
            state = _apply(state, event)
    return state


def fold_activities(events: Iterable[ContactEvent]) -> dict[str, ActivityRecorded]:
    """Return the activities of a contact by their ids, from its events in version order.

    Apart from the state, since there may be thousands: whoever wants a contact need not have them.
    What an absorbed contact took part in stays in its stream, and is its survivor's to show.
    """
    found: dict[str, ActivityRecorded] = {}
    for event in events:
        if type(event) in _RECORDED:
            recorded = cast("ActivityRecorded", event)
            found[recorded.activity_id] = recorded
        elif type(event) in _WITHDRAWN:
            found.pop(cast("ActivityWithdrawn", event).activity_id, None)
    return found


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
        _TOLD[type(event)](state, event),
        version=event.version,
        updated_at=max(state.updated_at, event.occurred_at),
    )


def _asserted(state: ContactState, event: FactAsserted) -> ContactState:
    fields, provenance = _changed(state, event.changes, _origin(event.asserted))
    return replace(
        state,
        status=event.status or state.status,
        fields=fields,
        provenance=provenance,
        identifiers=(*state.identifiers, *event.identifiers_added),
        employments=with_jobs(state.employments, event.employments_added),
        bindings=_bound(state.bindings, event),
    )


def _retracted(state: ContactState, event: FactRetracted) -> ContactState:
    if event.shape is not None:
        return _shaped(state, event.shape, None)
    fields, provenance = _changed(state, event.changes, None)
    return replace(
        state,
        fields=fields,
        provenance=provenance,
        employments=with_jobs(
            without_jobs(state.employments, event.employments_removed), event.employments_kept
        ),
    )


def _privately_changed(state: ContactState, event: BindingChanged) -> ContactState:
    if event.workspace is None:
        return state
    before = state.bindings.get(event.workspace) or Binding(None, event.occurred_at)
    after = replace(
        before,
        labels=event.labels,
        notes=event.notes,
        custom_fields=event.custom_fields,
        groups=event.groups,
    )
    return replace(state, bindings={**state.bindings, event.workspace: after})


def _identifier_removed(state: ContactState, event: IdentifierRemoved) -> ContactState:
    removed = (event.type, event.value)
    left = tuple(one for one in state.identifiers if (one.type, one.value) != removed)
    return replace(state, identifiers=left)


def _merge_proposed(state: ContactState, event: MergeProposed) -> ContactState:
    others = dict.fromkeys((*state.candidates, event.other_id))
    return replace(state, candidates=tuple(others))


def _merge_rejected(state: ContactState, event: MergeRejected) -> ContactState:
    settled = {event.other_id, *event.retired}
    left = tuple(one for one in state.candidates if one not in settled)
    return replace(state, candidates=left)


def _merge_withdrawn(state: ContactState, event: MergeWithdrawn) -> ContactState:
    left = tuple(one for one in state.candidates if one != event.other_id)
    return replace(state, candidates=left)


def _reshaped(state: ContactState, event: ContactsMerged | ContactsSplit) -> ContactState:
    return _shaped(state, event.shape, event.survivor_id)


def _archived(state: ContactState, _: ContactArchived) -> ContactState:
    return replace(state, status="archived")


def _unarchived(state: ContactState, _: ContactUnarchived) -> ContactState:
    return replace(state, status="active")


def _took_part(state: ContactState, _: ActivityRecorded | ActivityWithdrawn) -> ContactState:
    """Change nothing: see `fold_activities`."""
    return state


def _deleted(state: ContactState, _: ContactDeleted) -> ContactState:
    return replace(_shaped(state, None, None), status="deleted", bindings={})


def _history_erased(state: ContactState, _: HistoryErased) -> ContactState:
    """Change nothing: what was erased had been somebody else's."""
    return state


def _born_again(state: ContactState, _: ContactCreated) -> ContactState:
    """Change nothing: nobody is born twice."""
    return state


_BY_MODEL: Final[dict[type[Wire], Callable[[ContactState, Any], ContactState]]] = {
    ContactCreated: _born_again,
    FactAsserted: _asserted,
    FactRetracted: _retracted,
    BindingChanged: _privately_changed,
    TagAdded: _privately_changed,
    TagRemoved: _privately_changed,
    GroupMemberAdded: _privately_changed,
    GroupMemberRemoved: _privately_changed,
    IdentifierRemoved: _identifier_removed,
    MergeProposed: _merge_proposed,
    MergeRejected: _merge_rejected,
    MergeWithdrawn: _merge_withdrawn,
    ContactsMerged: _reshaped,
    ContactsSplit: _reshaped,
    ContactArchived: _archived,
    ContactUnarchived: _unarchived,
    ActivityRecorded: _took_part,
    ActivityWithdrawn: _took_part,
    ContactDeleted: _deleted,
    HistoryErased: _history_erased,
}
_TOLD: Final[dict[type, Callable[[ContactState, Any], ContactState]]] = {
    kind: tell for model, tell in _BY_MODEL.items() for kind in (model, struct_of(model))
}
"""Every event, as model and as struct → what it tells of the contact."""

_CREATED: Final = frozenset({ContactCreated, struct_of(ContactCreated)})
_RECORDED: Final = frozenset({ActivityRecorded, struct_of(ActivityRecorded)})
_WITHDRAWN: Final = frozenset({ActivityWithdrawn, struct_of(ActivityWithdrawn)})


def _is_creation(event: ContactEvent) -> TypeIs[ContactCreated]:
    return type(event) in _CREATED


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
        source=shape.source or state.source,
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
