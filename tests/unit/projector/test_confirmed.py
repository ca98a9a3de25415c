"""Contacts that a batch only confirms, told from those that it changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.projector.domain.confirmed import confirmations, without
from services.projector.domain.events import Event

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLACES = {"wsp_a": 1, "wsp_b": 2}


def said(version: int, kind: str = "FactAsserted", **more: Any) -> Event:
    """Make an event that says nothing new unless it is told what."""
    body = {
        "contact_id": "con_1",
        "version": version,
        "workspace": "wsp_a",
        "occurred_at": (NOON + timedelta(minutes=version)).isoformat(),
        **more,
    }
    return Event(kind, body, "ten_1", None, NOON)


def test_events_in_line_that_say_nothing_new_are_one_row() -> None:
    rows = confirmations({"con_1": [said(4), said(5)]}, PLACES)
    assert rows == [("con_1", 1, 3, 5, NOON + timedelta(minutes=5))]


def test_an_event_that_happened_before_does_not_set_the_clock_back() -> None:
    late = said(5, occurred_at=NOON.isoformat())
    [row] = confirmations({"con_1": [said(4), late]}, PLACES)
    assert row[-1] == NOON + timedelta(minutes=4)


@pytest.mark.parametrize(
    "events",
    [
        [said(1, "ContactCreated")],
        [said(2, "MergeProposed")],
        [said(2, changes=[{"field": "city", "new": "Paris"}])],
        [said(2, identifiers_added=[{"type": "email", "value": "a@example.org"}])],
        [said(2, employments_added=[{"title": "CTO"}])],
        [said(2, status="active")],
        [said(2, workspace=None)],
        [said(2), said(3, workspace="wsp_b")],
        [said(2), said(4)],
        [said(2), said(2)],
        [said(2), said(3, changes=[{"field": "city"}])],
    ],
    ids=str,
)
def test_all_else_is_folded(events: list[Event]) -> None:
    assert confirmations({"con_1": events}, PLACES) == []


def test_rows_are_in_the_order_of_contacts() -> None:
    grouped = {name: [said(2)] for name in ("con_3", "con_1", "con_2")}
    assert [row[0] for row in confirmations(grouped, PLACES)] == ["con_1", "con_2", "con_3"]
    assert without(grouped, {"con_1", "con_3"}).keys() == {"con_2"}
