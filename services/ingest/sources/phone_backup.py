"""Backups of calls and messages as `SMS Backup & Restore` writes them on Android, in XML.

The app writes what lies beyond 16 bits as two halves, which XML forbids: they are put together
first.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from services.ingest.sources.happened import Passed, Reading, Unread
from services.ingest.sources.logged import WAYS, Direction, Kind, Logged, epoch_of
from services.ingest.sources.xml_elements import BrokenXmlError, make_parser

ROOT: Final = re.compile(rb"<(?:smses|calls)[\s>/]")
"""How such a backup begins, behind what XML may have before."""

ENTRIES: Final = frozenset({"call", "sms", "mms"})
"""Elements of which each is a call or a message."""

MAX_ELEMENT: Final = 8 << 20
"""Bytes of one element: pictures stand within them, which no carrier lets be larger."""

_PIECE: Final = 1 << 16
_MOST_RAW: Final = 10_000
"""Characters of one attribute that are kept with the record."""

_HELD: Final = 24
"""Bytes that two halves of a letter may take, from the first of them."""

_HIGH: Final = rb"&#(55(?:29[6-9]|[3-9]\d\d)|56(?:[0-2]\d\d|3[01]\d));"
_LOW: Final = rb"&#(56(?:3[2-9]\d|[4-9]\d\d)|57(?:[0-2]\d\d|3[0-3]\d|34[0-3]));"
_HALVES = re.compile(_HIGH + _LOW)
_ALONE = re.compile(rb"%b|%b|&#0*(?:[0-8]|1[124-9]|2\d|3[01]);" % (_HIGH, _LOW))
"""Half a letter, or a control character: no XML may refer to it."""

_MESSAGES: Final[Mapping[str, Direction]] = {"1": "inbound", "2": "outbound"}
_NOTHING: Final = frozenset({"null", "(Unknown)", "insert-address-token"})

_DEEPEST: Final = 16
"""Elements within one another: a backup nests five."""

_DEEP: Final = "nests elements deeper than 16, as no backup does; what follows is not read"
_BROKEN: Final = "is no XML from here on; what stands before it was read. Back up again"
_LONG: Final = "is longer than 8,388,608 bytes; what follows is not read"
_NO_DATE: Final = "is no moment in milliseconds since 1970"
_UNSENT: Final = "was not sent"
_GROUP: Final = "went to a group"


def read_backup(file: BinaryIO) -> Iterator[Reading]:
    """Yield every call and message of a backup."""
    elements = _Elements()
    for piece in pieces_of(file):
        yield from elements.feed(piece, is_last=False)
        if elements.is_over:
            return
    yield from elements.feed(b"", is_last=True)


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield a backup as XML that can be read, in pieces."""
    file.seek(0)
    held = b""
    while piece := file.read(_PIECE):
        whole = held + piece
        # Of a letter's halves one may come with the next piece.
        begin = whole.find(b"&", max(0, len(whole) - _HELD))
        cut = begin if begin >= 0 else len(whole)
        held = whole[cut:]
        yield _mended(whole[:cut])
    yield _mended(held)


def _mended(raw: bytes) -> bytes:
    if b"&#" not in raw:
        return raw
    return _ALONE.sub(b"&#65533;", _HALVES.sub(_joined, raw))


def _joined(found: re.Match[bytes]) -> bytes:
    high, low = int(found[1]), int(found[2])
    return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


class _Elements:
    """The elements of a backup, as far as it has been read."""

    def __init__(self) -> None:
        self.is_over = False
        self._found: list[Reading] = []
        self._parser = make_parser("backup", begin=self._begin, end=self._end)
        self._fed = 0
        self._seen = 0
        """Bytes up to the last element that has begun or ended."""
        self._depth = 0
        self._mms: dict[str, Any] | None = None

    def feed(self, raw: bytes, *, is_last: bool) -> list[Reading]:
        """Take the next bytes; returns what they end."""
        self._fed += len(raw)
        try:
            self._parser.Parse(raw, is_last)
        except BrokenXmlError as error:
            self.is_over = True
            self._found.append(Unread(error.lineno, "", _BROKEN))
        if self._fed - self._seen > MAX_ELEMENT:
            self.is_over = True
            self._found.append(Unread(self._parser.CurrentLineNumber, "", _LONG))
        elif self._depth > _DEEPEST:
            self.is_over = True
            self._found.append(Unread(self._parser.CurrentLineNumber, "", _DEEP))
        found, self._found = self._found, []
        return found

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._seen = self._parser.CurrentByteIndex
        self._depth += 1
        line = self._parser.CurrentLineNumber
        said = {key: text for key, text in attributes.items() if text and text not in _NOTHING}
        match name:
            case "call":
                way = WAYS.get(said.get("type", ""), (None, None))
                self._found.append(_told(line, "call", way, said, said.get("number", "")))
            case "sms":
                self._found.append(_message(line, said, said.get("type", ""), {}))
            case "mms":
                self._mms = {"line": line, "said": said, "texts": [], "size": 0}
            case "part" if self._mms is not None and self._mms["size"] < _MOST_RAW:
                if said.get("ct") == "text/plain" and "text" in said:
                    self._mms["texts"].append(said["text"])
                    self._mms["size"] += len(said["text"])

    def _end(self, name: str) -> None:
        self._seen = self._parser.CurrentByteIndex
        self._depth -= 1
        if name == "mms" and self._mms is not None:
            one, self._mms = self._mms, None
            text = {"body": "\n".join(one["texts"])} if one["texts"] else {}
            self._found.append(
                _message(one["line"], one["said"], one["said"].get("msg_box", ""), text)
            )


def _message(line: int, said: dict[str, str], way: str, text: dict[str, str]) -> Reading:
    direction = _MESSAGES.get(way)
    if direction is None:
        return Passed(line, _UNSENT)
    address = said.get("address", "")
    if "~" in address:
        return Passed(line, _GROUP)
    return _told(line, "message", (direction, None), {**said, **text}, address)


def _told(
    line: int,
    kind: Kind,
    way: tuple[Direction | None, str | None],
    said: Mapping[str, str],
    number: str,
) -> Reading:
    occurred_at = epoch_of(said.get("date", ""))
    if occurred_at is None:
        return Unread(line, "date", _NO_DATE)
    names = {"name": "contact_name", "length": "duration", "text": "body", "title": "subject"}
    known = {ours: said[theirs] for ours, theirs in names.items() if theirs in said}
    told = {**known, "phone": number.strip()}
    raw = {name: text[:_MOST_RAW] for name, text in said.items()}
    return Logged(line, kind, *way, occurred_at, told, raw).told()
