"""Logs of calls and messages as tables: one activity per row, with whoever was at the other end.

The columns are those that telephones' backups and switchboards write, in several languages; they
are data (`data/call_logs.toml`). A table that names no number, address or time is refused.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any, BinaryIO, Final

from services.ingest.domain.days import find_order, read_day
from services.ingest.domain.suggesting import REASON
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.encodings import sniff_encoding, text_of
from services.ingest.sources.happened import Passed, Reading, Unread
from services.ingest.sources.logged import WAYS, Direction, Kind, Logged, epoch_of, seconds_of
from services.ingest.sources.row import BadRow, Blank
from services.ingest.sources.sniffed import LOG, Sniffed
from services.ingest.sources.table import Cells, read_header, read_table
from shared.errors import PoisonMessageError

SAMPLE_ROWS: Final = 200
"""Rows that are looked at for the order of the numbers in dates."""

MAX_CHATS: Final = 10_000
"""Conversations of which it is remembered who they are with."""

_PREAMBLE: Final = 8
"""Lines before the header that may say other things: `sep=;`, a title."""

_SHARE: Final = 0.8
"""Of a column's cells so many must say a direction, or a length, for it to be that of calls."""

_REACHED: Final = frozenset({"phone", "email", "from", "to"})

_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([AaPp])?\.?[Mm]?\.?")
_NUMBER = re.compile(r"\+?[\d ().\-/]{5,25}")

_NO_LOG: Final = (
    "is no log of calls or messages that is known: a line at its top must name a column like "
    "{at} and one like phone, number or email"
)
_NO_MOMENT: Final = "is no date and time; write it like 2026-01-31 14:05:00"
_NO_WAY: Final = "says no direction that is known"
_GROUP: Final = "went to a group"
_NOBODY: Final = "went to a conversation of which the log gives no number"


@cache
def _words() -> tuple[Mapping[str, Sequence[str]], Mapping[str, tuple[Direction, str | None]]]:
    """Return what a cell is → the headers that say so; and what a type says → which way it went."""
    text = resources.files(__package__).joinpath("data", "call_logs.toml").read_text("utf-8")
    said = tomllib.loads(text)
    ways = {
        word: WAYS[number] for number, words in said["ways"].items() for word in (number, *words)
    }
    return said["columns"], ways


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is read."""

    delimiter: str
    line: int
    """Of the header, from 1."""
    header: Sequence[str]
    places: Mapping[str, int]
    """What a cell is → its column."""

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Return what a row says, without what is empty."""
        found = {
            name: row[place].replace("\x00", "").strip()
            for name, place in self.places.items()
            if place < len(row)
        }
        return {name: text for name, text in found.items() if text}


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a table's rows are read by, beside its header."""

    zone: tzinfo
    order: DayOrder
    chats: Mapping[str, str | None]
    """Conversation → who it is with; None: several."""


def read_calls(file: BinaryIO, zone: tzinfo, unless_shown: DayOrder = "mdy") -> Iterator[Reading]:
    """Read a log; times without an offset are read in `zone`.

    `unless_shown` is the order of the numbers in dates where none of the first rows shows it.
    """
    encoding, _ = sniff_encoding(file)
    table = _find(file, encoding)
    if table is None:
        raise _no_log()
    rows = _sample(file, encoding, table)
    table = _settled(table, rows)
    days = [said["at"] for row in rows if "at" in (said := table.cells(row))]
    terms = _Terms(zone, find_order(days) or unless_shown, _chats(file, encoding, table))
    for row in _rows(file, encoding, table):
        match row:
            case BadRow():
                yield Unread(row.line, row.field, row.reason)
            case Blank():
                yield Passed(row.line, "empty")
            case Cells():
                yield _read(row, table, terms)


def sniff_log(file: BinaryIO) -> Sniffed:
    """Say how a table is read that is a log, or refuse it."""
    encoding, assumed = sniff_encoding(file)
    table = _find(file, encoding)
    if table is None:
        raise _no_log()
    return Sniffed(LOG, encoding, assumed, table.delimiter, table.line)


def _no_log() -> PoisonMessageError:
    named = " or ".join(_words()[0]["at"][:3])
    return PoisonMessageError("invalid", _NO_LOG.format(at=named), field="file")


def is_log(file: BinaryIO, encoding: str) -> bool:
    """Tell whether a table is a log of calls: a number, a moment, and which way or how long.

    Of rows that were rejected, the moment is what most of them do not say: their header counts.
    """
    table = _find(file, encoding)
    if table is None:
        return False
    rows = _sample(file, encoding, table)
    table = _settled(table, rows)
    said = [cells for row in rows if (cells := table.cells(row))]
    is_given_back = table.header[0] == REASON
    if is_given_back and not said:
        return not {"way", "length"}.isdisjoint(table.places)
    moments = [cells["at"] for cells in said if "at" in cells]
    ways = [cells["way"].casefold() in _words()[1] for cells in said if "way" in cells]
    lengths = [seconds_of(cells["length"]) is not None for cells in said if "length" in cells]
    # A day alone is somebody's birthday, or when a row was made.
    timed = [_CLOCK.search(at) is not None or epoch_of(at) is not None for at in moments]
    return (is_given_back or _most(timed)) and (_most(ways) or _most(lengths))


def _most(verdicts: Sequence[bool]) -> bool:
    return bool(verdicts) and sum(verdicts) >= _SHARE * len(verdicts)


def _rows(file: BinaryIO, encoding: str, table: _Table) -> Iterator[Cells | BadRow | Blank]:
    return islice(read_table(file, encoding, table.delimiter, table.line), 1, None)


def _sample(file: BinaryIO, encoding: str, table: _Table) -> list[list[str]]:
    rows = islice(_rows(file, encoding, table), SAMPLE_ROWS)
    return [row.cells for row in rows if isinstance(row, Cells)]


def _find(file: BinaryIO, encoding: str) -> _Table | None:
    """Find the header: the first line that names a number or address and a moment."""
    text = text_of(file, encoding)
    lines = [text.readline(65_536) for _ in range(_PREAMBLE)]
    text.detach()
    for number, line in enumerate(lines, 1):
        for delimiter in sorted(",;\t|", key=line.count, reverse=True):
            header, _ = read_header([line], delimiter)
            places = _places(header)
            if places is not None:
                return _Table(delimiter, number, header, places)
    return None


def _places(header: Sequence[str]) -> dict[str, int] | None:
    """Return what a cell is → its column; None: the header is no log's."""
    known = {name.strip().casefold(): place for place, name in reversed(list(enumerate(header)))}
    found = {
        kind: known[name]
        for kind, names in _words()[0].items()
        for name in reversed(names)
        if name in known
    }
    if found.get("clock") == found.get("at"):
        found.pop("clock", None)
    if "at" not in found and "clock" in found:
        found["at"] = found.pop("clock")
    return found if "at" in found and _REACHED & found.keys() else None


def _settled(table: _Table, rows: Sequence[Sequence[str]]) -> _Table:
    """Choose, of several columns that may say which way a call went, the one whose cells do."""
    words, ways = _words()
    names = frozenset(words["way"])

    def known(place: int) -> int:
        return sum(row[place].strip().casefold() in ways for row in rows if place < len(row))

    columns = [place for place, name in enumerate(table.header) if name.strip().casefold() in names]
    if len(columns) < 2:
        return table
    first = table.places["way"]
    best = max(columns, key=lambda place: (known(place), place == first))
    return _Table(table.delimiter, table.line, table.header, {**table.places, "way": best})


def _chats(file: BinaryIO, encoding: str, table: _Table) -> dict[str, str | None]:
    """Tell by what came in who each conversation is with; what went out may not say it."""
    chats: dict[str, str | None] = {}
    if "chat" not in table.places:
        return chats
    for row in _rows(file, encoding, table):
        said = table.cells(row.cells) if isinstance(row, Cells) else {}
        chat, other = said.get("chat"), said.get("phone") or said.get("email")
        if chat and other and (chat in chats or len(chats) < MAX_CHATS):
            chats[chat] = other if chats.get(chat, other) == other else None
    return chats


def _read(row: Cells, table: _Table, terms: _Terms) -> Reading:
    said = table.cells(row.cells)
    occurred_at = _moment(said, terms)
    if occurred_at is None:
        return Unread(row.line, table.header[table.places["at"]], _NO_MOMENT)
    kind: Kind = "message" if "text" in table.places else "call"
    direction, status = _words()[1].get(said.get("way", "").casefold(), (None, None))
    left_out = []
    if said.get("way") and direction is None:
        left_out.append((table.header[table.places["way"]], _NO_WAY))
    other = said.get({"inbound": "from", "outbound": "to"}.get(direction or "", ""))
    if other and "phone" not in said:
        said["phone"] = other
    if "chat" in said and not {"phone", "email"} & said.keys():
        chat = said["chat"]
        with_whom = terms.chats.get(chat, chat if "@" in chat or _NUMBER.fullmatch(chat) else "")
        if not with_whom:
            return Passed(row.line, _GROUP if with_whom is None else _NOBODY)
        said = {**said, "phone": with_whom, "name": said.get("name", chat)}
    raw: dict[str, Any] = {
        name: cell
        for name, cell in zip(table.header, row.cells, strict=False)
        if cell and name != REASON
    }
    logged = Logged(row.line, kind, direction, status, occurred_at, said, raw, tuple(left_out))
    return logged.told()


def _moment(said: Mapping[str, str], terms: _Terms) -> datetime | None:
    text = said.get("at", "")
    try:
        if (since := epoch_of(text)) is not None:
            return since
        whole = f"{text} {said['clock']}" if "clock" in said else text
        moment = _iso(whole) or _written(whole, terms.order)
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None:
        return None
    return moment.replace(tzinfo=terms.zone) if moment.tzinfo is None else moment


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
    if hour > 23 or minute > 59 or second > 59:
        return None
    if clock[4] and hour <= 12:  # some write 14:05 PM
        hour = hour % 12 + (12 if clock[4] in "pP" else 0)
    return datetime.fromisoformat(day) + timedelta(hours=hour, minutes=minute, seconds=second)
