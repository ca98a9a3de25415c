"""What one event of a calendar says: its people, its moments, and what its occurrences share."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import unquote

from icalendar import Component, Event
from icalendar.error import BrokenCalendarProperty
from icalendar.prop import vCalAddress

from services.ingest.sources.cells import read_name
from services.ingest.sources.recurrence import as_moment, in_utc

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

UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    OSError,
)
"""What the library raises for text that is no calendar's: a zone is looked up as a file's name."""


@dataclass(slots=True)
class Around:
    """What the file says around its events."""

    zones: dict[str, tzinfo] = field(default_factory=dict)
    """TZID → the zone that the file defines."""
    zone: tzinfo | None = None
    """Where times without a zone are read (X-WR-TIMEZONE), as far as the file says it."""
    otherwise: tzinfo = UTC
    """Where they are read if it does not, and where times of a zone are that nobody knows."""
    is_cancelling: bool = False
    """METHOD:CANCEL: every event in it is off."""
    singles: dict[str, list[datetime]] = field(default_factory=dict)
    """UID → the moments of occurrences that are told of separately."""


def zone_of(name: str) -> tzinfo | None:
    """Return a zone by its name, if it is known; any text may be given."""
    text = f"BEGIN:VEVENT\r\nDTSTART;TZID={name}:20200101T000000\r\nEND:VEVENT\r\n"
    try:
        moment = Event.from_ical(text).get("DTSTART")
    except UNREADABLE:
        return None
    zone: tzinfo | None = getattr(part_of(moment, "dt"), "tzinfo", None)
    return zone


def part_of(value: object, name: str) -> Any:
    """Return an attribute of a property; None where the property could not be read."""
    try:
        return getattr(value, name, None)
    except BrokenCalendarProperty:
        return None


def record_of(event: Component, people: list[dict[str, Any]], around: Around) -> dict[str, Any]:
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
    begins = part_of(event.get("DTSTART"), "dt")
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


def _length(event: Component, around: Around) -> int | None:
    """Return how long an event lasts, seconds; None where that makes no sense."""
    start, end = moment_of(event, "DTSTART", around), moment_of(event, "DTEND", around)
    seconds: float | None = None
    if start is not None and end is not None:
        try:
            seconds = (in_utc(end) - in_utc(start)).total_seconds()
        except OverflowError:
            return None
    elif isinstance(lasts := part_of(event.get("DURATION"), "dt"), timedelta):
        seconds = lasts.total_seconds()
    return int(seconds) if seconds is not None and 0 <= seconds <= 31_622_400 else None


def moment_of(event: Component, name: str, around: Around) -> datetime | None:
    """Return when a property says; None where it says no moment."""
    value = event.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return _placed(part_of(first, "dt"), first, around)


def moments_of(event: Component, name: str, around: Around) -> list[datetime]:
    """Return all moments of a property, which may stand there several times."""
    value = event.get(name)
    lists = value if isinstance(value, list) else [value] if value is not None else []
    found = []
    for one in lists:
        for each in part_of(one, "dts") or ():
            at = each.dt[0] if isinstance(each.dt, tuple) else each.dt
            moment = _placed(at, one, around)
            if moment is not None:
                found.append(moment)
    return found


def _placed(value: object, prop: Any, around: Around) -> datetime | None:
    """Return a moment in its zone: the file's own by that name, a known one, the calendar's."""
    if not isinstance(value, date):
        return None
    moment = as_moment(value)
    if moment.tzinfo is None and isinstance(value, datetime):
        named = str((part_of(prop, "params") or {}).get("TZID", ""))
        zone = around.zones.get(named) or (None if named else around.zone)
        return moment.replace(tzinfo=zone or around.otherwise)
    return moment


def has_strange_zone(event: Component, around: Around) -> bool:
    """Tell whether an event begins in a zone that neither the file nor anybody knows."""
    begins = event.get("DTSTART")
    first = begins[0] if isinstance(begins, list) and begins else begins
    at = part_of(first, "dt")
    named = str((part_of(first, "params") or {}).get("TZID", ""))
    return (
        isinstance(at, datetime) and at.tzinfo is None and bool(named) and named not in around.zones
    )


def people_of(event: Component) -> list[dict[str, Any]]:
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
    name = str(params.get("CN", "")).replace("\x00", "").strip("\"' ")[:255]
    person = {
        "role": role,
        "name": turned["full_name"] if (turned := read_name(name)) else name,
        "email": email[:255] if "@" in email else "",
        "attendance": _ATTENDANCE.get(str(params.get("PARTSTAT", "")).upper()),
    }
    found: dict[str, Any] = {name: value for name, value in person.items() if value}
    if str(params.get("ROLE", "")).upper() == "OPT-PARTICIPANT":
        found["optional"] = True
    return found if len(found) > 1 else None
