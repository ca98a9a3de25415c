"""Calendars (.ics, RFC 5545): meetings with whom they were with, one activity per occurrence.

Each VEVENT is read by `icalendar` on its own, so that a broken one harms no neighbour and a file of
any length takes little memory; time zones that the file brings along are kept, and so is what is
told of single occurrences.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, BinaryIO, Final

from icalendar import Component, Event, Timezone
from icalendar.prop import vRecur

from services.ingest.sources.calendar_blocks import MAX_EVENT, Block, encoding_of, read_blocks
from services.ingest.sources.calendar_event import (
    UNREADABLE,
    Around,
    has_strange_zone,
    moment_of,
    moments_of,
    people_of,
    record_of,
    zone_of,
)
from services.ingest.sources.happened import Happened, Passed, Reading, Unread
from services.ingest.sources.recurrence import (
    AHEAD,
    BACK,
    Series,
    as_moment,
    in_utc,
    local,
    occurrences,
    unreadable,
)

_SINGLE = re.compile(r"^RECURRENCE-ID\b", re.MULTILINE | re.IGNORECASE)
_ZONE = re.compile(r"^X-WR-TIMEZONE:(.*)$", re.IGNORECASE)
_METHOD = re.compile(r"^METHOD:(.*)$", re.IGNORECASE)

_STRANGE_ZONE: Final = (
    "names a zone that is not known; its times are read in the one that was given for the import, "
    "else in UTC (kith activities --timezone)"
)
_OUTSIDE: Final = (
    f"takes place at no time from {BACK.days} days ago to {AHEAD.days} days ahead, or its single "
    "times are told of by themselves"
)


def read_calendar(file: BinaryIO, now: datetime, zone: tzinfo = UTC) -> Iterator[Reading]:
    """Read a calendar's meetings; those without anybody in them are passed over.

    Times without a zone, where the file names none for all, are of `zone`.
    """
    encoding = encoding_of(file)
    around = _survey(file, encoding, zone)
    for block in read_blocks(file, encoding):
        if block.kind == "VEVENT":
            yield from _read(block, around, now)


def _survey(file: BinaryIO, encoding: str, zone: tzinfo) -> Around:
    """Read the file for what stands around its events."""
    around = Around(otherwise=zone)
    for block in read_blocks(file, encoding):
        if block.kind == "VTIMEZONE":
            _add_zone(around, block)
        elif block.kind == "":
            _add_property(around, block.text)
        elif _SINGLE.search(block.text) and block.is_whole:
            event = _parsed(block)
            moment = moment_of(event, "RECURRENCE-ID", around) if event else None
            if event is not None and moment is not None:
                around.singles.setdefault(str(event.get("UID", "")), []).append(moment)
    return around


def _add_zone(around: Around, block: Block) -> None:
    try:
        zone = Timezone.from_ical(block.text)
        if isinstance(zone, Timezone):
            around.zones[str(zone["TZID"])] = zone.to_tz()
    except UNREADABLE:
        return  # its events are then read by the zone's name, or without any


def _add_property(around: Around, line: str) -> None:
    if found := _METHOD.match(line):
        around.is_cancelling = found[1].strip().upper() == "CANCEL"
    elif (found := _ZONE.match(line)) and around.zone is None:
        around.zone = zone_of(found[1].strip())


def _parsed(block: Block) -> Component | None:
    try:
        return Event.from_ical(block.text)
    except UNREADABLE:
        return None


def _read(block: Block, around: Around, now: datetime) -> Iterator[Reading]:
    if not block.is_whole:
        reason = f"has no END:VEVENT, or more than {MAX_EVENT} characters"
        yield Unread(block.line, "VEVENT", reason)
        return
    event = _parsed(block)
    if event is None:
        yield Unread(block.line, "VEVENT", "is not as RFC 5545 writes an event")
        return
    uid = str(event.get("UID", "")).strip()
    start = moment_of(event, "DTSTART", around)
    if start is None:
        yield Unread(block.line, "DTSTART", "is missing or no date; write it like 20260131T120000Z")
        return
    people = people_of(event)
    if not any(one.get("email") for one in people):
        yield Passed(block.line, "nobody with an address was invited")
        return
    record = record_of(event, people, around)
    stated_at = moment_of(event, "LAST-MODIFIED", around) or moment_of(event, "DTSTAMP", around)
    raw = {"UID": uid, "SUMMARY": str(event.get("SUMMARY", ""))[:255]}

    strange = (("DTSTART", _STRANGE_ZONE),) if has_strange_zone(event, around) else ()
    told = _Told(block.line, record, raw, in_utc(stated_at) if stated_at else None, strange)
    single = moment_of(event, "RECURRENCE-ID", around)
    if single is not None:
        yield told.at(start, _named(uid, single))
        return
    rule = event.get("RRULE")
    extra = moments_of(event, "RDATE", around)
    if rule is None and not extra:
        yield told.at(start, uid)
        return
    parts = _rule(rule)
    refusal = None if parts is None else unreadable(parts, local(start, start))
    if refusal:
        yield told.at(start, uid, ("RRULE", f"{refusal}; only the first time is taken"))
        return
    moment = None
    for at in occurrences(_series(event, start, parts, around, uid), now):
        moment = at.replace(tzinfo=start.tzinfo)
        yield told.at(moment, _named(uid, moment))
    if moment is None:
        yield Passed(block.line, _OUTSIDE)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an event tells of each of its occurrences alike."""

    line: int
    record: dict[str, Any]
    raw: dict[str, Any]
    stated_at: datetime | None
    left_out: tuple[tuple[str, str], ...] = ()

    def at(self, moment: datetime, name: str, *left_out: tuple[str, str]) -> Happened:
        """Make one occurrence, under its name as a source record."""
        said = {**self.record, "occurred_at": in_utc(moment).isoformat()}
        if name:
            said["source_record_id"] = name[:1_000]
        return Happened(self.line, said, self.raw, self.stated_at, (*self.left_out, *left_out))


def _series(
    event: Component,
    start: datetime,
    rule: dict[str, list[str]] | None,
    around: Around,
    uid: str,
) -> Series:
    ends = _until(event) if rule is not None else None
    apart = [*moments_of(event, "EXDATE", around), *around.singles.get(uid, ())]
    return Series(
        start=local(start, start),
        rule=rule,
        until=None if ends is None else local(ends, start),
        also=[local(one, start) for one in moments_of(event, "RDATE", around)],
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
