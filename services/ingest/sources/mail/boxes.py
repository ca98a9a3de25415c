"""Where one message ends and the next begins: mbox of any dialect, single messages, Apple's .emlx.

Only the beginning of a message is held, so that memory does not grow with a file or a message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal
from urllib.parse import unquote

from services.ingest.sources.mail.separators import (
    FIELD,
    HEAD_BYTES,
    USUAL_FIELD,
    end_of_header,
    is_separator,
    separators,
    start_of,
)
from shared.errors import PoisonMessageError

BoxKind = Literal["mbox", "eml", "emlx"]

KEPT_BYTES: Final = 2 * 1024 * 1024
"""Of a message so much is read; text stands before attachments, which nobody reads here."""

GROWTH: Final = 8 << 20
"""Bytes that come before a growing mailbox is looked at again."""

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
    head = start_of(file)[0]
    if head.startswith(b"From ") and is_separator(head, 0, at_start=True):
        return "mbox"
    count = _COUNT.match(head)
    if count and USUAL_FIELD.match(head, count.end()):
        return "emlx"
    return "eml" if _is_header(head) else None


def shown_box(file: BinaryIO) -> BoxKind | None:
    """Do the same with a file that nobody calls mail: a single message must show that it is one.

    Above a table, or in one, lines may stand like those of a header.
    """
    kind = sniff_box(file)
    if kind in (None, "mbox"):
        return kind
    text = start_of(file)[0].replace(b"\r\n", b"\n")
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
    head = start_of(file)[0]
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
    skipped = start_of(file)[1]
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
        for offset, line in separators(file):
            if before is not None:
                yield before[1] + 1, before[0], offset
            before = offset, line
        return
    [stored] = read_box(file, kind)
    start = start_of(file)[1]
    if kind == "emlx":
        file.seek(start)
        start += len(file.readline())
    yield stored.line, start, start + stored.size


def _is_header(head: bytes) -> bool:
    """Tell whether text is the header of a message: fields line by line, a usual one among them."""
    usual = False
    for number, line in enumerate(head.split(b"\n", 80)[:80]):
        text = line.rstrip(b"\r")
        if not text:
            break
        if number and text[:1] in b" \t":
            continue
        if not FIELD.match(text):
            return False
        usual = usual or bool(USUAL_FIELD.match(text))
    return usual


def _read_mbox(file: BinaryIO, *, heads: bool = False) -> Iterator[Stored]:
    before: tuple[int, int] | None = None
    for offset, line in separators(file):
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
        for offset, line in separators(file, self._before, is_whole=is_whole):
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
    if len(raw) < kept and end_of_header(raw)[0] < 0:
        raw += file.read(kept - len(raw))
    envelope = raw.find(b"\n") + 1 or len(raw)
    folder = _FOLDER.match(raw, 0, envelope)
    body = envelope
    while raw.startswith((b">From ", b"From "), body):  # a separator below the separator
        body = raw.find(b"\n", body) + 1 or len(raw)
    name = unquote(folder[1].decode("ascii", "replace")) if folder else ""
    return Stored(_QUOTED.sub(rb"\n\1", raw[body:]), line + 1, end - start, name)
