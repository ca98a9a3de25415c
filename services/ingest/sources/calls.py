"""Logs of calls and messages as tables: one activity per row, with whoever was at the other end.

The columns are those that telephones' backups and switchboards write; `docs/activities.md` lists
them. A table that names no number, address or time is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.days import find_order, read_day
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.encodings import sniff_encoding, text_of
from services.ingest.sources.happened import Passed, Reading, Unread
from services.ingest.sources.logged import WAYS, Kind, Logged, epoch_of
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

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "1": ("incoming", "inbound", "received", "in", "eingehend", "inbox"),
    "2": ("outgoing", "outbound", "dialed", "dialled", "sent", "out", "ausgehend"),
    "3": ("missed", "verpasst", "unanswered", "no answer"),
    "4": ("voicemail",),
    "5": ("rejected", "declined", "blocked", "abgelehnt"),
    "6": (),
}
"""Android's number for a type of call → the words for it."""

_WAYS: Final = {word: WAYS[number] for number, words in _WORDS.items() for word in (number, *words)}
"""Type of a call → direction and status."""

SAMPLE_ROWS: Final = 200
"""Rows that are looked at for the order of the numbers in dates."""

_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([AaPp])?\.?[Mm]?\.?")


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
    kind: Kind = "message" if "text" in table.places else "call"
    direction, status = _WAYS.get(said.get("way", "").casefold(), (None, None))
    left_out = []
    if said.get("way") and direction is None:
        left_out.append((table.header[table.places["way"]], "says no direction that is known"))
    raw = {name: cell for name, cell in zip(table.header, row.cells, strict=False) if cell}
    logged = Logged(row.line, kind, direction, status, occurred_at, said, raw, tuple(left_out))
    return logged.told()


def _moment(said: Mapping[str, str], table: _Table) -> datetime | None:
    text = said.get("at", "")
    try:
        if (since := epoch_of(text)) is not None:
            return since
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
