"""Lines that part the messages of an mbox of any dialect, found in a window that moves over it."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

CHUNK: Final = 1 << 20
"""Bytes that are looked through at once."""

LONGEST_LINE: Final = 2_048
"""A separator and the line behind it are not longer: so much must be at hand to judge them."""

HEAD_BYTES: Final = 16 * 1024
"""In so many bytes the blank line behind a header is looked for."""

_DATED = re.compile(
    rb"From [^\n]*?(?:\d{1,2}:\d\d(?::\d\d)?[^\n]{0,40}?\b(?:19|20)\d\d\b"
    rb"|\b(?:19|20)\d\d\b[^\n]{0,20}?\d{1,2}:\d\d(?::\d\d)?)[^\n]*\n"
)
"""A separator with a moment, as all mbox dialects write it (RFC 4155), in whatever order."""

FIELD = re.compile(rb"(?:>?From |[!-9;-~]{1,76}:)")
"""How a line of a header begins; some programs leave a quoted separator above it."""

USUAL_FIELD = re.compile(
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

_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_SEPARATOR = re.compile(rb"\nFrom ")
"""An expression, as it is found in half the time that `bytes.find` takes."""

_BEHIND: Final = 7
"""Bytes behind a message in which the next separator shows."""


class _Window:
    """A part of a file that is looked through, and where in the file it is."""

    def __init__(self, file: BinaryIO, begin: int, line: int) -> None:
        self.file = file
        self.size = file.seek(0, 2)
        self.begin = begin
        """Where the first message begins: there is no line above its separator."""
        self.base = begin
        """Where the window begins."""
        self.data = b""
        self.line = line
        """The line of the last separator."""
        self._counted = 0
        """How much of the window its lines are counted of."""

    def grow(self) -> bool:
        """Take the next piece in; tells whether that is the end of the file."""
        self.file.seek(self.base + len(self.data))
        piece = self.file.read(CHUNK)
        self.data += piece
        return self.base + len(self.data) >= self.size or not piece

    def starts(self, limit: int) -> Iterator[int]:
        """Yield where lines begin, below a limit, that may part messages."""
        at = 0 if self.base == self.begin else _next_separator(self.data, 0)
        while at < limit and (at > 0 or self.base == self.begin):
            yield at
            at = _next_separator(self.data, at)
            if at == 0:
                return

    def line_at(self, at: int) -> int:
        """Return the line of a separator that is behind all that were asked for."""
        self.line += self.data.count(b"\n", self._counted, at)
        self._counted = at
        return self.line

    def head_at(self, at: int, *, is_last: bool) -> bytes:
        """Return what stands behind a separator: so much that a header is in it."""
        head = self.data[at : at + HEAD_BYTES]
        if len(head) < HEAD_BYTES and not is_last:
            self.file.seek(self.base + at)
            head = self.file.read(HEAD_BYTES)
        return head

    def move(self, limit: int) -> None:
        """Let go of what has been looked through up to a limit."""
        # Four bytes more are kept: a blank line above a separator must be seen.
        cut = max(self._counted, limit - 4, 1)
        self.line_at(cut)
        self.data, self.base, self._counted = self.data[cut:], self.base + cut, 0


def separators(
    file: BinaryIO, begun: tuple[int, int] | None = None, *, is_whole: bool = True
) -> Iterator[tuple[int, int]]:
    """Yield offset and line of every separator, then the end of the file.

    `begun`: the one to begin with.  Of a file that is not whole yet those are told that nothing can
    change any more, and no end.
    """
    if begun is None:
        begin = start_of(file)[1]
        file.seek(0)
        begun = begin, 1 + file.read(begin).count(b"\n")
    window = _Window(file, *begun)
    passed = window.begin
    while True:
        is_last = window.grow()
        limit = len(window.data) if is_last else max(0, len(window.data) - LONGEST_LINE)
        if not is_whole:
            limit = max(0, min(limit, window.size - window.base - LONGEST_LINE - HEAD_BYTES))
        for at in window.starts(limit):
            offset = window.base + at
            at_start = offset == window.begin
            if offset < passed or not is_separator(window.data, at, at_start=at_start):
                continue
            yield offset, window.line_at(at)
            head = window.head_at(at, is_last=is_last)
            passed = _end_by_length(file, head, offset, window.size, is_whole=is_whole)
            if passed > window.size - _BEHIND and not is_whole:
                return
        if is_last:
            if is_whole:
                yield window.base + len(window.data), window.line
            return
        window.move(limit)


def is_separator(data: bytes, at: int, *, at_start: bool) -> bool:
    """Judge a line that begins with `From `: text that was not escaped begins so too.

    What is behind it must look like a header.  A line without a moment separates only below a
    blank line, and above a field that mail has.
    """
    end = data.find(b"\n", at)
    if end < 0:
        return False
    behind = end + 1
    if _DATED.match(data, at):
        return bool(FIELD.match(data, behind)) or data[behind : behind + 1] in (b"", b"\n", b"\r")
    below_blank = (
        at_start or data[max(0, at - 2) : at] == b"\n\n" or data[at - 4 : at] == b"\r\n\r\n"
    )
    return below_blank and bool(USUAL_FIELD.match(data, behind))


def _next_separator(data: bytes, behind: int) -> int:
    """Return where the next line begins that may separate messages; 0: nowhere."""
    found = _SEPARATOR.search(data, behind)
    return found.start() + 1 if found else 0


def _end_by_length(file: BinaryIO, head: bytes, start: int, size: int, *, is_whole: bool) -> int:
    """Return where a message ends by its own `Content-Length`, if a separator stands there.

    Dialects that escape nothing (mboxcl2) are read by it; a length that is stale is not believed.
    Of a file that is not whole yet an end that is not there yet is told as it is claimed.
    """
    blank, body = end_of_header(head)
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


def end_of_header(head: bytes) -> tuple[int, int]:
    """Return where the line above the blank one ends, and where the body begins; -1: nowhere."""
    blank = head.find(b"\n\n")
    windows = head.find(b"\n\r\n", 0, blank + 1 if blank >= 0 else len(head))
    return (windows, windows + 3) if windows >= 0 else (blank, blank + 2)


def start_of(file: BinaryIO) -> tuple[bytes, int]:
    """Return the first bytes behind a byte order mark and blank lines, and how many those are."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t")
    return bare, len(head) - len(bare)
