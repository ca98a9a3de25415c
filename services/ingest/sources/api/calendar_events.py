"""Events of calendars at Google (Calendar API v3) and Microsoft (Graph v1.0) as meetings.

A meeting is known by its iCalendar UID, an occurrence of a series also by when it was to be at
first, as in calendars that are read from files: whoever's calendar tells it, it is one.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from services.ingest.sources.api.parts import dicts, part, said, text
from services.ingest.sources.mail.html_text import to_lines

MAX_PEOPLE: Final = 500
"""Participants of one meeting (`shared.events.activity`)."""

SNIPPET: Final = 500
"""Characters of a description that are kept."""

MAX_DESCRIPTION: Final = 20_000
"""Characters of a description that are looked at."""

MAX_LENGTH_S: Final = 31_622_400
"""The longest meeting, seconds: a year."""

_ATTENDANCE: Final[Mapping[str, str]] = {
    "needsAction": "needs_action",
    "none": "needs_action",
    "notResponded": "needs_action",
    "accepted": "accepted",
    "organizer": "accepted",
    "declined": "declined",
    "tentative": "tentative",
    "tentativelyAccepted": "tentative",
}
_STATUSES: Final = frozenset({"confirmed", "tentative", "cancelled"})
_PRIVATE: Final = frozenset({"private", "confidential", "personal"})


class ApiEvent(NamedTuple):
    """An event of an account, or that it is no longer there."""

    event_id: str
    """What the account calls it."""
    record_id: str
    """What anybody calls the meeting; empty of one that is gone."""
    begins: datetime | None
    signal: dict[str, Any] | None
    """An activity signal without its source; None: gone, or between nobody."""
    changed_at: datetime | None = None


def read_google_event(found: dict[str, Any]) -> ApiEvent | None:
    """Read an event of `events.list` with `singleEvents`; None: it has no id."""
    event_id = text(found.get("id"), 1_024)
    if event_id is None:
        return None
    start = part(found.get("start"))
    begins = _google_moment(start)
    uid = text(found.get("iCalUID"), 900)
    if begins is None or uid is None:
        return ApiEvent(event_id, "", None, None)
    first = _google_moment(part(found.get("originalStartTime")))
    record_id = _named(uid, first) if "recurringEventId" in found and first else uid
    signal = _signal(
        uid,
        record_id,
        begins,
        _google_moment(part(found.get("end"))),
        _google_people(found),
        title=found.get("summary"),
        snippet=_plain(found.get("description")),
        location=found.get("location"),
        status=text(found.get("status")),
        all_day="date" in start,
        conference=_google_conference(found),
        is_private=text(found.get("visibility")) in _PRIVATE,
    )
    sequence = found.get("sequence")
    if signal is not None and isinstance(sequence, int) and 0 <= sequence < 2**31:
        signal["source_version"] = sequence
    return ApiEvent(event_id, record_id, begins, signal, _updated(found.get("updated")))


def _google_people(found: dict[str, Any]) -> list[dict[str, Any] | None]:
    """List who takes part besides the account's owner and rooms, whoever invites first."""
    listed = dicts(found.get("attendees"))
    people = [
        _person(
            "attendee",
            one.get("email"),
            one.get("displayName"),
            one.get("responseStatus"),
            optional=one.get("optional") is True,
        )
        for one in listed
        if not any(one.get(name) is True for name in ("self", "resource", "organizer"))
    ]
    host = part(found.get("organizer"))
    if host.get("self") is not True:
        answer = next((one for one in listed if one.get("organizer")), {}).get("responseStatus")
        people.insert(0, _person("organizer", host.get("email"), host.get("displayName"), answer))
    return people


def _google_conference(found: dict[str, Any]) -> str | None:
    """Return the first address at which people meet, by telephone or screen."""
    ways = dicts(part(found.get("conferenceData")).get("entryPoints"))
    addresses = (text(one.get("uri"), 1_000) for one in ways)
    return next(filter(None, addresses), text(found.get("hangoutLink"), 1_000))


def read_graph_event(
    found: dict[str, Any], series: Mapping[str, dict[str, Any]], own: Collection[str]
) -> ApiEvent | None:
    """Read an event of `calendarView/delta`; None: it has no id, or is a series, no meeting.

    An occurrence says only what differs from its series.
    """
    event_id = text(found.get("id"), 1_024)
    if event_id is None or found.get("type") == "seriesMaster":
        return None
    whole = {**series.get(text(found.get("seriesMasterId"), 1_024) or "", {}), **found}
    begins = _graph_moment(whole.get("start"))
    uid = text(whole.get("iCalUId"), 900)
    if "@removed" in found or begins is None or uid is None:
        return ApiEvent(event_id, "", None, None)
    record_id = uid
    if "seriesMasterId" in found:
        uid = text(series.get(str(found["seriesMasterId"]), {}).get("iCalUId"), 900) or uid
        first = _graph_moment({"dateTime": found.get("originalStart")}) or begins
        record_id = _named(uid, first)
    people = [_graph_person("organizer", part(whole.get("organizer")), own)]
    host = people[0]["email"] if people[0] else None
    for one in dicts(whole.get("attendees")):
        person = _graph_person("attendee", one, own)
        if one.get("type") != "resource" and person is not None and person["email"] != host:
            people.append(person)
    place = part(whole.get("location")).get("displayName")
    link = part(whole.get("onlineMeeting")).get("joinUrl") or whole.get("onlineMeetingUrl")
    signal = _signal(
        uid,
        record_id,
        begins,
        _graph_moment(whole.get("end")),
        people,
        title=whole.get("subject"),
        snippet=whole.get("bodyPreview"),
        location=place,
        status="cancelled" if whole.get("isCancelled") is True else "confirmed",
        all_day=whole.get("isAllDay") is True,
        conference=text(link, 1_000),
        is_private=text(whole.get("sensitivity")) in _PRIVATE,
    )
    changed_at = _updated(whole.get("lastModifiedDateTime"))
    return ApiEvent(event_id, record_id, begins, signal, changed_at)


def _signal(
    uid: str,
    record_id: str,
    begins: datetime,
    ends: datetime | None,
    people: list[dict[str, Any] | None],
    *,
    title: object,
    snippet: object,
    location: object,
    status: object,
    all_day: bool,
    conference: str | None,
    is_private: bool,
) -> dict[str, Any] | None:
    """Write an activity signal; None: nobody but the account's owner takes part."""
    named = [one for one in people if one is not None][:MAX_PEOPLE]
    if not named:
        return None
    seconds = int((ends - begins).total_seconds()) if ends is not None else -1
    signal: dict[str, Any] = {
        "kind": "meeting",
        "source_record_id": record_id,
        "occurred_at": begins.isoformat(),
        "duration_s": seconds if 0 <= seconds <= MAX_LENGTH_S else None,
        "status": status if status in _STATUSES else None,
        "all_day": all_day or None,
        "thread_id": uid,
        "participants": named,
    }
    if not is_private:  # what others of the workspace may read
        signal |= {
            "title": text(title, 1_000),
            "snippet": text(snippet, SNIPPET),
            "location": text(location, 1_000),
            "attributes": {"conference": conference} if conference else None,
        }
    return said(signal)


def _person(
    role: str, email: object, name: object, answer: object, *, optional: bool = False
) -> dict[str, Any] | None:
    address = text(email)
    if address is None or "@" not in address:
        return None
    called = text(name)
    return said(
        {
            "role": role,
            "email": address,
            "name": called if called != address else None,
            "attendance": _ATTENDANCE.get(answer) if isinstance(answer, str) else None,
            "optional": optional or None,
        }
    )


def _graph_person(role: str, found: dict[str, Any], own: Collection[str]) -> dict[str, Any] | None:
    address = part(found.get("emailAddress"))
    person = _person(
        role,
        address.get("address"),
        address.get("name"),
        part(found.get("status")).get("response"),
        optional=found.get("type") == "optional",
    )
    return None if person is None or person["email"].casefold() in own else person


def _plain(description: object) -> str | None:
    """Return what a description says without its tags."""
    found = text(description, MAX_DESCRIPTION)
    if found is None or "<" not in found:
        return found
    return "\n".join(filter(None, (line.strip() for line in to_lines(found)[0]))) or None


def _named(uid: str, first: datetime) -> str:
    return f"{uid}/{first.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _google_moment(found: dict[str, Any]) -> datetime | None:
    """Read a time with its offset, or a day: midnight UTC of it."""
    return _moment(found.get("dateTime") or found.get("date"))


def _graph_moment(found: object) -> datetime | None:
    """Read a time that was asked for in UTC, written without an offset and with 7 decimals."""
    return _moment(part(found).get("dateTime"))


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None or not 1900 < found.year < 2200:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _updated(value: object) -> datetime | None:
    found = _moment(value)
    return found if found and found <= datetime.now(UTC) + timedelta(minutes=5) else None
