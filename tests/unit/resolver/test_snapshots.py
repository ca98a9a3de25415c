"""Snapshots of a contact: when they are due, and that the past read from one is the past."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.domain.history import Past, state_of
from services.resolver.domain.snapshots import EVERY, Kept, Snapshot, take
from shared.auth import Place
from shared.events.codec import encode
from shared.events.contact import ContactEvent, FieldChange
from shared.events.fold import ContactState, fold
from shared.events.state import ContactSnapshot, PrivateSnapshot, state_from
from shared.events.structs import Reader
from tests.support.contacts import a_contact, a_fact, a_note

HERE = Place(1, 1, "ten_" + "0" * 26, "wsp_" + "0" * 26)
BESIDE = Place(1, 2, HERE.tenant, "wsp_" + "1" * 26)
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def history(kinds: list[int]) -> list[ContactEvent]:
    """Make a contact's events: its birth, then facts, notes here, and notes beside."""
    contact = a_contact(HERE, fields={"first_name": "Ada", "job_title": "0"})
    events: list[ContactEvent] = [contact]
    title = "0"
    for version, kind in enumerate(kinds, 2):
        if kind == 0:
            change = FieldChange(field="job_title", old=title, new=str(version))
            title = str(version)
            events.append(a_fact(contact, version, change, place=BESIDE))
        else:
            events.append(a_note(contact, version, (HERE, BESIDE)[kind - 1], f"note {version}"))
    return events


def as_structs(events: list[ContactEvent]) -> list[ContactEvent]:
    """Read the events as the resolver does."""
    return [Reader(type(one)).read(encode(one)) for one in events]


def snapshots(events: list[ContactEvent], piece: int) -> list[Snapshot]:
    """Take all that are due, so many events at a time, as the store does."""
    told = [(one, BEGUN + timedelta(minutes=one.version)) for one in as_structs(events)]
    taken: list[Snapshot] = []
    kept = Kept()
    while True:
        done = kept.state.version if kept.state else 0
        new = list(take(kept, told[done : done + piece], is_all=done + piece > len(told)))
        taken += new
        kept = kept_of(taken)
        if not new or (kept.state and kept.state.version == len(told)):
            return taken


def kept_of(taken: list[Snapshot]) -> Kept:
    """Read the newest snapshot back."""
    if not taken:
        return Kept()
    newest = taken[-1].version
    rows = {one.workspace: one for one in taken if one.version == newest}
    private = {name: Reader(PrivateSnapshot).read(one.state) for name, one in rows.items() if name}
    state = state_from(Reader(ContactSnapshot).read(rows[None].state), private)
    return Kept(state, rows[None].snapshot_at)


def seen_by(place: Place, events: list[ContactEvent]) -> list[ContactEvent]:
    """Leave out what is another workspace's own."""
    return [
        one
        for one in events
        if type(one).__name__ != "BindingChanged" or one.workspace == place.workspace
    ]


def replayed(place: Place, events: list[ContactEvent]) -> ContactState | None:
    """Fold all that a workspace may see, from the beginning."""
    told = tuple((type(one).__name__, encode(one).decode()) for one in seen_by(place, events))
    return state_of(Past(told), place.workspace)


def shown(state: ContactState | None, place: Place) -> ContactState:
    """Leave of a state what a workspace is shown, but for how many events it may not see."""
    assert state is not None
    own = {name: one for name, one in state.bindings.items() if name == place.workspace}
    return replace(state, bindings=own, version=0)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2), max_size=180), st.sampled_from((EVERY, 2 * EVERY, 77)))
def test_no_event_is_further_than_fifty_from_a_snapshot(kinds: list[int], piece: int) -> None:
    events = history(kinds)
    versions = sorted({one.version for one in snapshots(events, piece)})
    assert versions[-1] == len(events)
    assert all(later - earlier <= EVERY for earlier, later in pairwise([0, *versions]))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2), min_size=60, max_size=120), st.data())
def test_the_past_from_a_snapshot_is_the_past(kinds: list[int], data: st.DataObject) -> None:
    """For either workspace, with its own notes and without the other's."""
    events = history(kinds)
    rows = snapshots(events, 2 * EVERY)
    version = data.draw(st.integers(EVERY, len(events)))
    newest = max(one.version for one in rows if one.version <= version)
    at = {one.workspace: one.state for one in rows if one.version == newest}
    for place in (HERE, BESIDE):
        rest = seen_by(place, events[newest:version])
        told = tuple((type(one).__name__, encode(one).decode()) for one in rest)
        shared = at[None]
        assert shared is not None
        past = Past(told, shared, at.get(place.workspace))
        found = state_of(past, place.workspace)
        assert shown(found, place) == shown(replayed(place, events[:version]), place)
        assert "note" not in shared


def test_a_snapshot_is_as_new_as_the_newest_of_its_events() -> None:
    """Also where a later version was recorded by a clock that is behind."""
    first, second = as_structs(history([0]))
    (one,) = take(Kept(), [(first, BEGUN), (second, BEGUN - timedelta(seconds=9))], is_all=True)
    assert (one.version, one.snapshot_at) == (2, BEGUN)
    assert fold(None, [first]) is not None
