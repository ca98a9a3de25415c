"""Calendars, logs of calls and lines of signals: what is read, what is refused, what is bounded."""

import io
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.sources.activities import SOURCES, Terms, entries, layout_of
from services.ingest.sources.calendar import read_calendar
from services.ingest.sources.calls import read_calls
from services.ingest.sources.happened import Happened, Passed, Unread
from services.ingest.sources.recurrence import Series, occurrences, unreadable
from shared.errors import PoisonMessageError
from shared.events.activity import NormalizedActivity
from tests.support.activities import Account, activities
from tests.support.ingest import ORIGIN, RULES

FILES = Path(__file__).parents[2] / "fixtures" / "activities"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


LOCALISED = {
    "Eingehend": ("inbound", "answered"),
    "Entrant": ("inbound", "answered"),
    "Entrante": ("inbound", "answered"),
    "Recebida": ("inbound", "answered"),
    "In arrivo": ("inbound", "answered"),
    "Inkomend": ("inbound", "answered"),
    "着信": ("inbound", "answered"),
    "Ausgehend": ("outbound", None),
    "Sortant": ("outbound", None),
    "Saliente": ("outbound", None),
    "Efetuada": ("outbound", None),
    "In uscita": ("outbound", None),
    "Uitgaand": ("outbound", None),
    "発信": ("outbound", None),
    "Verpasst": ("inbound", "missed"),
    "Manqué": ("inbound", "missed"),
    "Perdida": ("inbound", "missed"),
    "Não atendida": ("inbound", "missed"),
    "Persa": ("inbound", "missed"),
    "Gemist": ("inbound", "missed"),
    "不在着信": ("inbound", "missed"),
}


def terms(layout: str, **more: Any) -> Terms:
    said = {"source": None, "region": None, "zone": UTC, "max_rows": 1_000, **more}
    return Terms(origin=ORIGIN, now=NOW, layout=layout, **said)


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str, invited: bool = True) -> tuple[str, ...]:
    people = ("ATTENDEE:mailto:ada@engines.example",) if invited else ()
    return ("BEGIN:VEVENT", "UID:u@x", *lines, *people, "END:VEVENT")


def read(data: bytes) -> list[Any]:
    return list(read_calendar(io.BytesIO(data), NOW))


def starts(*lines: str) -> list[str]:
    """Return when an event takes place, minutes and UTC."""
    return [one.record["occurred_at"][:16] for one in read(calendar(*event(*lines)))]


def test_a_calendar_is_read_with_its_people_zones_and_single_occurrences() -> None:
    found = read((FILES / "calendar.ics").read_bytes())
    taken = {
        one.record["source_record_id"]: one.record for one in found if isinstance(one, Happened)
    }
    one = taken["one@x"]
    assert one["occurred_at"] == "2026-07-03T08:00:00+00:00", "the file's own zone, in summer"
    assert (one["title"], one["duration_s"], one["source_version"]) == (
        "Difference, Engine",
        5_400,
        2,
    )
    assert one["participants"] == [
        {"role": "organizer", "name": "Charles Babbage", "email": "charles@engines.example"},
        {
            "role": "attendee",
            "name": "Ada Lovelace",
            "email": "ada@engines.example",
            "attendance": "accepted",
            "optional": True,
        },
    ], "a room is nobody"
    weekly = sorted(name for name in taken if name.startswith("weekly@x"))
    assert weekly == [
        "weekly@x/20260302T080000Z",
        "weekly@x/20260316T080000Z",
        "weekly@x/20260323T080000Z",
        "weekly@x/20260330T070000Z",
        "weekly@x/20260406T070000Z",
    ], "six times less one excepted; nine o'clock stays nine in summer"
    moved = taken["weekly@x/20260316T080000Z"]
    assert (moved["title"], moved["status"]) == ("Weekly, moved", "cancelled")
    assert moved["occurred_at"].startswith("2026-03-17T14:00")
    assert (taken["day@x"]["all_day"], taken["day@x"]["duration_s"]) == (True, 172_800)
    assert taken["float@x"]["occurred_at"].startswith("2026-05-01T10:00"), "X-WR-TIMEZONE"
    assert [one.reason for one in found if isinstance(one, Passed)] == [
        "nobody with an address was invited"
    ]
    assert [one.field for one in found if isinstance(one, Unread)] == ["DTSTART", "VEVENT"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=DAILY;COUNT=3"), ["01", "02", "03"]),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=DAILY;UNTIL=20261102T090000Z"), ["01", "02"]),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=DAILY;UNTIL=20261102"), ["01", "02"]),
        (("DTSTART:20261101T090000Z", "RDATE:20261105T090000Z,20261101T090000Z"), ["01", "05"]),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=1"), ["01", "03"]),
        (
            (
                "DTSTART:20261101T090000Z",
                "RRULE:FREQ=DAILY;COUNT=2",
                "EXDATE:20261101T090000Z",
                "RDATE:20261107T090000Z",
            ),
            ["02", "07"],
        ),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=HOURLY"), ["01"]),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=DAILY;INTERVAL=0"), ["01"]),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), ["01"]),
        (("DTSTART:20261101T090000Z", "RRULE:FREQ=DAILY;BYHOUR=1,2,3"), ["01"]),
        (("DTSTART:20261101T090000Z", "RRULE:every other day"), ["01"]),
    ],
)
def test_a_rule_is_followed_or_counts_once(lines: tuple[str, ...], expected: list[str]) -> None:
    assert [at[8:10] for at in starts(*lines)] == expected


def test_a_series_outside_of_the_window_is_passed_over_and_counted() -> None:
    data = calendar(*event("DTSTART:20100104T090000Z", "RRULE:FREQ=DAILY;COUNT=5"))
    [one] = read(data)
    assert isinstance(one, Passed)
    assert "730 days ago to 90 days ahead" in one.reason


def test_times_without_a_zone_are_of_the_one_that_was_given() -> None:
    begins = "DTSTART:20260701T100000"
    strange = "DTSTART;TZID=Our Office:20260701T100000"

    def first(*lines: str) -> Happened:
        [one] = read_calendar(io.BytesIO(calendar(*lines)), NOW, BERLIN)
        assert isinstance(one, Happened)
        return one

    assert first(*event(begins)).record["occurred_at"] == "2026-07-01T08:00:00+00:00"
    named = first("X-WR-TIMEZONE:America/New_York", *event(begins))
    assert named.record["occurred_at"] == "2026-07-01T14:00:00+00:00"
    unknown = first(*event(strange))
    assert unknown.record["occurred_at"] == "2026-07-01T08:00:00+00:00"
    assert [field for field, _ in unknown.left_out] == ["DTSTART"]
    assert not first(*event(begins)).left_out
    assert not first(*event("DTSTART;TZID=Europe/Paris:20260701T100000")).left_out


def test_a_series_without_end_is_bounded() -> None:
    begun = time.perf_counter()
    daily = starts("DTSTART:19500101T090000Z", "RRULE:FREQ=DAILY")
    assert daily[0].startswith("2024-11-22")
    assert daily[-1].startswith("2027-02-19")
    assert len(daily) < 1_000
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "rule",
    [
        {"FREQ": ["MONTHLY"], "BYSETPOS": ["50"], "BYDAY": ["MO"]},
        {"FREQ": ["YEARLY"], "BYWEEKNO": ["53"], "BYMONTH": ["6"]},
        {"FREQ": ["MONTHLY"], "BYDAY": ["7MO"]},
        {"FREQ": ["DAILY"], "BYMONTH": ["2"], "BYMONTHDAY": ["30"]},
        {"FREQ": ["WEEKLY"], "BYMONTHDAY": ["1"]},
        {"FREQ": ["SECONDLY"]},
        {"FREQ": ["DAILY"], "COUNT": ["99999999999"]},
        {"FREQ": ["DAILY"], "BYDAY": ["XX"]},
        {"RSCALE": ["HEBREW"], "FREQ": ["YEARLY"]},
        {},
    ],
)
def test_a_rule_that_would_never_end_is_refused_soon(rule: dict[str, list[str]]) -> None:
    begun = time.perf_counter()
    assert unreadable(rule, datetime(2020, 2, 29, 9))  # noqa: DTZ001
    assert time.perf_counter() - begun < 2


numbers = st.integers(-400, 400).map(str)
rules = st.fixed_dictionaries(
    {"FREQ": st.sampled_from([["DAILY"], ["WEEKLY"], ["MONTHLY"], ["YEARLY"], ["HOURLY"]])},
    optional={
        "INTERVAL": st.lists(st.integers(0, 3).map(str), min_size=1, max_size=1),
        "COUNT": st.lists(st.integers(0, 50).map(str), min_size=1, max_size=1),
        "BYMONTH": st.lists(st.integers(0, 13).map(str), min_size=1, max_size=3),
        "BYMONTHDAY": st.lists(st.integers(-32, 32).map(str), min_size=1, max_size=3),
        "BYDAY": st.lists(st.sampled_from(["MO", "1TU", "-1FR", "9SU", "XX"]), min_size=1),
        "BYSETPOS": st.lists(numbers, min_size=1, max_size=2),
        "BYYEARDAY": st.lists(numbers, min_size=1, max_size=2),
        "BYWEEKNO": st.lists(numbers, min_size=1, max_size=2),
    },
)


# RFC 5545 3.3.12: a moment has whole seconds.
moments = st.datetimes(datetime(1960, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)


@settings(max_examples=60, deadline=None)
@given(rules, moments)
def test_whatever_the_rule_it_ends(rule: dict[str, list[str]], start: datetime) -> None:
    if unreadable(rule, start):
        return
    found = list(occurrences(Series(start, rule, None), NOW))
    assert found == sorted(set(found))
    assert len(found) <= 1_000


def test_odd_calendars_are_read_all_the_same() -> None:
    """A letter folded in two, an escaped address, Windows' zones, an unknown zone, an alarm."""
    lines = [
        "DTSTART;TZID=W. Europe Standard Time:20260703T100000",
        "SUMMARY:Caf\u00e9",
        'ORGANIZER;CN="Ada; 1st":MAILTO:ada%40x.example',
        "ATTENDEE;EMAIL=eve@x.example;CN=Eve:urn:uuid:1",
        "BEGIN:VALARM",
        "TRIGGER:-PT15M",
        "DESCRIPTION:Reminder",
        "END:VALARM",
        "SEQUENCE:x",
        "DURATION:-PT5M",
    ]
    data = calendar(*event(*lines, invited=False)).replace(b"\xc3\xa9", b"\xc3\r\n \xa9")
    (one,) = read(data)
    assert one.record == {
        "kind": "meeting",
        "title": "Café",
        "thread_id": "u@x",
        "source_record_id": "u@x",
        "occurred_at": "2026-07-03T08:00:00+00:00",
        "participants": [
            {"role": "organizer", "name": "Ada; 1st", "email": "ada@x.example"},
            {"role": "attendee", "name": "Eve", "email": "eve@x.example"},
        ],
    }
    wide = calendar(*event(*lines, invited=False)).decode().encode("utf-16")
    assert read(wide)[0].record == one.record
    assert starts("DTSTART;TZID=Nowhere/Land:20260703T100000") == ["2026-07-03T10:00"]


def test_a_truncated_calendar_keeps_its_good_events() -> None:
    data = (FILES / "calendar.ics").read_bytes()
    whole = {one.record["source_record_id"] for one in read(data) if isinstance(one, Happened)}
    for cut in range(0, len(data), max(1, len(data) // 100)):
        for one in read(data[:cut]):
            if isinstance(one, Happened) and not one.record["source_record_id"].startswith("week"):
                assert one.record["source_record_id"] in whole
            elif isinstance(one, Unread):
                assert one.line
                assert one.reason


def test_a_zone_with_an_endless_name_costs_its_event_alone() -> None:
    """Zones are looked up as files, and no file is called so."""
    person = "ATTENDEE:mailto:ada@x.example"
    data = (
        "BEGIN:VCALENDAR\r\nX-WR-TIMEZONE:Zone{long}\r\n"
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Zone{long}:20260131T120000\r\n{person}\r\n"
        "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART:20260131T120000Z\r\n{person}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).format(long="9" * 3_000, person=person)
    bad, good = read_calendar(io.BytesIO(data.encode()), NOW)
    assert isinstance(bad, Unread)
    assert isinstance(good, Happened)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1_900), st.binary(max_size=9)), max_size=8))
def test_a_damaged_calendar_is_no_crash(damage: list[tuple[int, bytes]]) -> None:
    data = (FILES / "calendar.ics").read_bytes()
    for place, piece in damage:
        data = data[:place] + piece + data[place + len(piece) :]
    account = Account()
    try:
        for _, normalized in activities(io.BytesIO(data), terms("calendar"), RULES, account):
            NormalizedActivity.model_validate_json(normalized.body)
    except PoisonMessageError:
        return  # too many occurrences, said as such


def log(name: str, **more: Any) -> tuple[list[NormalizedActivity], Account]:
    account = Account()
    with (FILES / name).open("rb") as file:
        found = activities(file, terms(layout_of(file), **more), RULES, account)
        return [NormalizedActivity.model_validate_json(one.body) for _, one in found], account


def test_a_log_of_calls_is_read_row_by_row() -> None:
    calls, account = log("android_calls.csv", region="DE")
    assert [(one.activity.direction, one.activity.status) for one in calls] == [
        ("inbound", "answered"),
        ("outbound", None),
        ("inbound", "missed"),
        (None, None),
    ]
    assert [one.activity.duration_s for one in calls] == [461, 65, 0, 185]
    assert [one.participants[0].role for one in calls] == ["caller", "callee", "caller", "about"]
    assert calls[1].participants[0].facts is not None
    assert calls[1].participants[0].facts.identifiers[0].value == "+49301234567"
    assert calls[2].activity.occurred_at == datetime(2026, 1, 31, 13, 45, tzinfo=UTC)
    assert account.passed == 1
    assert account.rejected == [
        {
            "line": 5,
            "field": "Date",
            "reason": "is no date and time; write it like 2026-01-31 14:05:00",
        }
    ]
    assert account.warnings[0]["field"] == "Type"
    assert "7946" not in "".join(one.source_record_id or "" for one in calls)
    assert len({one.record_key for one in calls}) == 4


def test_messages_are_read_in_the_order_that_their_dates_show() -> None:
    messages, _ = log("iphone_messages.csv", zone=BERLIN)
    first, second = messages
    assert (first.activity.kind, first.activity.snippet) == (
        "message",
        "Dear Bob;\ncome at five.",
    )
    assert first.activity.occurred_at == datetime(2026, 1, 31, 13, 5, 7, tzinfo=UTC)
    assert second.activity.occurred_at == datetime(2026, 2, 1, 20, 5, tzinfo=UTC)
    assert [one.participants[0].role for one in messages] == ["from", "to"]


def test_a_backup_of_messages_tells_by_what_came_in_whom_the_answers_went_to() -> None:
    """Of what one wrote oneself iMazing names no number, but the conversation."""
    messages, account = log("imazing_messages.csv")
    said = [
        (one.activity.direction, one.participants[0].facts.identifiers[0].value)
        for one in messages
        if one.participants[0].facts is not None
    ]
    assert said == [
        ("inbound", "+442079460958"),
        ("outbound", "+442079460958"),
        ("outbound", "+442079460959"),
        ("inbound", "bo@engines.example"),
        ("inbound", "+442079460958"),
        (None, "+442079460958"),
    ]
    assert (account.passed, account.rejected) == (2, []), "to a group, and to who knows whom"
    assert messages[0].activity.attributes == {"service": "iMessage"}


def test_a_log_of_another_language_begins_below_its_preamble() -> None:
    calls, account = log("router_calls_de.csv", region="DE", zone=BERLIN)
    assert [(one.activity.direction, one.activity.status) for one in calls] == [
        ("inbound", "answered"),
        ("inbound", "missed"),
    ]
    assert calls[0].activity.occurred_at == datetime(2026, 1, 31, 13, 5, tzinfo=UTC)
    assert [(note["line"], note["field"]) for note in account.rejected] == [(6, "Datum")]


@pytest.mark.parametrize("word", sorted(LOCALISED))
def test_directions_are_read_in_seven_languages(word: str) -> None:
    data = f"Date,Number,Kind,Direction\n2026-01-31 14:05,+442079460958,Voice,{word}\n"
    [one] = read_calls(io.BytesIO(data.encode()), UTC)
    assert isinstance(one, Happened)
    direction, status = LOCALISED[word]
    assert one.record.get("direction") == direction
    assert one.record.get("status") == status


def test_the_numbers_of_a_switchboard_are_told_apart_by_who_called() -> None:
    data = (
        b"Start,Direction,From,To,Duration\n2026-01-31 14:05,Inbound,+442079460958,101,12\n"
        b"2026-01-31 14:06,Outbound,101,+442079460959,3\n"
    )
    found = list(read_calls(io.BytesIO(data), UTC))
    people = [one.record["participants"][0] for one in found if isinstance(one, Happened)]
    assert people == [
        {"role": "caller", "phone": "+442079460958"},
        {"role": "callee", "phone": "+442079460959"},
    ]


def test_the_same_log_again_is_the_same_records() -> None:
    assert [(one.record_key, one.content_hash) for one in log("android_calls.csv")[0]] == [
        (one.record_key, one.content_hash) for one in log("android_calls.csv")[0]
    ]


def test_lines_of_signals_are_read_one_by_one() -> None:
    good = {
        "signal": "activity",
        "source": "call_log",
        "kind": "call",
        "occurred_at": "2026-01-31T12:00:00Z",
        "participants": [{"role": "caller", "phone": "+442079460958"}],
    }
    lines = [orjson.dumps(good), b"{", b"", orjson.dumps({**good, "kind": "fax"}), b"[1]"]
    lines += [b'{"a": "' + b"x" * 70_000 + b'"}', orjson.dumps({**good, "kind": "message"})]
    account = Account()
    data = io.BytesIO(b"\n".join(lines))
    found = list(activities(data, terms(layout_of(data)), RULES, account))
    assert len(found) == 2
    assert [note["line"] for note in account.rejected] == [2, 4, 5, 6]
    assert account.passed == 1


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"<html><body>", "a web page"),
        (b"Name,Shoe size\nAda,7\n", "no log of calls"),
        (b"Number,Date\n" + b"+442079460958,2026-01-01 10:00\n" * 1_001, "more than 1000"),
    ],
)
def test_a_file_without_activities_is_refused_by_its_right_name(data: bytes, detail: str) -> None:
    file = io.BytesIO(data)
    with pytest.raises(PoisonMessageError) as refusal:
        list(entries(file, terms(layout_of(file)), RULES))
    assert detail in refusal.value.detail
    assert refusal.value.field == "file"


def test_a_series_that_is_not_held_now_is_told_of() -> None:
    """It was passed over without being counted."""
    data = calendar(*event("DTSTART:20100101T000000Z", "RRULE:FREQ=DAILY;COUNT=3"))
    [entry] = entries(io.BytesIO(data), terms("calendar"), RULES)
    assert entry.left_out.startswith("takes place at no time")
    assert entry.signals == ()


def test_every_layout_has_its_source() -> None:
    assert set(SOURCES.values()) <= {"calendar", "call_log", "api_push"}


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(cells, min_size=1, max_size=6), max_size=6), st.sampled_from(",;\t"))
def test_any_table_is_read_or_refused(rows: list[list[str]], delimiter: str) -> None:
    lines = [["Number", "Date", "Type", "Duration", "Name"], *rows]
    data = "\n".join(delimiter.join(row) for row in lines).encode()

    try:
        found = list(read_calls(io.BytesIO(data), UTC))
    except PoisonMessageError:
        return  # so many NULs that it looks like another encoding
    assert all(one.line >= 1 for one in found)


@pytest.mark.parametrize(
    "length", [f"{'9' * 5_000}s", f"{'9' * 5_000}:05:07", f"5h{' ' * 60_000}x"]
)
def test_a_duration_that_is_damage_is_none(length: str) -> None:
    """Neither its digits nor its blanks take long, and the call is kept."""
    row = f'Ada,+442079460958,2026-01-31 14:05:00,Incoming,"{length}"'
    began = time.process_time()
    [found] = read_calls(
        io.BytesIO(f"Name,Number,Date,Type,Duration\n{row}\n".encode()), BERLIN, "dmy"
    )
    assert isinstance(found, Happened)
    assert found.record.get("duration_s") is None
    assert time.process_time() - began < 1
