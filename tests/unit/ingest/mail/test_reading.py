"""Messages as signals: what is taken, what is left out, and why."""

import io
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.sources.mail.boxes import Stored, read_box, sniff_box
from services.ingest.sources.mail.judging import LEFT_OUT, nobody
from services.ingest.sources.mail.message import read_mail, read_moment
from services.ingest.sources.mail.own import OwnSurvey
from services.ingest.sources.mail.parsing import parsed
from services.ingest.sources.mail.reading import MailReader
from shared.events.activity import NormalizedActivity
from shared.events.signal import NormalizedSignal
from tests.support.mail import NOW, SENT, a_message, a_reader, an_mbox, bodies

ME = "me@home.example.com"
SIGNED = (
    "Hello,\n\nsee you on Monday.\n\nBest regards\nAda Lovelace\nHead of Engines\n"
    "Engines GmbH\nTel +49 30 5550142\n"
)


def read(raw: bytes, *own: str, folder: str = "") -> tuple[list[dict[str, Any]], MailReader]:
    reader = a_reader(*own)
    return bodies(reader.read(raw, line=1, folder=folder)), reader


def why(raw: bytes, *own: str, folder: str = "") -> str:
    """Return why a message is left out; empty: it is taken."""
    found, reader = read(raw, *own, folder=folder)
    assert bool(found) == (not reader.tally.left_out)
    assert reader.tally.messages == 1
    return next(iter(reader.tally.left_out), "")


def people(signal: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["role"], one["facts"]["emails"][0]["value"]) for one in signal["participants"]]


def test_a_message_is_an_activity_of_all_but_oneself() -> None:
    raw = a_message(
        cc="Bob <bob@y.example.org>, Me <ME@home.example.com>",
        reply_to="assistant@engines.example.com",
        references="<0@x>",
    )
    (signal,), reader = read(raw, ME)
    NormalizedActivity.model_validate(signal)
    assert signal["activity"] == {
        "kind": "email",
        "direction": "inbound",
        "occurred_at": "2026-03-02T10:12:00Z",
        "title": "Engines",
        "snippet": "Hello, see you on Monday.",
        "thread_id": "0@x",
    }
    assert people(signal) == [
        ("from", "ada@engines.example.com"),
        ("cc", "bob@y.example.org"),
        ("reply_to", "assistant@engines.example.com"),
    ]
    assert signal["source_record_id"] == "1@engines.example.com"
    assert reader.tally.passed == Counter(own=2)


def test_what_oneself_wrote_goes_out_and_among_colleagues_it_stays_inside() -> None:
    out = a_message(**{"from": ME, "to": "ada@engines.example.com"})
    assert read(out, ME)[0][0]["activity"]["direction"] == "outbound"
    inside = a_message(**{"from": "bob@home.example.com", "to": ME})
    assert read(inside, ME)[0][0]["activity"]["direction"] == "internal"
    assert "direction" not in read(out)[0][0]["activity"]


def test_a_reply_address_that_is_the_senders_is_not_named_twice() -> None:
    (signal,), _ = read(a_message(reply_to="Ada <ada@engines.example.com>", to="bob@y.example.org"))
    assert people(signal) == [("from", "ada@engines.example.com"), ("to", "bob@y.example.org")]


def test_the_same_message_in_two_folders_is_one() -> None:
    reader = a_reader(ME)
    assert len(list(reader.read(a_message(), folder="INBOX"))) == 1
    assert not list(reader.read(a_message(subject="[list] Engines"), folder="Archive"))
    assert reader.tally.left_out == Counter(again=1)


def test_a_signature_is_said_of_its_sender_once_with_less_confidence() -> None:
    reader = a_reader(ME)
    first = bodies(reader.read(a_message(text=SIGNED)))
    again = bodies(
        reader.read(a_message(text=SIGNED.replace("Monday", "Friday"), message_id="<2@x>"))
    )
    assert len(first) == 2
    assert len(again) == 1
    third = parsed(read_mail(a_message(text=SIGNED, message_id="<3@x>"), NOW), "")
    assert reader.entry(third, 1).repeats == 1
    contact = first[1]
    NormalizedSignal.model_validate(contact)
    assert contact["confidence"] == 0.6
    facts = contact["facts"]
    assert facts["employments"] == [
        {
            "company_name": "Engines GmbH",
            "title": "Head of Engines",
            "company_domain": "example.com",
        }
    ]
    assert facts["phones"] == [{"value": "+49305550142", "label": "work"}]
    assert contact["occurred_at"] == "2026-03-02T10:12:00Z"
    assert reader.tally.signatures == 1


def test_an_older_signature_does_not_follow_a_newer_one() -> None:
    reader = a_reader(ME)
    older = SENT - timedelta(days=400)
    assert len(list(reader.read(a_message(text=SIGNED)))) == 2
    past = a_message(
        text=SIGNED.replace("Head", "Intern"), message_id="<0@x>", date=older.isoformat()
    )
    dated = past.replace(older.isoformat().encode(), b"Mon, 27 Jan 2025 10:12:00 +0000")
    assert len(list(reader.read(dated))) == 1


def test_the_order_of_messages_does_not_change_which_signature_wins() -> None:
    newer = a_message(text=SIGNED)
    older = a_message(
        text=SIGNED.replace("Head", "Intern"),
        message_id="<0@x>",
        date="Mon, 27 Jan 2025 10:12:00 +0000",
    )
    last = []
    for order in ((newer, older), (older, newer)):
        reader = a_reader(ME)
        signals = [one for raw in order for one in bodies(reader.read(raw))]
        contacts = [one for one in signals if "facts" in one]
        last.append(max(contacts, key=lambda one: one["occurred_at"])["content_hash"])
    assert last[0] == last[1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"list_id": "<engines.example.com>"}, "list"),
        ({"list_unsubscribe": "<mailto:u@x.example>"}, "list"),
        ({"precedence": "bulk"}, "list"),
        ({"auto_submitted": "auto-replied"}, "automatic"),
        ({"auto_submitted": "no"}, ""),
        ({"x_autoreply": "yes"}, "automatic"),
        ({"subject": "Automatische Antwort: Engines"}, "automatic"),
        ({"subject": "Out of Office: Engines"}, "automatic"),
        ({"subject": "=?utf-8?Q?R=C3=A9ponse_automatique_=3A_x?="}, "automatic"),
        ({"subject": "Undeliverable: Engines"}, "automatic"),
        ({"subject": "Re: Automatische Antwort: Engines"}, ""),
        ({"subject": "Out of office next week"}, ""),
        ({"precedence": "auto_reply"}, "automatic"),
        ({"return_path": "<>"}, "automatic"),
        (
            {"content_type": "multipart/report; report-type=delivery-status; boundary=x"},
            "automatic",
        ),
        ({"from": "No Reply <no-reply@x.example>"}, "no_reply"),
        ({"from": "donotreply@x.example"}, "no_reply"),
        ({"from": "Amazon <shipment-tracking@x.example>"}, "bot"),
        ({"from": "MAILER-DAEMON@x.example"}, "bot"),
        ({"from": "notifications@github.com"}, "bot"),
        ({"from": ""}, "no_sender"),
        ({"from": "no address"}, "no_sender"),
        ({"from": ME}, "nobody_else"),
        ({"x_spam_flag": "YES"}, "spam"),
        ({"date": "", "message_id": "<u@x>"}, "undated"),
        ({}, ""),
    ],
)
def test_why_messages_are_left_out(fields: dict[str, str], reason: str) -> None:
    assert why(a_message(**fields), ME) == reason
    assert reason in ("", *LEFT_OUT)


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("Drafts", "draft"),
        ("INBOX/Spam", "spam"),
        ("[Gmail].Entwürfe", "draft"),
        ("Chats", "chat"),
        ("INBOX", ""),
        ("Sent", ""),
    ],
)
def test_folders_tell(folder: str, reason: str) -> None:
    assert why(a_message(), ME, folder=folder) == reason


def test_labels_of_gmail_count_only_where_gmail_writes_them() -> None:
    labels = "X-GM-THRID: 1\nX-Gmail-Labels: =?utf-8?Q?Spam,Ge=C3=B6ffnet?=\n"
    assert why(a_message(head=labels), ME) == "spam"
    forged = a_message(head="Received: from a by b; x\nReceived: c\nX-A: b\nX-B: c\n" + labels)
    assert why(forged, ME) == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("noreply@x.example", "no_reply"),
        ("no_reply+123@x.example", "no_reply"),
        ("team-noreply@x.example", "no_reply"),
        ("nicht-antworten@x.example", "no_reply"),
        ("postmaster@x.example", "bot"),
        ("bounces+abc=def@x.example", "bot"),
        ("newsletter@x.example", "bot"),
        ("x-owner@lists.example", "bot"),
        ("ada@googlegroups.com", "bot"),
        ("12345@reply.github.com", "bot"),
        ("norbert@x.example", None),
        ("nora.reply@x.example", None),
        ("robot.schmidt@x.example", None),
        ("news.editor@x.example", None),
        ("ada@mail.example.com", None),
        ("info@x.example", None),
        ("abbot@x.example", None),
        ("systems@x.example", None),
    ],
)
def test_mailboxes_that_are_nobodys(address: str, expected: str | None) -> None:
    assert nobody(address) == expected


def test_recipients_that_are_nobody_take_no_part() -> None:
    (signal,), reader = read(
        a_message(to="list@googlegroups.com, no-reply@x.example, bob@y.example.org, bad@@x, a@b")
    )
    assert people(signal) == [("from", "ada@engines.example.com"), ("to", "bob@y.example.org")]
    assert reader.tally.passed == Counter(bot=1, no_reply=1, invalid=1)


def test_five_hundred_take_part_and_the_rest_are_counted() -> None:
    everybody = ", ".join(f"p{n}@x.example.com" for n in range(600))
    (signal,), reader = read(a_message(to=everybody))
    assert len(signal["participants"]) == 500
    assert reader.tally.passed == Counter(too_many=101)
    found = parsed(read_mail(a_message(to=everybody), NOW), "")
    entry = a_reader(ME).entry(found, 1)
    assert entry.passed == (("too_many", 101),)
    assert entry.notes == (("to", "names 101 mailboxes above the 500 that may take part"),)


def test_mailboxes_of_messages_that_are_left_out_are_not_counted_as_passed() -> None:
    _, reader = read(a_message(**{"from": ME, "to": ME}), ME)
    assert reader.tally.left_out == Counter(nobody_else=1)
    assert not reader.tally.passed


def own_of(*messages: Stored) -> frozenset[str]:
    survey = OwnSurvey()
    for message in messages:
        survey.look_at(message)
    return survey.learnt()


def delivered(to: str, number: int, *, below: bool = False) -> Stored:
    received = "Received: from a by b; Mon, 2 Mar 2026 10:12:00 +0000\n"
    head = f"Delivered-To: {to}\n"
    raw = a_message(head=received + head if below else head + received, message_id=f"<{number}@x>")
    return Stored(raw, 1, len(raw))


def test_own_addresses_are_learnt_from_where_mail_was_delivered() -> None:
    mine = [delivered("Me@home.example.com", number) for number in range(20)]
    assert own_of(*mine, delivered("alias@home.example.com", 21)) == {ME}
    assert own_of(delivered(ME, 1)) == {ME}


def test_what_a_sender_wrote_below_the_servers_field_is_not_believed() -> None:
    assert own_of(*(delivered("victim@x.example.com", n, below=True) for n in range(20))) == set()


def test_own_addresses_are_learnt_from_sent_mail() -> None:
    raw = a_message(**{"from": "Me <me@home.example.com>", "to": "ada@x.example.com"})
    sent = [Stored(raw, 1, len(raw), "Gesendete Elemente")] * 2
    assert own_of(*sent) == {ME}
    assert own_of(Stored(raw, 1, len(raw), "INBOX")) == set()


def test_a_mailbox_with_a_broken_message_keeps_its_neighbours() -> None:
    """At each hundredth: every whole message before the cut is taken."""
    data = an_mbox(*(a_message(message_id=f"<{n}@x>", text=SIGNED) for n in range(5)))
    for percent in range(101):
        file = io.BytesIO(data[: len(data) * percent // 100])
        kind = sniff_box(file)
        if kind is None:
            continue
        reader = a_reader(ME)
        for stored in read_box(file, kind):
            bodies(reader.read(stored.raw, line=stored.line))
        tally = reader.tally
        assert tally.messages == tally.activities + tally.refused + tally.left_out.total()
        assert tally.activities >= percent * 5 // 100 - 1


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damage_at_random_is_never_a_crash(data: st.DataObject) -> None:
    raw = bytearray(an_mbox(a_message(text=SIGNED), a_message(message_id="<2@x>", text=SIGNED)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
        if not raw:
            return
    file = io.BytesIO(bytes(raw))
    kind = sniff_box(file)
    reader = a_reader(ME)
    for stored in read_box(file, kind) if kind else ():
        bodies(reader.read(stored.raw, line=stored.line))
    assert (
        reader.tally.messages
        == reader.tally.activities + reader.tally.refused + reader.tally.left_out.total()
    )


def test_moments_of_the_test_are_what_they_seem() -> None:
    assert read_moment("Mon, 2 Mar 2026 10:12:00 +0000") == SENT < NOW
