"""Contacts that a batch only confirms: a source said again what is known already.

Such an event moves a contact's version and nothing else, and most signals of people known make one.
Its contact is neither read nor folded nor written anew: two columns of its rows are.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from services.projector.domain.events import ACTIVITY_KINDS, Event
from services.projector.domain.projection import Histories
from services.projector.domain.rows import Row, moment

CHANGES: Final = ("changes", "identifiers_added", "employments_added", "status")
"""What of a `FactAsserted` changes the state besides its version."""

CONFIRMING: Final = frozenset({"FactAsserted", *ACTIVITY_KINDS})
"""Events that may change nothing of the state but the version."""


def confirmations(grouped: Histories, workspaces: Mapping[str, int]) -> list[Row]:
    """Return a row for every contact that the batch only confirms, by contact.

    Each says from which version to which, in which workspace, and when. Whether the rows are at
    the first version, and the workspace knows the contact, only the database can tell.
    """
    rows = [
        _row(contact, events, workspaces)
        for contact, events in grouped.items()
        if _only_confirm(events)
    ]
    rows.sort()
    return rows


def without(grouped: Histories, contacts: Collection[str]) -> Histories:
    """Leave out contacts that are done with."""
    return {contact: events for contact, events in grouped.items() if contact not in contacts}


def _only_confirm(events: Sequence[Event]) -> bool:
    """Tell whether events follow one another, say nothing new, and come from one workspace."""
    version = events[0].body["version"]
    workspace = events[0].body.get("workspace")
    if version == 1 or workspace is None:
        return False
    for number, event in enumerate(events, version):
        body = event.body
        if event.kind not in CONFIRMING or any(map(body.get, CHANGES)):
            return False
        if body["version"] != number or body.get("workspace") != workspace:
            return False
    return True


def _row(contact: str, events: Sequence[Event], workspaces: Mapping[str, int]) -> Row:
    last = events[-1].body
    return (
        contact,
        workspaces[last["workspace"]],
        events[0].body["version"] - 1,
        last["version"],
        max(moment(event.body["occurred_at"]) for event in events),
    )
