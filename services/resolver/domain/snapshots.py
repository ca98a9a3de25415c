"""Which snapshots of a contact are due, and what they say (spec 003, 16.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.events.contact import ContactEvent
from shared.events.fold import ContactState, fold
from shared.events.state import private_snapshots, snapshot_of
from shared.events.structs import to_json

EVERY: Final = 50
"""Events from one snapshot to the next: no past is further from one (spec 003, 16.3)."""

FROM: Final = 10
"""A contact with so many events gets a snapshot a day, when anything happened to it."""

DAILY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A row to be written: what all share of a state, or what one workspace keeps for itself."""

    version: int
    workspace: str | None
    """Public id; None: all share it."""
    state: str
    """JSON."""
    snapshot_at: datetime
    """When the newest event that it includes was recorded."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The state that a contact's snapshots have come to."""

    state: ContactState | None = None
    snapshot_at: datetime | None = None


def take(
    kept: Kept, events: Iterable[tuple[ContactEvent, datetime]], *, is_all: bool
) -> Iterator[Snapshot]:
    """Fold a contact's next events, structs with when they were recorded, and yield what is due.

    A snapshot at every `EVERY`th event since the last; and at the newest event, where `is_all`
    says that no more are to come.
    """
    state, at = kept.state, kept.snapshot_at
    taken = state.version if state else 0
    for event, recorded_at in events:
        state = fold(state, [event])
        assert state is not None, "a contact's events begin with its birth"
        # In versions' order, the latest so far: clocks of two processes differ.
        at = recorded_at if at is None else max(at, recorded_at)
        if state.version - taken >= EVERY:
            yield from _written(state, at)
            taken = state.version
    if is_all and state is not None and at is not None and state.version > taken:
        yield from _written(state, at)


def _written(state: ContactState, at: datetime) -> Iterator[Snapshot]:
    yield Snapshot(state.version, None, to_json(snapshot_of(state)).decode(), at)
    for workspace, private in private_snapshots(state):
        yield Snapshot(state.version, workspace, to_json(private).decode(), at)
