"""Activities go where the people who took part in them are by now."""

from collections.abc import Iterable
from typing import Any

import pytest

from services.resolver.domain.model import Contact
from services.resolver.domain.relocating import (
    Relocation,
    Stored,
    TakingPart,
    happening,
    relocate,
)
from shared.events.codec import encode, event_type, parse_event
from shared.events.contact import ActivityRecorded, ActivityWithdrawn, CompanyEvent, ContactEvent
from tests.support.merging import WORKSPACES, World
from tests.support.signals import MOMENT, TENANT


def name(number: int) -> str:
    return f"con_{number:026d}"


def took_part(number: int, at: int, belongs: int, **more: Any) -> TakingPart:
    said = {"role": "to", "attendance": None, **more}
    return TakingPart(number=number, at=at, at_name=name(at), belongs=belongs, **said)


def an_activity(*people: TakingPart) -> Stored:
    return Stored(
        id=7,
        public_id=f"act_{7:026d}",
        workspace_id=2,
        workspace=WORKSPACES[2],
        source="email_sync",
        record_key=b"\x07" * 16,
        activity=happening(
            "email", "inbound", MOMENT, title="Engines", snippet=None, all_day=False
        ),
        participants=9,
        people=people,
    )


def relocated(*people: TakingPart, split: Iterable[int] = (1, 2)) -> tuple[Relocation, Any]:
    """Relocate one activity; returns it with what consumers read, contact by contact."""
    contacts = {one: Contact(one, name(one), 1, 4, "active") for one in split}
    found = relocate([an_activity(*people)], contacts, TENANT, World().order())
    told: dict[str, list[ContactEvent]] = {}
    for one in found.plan.events:
        assert one.private_to == (2, WORKSPACES[2])
        assert (one.tenant_id, one.tenant) == (1, TENANT)
        event = parse_event(event_type(one.event), encode(one.event))
        assert not isinstance(event, CompanyEvent)
        assert event.contact_id == name(one.entity_id)
        told.setdefault(event.contact_id, []).append(event)
    return found, told


def test_what_is_where_it_belongs_is_not_told_again() -> None:
    found, told = relocated(took_part(0, 1, 1), took_part(1, 3, 3))
    assert (found.moves, told, found.plan.updated) == ([], {}, set())


def test_who_took_part_takes_the_activity_along() -> None:
    """It is gone from whom it was shown at, and is told whole of whom it belongs to."""
    found, told = relocated(
        took_part(0, 3, 3, role="from"),
        took_part(1, 1, 2, role="to"),
        took_part(2, 1, 2, role="cc", attendance="accepted"),
    )
    assert found.moves == [(7, 1, 2, 5), (7, 2, 2, 5)]
    assert found.plan.updated == {1, 2}
    assert {one.id: one.version for one in found.plan.contacts.values()} == {1: 5, 2: 5}
    [gone], [come] = told.pop(name(1)), told.pop(name(2))
    assert told == {}, "who took part besides hears nothing"
    assert isinstance(gone, ActivityWithdrawn)
    assert (gone.reason, gone.version, gone.activity_id) == ("moved", 5, f"act_{7:026d}")
    assert gone.workspace == WORKSPACES[2]
    assert isinstance(come, ActivityRecorded)
    assert (come.roles, come.attendance, come.version) == (("to", "cc"), "accepted", 5)
    assert (come.others, come.participants) == ((name(3),), 9)
    assert (come.workspace, come.source) == (WORKSPACES[2], "email_sync")
    assert (come.activity_id, come.source_record) == (f"act_{7:026d}", "07" * 16)
    said = come.activity
    assert (said.kind, said.direction, said.occurred_at) == ("email", "inbound", MOMENT)
    assert (said.title, said.snippet, said.all_day) == ("Engines", None, False)


def test_both_sides_keep_it_where_both_took_part() -> None:
    """Two that were one contact are each other's company from now on."""
    found, told = relocated(took_part(0, 1, 1, role="from"), took_part(1, 1, 2))
    assert found.moves == [(7, 0, 1, 5), (7, 1, 2, 5)]
    [kept], [come] = told[name(1)], told[name(2)]
    assert isinstance(kept, ActivityRecorded)
    assert isinstance(come, ActivityRecorded)
    assert (kept.roles, kept.others) == (("from",), (name(2),))
    assert (come.roles, come.others) == (("to",), (name(1),))


@pytest.mark.parametrize("count", [1, 3])
def test_each_activity_is_a_version_of_its_own(count: int) -> None:
    contacts = {one: Contact(one, name(one), 1, 4, "active") for one in (1, 2)}
    activities = [an_activity(took_part(0, 1, 2))] * count
    found = relocate(activities, contacts, TENANT, World().order())
    assert [version for *_, version in found.moves] == [*range(5, 5 + count)]
    assert [one.version for one in contacts.values()] == [4 + count] * 2
    assert len({one.event_id for one in found.plan.events}) == 2 * count
