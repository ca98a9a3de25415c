"""Calendars (.ics, RFC 5545): meetings with whom they were with, one activity per occurrence.

Each VEVENT is read by `icalendar` on its own, so that a broken one harms no neighbour and a file of
any length takes little memory; time zones that the file brings along are kept, and so is what is
told of single occurrences.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, AnyStr, BinaryIO, Final
from urllib.parse import unquote

from icalendar import Component, Event, Timezone
from icalendar.error import BrokenCalendarProperty
from icalendar.prop import vCalAddress, vRecur

from services.ingest.sources.encodings import MIXED, sniff_encoding, text_of
from services.ingest.sources.happened import Happened, Passed, Reading, Unread
from services.ingest.sources.recurrence import (
    Series,
    as_moment,
    in_utc,
    local,
    occurrences,
    unreadable,
)

MAX_EVENT: Final = 256 * 1024
"""Characters of one VEVENT; a longer one is refused."""

SNIPPET: Final = 500
"""Characters of a description that are kept."""

_STATUS: Final = {"CONFIRMED": "confirmed", "TENTATIVE": "tentative", "CANCELLED": "cancelled"}
_ATTENDANCE: Final = {
    "NEEDS-ACTION": "needs_action",
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "DELEGATED": "delegated",
}
_THINGS: Final = frozenset({"ROOM", "RESOURCE"})
"""CUTYPE of what is invited and is nobody."""

_CONFERENCE: Final = (
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "URL",
)
"""Where a meeting's link stands, the surest first."""

_BEGIN = re.compile(r"BEGIN:(VEVENT|VTIMEZONE)\s*", re.IGNORECASE)
_END = re.compile(r"END:(VEVENT|VTIMEZONE|VCALENDAR)\s*", re.IGNORECASE)
_SINGLE = re.compile(r"^RECURRENCE-ID\b", re.MULTILINE | re.IGNORECASE)
_ZONE = re.compile(r"^X-WR-TIMEZONE:(.*)$", re.IGNORECASE)
_METHOD = re.compile(r"^METHOD:(.*)$", re.IGNORECASE)

_UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    OSError,
)
"""What the library raises for text that is no calendar's: a zone is looked up as a file's name."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One component's text."""

    kind: str
    line: int
    text: str
    is_whole: bool = True


@dataclass(slots=True)
class _Around:
    """What the file says around its events."""

    zones: dict[str, tzinfo] = field(default_factory=dict)
    """TZID → the zone that the file defines."""
    zone: tzinfo | None = None
    """Where times without a zone are read (X-WR-TIMEZONE)."""
    is_cancelling: bool = False
    """METHOD:CANCEL: every event in it is off."""
    singles: dict[str, list[datetime]] = field(default_factory=dict)
    """UID → the moments of occurrences that are told of separately."""


def read_calendar(file: BinaryIO, now: datetime) -> Iterator[Reading]:
    """Read a calendar's meetings; those without anybody in them are passed over."""
    encoding = _encoding(file)
    around = _survey(file, encoding)
    for block in _blocks(file, encoding):
        if block.kind == "VEVENT":
            yield from _read(block, around, now)


def _encoding(file: BinaryIO) -> str:
    """Return the file's encoding: UTF-8, as RFC 5545 has it, once its lines are unfolded."""
    found, assumed = sniff_encoding(file)
    if not assumed:
        return found
    file.seek(0)
    try:
        for _, octets in _joined(file, (b" ", b"\t"), b"\r\n"):
            octets.decode()
    except UnicodeDecodeError:
        return found
    return "utf-8"


def _survey(file: BinaryIO, encoding: str) -> _Around:
    """Read the file for what stands around its events."""
    around = _Around()
    for block in _blocks(file, encoding):
        if block.kind == "VTIMEZONE":
            _add_zone(around, block)
        elif block.kind == "":
            _add_property(around, block.text)
        elif _SINGLE.search(block.text) and block.is_whole:
            event = _parsed(block)
            moment = _moment(event, "RECURRENCE-ID", around) if event else None
            if event is not None and moment is not None:
                around.singles.setdefault(str(event.get("UID", "")), []).append(moment)
    return around


def _add_zone(around: _Around, block: _Block) -> None:
    try:
        zone = Timezone.from_ical(block.text)
        if isinstance(zone, Timezone):
            around.zones[str(zone["TZID"])] = zone.to_tz()
    except _UNREADABLE:
        return  # its events are then read by the zone's name, or without any


def _add_property(around: _Around, line: str) -> None:
    if found := _METHOD.match(line):
        around.is_cancelling = found[1].strip().upper() == "CANCEL"
    elif (found := _ZONE.match(line)) and around.zone is None:
        around.zone = _zone_of(found[1].strip())


def _zone_of(name: str) -> tzinfo | None:
    text = f"BEGIN:VEVENT\r\nDTSTART;TZID={name}:20200101T000000\r\nEND:VEVENT\r\n"
    try:
        moment = Event.from_ical(text).get("DTSTART")
    except _UNREADABLE:
        return None
    zone: tzinfo | None = getattr(_part(moment, "dt"), "tzinfo", None)
    return zone


def _blocks(file: BinaryIO, encoding: str) -> Iterator[_Block]:
    """Cut the file into its components; lines outside of any come with kind empty."""
    kind, begun, lines, size = "", 0, [""], 0
    for number, line in _unfolded(file, encoding):
        if begin := _BEGIN.fullmatch(line):
            if kind:
                yield _Block(kind, begun, "".join(lines), is_whole=False)
            kind, begun, lines, size = begin[1].upper(), number, [line], len(line)
        elif kind and (end := _END.fullmatch(line)):
            whole = end[1].upper() == kind and size <= MAX_EVENT
            yield _Block(kind, begun, "".join([*lines, line]), is_whole=whole)
            kind = ""
        elif kind:
            size += len(line)
            if size <= MAX_EVENT:
                lines.append(line)
        else:
            yield _Block("", number, line[:1_000])
    if kind:
        yield _Block(kind, begun, "".join(lines), is_whole=False)


def _unfolded(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines as they were before they were folded, with the number of their first.

    On octets where that is possible: a fold may stand within a letter.
    """
    if encoding.startswith(("utf-16", "utf-32")):
        wide = text_of(file, encoding)
        try:
            yield from _joined(wide, (" ", "\t"), "\r\n")
        finally:
            wide.detach()
        return
    file.seek(0)
    codec = "utf-8" if encoding == MIXED else encoding
    for number, octets in _joined(file, (b" ", b"\t"), b"\r\n"):
        yield number, octets.decode(codec, "replace").removeprefix("\ufeff")


def _joined(
    lines: Iterable[AnyStr], blanks: tuple[AnyStr, AnyStr], ends: AnyStr
) -> Iterator[tuple[int, AnyStr]]:
    """Join lines with those that go on with them; what is longer than any event is cut."""
    held: AnyStr | None = None
    begun = 0
    for number, line in enumerate(lines, 1):
        if held is not None and line[:1] in blanks:
            if len(held) <= MAX_EVENT:
                held = held.rstrip(ends) + line[1:]
            continue
        if held is not None:
            yield begun, held
        held, begun = line, number
    if held is not None:
        yield begun, held


def _parsed(block: _Block) -> Component | None:
    try:
        return Event.from_ical(block.text)
    except _UNREADABLE:
        return None


def _read(block: _Block, around: _Around, now: datetime) -> Iterator[Reading]:
    if not block.is_whole:
        reason = f"has no END:VEVENT, or more than {MAX_EVENT} characters"
        yield Unread(block.line, "VEVENT", reason)
        return
    event = _parsed(block)
    if event is None:
        yield Unread(block.line, "VEVENT", "is not as RFC 5545 writes an event")
        return
    uid = str(event.get("UID", "")).strip()
    start = _moment(event, "DTSTART", around)
    if start is None:
        yield Unread(block.line, "DTSTART", "is missing or no date; write it like 20260131T120000Z")
        return
    people = _people(event)
    if not any(one.get("email") for one in people):
        yield Passed(block.line, "nobody with an address was invited")
        return
    record = _record(event, people, around)
    stated_at = _moment(event, "LAST-MODIFIED", around) or _moment(event, "DTSTAMP", around)
    raw = {"UID": uid, "SUMMARY": str(event.get("SUMMARY", ""))[:255]}

    told = _Told(block.line, record, raw, in_utc(stated_at) if stated_at else None)
    single = _moment(event, "RECURRENCE-ID", around)
    if single is not None:
        yield told.at(start, _named(uid, single))
        return
    rule = event.get("RRULE")
    extra = _moments(event, "RDATE", around)
    if rule is None and not extra:
        yield told.at(start, uid)
        return
    parts = _rule(rule)
    refusal = None if parts is None else unreadable(parts, local(start, start))
    if refusal:
        yield told.at(start, uid, ("RRULE", f"{refusal}; only the first time is taken"))
        return
    for at in occurrences(_series(event, start, parts, around, uid), now):
        moment = at.replace(tzinfo=start.tzinfo)
        yield told.at(moment, _named(uid, moment))


@dataclass(frozen=True, slots=True)
class _Told:
    """What an event tells of each of its occurrences alike."""

    line: int
    record: dict[str, Any]
    raw: dict[str, Any]
    stated_at: datetime | None

    def at(self, moment: datetime, name: str, *left_out: tuple[str, str]) -> Happened:
        """Make one occurrence, under its name as a source record."""
        said = {**self.record, "occurred_at": in_utc(moment).isoformat()}
        if name:
            said["source_record_id"] = name[:1_000]
        return Happened(self.line, said, self.raw, self.stated_at, left_out)


def _series(
    event: Component,
    start: datetime,
    rule: dict[str, list[str]] | None,
    around: _Around,
    uid: str,
) -> Series:
    ends = _until(event) if rule is not None else None
    apart = [*_moments(event, "EXDATE", around), *around.singles.get(uid, ())]
    return Series(
        start=local(start, start),
        rule=rule,
        until=None if ends is None else local(ends, start),
        also=[local(one, start) for one in _moments(event, "RDATE", around)],
        except_={local(one, start) for one in apart},
    )


def _named(uid: str, at: datetime) -> str:
    """Name one occurrence as a source record: by its event and when it was to be at first."""
    return f"{uid}/{in_utc(at):%Y%m%dT%H%M%SZ}" if uid else ""


def _rule(rule: object) -> dict[str, list[str]] | None:
    """Take a rule apart; one that cannot be read comes without parts, and is refused."""
    first = rule[0] if isinstance(rule, list) else rule
    if first is None:
        return None
    text = ""
    if isinstance(first, vRecur):
        text = first.to_ical().decode("utf-8", "replace")  # type: ignore[no-untyped-call]
    parts = (part.partition("=") for part in text.split(";") if part)
    return {name.upper(): value.upper().split(",") for name, _, value in parts}


def _until(event: Component) -> datetime | None:
    rule = event.get("RRULE")
    first = rule[0] if isinstance(rule, list) else rule
    ends = (first.get("UNTIL") or [None])[0] if isinstance(first, vRecur) else None
    if isinstance(ends, datetime):
        return ends
    # A day counts as a whole.
    return as_moment(ends) + timedelta(days=1, seconds=-1) if isinstance(ends, date) else None


def _part(value: object, name: str) -> Any:
    """Return an attribute of a property; None where the property could not be read."""
    try:
        return getattr(value, name, None)
    except BrokenCalendarProperty:
        return None


def _record(event: Component, people: list[dict[str, Any]], around: _Around) -> dict[str, Any]:
    """Write the fields of an `ActivitySignal` that every occurrence has alike."""
    status = _STATUS.get(str(event.get("STATUS", "")).upper())
    record: dict[str, Any] = {
        "kind": "meeting",
        "participants": people,
        "title": _text(event, "SUMMARY")[:1_000],
        "snippet": _text(event, "DESCRIPTION")[:SNIPPET],
        "location": _text(event, "LOCATION")[:1_000],
        "thread_id": str(event.get("UID", "")).strip()[:1_000],
        "status": "cancelled" if around.is_cancelling else status,
    }
    record = {name: value for name, value in record.items() if value}
    begins = _part(event.get("DTSTART"), "dt")
    if isinstance(begins, date) and not isinstance(begins, datetime):
        record["all_day"] = True
    length = _length(event, around)
    if length is not None:
        record["duration_s"] = length
    sequence = event.get("SEQUENCE")
    if isinstance(sequence, int) and 0 <= sequence < 2**31:
        record["source_version"] = int(sequence)
    link = next((text for name in _CONFERENCE if (text := _text(event, name))), "")
    if link:
        record["attributes"] = {"conference": link[:1_000]}
    return record


def _text(event: Component, name: str) -> str:
    value = event.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return str(first).replace("\x00", "").strip() if first is not None else ""


def _length(event: Component, around: _Around) -> int | None:
    """Return how long an event lasts, seconds; None where that makes no sense."""
    start, end = _moment(event, "DTSTART", around), _moment(event, "DTEND", around)
    seconds: float | None = None
    if start is not None and end is not None:
        try:
            seconds = (in_utc(end) - in_utc(start)).total_seconds()
        except OverflowError:
            return None
    elif isinstance(lasts := _part(event.get("DURATION"), "dt"), timedelta):
        seconds = lasts.total_seconds()
    return int(seconds) if seconds is not None and 0 <= seconds <= 31_622_400 else None


def _moment(event: Component, name: str, around: _Around) -> datetime | None:
    value = event.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return _placed(_part(first, "dt"), first, around)


def _moments(event: Component, name: str, around: _Around) -> list[datetime]:
    value = event.get(name)
    lists = value if isinstance(value, list) else [value] if value is not None else []
    found = []
    for one in lists:
        for each in _part(one, "dts") or ():
            at = each.dt[0] if isinstance(each.dt, tuple) else each.dt
            moment = _placed(at, one, around)
            if moment is not None:
                found.append(moment)
    return found


def _placed(value: object, prop: Any, around: _Around) -> datetime | None:
    """Return a moment in its zone: the file's own by that name, a known one, the calendar's."""
    if not isinstance(value, date):
        return None
    moment = as_moment(value)
    if moment.tzinfo is None and isinstance(value, datetime):
        named = str((_part(prop, "params") or {}).get("TZID", ""))
        zone = around.zones.get(named) or (None if named else around.zone)
        return moment.replace(tzinfo=zone) if zone else moment
    return moment


def _people(event: Component) -> list[dict[str, Any]]:
    """List the organizer and who was invited; rooms are no people."""
    people: list[dict[str, Any] | None] = []
    for role, name in (("organizer", "ORGANIZER"), ("attendee", "ATTENDEE")):
        value = event.get(name)
        found = value if isinstance(value, list) else [value]
        people += [_person(role, one) for one in found if isinstance(one, vCalAddress)]
    return [person for person in people if person is not None][:500]


def _person(role: str, address: vCalAddress) -> dict[str, Any] | None:
    params = address.params
    if str(params.get("CUTYPE", "")).upper() in _THINGS:
        return None
    text = str(params.get("EMAIL", "")) or str(address)
    email = unquote(re.sub(r"^mailto:", "", text.strip(), flags=re.IGNORECASE))
    person = {
        "role": role,
        "name": str(params.get("CN", "")).replace("\x00", "").strip("\"' ")[:255],
        "email": email[:255] if "@" in email else "",
        "attendance": _ATTENDANCE.get(str(params.get("PARTSTAT", "")).upper()),
    }
    found: dict[str, Any] = {name: value for name, value in person.items() if value}
    if str(params.get("ROLE", "")).upper() == "OPT-PARTICIPANT":
        found["optional"] = True
    return found if len(found) > 1 else None
