"""Rejected messages, meetings and calls as their file had them, each with its reason.

What comes back is a file of the same kind: corrected, it can be imported, and the reasons say
nothing then. Octets are given back as they are, but for where a file has no encoding of its own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, BinaryIO, Final, cast

import orjson

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.activities import BACKUP, CALENDAR, LINES
from services.ingest.sources.calendar_blocks import encoding_of, physical_lines
from services.ingest.sources.calls import sniff_log
from services.ingest.sources.mail.boxes import BoxKind, spans
from services.ingest.sources.originals import original_elements
from services.ingest.sources.phone_backup import ENTRIES, pieces_of
from services.ingest.sources.rejected_tables import Reject, rejected_lines
from services.ingest.sources.rejects import PROPERTY, tells_reason
from services.ingest.sources.sniffed import LOG
from shared.events.topics import MAX_SIGNAL_BYTES

HEADER: Final = b"X-Kith-Reason"
"""The field in which a message says what is wrong with it."""

MEDIA: Final[Mapping[str, tuple[str, str]]] = {
    "mbox": ("application/mbox", "mbox"),
    "eml": ("message/rfc822", "eml"),
    "emlx": ("message/rfc822", "eml"),
    CALENDAR: ("text/calendar; charset=utf-8", "ics"),
    LOG: ("text/csv; charset=utf-8", "csv"),
    BACKUP: ("application/xml", "xml"),
    LINES: ("application/jsonl", "jsonl"),
}
"""Layout → media type and ending of the file that rejects come back in."""

_MARK = re.compile(r"(BEGIN|END):([\w-]+)\s*", re.IGNORECASE)
"""How a component of a calendar begins, and how it ends."""

_ALONE: Final = frozenset({"VEVENT", "VTIMEZONE"})
"""Components that stand within no other: where one begins, another has no end."""

_OLD = re.compile(rb'\{\s*"%b"\s*:\s*"(?:[^"\\]|\\.)*+"\s*,?' % REASON.encode())
"""How an object begins that was given back as rejected."""

_PIECE: Final = 1 << 16
_FOLD: Final = 60
"""Letters of a reason on one line of a calendar: 75 octets are the most (RFC 5545 3.1)."""


def write_rejected_entries(
    file: BinaryIO, layout: str, rejects: Sequence[Reject], out: IO[bytes]
) -> None:
    """Write the rejected entries, which are in the order of the file."""
    match layout:
        case "calendar":
            pieces = _events(file, _by_line(rejects))
        case "phone-backup":
            pieces = original_elements(pieces_of(file), ENTRIES, _by_number(rejects))
        case "json-lines":
            pieces = _objects(file, _by_line(rejects))
        case "call-log":
            pieces = (one.encode() for one in rejected_lines(file, sniff_log(file), rejects))
        case _:
            pieces = _messages(file, cast("BoxKind", layout), _by_line(rejects))
    for piece in pieces:
        out.write(piece)


def _by_line(rejects: Iterable[Reject]) -> dict[int, str]:
    """Return what is wrong with what begins on a line: one meeting may take place several times."""
    found: dict[int, str] = {}
    for one in rejects:
        reason = " ".join(one.reason.split())
        found[one.line] = f"{found[one.line]}; {reason}" if one.line in found else reason
    return found


def _by_number(rejects: Iterable[Reject]) -> dict[int, str]:
    return {one.number: " ".join(one.reason.split()) for one in rejects}


def _messages(file: BinaryIO, kind: BoxKind, reasons: Mapping[int, str]) -> Iterator[bytes]:
    for line, start, end in spans(file, kind):
        if line not in reasons:
            continue
        file.seek(start)
        above = file.readline(end - start) if kind == "mbox" else b""
        head = file.readline(min(end - start - len(above), _PIECE))
        while head.startswith((b"From ", b">From ")):  # a separator below the separator
            above += head
            head = file.readline(min(end - start - len(above), _PIECE))
        newline = b"\r\n" if (above or head).endswith(b"\r\n") else b"\n"
        left, last = end - start - len(above) - len(head), head[-1:] or newline
        yield above + HEADER + b": " + reasons[line].encode() + newline
        # What was wrong with it before is what was corrected since.
        yield b"" if head.startswith(HEADER + b":") else head
        while left > 0 and (piece := file.read(min(left, _PIECE))):
            left, last = left - len(piece), piece[-1:]
            yield piece
        if last != b"\n":
            yield newline


def _events(file: BinaryIO, reasons: Mapping[int, str]) -> Iterator[bytes]:
    """Write the events with the zones and properties that they are read by."""
    inside, is_kept, is_reason = "", True, False
    for number, raw, line in physical_lines(file, encoding_of(file)):
        is_reason = tells_reason(line, goes_on=is_reason)
        if number in reasons:
            inside, is_kept = "VEVENT", True
            yield raw if raw.endswith(b"\n") else raw + b"\r\n"
            yield _property(reasons[number])
            continue
        mark = _MARK.fullmatch(line)
        begins, name = (mark[1].upper() == "BEGIN", mark[2].upper()) if mark else (False, "")
        if name == "VCALENDAR":
            inside, is_kept = "", True
        elif begins and (not inside or name in _ALONE):
            inside, is_kept = name, name == "VTIMEZONE"
        if is_kept and not is_reason:
            yield raw
        if not begins and name and name == inside:
            inside, is_kept = "", True


def _property(reason: str) -> bytes:
    told = reason.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    text = f"{PROPERTY}:{told}"
    lines = [text[at : at + _FOLD] for at in range(0, len(text), _FOLD)]
    return "\r\n ".join(lines).encode() + b"\r\n"


def _objects(file: BinaryIO, reasons: Mapping[int, str]) -> Iterator[bytes]:
    file.seek(0)
    number = 0
    while line := file.readline(MAX_SIGNAL_BYTES + 1):
        number += 1
        is_whole = line.endswith(b"\n") or len(line) <= MAX_SIGNAL_BYTES
        rest = b"" if is_whole else line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_SIGNAL_BYTES)
        if number in reasons:
            yield _object(line.strip() if is_whole else b"{}", reasons[number]) + b"\n"


def _object(line: bytes, reason: str) -> bytes:
    """Write an object as it stands, behind its reason; of what is none, its text.

    A reason of before is left out: by it, what was rejected then was corrected.
    """
    bare = line.removeprefix(b"\xef\xbb\xbf")
    told = _member(REASON, reason)
    members = _members(bare)
    if members is None:
        members = _member("text", line.decode("utf-8", "replace"))
    return b"{%b%b%b}" % (told, b"," if members else b"", members)


def _members(line: bytes) -> bytes | None:
    """Return what an object says, without the reason of before; None: it is none."""
    for text in (line, _OLD.sub(b"{", line, count=1)):
        try:
            value: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(value, dict):
            return None
        if REASON not in value:
            return text[1:-1].strip()
    try:
        # Not first, where it was put: numbers of any length are kept, and letters are escaped.
        value = json.loads(line)
        del value[REASON]
        return json.dumps(value).encode()[1:-1]
    except (ValueError, RecursionError):
        return None


def _member(name: str, text: str) -> bytes:
    return orjson.dumps(name) + b":" + orjson.dumps(text)
