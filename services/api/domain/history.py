"""What happened to a contact, and what it was at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar, get_args

from services.api.domain.contacts import Resource, contact_path
from services.api.domain.documents import Change, HistoryAttributes
from services.api.domain.paging import (
    PAGE_ALIASES,
    PAGE_PARAMETERS,
    Page,
    PageRequest,
    cut_page,
    encode_cursor,
    parse_page,
)
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from shared.events.contact import ContactEvent
from shared.events.fold import ContactState, fold
from shared.events.state import ContactSnapshot, PrivateSnapshot, state_from

HISTORY_SORT: Final = "-version"
"""The one order of a history: newest first."""
HISTORY_PARAMETERS: Final = PAGE_PARAMETERS | {WAIT_PARAMETER}
"""What a timeline may be asked."""
AT_PARAMETERS: Final = frozenset(
    {"at", "include", "fields[contacts]", "fields[contact_identifiers]", WAIT_PARAMETER}
)
"""What a point-in-time request may be asked."""
HISTORY_ALIASES: Final = PAGE_ALIASES
"""Name a client may use → canonical name."""


class Versioned(Protocol):
    """An entry of a history."""

    @property
    def version(self) -> int:
        """Of whom it tells, behind it."""


Entry = TypeVar("Entry", bound=Versioned)


def parse_history(items: Iterable[tuple[str, str]]) -> PageRequest:
    """Read which page of a history is asked for, a contact's or a company's."""
    parameters = Parameters(items, known=HISTORY_PARAMETERS, aliases=HISTORY_ALIASES)
    return parse_page(parameters, HISTORY_SORT, 1, numeric=True)


def cut_history(asked: PageRequest, rows: Sequence[Entry]) -> tuple[list[Entry], Page]:
    """Make a page of a history, of up to a row too many."""
    return cut_page(asked, rows, lambda row: encode_cursor(HISTORY_SORT, [str(row.version)]))


_MODELS: Final = {model.__name__: model for model in get_args(ContactEvent)}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A row of the timeline."""

    contact_id: str
    version: int
    event_type: str
    occurred_at: datetime
    recorded_at: datetime
    source: str | None
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored of a contact up to a moment."""

    events: Sequence[tuple[str, str]]
    """(type, payload) in version order, since the snapshot if there is one."""
    snapshot: str | None = None
    """Its newest snapshot, JSON."""
    private: str | None = None
    """What the reader's workspace kept for itself at that snapshot, JSON."""


def history_resource(row: HistoryRow, cursor: str) -> Resource:
    """Write an entry: what happened, when, who said so, which fields changed from what to what."""
    rest = dict(row.summary)
    born = [{"field": name, "new": new} for name, new in rest.pop("fields", {}).items()]
    changed = [*born, *rest.pop("changes", ())]
    attributes = HistoryAttributes(
        what=row.event_type,
        version=row.version,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        source=row.source,
        changes=tuple(_change(change, row.source) for change in changed),
        summary=rest,
    )
    return {
        "type": "contact_history",
        "id": f"{row.contact_id}.{row.version}",
        "attributes": attributes.model_dump(mode="json"),
        "meta": {"page": {"cursor": cursor}},
    }


def history_path(contact_id: str) -> str:
    """Where a contact's history is."""
    return f"{contact_path(contact_id)}/history"


def state_of(past: Past, workspace: str) -> ContactState | None:
    """Fold a contact's past as a workspace knows it; None when there was nothing yet.

    Versions that are missing are other workspaces' private events.
    """
    state = None
    if past.snapshot is not None:
        private = PrivateSnapshot.model_validate_json(past.private) if past.private else None
        state = state_from(
            ContactSnapshot.model_validate_json(past.snapshot),
            {workspace: private} if private else {},
        )
    models = (_MODELS[name].model_validate_json(payload) for name, payload in past.events)
    return fold(state, models, gaps=True)


def _change(change: Mapping[str, Any], source: str | None) -> Change:
    """Name the source of a new value: the event's own, unless the change names another."""
    origin = change.get("origin") or {"source": source}
    return Change(
        field=change["field"],
        old=change.get("old"),
        new=change.get("new"),
        source=origin["source"] if change.get("new") is not None else None,
    )
