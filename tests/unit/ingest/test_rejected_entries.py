"""Rejected messages, meetings and calls come back as they were, with reasons, to be fed again."""

import io
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from services.ingest.domain.entries import Entry
from services.ingest.sources.activity_files import ActivityTerms, layout_of, reading
from services.ingest.sources.mail.boxes import BoxKind, read_box, spans
from services.ingest.sources.mail.helping import Helpers
from services.ingest.sources.rejected_entries import MEDIA, write_rejected_entries
from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.sniff import CallLogError, sniff
from tests.support.ingest import ORIGIN, RULES
from tests.support.mail import NOW, a_message, an_mbox

FILES = Path(__file__).parents[2] / "fixtures" / "activities"


def entries(data: bytes, layout: str) -> list[Entry]:
    terms = ActivityTerms(ORIGIN, NOW, layout, None, frozenset(), "DE", "UTC", 1_000)
    return list(reading(io.BytesIO(data), terms, RULES, Helpers(0)))


def given_back(data: bytes, layout: str, rejects: list[Reject]) -> bytes:
    out = io.BytesIO()
    write_rejected_entries(io.BytesIO(data), layout, rejects, out)
    return out.getvalue()


def rejected(data: bytes, layout: str) -> bytes:
    """Give back what a reading rejects."""
    all_of_it = entries(data, layout)
    ends = [*(one.line for one in all_of_it[1:]), None]
    found = [
        Reject(one.line, end, f"{one.field}: {one.reason}", one.number)
        for one, end in zip(all_of_it, ends, strict=True)
        if one.reason
    ]
    assert found
    return given_back(data, layout, found)


def said(data: bytes, layout: str) -> list[tuple[str, str]]:
    """Return why each entry was refused or left out."""
    return [(one.reason, one.left_out) for one in entries(data, layout)]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_messages_come_back_octet_by_octet_behind_their_reason(newline: bytes) -> None:
    box = an_mbox(
        a_message(message_id="<1@x>"),
        a_message(message_id="<2@x>", text="Hello,\n>From here on\nBj\xf6rn\n"),
        a_message(message_id="<3@x>"),
    ).replace(b"\n", newline)
    lines = [one.line for one in read_box(io.BytesIO(box), "mbox")]
    rejects = [Reject(lines[1], None, "to: names\nnobody, née x"), Reject(lines[2], None, "y")]
    back = given_back(box, "mbox", rejects)
    second, third = list(spans(io.BytesIO(back), "mbox"))
    assert back[second[1] :].split(newline)[1] == "X-Kith-Reason: to: names nobody, née x".encode()
    bare = b"".join(
        line for line in back.splitlines(keepends=True) if not line.startswith(b"X-Kith-Reason")
    )
    begin = list(spans(io.BytesIO(box), "mbox"))[1][1]
    assert bare == box[begin:] + (b"" if box.endswith(newline) else newline)
    assert layout_of(io.BytesIO(back), None) == "mbox"
    before, after = entries(box, "mbox")[1:], entries(back, "mbox")
    assert [one.signals[0].normalized.content_hash for one in before] == [
        one.signals[0].normalized.content_hash for one in after
    ]
    assert third[0] > second[0]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    "separator", [b"From \n", b"From ada@x.example Mon Jan  5 10:00:00 2026\n"]
)
def test_messages_below_any_separator_can_be_fed_again_and_rejected_again(
    separator: bytes, newline: bytes
) -> None:
    relayed = b">From relay Mon Jan  5 10:00:00 2026\n" if b"@" in separator else b""
    box = b"".join(
        separator + relayed + a_message(message_id=f"<{n}@x>") + b"\n" for n in range(4)
    ).replace(b"\n", newline)
    lines = [one.line for one in read_box(io.BytesIO(box), "mbox")]
    assert len(lines) == 4
    back = given_back(box, "mbox", [Reject(line, None, "date: first") for line in lines[1:3]])
    again = [one.line for one in read_box(io.BytesIO(back), "mbox")]
    assert layout_of(io.BytesIO(back), None) == "mbox"
    assert [one.reason for one in entries(back, "mbox")] == ["", ""]
    assert [one.signals[0].normalized.content_hash for one in entries(box, "mbox")[1:3]] == [
        one.signals[0].normalized.content_hash for one in entries(back, "mbox")
    ]
    twice = given_back(back, "mbox", [Reject(line, None, "date: second") for line in again])
    assert twice == back.replace(b"first", b"second")


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("kind", ["eml", "emlx"])
def test_a_single_message_comes_back_alone(kind: BoxKind, newline: bytes) -> None:
    message = a_message(message_id="<1@x>").replace(b"\n", newline)
    file = message if kind == "eml" else b"%d\n%b<?xml version='1.0'?>" % (len(message), message)
    [stored] = read_box(io.BytesIO(file), kind)
    back = given_back(file, kind, [Reject(stored.line, None, "no")])
    end = b"" if message.endswith(b"\n") else newline
    assert back == b"X-Kith-Reason: no" + newline + message + end
    assert MEDIA[kind][1] == "eml"


def calendar(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines() if not line.startswith((b"X-KITH-REASON", b" "))]


def test_events_come_back_with_the_zones_that_they_are_read_by() -> None:
    data = (FILES / "calendar.ics").read_bytes()
    todo = b"BEGIN:VTODO\r\nSUMMARY:private\r\nBEGIN:VALARM\r\nEND:VALARM\r\nEND:VTODO\r\n"
    data = data.replace(b"BEGIN:VEVENT", todo + b"BEGIN:VEVENT", 1)
    back = rejected(data, "calendar")
    assert back.count(b"X-KITH-REASON:") == back.count(b"BEGIN:VEVENT") == 2
    assert b"private" not in back
    assert back.count(b"BEGIN:VTIMEZONE") == data.count(b"BEGIN:VTIMEZONE")
    assert set(calendar(back)) <= set(data.splitlines())
    assert layout_of(io.BytesIO(back), None) == "calendar"
    refused = [reason for reason, _ in said(data, "calendar") if reason]
    assert [reason for reason, _ in said(back, "calendar")] == refused
    assert max(map(len, back.splitlines())) <= max(75, *map(len, data.splitlines()))


def test_events_that_are_rejected_again_have_the_last_reason_alone() -> None:
    back = rejected((FILES / "calendar.ics").read_bytes(), "calendar")
    assert b"\r\n " in back[back.index(b"X-KITH-REASON") :][:100]
    assert rejected(back, "calendar") == back


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_an_event_without_an_end_comes_back_up_to_the_next(encoding: str) -> None:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Größe\r\n"
        "BEGIN:VEVENT\r\nDTSTART:soon\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    back = rejected(text.encode(encoding), "calendar")
    plain = back.decode("latin-1" if encoding == "latin-1" else "utf-8-sig")
    assert plain.count("X-KITH-REASON:") == 2
    assert plain.count("SUMMARY:Größe") == plain.count("END:VCALENDAR") == 1


def test_calls_come_back_behind_a_column_of_reasons() -> None:
    data = (FILES / "android_calls.csv").read_bytes()
    back = rejected(data, "call-log")
    header, row = back.decode("utf-8-sig").splitlines()
    assert header == "kith reason,Name,Number,Date,Type,Duration"
    assert row.startswith(("Date: is no date", '"Date: is no date'))
    assert row.endswith("Eve,+442079460959,not a date,Missed,0")
    [again] = entries(back.replace(b"not a date", b"2026-02-01 10:00"), "call-log")
    assert orjson.loads(again.signals[0].normalized.body)["raw"].keys() == {
        "Name",
        "Number",
        "Date",
        "Type",
        "Duration",
    }


@pytest.mark.parametrize("corrected", [0, 1, 4])
def test_calls_that_were_rejected_are_no_contacts_whatever_was_corrected(corrected: int) -> None:
    rows = [f"P{number},+493012340{number},soon,Incoming,3\n" for number in range(4)]
    good = "X,+4930123499,2026-01-02 11:00,Incoming,3\n"
    text = "Name,Number,Date,Type,Duration\n" + good + "".join(rows)
    back = rejected(text.encode(), "call-log")
    back = back.replace(b"soon", b"2026-01-02 10:00", corrected)
    with pytest.raises(CallLogError):
        sniff(io.BytesIO(back))
    refused = [reason for reason, _ in said(back, "call-log") if reason]
    assert len(refused) == 4 - corrected


def test_calls_of_too_many_cells_are_no_contacts_when_they_come_back() -> None:
    text = "Name,Number,Date,Type\nAda,+4930123499,2026-01-02 11:00,Incoming,Ada\n"
    with pytest.raises(CallLogError):
        sniff(io.BytesIO(rejected(text.encode(), "call-log")))


def test_people_who_were_rejected_are_no_calls_for_a_day_beside_their_number() -> None:
    text = "kith reason,Name,Phone,Date,Type\nx,Ada,+4930123499,2026-01-02,Customer\n"
    assert sniff(io.BytesIO(text.encode())).layout == "csv"


def test_elements_of_a_backup_come_back_also_when_all_stand_on_one_line() -> None:
    data = (
        b"<?xml version='1.0'?><smses count='3'><sms address='+442079460958' date='soon' type='1'"
        b" body='a &lt;b&gt; -- &#55357;&#56832;'/>"
        b"<sms address='+442079460958' date='1769867100000' type='1' body='x'/>"
        b"<mms date='then' msg_box='1' address='+442079460959'><parts>"
        b"<part ct='text/plain' text='hi'/></parts></mms></smses>"
    )
    back = rejected(data, "phone-backup")
    assert back.count(b"<sms ") == back.count(b"<mms ") == 1
    assert back.count(b"<!-- kith reason: date: is no moment") == 2
    mended = back.replace(b"soon", b"1769867100001").replace(b"then", b"1769867100002")
    activities = [
        orjson.loads(one.signals[0].normalized.body) for one in entries(mended, "phone-backup")
    ]
    assert [one["activity"]["snippet"] for one in activities] == ["a <b> -- 😀", "hi"]
    cut = data[:-30]
    assert rejected(cut, "phone-backup").count(b"<mms ") == 0


def lines() -> Iterator[bytes]:
    yield b'{"signal": "activity", "kind": "call"}'
    yield b"nonsense"
    yield b'{"signal": "activity", "big": "' + b"x" * 2_000_000 + b'"}'


def test_signals_come_back_with_a_reason_beside_what_they_say() -> None:
    back = rejected(b"\n".join(lines()), "json-lines").splitlines()
    first, second, third = map(orjson.loads, back)
    assert first.keys() == {"kith reason", "signal", "kind"}
    assert second["text"] == "nonsense"
    assert third.keys() == {"kith reason"}
    assert third["kith reason"].startswith(": has more than")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"n": 12345678901234567890123, "x": 1.10}', b'"n": 12345678901234567890123, "x": 1.10'),
        (
            b'{"kith reason":"old, \\"1\\"", "n": 12345678901234567890123}',
            b'"n": 12345678901234567890123',
        ),
        (b'{"n": 12345678901234567890123, "kith reason": "old"}', b'"n": 12345678901234567890123'),
        (b'{"kith reason": "a", "kith reason": ["b"], "x": 1}', b'"x": 1'),
        (b'\xef\xbb\xbf{ "x": 1 }', b'"x": 1'),
        (b'{"kith reason": "old"}', b""),
        (b"[1]", b'"text":"[1]"'),
        (b"{" + b'"a":{' * 900 + b"}" * 900 + b"}", b'"a":' + b'{"a":' * 899 + b"{}" + b"}" * 899),
    ],
)
def test_a_signal_says_what_it_said_behind_its_last_reason(line: bytes, expected: bytes) -> None:
    back = given_back(line, "json-lines", [Reject(1, None, "new", 1)])
    assert back == b'{"kith reason":"new"' + (b"," + expected if expected else b"") + b"}\n"
    assert given_back(back, "json-lines", [Reject(1, None, "new", 1)]) == back


def test_calls_that_are_rejected_again_have_one_column_of_reasons() -> None:
    data = (FILES / "android_calls.csv").read_bytes()
    back = rejected(data, "call-log")
    assert rejected(back, "call-log") == back
