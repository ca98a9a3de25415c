"""Processes that parse mail beside this one: nobody can tell from what comes of it."""

import io
import os
import signal
from collections.abc import Iterator

from services.ingest.sources.mail.boxes import Stored, read_box
from services.ingest.sources.mail.helping import MESSAGES, Helpers
from services.ingest.sources.mail.parsing import Parsed
from tests.support.mail import NOW, a_message, a_reader, an_mbox, bodies, correspondence

BOX = an_mbox(
    *correspondence(2 * MESSAGES + 5),
    a_message(message_id="<1@x.example>", subject="again"),
    a_message(message_id="<1@x.example>", subject="again"),
    a_message(date="", text="\x00 nothing \xff sensible\n"),
)


def stored() -> Iterator[Stored]:
    yield from read_box(io.BytesIO(BOX), "mbox")


def parsed(helpers: Helpers) -> list[tuple[int, Parsed]]:
    return list(helpers.parse(stored(), NOW))


def test_helpers_change_nothing_also_when_they_die() -> None:
    """Same messages, same order, same lines; what a dead helper owes is made here."""
    with Helpers(0) as alone:
        expected = parsed(alone)
    assert len(expected) == 2 * MESSAGES + 8
    with Helpers(2) as helpers:
        assert parsed(helpers) == expected
        begun = helpers.parse(stored(), NOW)
        first = next(begun)
        for helper in helpers.running():
            os.kill(helper, signal.SIGKILL)
        assert [first, *begun] == expected


def test_a_reader_takes_what_others_parsed_as_what_it_parsed() -> None:
    ours, theirs = a_reader(), a_reader()
    taken = [one for each in stored() for one in ours.read(each.raw, line=each.line)]
    with Helpers(0) as helpers:
        same = [one for line, found in parsed(helpers) for one in theirs.take_parsed(found, line)]
    assert bodies(iter(taken)) == bodies(iter(same))
    assert ours.tally == theirs.tally
    assert ours.tally.left_out == {"again": 1, "undated": 1}
