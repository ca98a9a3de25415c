from datetime import UTC, datetime
from pathlib import Path

import orjson

from kith.demo.errors import blame
from kith.demo.ledger import Home
from kith.demo.people import CrmRecord
from kith.demo.stream import outgoing, reached
from kith.stack import Fleet, Stack
from shared.events.envelope import from_record

HOME = Home(1, 1, "ten_1", "wsp_1")


def test_a_record_is_a_cloudevent_that_names_its_workspace() -> None:
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    body = orjson.dumps({"source": "api_push"})
    message = outgoing(CrmRecord("set/1", "someone", moment, body), HOME)
    envelope = from_record(message.headers, message.value)
    assert message.topic == "contact.signals.v1"
    assert envelope.type == "kith.signal.contact.v1"
    assert (envelope.tenant, envelope.workspace) == ("ten_1", "wsp_1")
    assert envelope.time == moment
    assert envelope.data == body


def test_the_same_record_is_the_same_delivery() -> None:
    """Id, key and body do not change from run to run; so a second run feeds duplicates."""
    record = CrmRecord("set/1", "someone", None, b"{}")
    assert outgoing(record, HOME) == outgoing(record, HOME)
    assert from_record(outgoing(record, HOME).headers, b"{}").id == "set/1"


def test_an_offset_counts_as_reached_from_the_end_on() -> None:
    assert reached({0: 5, 1: 7}, {0: 5, 1: 6})
    assert not reached({0: 4}, {0: 5})


def test_a_partition_nobody_wrote_to_needs_no_commit() -> None:
    assert reached({}, {0: 0})
    assert not reached({}, {0: 1})


def test_blame_names_the_process_its_last_words_and_what_to_do(tmp_path: Path) -> None:
    stack = Stack.load(home=tmp_path)
    log = stack.places.log("projector-1")
    log.parent.mkdir(parents=True)
    log.write_text("first\n" + "noise\n" * 20 + "the last word\n")
    told = str(blame(Fleet(stack), ["projector-1"], "does not get on"))
    assert "projector-1 failed: does not get on" in told
    assert "| the last word" in told
    assert "| first" not in told
    assert "what to do: `kith status`" in told
