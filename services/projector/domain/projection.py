"""What a batch of events makes of the read models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.projector.domain.events import (
    ACTIVITY_KINDS,
    COMPANY_KINDS,
    RESHAPING_KINDS,
    Body,
    Event,
)
from services.projector.domain.fold import VersionGapError, fold
from services.projector.domain.rows import Row, activity_row, company_row, timeline_row, view_rows
from shared.errors import PoisonMessageError

Histories = Mapping[str, Sequence[Event]]
"""Contact → its events, oldest first."""


@dataclass(frozen=True, slots=True)
class Places:
    """The numbers behind the public ids of tenants and workspaces."""

    tenants: Mapping[str, int] = field(default_factory=dict)
    workspaces: Mapping[str, int] = field(default_factory=dict)

    def know(self, event: Event) -> bool:
        """Tell whether everything the event names is known."""
        return self.know_all((event,))

    def know_all(self, events: Iterable[Event]) -> bool:
        """Tell whether everything that these events name is known."""
        named = {(one.tenant, one.workspace, one.body.get("workspace")) for one in events}
        known = self.workspaces
        return all(
            tenant in self.tenants
            and (shown_to is None or shown_to in known)
            and (about is None or about in known)
            for tenant, shown_to, about in named
        )


@dataclass(frozen=True, slots=True)
class Folded:
    """Contacts that could be folded, and those with events missing in between."""

    states: dict[str, Body]
    gaps: list[str]


@dataclass(frozen=True, slots=True)
class Projection:
    """Rows to be written, each table's in the order of its key."""

    views: list[Row]
    timeline: list[Row]
    companies: list[Row]
    activities: list[Row]
    """The newest of each contact and activity."""
    reshaped: list[str]
    """Contacts that were merged, split or retracted: some workspace may know them no longer."""
    erased: dict[str, int]
    """Contact → the version below which what its events told is to be forgotten: they told of
    somebody who was erased."""
    gone: list[str]
    """Contacts who were themselves erased: what they took part in is forgotten, too."""
    recorded_at: datetime
    """When kith first saw the newest signal among them."""


UNKNOWN_PLACE = PoisonMessageError(
    "unknown_tenant", "tenant or workspace is not known here; create it, then replay"
)
"""Why an event is refused that names a place which does not exist."""

MISSING_HISTORY = PoisonMessageError(
    "invalid", "earlier events of the contact are in no table; was the database restored?"
)
"""Why an event is refused that follows nothing."""


def histories(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Group the contacts' events by contact, in version order."""
    grouped: dict[str, list[Event]] = {}
    for event in events:
        if event.kind not in COMPANY_KINDS:
            grouped.setdefault(event.body["contact_id"], []).append(event)
    for group in grouped.values():
        if len(group) > 1:
            group.sort(key=_version)
    return grouped


def older_ones(grouped: Histories) -> list[str]:
    """Name the contacts whose present state is needed: all but those born here."""
    return [contact for contact, events in grouped.items() if events[0].body["version"] > 1]


def fold_all(states: dict[str, Body], grouped: Histories) -> Folded:
    """Fold every contact's events into its state, as far as they follow one another."""
    folded: dict[str, Body] = {}
    gaps: list[str] = []
    for contact, events in grouped.items():
        try:
            state = fold(states.get(contact), events)
        except VersionGapError:
            gaps.append(contact)
        else:
            if state is not None:
                folded[contact] = state
    return Folded(folded, gaps)


def project(events: Sequence[Event], states: Mapping[str, Body], places: Places) -> Projection:
    """Turn events and the states they led to into rows."""
    tenants, workspaces = places.tenants, places.workspaces
    timeline: list[Row] = []
    companies: list[Row] = []
    activities: dict[tuple[str, str], Row] = {}
    tenant_of: dict[str, int] = {}
    for event in events:
        tenant = tenants[event.tenant]
        if event.kind in COMPANY_KINDS:
            companies.append(company_row(event, tenant))
        else:
            tenant_of[event.body["contact_id"]] = tenant
            workspace = None if event.workspace is None else workspaces[event.workspace]
            timeline.append(timeline_row(event, tenant, workspace))
            if event.kind in ACTIVITY_KINDS and workspace is not None:
                row = activity_row(event, tenant, workspace)
                _keep_newest(activities, row)
    views = [
        row
        for contact, state in states.items()
        for row in view_rows(state, tenant_of[contact], workspaces)
    ]
    views.sort(key=lambda row: (row[2], row[1]))
    timeline.sort(key=lambda row: (row[1], row[2]))
    newest_companies = {row[1]: row for row in sorted(companies, key=lambda row: row[2])}
    return Projection(
        views,
        timeline,
        [newest_companies[company] for company in sorted(newest_companies)],
        [activities[key] for key in sorted(activities)],
        sorted({event.body["contact_id"] for event in events if event.kind in RESHAPING_KINDS}),
        _erased(events),
        sorted({event.body["contact_id"] for event in events if _is_erasure(event)}),
        max(event.recorded_at for event in events),
    )


def _is_erasure(event: Event) -> bool:
    return event.kind == "ContactDeleted" and event.body["reason"] == "erased"


def _erased(events: Iterable[Event]) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in events:
        if _is_erasure(event) or event.kind == "HistoryErased":
            contact = event.body["contact_id"]
            before = event.body["before" if event.kind == "HistoryErased" else "version"]
            found[contact] = max(before, found.get(contact, 0))
    return found


def _keep_newest(activities: dict[tuple[str, str], Row], row: Row) -> None:
    """Keep one row of each contact and activity: one statement writes a row only once."""
    key = (row[2], row[3])
    before = activities.get(key)
    if before is None or before[4] < row[4]:
        activities[key] = row


def _version(event: Event) -> int:
    version: int = event.body["version"]
    return version
