"""vCard's lines: cut out of a file's bytes and unfolded, streaming and within bounds.

Folds are undone on bytes, since they may cut a character in two; a picture is passed over as it is
read and never held.  Sources: vCard 2.1, RFC 2426 (3.0), RFC 6350 (4.0), and what exporters make
of them (product research 3.5).
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

BLOCK: Final = 1 << 18
"""Bytes read at once."""

MAX_LINE: Final = 65_536
"""Bytes of one unfolded line that are kept; no field takes as much."""

MAX_HEAD: Final = 2_048
"""Bytes in which a line's name and parameters are looked for."""

BINARY_KEPT: Final = 4_096
"""Bytes of a picture's line that are kept: enough for its parameters, or for an address."""

FILES: Final = ("PHOTO", "LOGO", "SOUND", "KEY", "X-MS-CARDPICTURE")
"""Properties that hold files, or their addresses."""

TEXTS: Final = (
    "N", "FN", "NOTE", "ORG", "ADR", "TITLE", "ROLE", "NICKNAME", "EMAIL", "TEL", "URL", "LABEL"
)  # fmt: skip
"""Properties that are text also where they are written in base64."""

_CR: Final = 0x0D

_BARE_CR = re.compile(rb"\r(?!\n)")

_BREAK = re.compile(rb"\n(?=[^ \t])")
"""The end of a line that no fold continues."""

_BINARY = re.compile(
    rf"(?:[A-Z0-9_-]+\.)?(?:(?:{'|'.join(FILES)})[;:]"
    rf"|(?!(?:{'|'.join(TEXTS)});)[^:.]*;(?:ENCODING=)?B(?:ASE64)?[;:])".encode(),
    re.IGNORECASE,
)
"""How a line begins that holds a file: by its name, or by how its value is written."""

_QUOTED = re.compile(rb"[^:]*;(?:ENCODING=)?\"?QUOTED-PRINTABLE", re.IGNORECASE)
_BASE64 = re.compile(
    rb"[^:]*;(?:ENCODING=)?B(?:ASE64)?[;:]|[^:]*:data:[^,]*;base64,", re.IGNORECASE
)
_FRAME = re.compile(rb"\s*(?:BEGIN|END)\s*:\s*VCARD\s*", re.IGNORECASE)


class Line(NamedTuple):
    """One line, unfolded."""

    number: int
    """Where it begins in the file, from 1."""
    raw: bytes
    """Its first bytes, without a line break."""
    size: int
    """Bytes that the whole of it takes in the file, folds included."""
    ended: bool
    """A line break follows; without one the file may have been cut off within the line."""


def read_blocks(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """Yield the file from its beginning, in UTF-8 or an older eight-bit code."""
    file.seek(0)
    if not encoding.startswith(("utf-16", "utf-32")):
        while block := file.read(BLOCK):
            yield block
        return
    if not encoding.endswith(("-le", "-be")):
        # Left to Python, a spoilt byte order mark would be an error.
        encoding += "-be" if file.read(2) in (b"\xfe\xff", b"\0\0") else "-le"
        file.seek(0)
    wide = codecs.getincrementaldecoder(encoding)("replace")
    while block := file.read(BLOCK):
        yield wide.decode(block).encode()
    yield wide.decode(b"", final=True).encode()


def _mended(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """End lines with LF or CR LF, also those of twice converted files and of old Macs."""
    held = b""  # CRs at the end of a block: LF may follow
    for block in blocks:
        whole = held + block if held else block
        held = whole[-2:] if whole.endswith(b"\r\r") else b"\r" if whole.endswith(b"\r") else b""
        whole = whole[: len(whole) - len(held)]
        if _BARE_CR.search(whole):
            whole = whole.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
            whole = whole.replace(b"\r", b"\n")
        yield whole
    if held:
        yield b"\n"


def read_lines(file: BinaryIO, encoding: str) -> Iterator[Line]:
    """Yield the lines of a file, unfolded (RFC 6350 3.2).

    Joined as well: the soft breaks of quoted-printable (2.1), and the base64 that some phones
    write without folds.
    """
    held: Line | None = None
    for line in _folded(_mended(read_blocks(file, encoding))):
        if b"\n" in line.raw:
            line = _unfolded(line)  # noqa: PLW2901  # the same line, in one piece
        if held is None:
            held = line
        elif held.raw[-1:] == b"=" and _is_soft(held.raw, line.raw):
            held = _joined(held, line, held.raw[:-1] + line.raw)
        elif b":" not in line.raw and line.raw.strip() and _is_base64(held.raw):
            held = _joined(held, line, held.raw)
        else:
            yield held
            held = line
    if held is not None:
        yield held


def _folded(blocks: Iterator[bytes]) -> Iterator[Line]:
    """Yield lines with the folds still in them, each at most `MAX_LINE` bytes."""
    number = 1
    tail = b""  # what has been read of a line that has not ended
    head = b""  # its first bytes, once it is too long to be held
    passed = folds = 0  # bytes between `head` and `tail`, and line breaks among them
    for block in blocks:
        buffer = tail + block if tail else block
        begin = 0
        for found in _BREAK.finditer(buffer):
            end = found.start()
            stop = end - 1 if end and buffer[end - 1] == _CR else end
            breaks = buffer.count(b"\n", begin, stop) + folds
            if head:
                yield Line(number, head, len(head) + passed + stop - begin, ended=True)
            elif stop - begin > BINARY_KEPT and _BINARY.match(buffer, begin, begin + MAX_HEAD):
                yield Line(number, buffer[begin : begin + BINARY_KEPT], stop - begin, ended=True)
            else:
                yield Line(number, buffer[begin:stop][:MAX_LINE], stop - begin, ended=True)
            number += breaks + 1
            begin = end + 1
            head, passed, folds = b"", 0, 0
        tail = buffer[begin:]
        if len(tail) > MAX_LINE:
            if not head:
                head, tail = tail[:MAX_LINE], tail[MAX_LINE:]
                folds = head.count(b"\n")
            passed += len(tail) - 1
            folds += tail.count(b"\n", 0, -1)
            tail = tail[-1:]  # may be a line break, of which only the next byte tells its kind
    if head or tail:
        ended = tail.endswith(b"\n")
        raw = tail.rstrip(b"\r\n")
        yield Line(number, (head or raw)[:MAX_LINE], len(head) + passed + len(raw), ended)


def _unfolded(line: Line) -> Line:
    raw = line.raw
    if b"=" in raw and _QUOTED.match(raw[:MAX_HEAD]):
        raw = raw.replace(b"=\r\n", b"").replace(b"=\n", b"")
    return Line(line.number, _without_folds(raw), line.size, line.ended)


def _without_folds(raw: bytes) -> bytes:
    if b"\r" in raw:
        raw = raw.replace(b"\r\n ", b"").replace(b"\r\n\t", b"")
    return raw.replace(b"\n ", b"").replace(b"\n\t", b"").rstrip(b"\r\n")


def _joined(held: Line, line: Line, raw: bytes) -> Line:
    return Line(held.number, raw[:MAX_LINE], held.size + line.size, line.ended)


def _is_soft(held: bytes, following: bytes) -> bool:
    """Tell whether a `=` at a line's end joins the next one to it; a card's end it never joins."""
    return _QUOTED.match(held[:MAX_HEAD]) is not None and _FRAME.fullmatch(following) is None


def _is_base64(held: bytes) -> bool:
    return _BASE64.match(held[:MAX_HEAD]) is not None
