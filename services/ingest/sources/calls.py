"""Logs of calls and messages as tables: one activity per row, with whoever was at the other end.

The columns are those that telephones' backups and switchboards write; `docs/activities.md` lists
them. A table that names no number, address or time is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any, BinaryIO, Final

from services.ingest.domain.days import find_order, read_day
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.encodings import sniff_encoding, text_of
from services.ingest.sources.happened import Happened, Passed, Reading, Unread
from services.ingest.sources.row import BadRow, Blank
from services.ingest.sources.table import Cells, read_table
from shared.errors import PoisonMessageError

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "phone": (
        "phone",
        "number",
        "phone number",
        "telephone",
        "tel",
        "contact number",
        "caller id",
        "rufnummer",
        "nummer",
    ),
    "email": ("email", "e-mail", "mail", "email address"),
    "name": ("name", "contact", "contact name", "caller name", "kontakt"),
    "at": (
        "date",
        "time",
        "date/time",
        "date time",
        "datetime",
        "timestamp",
        "start",
        "start time",
        "started",
        "call date",
        "message date",
        "datum",
    ),
    "clock": ("time", "call time", "uhrzeit"),
    "way": ("type", "call type", "direction", "message type", "typ"),
    "length": (
        "duration",
        "call duration",
        "length",
        "duration (s)",
        "duration (seconds)",
        "seconds",
        "dauer",
    ),
    "text": ("text", "message", "body", "content", "sms"),
    "title": ("title", "subject"),
    "service": ("service", "app", "network"),
    "location": ("location", "country", "place"),
    "id": ("id", "record id", "call id", "message id"),
}
"""What a cell is → the headers that say so, lower case; the first that the table has."""

_IN = (
    {"incoming", "inbound", "received", "in", "eingehend", "inbox", "1"},
    {"outgoing", "outbound", "dialed", "dialled", "sent", "out", "ausgehend", "2"},
    {"missed", "verpasst", "unanswered", "no answer", "3"},
    {"voicemail", "4"},
    {"rejected", "declined", "blocked", "abgelehnt", "5", "6"},
)
_WAYS: Final[Mapping[str, tuple[str, str | None]]] = {
    word: way
    for words, way in zip(
        _IN,
        (
            ("inbound", "answered"),
            ("outbound", None),
            ("inbound", "missed"),
            ("inbound", "voicemail"),
            ("inbound", "declined"),
        ),
        strict=True,
    )
    for word in words
}
"""Type of a call → direction and status; the numbers are Android's."""

_ROLES: Final = {
    ("call", "inbound"): "caller",
    ("call", "outbound"): "callee",
    ("message", "inbound"): "from",
    ("message", "outbound"): "to",
}

SAMPLE_ROWS: Final = 200
"""Rows that are looked at for the order of the numbers in dates."""

SNIPPET: Final = 500
"""Characters of a message that are kept."""

_EPOCH = re.compile(r"\d{9,10}|\d{12,13}")
_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([AaPp])?\.?[Mm]?\.?")
_LONGEST_SPAN: Final = 40
"""Characters that say how long something took; more are damage, and slow to look through."""

_SPAN = re.compile(r"(?:(\d{1,8}):)?(\d{1,3}):(\d{2})")
_UNITS = re.compile(
    r"(?:(\d{1,8})\s*h\w*\.?)?[\s,]*(?:(\d{1,8})\s*m\w*\.?)?[\s,]*(?:(\d{1,8})\s*s\w*\.?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is read."""

    header: Sequence[str]
    places: Mapping[str, int]
    """What a cell is → its column."""
    zone: tzinfo
    order: DayOrder

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Return what a row says, without what is empty."""
        found = {
            name: row[place].replace("\x00", "").strip()
            for name, place in self.places.items()
            if place < len(row)
        }
        return {name: text for name, text in found.items() if text}


def read_calls(file: BinaryIO, zone: tzinfo, unless_shown: DayOrder = "mdy") -> Iterator[Reading]:
    """Read a log; times without an offset are read in `zone`.

    `unless_shown` is the order of the numbers in dates where none of the first rows shows it.
    """
    encoding, _ = sniff_encoding(file)
    text = text_of(file, encoding)
    first = text.readline(65_536)
    text.detach()
    delimiter = max(",;\t|", key=first.count)
    sample = [
        one.cells
        for one in islice(read_table(file, encoding, delimiter, 1), SAMPLE_ROWS)
        if isinstance(one, Cells)
    ]
    header = sample[0] if sample else []
    places = _places(header)
    days = [cells[places["at"]] for cells in sample[1:] if places["at"] < len(cells)]
    table = _Table(header, places, zone, find_order(days) or unless_shown)
    for row in islice(read_table(file, encoding, delimiter, 1), 1, None):
        match row:
            case BadRow():
                yield Unread(row.line, row.field, row.reason)
            case Blank():
                yield Passed(row.line, "empty")
            case Cells():
                yield _read(row, table)


def _places(header: Sequence[str]) -> dict[str, int]:
    known = {name.strip().casefold(): place for place, name in reversed(list(enumerate(header)))}
    found = {
        kind: known[name]
        for kind, names in COLUMNS.items()
        for name in reversed(names)
        if name in known
    }
    if found.get("clock") == found.get("at"):
        found.pop("clock", None)
    if "at" not in found or not {"phone", "email"} & found.keys():
        raise PoisonMessageError(
            "invalid",
            "is no log of calls or messages that is known: its first line must name a column "
            f"like {' or '.join(COLUMNS['at'][:3])} and one like phone, number or email",
            field="file",
        )
    return found


def _read(row: Cells, table: _Table) -> Reading:
    said = table.cells(row.cells)
    occurred_at = _moment(said, table)
    if occurred_at is None:
        column = table.header[table.places["at"]]
        return Unread(row.line, column, "is no date and time; write it like 2026-01-31 14:05:00")
    if "@" in said.get("phone", ""):  # a message may go to an address
        said.setdefault("email", said.pop("phone"))
    if not said.get("phone") and not said.get("email"):
        return Passed(row.line, "the other end withheld the number")
    kind = "message" if "text" in table.places else "call"
    direction, status = _WAYS.get(said.get("way", "").casefold(), (None, None))
    role = _ROLES.get((kind, direction or ""), "about")
    person = {name: said[name][:255] for name in ("name", "phone", "email") if name in said}
    record: dict[str, Any] = {
        "kind": kind,
        "direction": direction,
        "status": status if kind == "call" else None,
        "occurred_at": occurred_at.isoformat(),
        "duration_s": _seconds(said.get("length", "")) if kind == "call" else None,
        "title": said.get("title", "")[:1_000],
        "snippet": said.get("text", "")[:SNIPPET],
        "location": said.get("location", "")[:1_000],
        "attributes": {"service": said["service"][:255]} if "service" in said else None,
        "participants": [{"role": role, **person}],
    }
    record = {name: value for name, value in record.items() if value not in (None, "")}
    other = said.get("phone") or said.get("email")
    record["source_record_id"] = said.get("id") or "\x1f".join(
        (kind, direction or "", occurred_at.isoformat(), other or "")
    )
    left_out = []
    if said.get("way") and direction is None:
        left_out.append((table.header[table.places["way"]], "says no direction that is known"))
    raw = {name: cell for name, cell in zip(table.header, row.cells, strict=False) if cell}
    return Happened(row.line, record, raw, left_out=tuple(left_out))


def _moment(said: Mapping[str, str], table: _Table) -> datetime | None:
    text = said.get("at", "")
    try:
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(text) / (1 if len(text) <= 10 else 1_000), UTC)
        whole = f"{text} {said['clock']}" if "clock" in said else text
        moment = _iso(whole) or _written(whole, table.order)
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None:
        return None
    return moment.replace(tzinfo=table.zone) if moment.tzinfo is None else moment


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _written(text: str, order: DayOrder) -> datetime | None:
    clocks = list(_CLOCK.finditer(text))
    if not clocks:
        return None
    clock = clocks[-1]
    day = read_day(text[: clock.start()].strip(" ,T"), order)
    if day is None or day.startswith("-"):
        return None
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4]:
        hour = hour % 12 + (12 if clock[4] in "pP" else 0)
    return datetime.fromisoformat(day) + timedelta(hours=hour, minutes=minute, seconds=second)


def _seconds(text: str) -> int | None:
    """Read how long: `461`, `7:41`, `0:07:41`, `7m 41s`, seconds."""
    if len(text) > _LONGEST_SPAN:
        return None
    if text.isdecimal() and len(text) < 9:
        seconds = int(text)
    elif found := _SPAN.fullmatch(text):
        seconds = int(found[1] or 0) * 3_600 + int(found[2]) * 60 + int(found[3])
    elif (found := _UNITS.fullmatch(text)) and any(found.groups()):
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        seconds = hours * 3_600 + minutes * 60 + rest
    else:
        return None
    return seconds if seconds <= 31_622_400 else None
