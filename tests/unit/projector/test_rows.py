"""Rows of the read models."""

import orjson

from services.projector.domain.events import Event
from services.projector.domain.fold import fold
from services.projector.domain.rows import SEPARATOR, view_rows
from shared.events.codec import encode
from shared.events.contact import ContactEvent
from tests.support.events import BEGIN, born, changed, noted

CONTACT = "con_" + "0" * 26
HERE, THERE = "wsp_" + "0" * 26, "wsp_" + "1" * 26


def as_json(event: ContactEvent) -> Event:
    return Event(type(event).__name__, orjson.loads(encode(event)), "ten_1", None, BEGIN)


def test_no_workspace_reads_what_another_keeps_for_itself() -> None:
    history: list[ContactEvent] = [
        born(CONTACT, HERE),
        changed(CONTACT, 2, THERE, city="London"),
        noted(CONTACT, 3, HERE, "a secret of ours"),
    ]
    state = fold(None, map(as_json, history))
    assert state is not None
    here, there = view_rows(state, 1, {HERE: 10, THERE: 20})
    assert (here[1], there[1]) == (10, 20)
    assert "a secret of ours" in here[-6]
    assert "a secret of ours" not in str(there)
    assert HERE not in str(there)


def test_a_row_holds_what_lists_ask_for() -> None:
    history: list[ContactEvent] = [
        born(CONTACT, HERE),
        changed(CONTACT, 2, HERE, job_title="Sales & Marketing Director", country="Germany"),
    ]
    state = fold(None, map(as_json, history))
    assert state is not None
    [row] = view_rows(state, 1, {HERE: 10})
    assert row[-3:] == ("director", f"marketing{SEPARATOR}sales", "Europe/Berlin")
