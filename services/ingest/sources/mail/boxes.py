"""Where one message ends and the next begins: mbox of any dialect, single messages, Apple's .emlx.

Only the beginning of a message is held, so that memory does not grow with a file or a message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal
from urllib.parse import unquote

from shared.errors import PoisonMessageError

BoxKind = Literal["mbox", "eml", "emlx"]

KEPT_BYTES: Final = 2 * 1024 * 1024
"""Of a message so much is read; text stands before attachments, which nobody reads here."""

CHUNK: Final = 1 << 20
"""Bytes that are looked through at once."""

GROWTH: Final = 8 << 20
"""Bytes that come before a growing mailbox is looked at again."""

LONGEST_LINE: Final = 2_048
"""A separator and the line behind it are not longer: so much must be at hand to judge them."""

HEAD_BYTES: Final = 16 * 1024
"""In so many bytes the blank line behind a header is looked for."""

_DATED = re.compile(
    rb"From [^\n]*?(?:\d{1,2}:\d\d(?::\d\d)?[^\n]{0,40}?\b(?:19|20)\d\d\b"
    rb"|\b(?:19|20)\d\d\b[^\n]{0,20}?\d{1,2}:\d\d(?::\d\d)?)[^\n]*\n"
)
"""A separator with a moment, as all mbox dialects write it (RFC 4155), in whatever order."""

_FIELD = re.compile(rb"(?:>?From |[!-9;-~]{1,76}:)")
"""How a line of a header begins; some programs leave a quoted separator above it."""

_USUAL_FIELD = re.compile(
    rb"(?:Return-Path|Received|Delivered-To|X-Original-To|Envelope-To|From|To|Cc|Subject|Date"
    rb"|Message-ID|MIME-Version|Content-Type|Reply-To|Sender|DKIM-Signature|Status|X-Status"
    rb"|X-Mozilla-Status|X-Mozilla-Keys|X-GM-THRID|X-Gmail-Labels|X-UID|X-Account-Key"
    rb"|ARC-Seal|Authentication-Results|Received-SPF|In-Reply-To|References"
    rb"|X-Kith-Reason)[ \t]*:",
    re.IGNORECASE,
)
"""A line that opens a message's header, and hardly ever stands in running text.

The last stands above messages that are given back as rejected, whatever their separators say.
"""

_PROGRAMS_FIELD = re.compile(
    rb"^(?:Return-Path|Received|Delivered-To|X-Original-To|Envelope-To|Message-ID|MIME-Version"
    rb"|DKIM-Signature|X-Mozilla-Status|X-Mozilla-Keys|X-GM-THRID|X-Gmail-Labels|X-Account-Key"
    rb"|ARC-Seal|Authentication-Results|Received-SPF|In-Reply-To)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that only mail programs write."""

_ADDRESS_FIELD = re.compile(
    rb"^(?:From|To|Cc|Reply-To|Sender)[ \t]*:(?:[^\n]|\n[ \t]){0,998}?[^\s@<]@[^\s@>]",
    re.IGNORECASE | re.MULTILINE,
)
"""A line, or a folded one, that names a mailbox by its address."""

_DELIMITERS: Final = b",;\t|"

_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_SEPARATOR = re.compile(rb"\nFrom ")
"""An expression, as it is found in half the time that `bytes.find` takes."""

_BEHIND: Final = 7
"""Bytes behind a message in which the next separator shows."""

_FOLDER = re.compile(rb"From kith-folder=([^\s;]*) ")
_QUOTED = re.compile(rb"\n>(>*From )")
_COUNT = re.compile(rb"\s*(\d{1,12})[ \t]*\r?\n")

_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xd0\xcf\x11\xe0", "an Outlook message (.msg); save it as .eml"),
    (b"!BDN", "an Outlook data file (.pst or .ost); export its folders as .eml or .mbox"),
    (b"PK\x03\x04", "a zip archive; unpack it and import what is in it"),
    (b"\x1f\x8b", "compressed (gzip); unpack it and import what is in it"),
    (b"BZh", "compressed (bzip2); unpack it and import what is in it"),
    (b"\xfd7zXZ", "compressed (xz); unpack it and import what is in it"),
    (b"\x01\x01\x01\x01\n", "a mailbox in MMDF format; convert it to mbox"),
    (b"BABYL OPTIONS", "a mailbox in Babyl format; convert it to mbox"),
)
"""How files begin that are often taken for mail, and what to do with them."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One message as it lies in a mailbox."""

    raw: bytes
    """Its first `KEPT_BYTES`, without the separator; escaped `From ` lines as they were."""
    line: int
    """Line of the file at which it begins, from 1."""
    size: int
    """Bytes of all of it."""
    folder: str = ""
    """The mailbox it was in, where the file says so."""


def sniff_box(file: BinaryIO) -> BoxKind | None:
    """Tell what kind of mail a file holds; None: it is no mail."""
    head = _start(file)[0]
    if head.startswith(b"From ") and _is_separator(head, 0, at_start=True):
        return "mbox"
    count = _COUNT.match(head)
    if count and _USUAL_FIELD.match(head, count.end()):
        return "emlx"
    return "eml" if _is_header(head) else None


def shown_box(file: BinaryIO) -> BoxKind | None:
    """Do the same with a file that nobody calls mail: a single message must show that it is one.

    Above a table, or in one, lines may stand like those of a header.
    """
    kind = sniff_box(file)
    if kind in (None, "mbox"):
        return kind
    text = _start(file)[0].replace(b"\r\n", b"\n")
    header, _, body = text.partition(b"\n\n")
    if _PROGRAMS_FIELD.search(header):
        return kind
    return kind if _ADDRESS_FIELD.search(header) and not _is_table(body) else None


def _is_table(text: bytes) -> bool:
    """Tell whether the first two lines are cells of as many columns, three or more."""
    lines = [line for line in text.split(b"\n", 20)[:20] if line.strip()][:2]
    return len(lines) == 2 and any(
        lines[0].count(one) == lines[1].count(one) > 1
        for one in (bytes([delimiter]) for delimiter in _DELIMITERS)
    )


def why_no_mail(file: BinaryIO) -> PoisonMessageError:
    """Say what a file is instead, and what would be right."""
    head = _start(file)[0]
    for start, name in _FOREIGN:
        if head.startswith(start):
            return PoisonMessageError("invalid", f"is {name}", field="file")
    if not head.strip():
        return PoisonMessageError("invalid", "the file is empty", field="file")
    return PoisonMessageError(
        "invalid",
        "holds no mail: an mbox begins with a line like `From ada@example.com Mon Jan  5 …`, a "
        "message with its header, like `From: ada@example.com`",
        field="file",
    )


def read_box(file: BinaryIO, kind: BoxKind, *, heads: bool = False) -> Iterator[Stored]:
    """Yield the messages of a file in their order; every call reads the same.

    `heads`: what stands above their bodies is enough; less is read then.
    """
    if kind == "mbox":
        yield from _read_mbox(file, heads=heads)
        return
    skipped = _start(file)[1]
    size = file.seek(0, 2) - skipped
    file.seek(skipped)
    raw = file.read(KEPT_BYTES)
    file.seek(0)
    line = 1 + file.read(skipped).count(b"\n")
    if kind == "emlx" and (count := _COUNT.match(raw)):
        size = min(int(count[1]), size - count.end())
        raw, line = raw[count.end() : count.end() + size], line + 1
    yield Stored(raw, line, size)


def spans(file: BinaryIO, kind: BoxKind) -> Iterator[tuple[int, int, int]]:
    """Yield where each message lies: its line, as in `Stored`, its first octet and the one behind.

    Of an mbox with the separator above.
    """
    if kind == "mbox":
        before: tuple[int, int] | None = None
        for offset, line in _separators(file):
            if before is not None:
                yield before[1] + 1, before[0], offset
            before = offset, line
        return
    [stored] = read_box(file, kind)
    start = _start(file)[1]
    if kind == "emlx":
        file.seek(start)
        start += len(file.readline())
    yield stored.line, start, start + stored.size


def _start(file: BinaryIO) -> tuple[bytes, int]:
    """Return the first bytes behind a byte order mark and blank lines, and how many those are."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t")
    return bare, len(head) - len(bare)


def _is_header(head: bytes) -> bool:
    """Tell whether text is the header of a message: fields line by line, a usual one among them."""
    usual = False
    for number, line in enumerate(head.split(b"\n", 80)[:80]):
        text = line.rstrip(b"\r")
        if not text:
            break
        if number and text[:1] in b" \t":
            continue
        if not _FIELD.match(text):
            return False
        usual = usual or bool(_USUAL_FIELD.match(text))
    return usual


def _is_separator(data: bytes, at: int, *, at_start: bool) -> bool:
    """Judge a line that begins with `From `: text that was not escaped begins so too.

    What is behind it must look like a header.  A line without a moment separates only below a
    blank line, and above a field that mail has.
    """
    end = data.find(b"\n", at)
    if end < 0:
        return False
    behind = end + 1
    if _DATED.match(data, at):
        return bool(_FIELD.match(data, behind)) or data[behind : behind + 1] in (b"", b"\n", b"\r")
    below_blank = (
        at_start or data[max(0, at - 2) : at] == b"\n\n" or data[at - 4 : at] == b"\r\n\r\n"
    )
    return below_blank and bool(_USUAL_FIELD.match(data, behind))


def _separators(
    file: BinaryIO, begun: tuple[int, int] | None = None, *, is_whole: bool = True
) -> Iterator[tuple[int, int]]:
    """Yield offset and line of every separator, then the end of the file.

    `begun`: the one to begin with.  Of a file that is not whole yet those are told that nothing can
    change any more, and no end.
    """
    if begun is None:
        begin = _start(file)[1]
        file.seek(0)
        begun = begin, 1 + file.read(begin).count(b"\n")
    begin, line = begun
    data, base = b"", begin
    size = file.seek(0, 2)
    passed = begin
    while True:
        file.seek(base + len(data))
        chunk = file.read(CHUNK)
        data += chunk
        is_last = base + len(data) >= size or not chunk
        limit = len(data) if is_last else max(0, len(data) - LONGEST_LINE)
        if not is_whole:
            limit = max(0, min(limit, size - base - LONGEST_LINE - HEAD_BYTES))
        counted = 0
        at = 0 if base == begin else _next_separator(data, 0)
        while at < limit and (at > 0 or base == begin):
            if base + at >= passed and _is_separator(data, at, at_start=base + at == begin):
                line += data.count(b"\n", counted, at)
                counted = at
                yield base + at, line
                head = data[at : at + HEAD_BYTES]
                if len(head) < HEAD_BYTES and not is_last:
                    file.seek(base + at)
                    head = file.read(HEAD_BYTES)
                passed = _end_by_length(file, head, base + at, size, is_whole=is_whole)
                if passed > size - _BEHIND and not is_whole:
                    return
            at = _next_separator(data, at)
            if at == 0:
                break
        if is_last:
            if is_whole:
                yield base + len(data), line
            return
        # Four bytes more are kept: a blank line above a separator must be seen.
        cut = max(counted, limit - 4, 1)
        line += data.count(b"\n", counted, cut)
        data, base = data[cut:], base + cut


def _next_separator(data: bytes, behind: int) -> int:
    """Return where the next line begins that may separate messages; 0: nowhere."""
    found = _SEPARATOR.search(data, behind)
    return found.start() + 1 if found else 0


def _end_by_length(file: BinaryIO, head: bytes, start: int, size: int, *, is_whole: bool) -> int:
    """Return where a message ends by its own `Content-Length`, if a separator stands there.

    Dialects that escape nothing (mboxcl2) are read by it; a length that is stale is not believed.
    Of a file that is not whole yet an end that is not there yet is told as it is claimed.
    """
    blank, body = _end_of_header(head)
    if blank < 0 or head.find(b"ength:", 0, blank) < 0:
        return start + 5
    found = _LENGTH.search(head, 0, blank)
    if found is None:
        return start + 5
    end = start + body + int(found[1])
    if not is_whole and end > size - _BEHIND:
        return end
    file.seek(end)
    behind = file.read(_BEHIND).lstrip(b"\r\n")
    is_end = end == size or (end < size and (behind.startswith(b"From ") or not behind))
    return end if is_end else start + 5


def _end_of_header(head: bytes) -> tuple[int, int]:
    """Return where the line above the blank one ends, and where the body begins; -1: nowhere."""
    blank = head.find(b"\n\n")
    windows = head.find(b"\n\r\n", 0, blank + 1 if blank >= 0 else len(head))
    return (windows, windows + 3) if windows >= 0 else (blank, blank + 2)


def _read_mbox(file: BinaryIO, *, heads: bool = False) -> Iterator[Stored]:
    before: tuple[int, int] | None = None
    for offset, line in _separators(file):
        if before is not None:
            yield _stored(file, *before, offset, heads=heads)
        before = offset, line


class Heads:
    """Reads the heads of messages of an mbox that still grows: each once, in their order."""

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None
        self._waits_for = GROWTH

    def is_due(self, size: int) -> bool:
        """Tell whether enough came since the last look, at what was passed then.

        The message that is not whole is looked through again each time: so never before what there
        is of it has doubled.
        """
        return size >= self._waits_for

    def read(self, file: BinaryIO, *, is_whole: bool) -> Iterator[Stored]:
        """Yield what came since the last look, up to the last message that is surely whole."""
        for offset, line in _separators(file, self._before, is_whole=is_whole):
            if self._before is not None and offset > self._before[0]:
                yield _stored(file, *self._before, offset, heads=True)
            self._before = offset, line
        size = file.seek(0, 2)
        unfinished = size - self._before[0] if self._before else size
        self._waits_for = size + max(GROWTH, unfinished)


def _stored(file: BinaryIO, start: int, line: int, end: int, *, heads: bool) -> Stored:
    kept = min(end - start, KEPT_BYTES)
    file.seek(start)
    raw = file.read(min(kept, HEAD_BYTES) if heads else kept)
    if len(raw) < kept and _end_of_header(raw)[0] < 0:
        raw += file.read(kept - len(raw))
    envelope = raw.find(b"\n") + 1 or len(raw)
    folder = _FOLDER.match(raw, 0, envelope)
    body = envelope
    while raw.startswith((b">From ", b"From "), body):  # a separator below the separator
        body = raw.find(b"\n", body) + 1 or len(raw)
    name = unquote(folder[1].decode("ascii", "replace")) if folder else ""
    return Stored(_QUOTED.sub(rb"\n\1", raw[body:]), line + 1, end - start, name)
