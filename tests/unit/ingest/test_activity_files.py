"""Which files hold mail, meetings or calls, and that a second reading says what the first did."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from services.ingest.domain.witnessing import settle_entry, witness
from services.ingest.sources.activity_files import (
    ActivityTerms,
    FileKind,
    layout_of,
    reading,
    survey,
)
from services.ingest.sources.mail.helping import Helpers
from shared.errors import PoisonMessageError
from tests.support.ingest import ORIGIN, RULES
from tests.support.mail import NOW, a_message, an_mbox

FILES = Path(__file__).parents[2] / "fixtures" / "activities"
SIGNED = "Hello,\n\nBest regards\nAda Lovelace\nHead of Engines\nEngines GmbH\n"
TERMS = ActivityTerms(ORIGIN, NOW, "mbox", None, frozenset(), None, "UTC", 1_000)


@pytest.mark.parametrize(
    ("data", "kind", "layout"),
    [
        (an_mbox(a_message()), None, "mbox"),
        (a_message(), None, "eml"),
        ((FILES / "calendar.ics").read_bytes(), None, "calendar"),
        (b"\xef\xbb\xbf\r\n" + (FILES / "calendar.ics").read_bytes(), None, "calendar"),
        ((FILES / "android_calls.xml").read_bytes(), None, "phone-backup"),
        ((FILES / "android_calls.csv").read_bytes(), "activities", "call-log"),
        (b'{"signal": "activity"}\n', "activities", "json-lines"),
        ((FILES / "calendar.ics").read_bytes(), "contacts", None),
        (b"BEGIN:VCARD\r\nSubject: x\r\nEND:VCARD\r\n", None, None),
        (b"version: 1\n\ndn: cn=Ada\nsubject: x\nmail: ada@x.example\n", None, None),
        (b"dn: cn=Ada\nstatus: x\nmail: ada@x.example\n", None, None),
        (b"Name,Email\nAda,ada@x.example\n", None, None),
        (b"From: CRM export\nDate: 2024-05-01\n\nName,Email,City\nA,a@x.example,B\n", None, None),
        (b"Date: 2024-01-01\nExported by: X\n\nName,Email\nAda,ada@x.example\n", None, None),
        (b"From: crm@x.example\n\nName;Email;City\nAda;ada@x.example;B\n", None, None),
        (b"DN: cn=Ada\nstatus: x\nmail: a@x.example\n", None, None),
        (b"version: 1\nstatus: x\nmail: a@x.example\n", None, None),
        (b"Subject:\nAda\n", None, None),
        (b"12\nSubject: x\nAda\n", None, None),
        (b"Subject: x\nFrom: Ada <ada@x.example>\n\nDear Bob, Carl,\nhello,\n", None, "eml"),
        (b"To: Bob\n <bob@x.example>\nDate: x\n\nhello\n", None, "eml"),
        (b"From: Ada\nMessage-ID: <1@x>\n\nName,Email,City\nA,a@x.example,B\n", None, "eml"),
        (b"From: CRM export\nDate: 2024-05-01\n\nhello\n", "mail", "eml"),
        (b"", None, None),
    ],
)
def test_a_file_is_recognised_by_what_it_shows_and_what_is_said_of_it(
    data: bytes, kind: FileKind | None, layout: str | None
) -> None:
    assert layout_of(io.BytesIO(data), kind) == layout


def test_what_is_said_to_be_mail_and_is_none_is_refused() -> None:
    with pytest.raises(PoisonMessageError, match="holds no mail"):
        layout_of(io.BytesIO(b"Name,Email\n"), "mail")


def test_a_second_reading_says_what_the_first_did() -> None:
    """From any entry on: what is staged is known by its number alone."""
    box = an_mbox(
        *(
            a_message(message_id=f"<{n % 5}@x>", text=SIGNED, to="Me <me@x.example>")
            for n in range(9)
        ),
        a_message(message_id="<list@x>", list_id="<l.x.example>"),
    )
    file = io.BytesIO(box)
    own = frozenset({"me@x.example"})
    found = []
    for count in (0, 2):
        with Helpers(count) as helpers:
            entries = reading(file, replace(TERMS, own=own), RULES, helpers)
            found.append([witness(one, ORIGIN.tenant, RULES) for one in entries])
    first, second = found
    assert [one.asked for one in first] == [one.asked for one in second]
    assert [one.entry.number for one in first] == list(range(1, 11))
    left_out = [one.entry.left_out for one in first]
    assert left_out == [""] * 5 + ["again"] * 4 + ["list"]
    assert [len(one.entry.signals) for one in first] == [2, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert all(one.people[0].value == "ada@engines.example.com" for one in first[:5])
    assert survey(file, "calendar") == frozenset()


def test_a_message_has_its_verdict_once_all_that_it_said_is_decided() -> None:
    def told(*words: str) -> tuple[str, str, int] | None:
        found = settle_entry(1, [{"outcome": word, "events": 2} for word in words])
        return found and (found.verdict, found.reason[:7], found.events)

    assert told("applied") == ("recorded", "", 2)
    assert told("applied", "waiting") is None
    assert told("waiting", "applied") is None
    assert told("applied", "applied") == ("recorded", "", 4)
    assert told("known", "known") == ("unchanged", "says wh", 4)
    assert told("stale") == ("unchanged", "a newer", 2)
    assert told("known", "applied") == ("unchanged", "was kno", 4)
    assert told("stale", "applied") == ("unchanged", "was kno", 4)
