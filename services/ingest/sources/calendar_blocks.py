"""A calendar's text in its components (RFC 5545 3.1): unfolded, and each within bounds."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import AnyStr, BinaryIO, Final

from services.ingest.sources.encodings import MIXED, sniff_encoding, text_of

MAX_EVENT: Final = 256 * 1024
"""Characters of one VEVENT; a longer one is refused."""

_BEGIN = re.compile(r"BEGIN:(VEVENT|VTIMEZONE)\s*", re.IGNORECASE)
_END = re.compile(r"END:(VEVENT|VTIMEZONE|VCALENDAR)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """One component's text, or a line outside of any."""

    kind: str
    line: int
    text: str
    is_whole: bool = True


def encoding_of(file: BinaryIO) -> str:
    """Return the file's encoding: UTF-8, as RFC 5545 has it, once its lines are unfolded."""
    found, assumed = sniff_encoding(file)
    if not assumed:
        return found
    file.seek(0)
    try:
        for _, octets in _joined(file, (b" ", b"\t"), b"\r\n"):
            octets.decode()
    except UnicodeDecodeError:
        return found
    return "utf-8"


def read_blocks(file: BinaryIO, encoding: str) -> Iterator[Block]:
    """Cut the file into its components; lines outside of any come with kind empty."""
    kind, begun, lines, size = "", 0, [""], 0
    for number, line in _unfolded(file, encoding):
        if begin := _BEGIN.fullmatch(line):
            if kind:
                yield Block(kind, begun, "".join(lines), is_whole=False)
            kind, begun, lines, size = begin[1].upper(), number, [line], len(line)
        elif kind and (end := _END.fullmatch(line)):
            whole = end[1].upper() == kind and size <= MAX_EVENT
            yield Block(kind, begun, "".join([*lines, line]), is_whole=whole)
            kind = ""
        elif kind:
            size += len(line)
            if size <= MAX_EVENT:
                lines.append(line)
        else:
            yield Block("", number, line[:1_000])
    if kind:
        yield Block(kind, begun, "".join(lines), is_whole=False)


def physical_lines(file: BinaryIO, encoding: str) -> Iterator[tuple[int, bytes, str]]:
    """Yield lines as they stand, with their numbers: octets (of wide letters UTF-8), and text."""
    if encoding.startswith(("utf-16", "utf-32")):
        wide = text_of(file, encoding)
        try:
            for number, line in enumerate(wide, 1):
                yield number, line.removeprefix("\ufeff").encode("utf-8", "replace"), line
        finally:
            wide.detach()
        return
    file.seek(0)
    codec = "utf-8" if encoding == MIXED else encoding
    for number, octets in enumerate(file, 1):
        yield number, octets, octets.decode(codec, "replace").removeprefix("\ufeff")


def _unfolded(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines as they were before they were folded, with the number of their first.

    On octets where that is possible: a fold may stand within a letter.
    """
    if encoding.startswith(("utf-16", "utf-32")):
        wide = text_of(file, encoding)
        try:
            yield from _joined(wide, (" ", "\t"), "\r\n")
        finally:
            wide.detach()
        return
    file.seek(0)
    codec = "utf-8" if encoding == MIXED else encoding
    for number, octets in _joined(file, (b" ", b"\t"), b"\r\n"):
        yield number, octets.decode(codec, "replace").removeprefix("\ufeff")


def _joined(
    lines: Iterable[AnyStr], blanks: tuple[AnyStr, AnyStr], ends: AnyStr
) -> Iterator[tuple[int, AnyStr]]:
    """Join lines with those that go on with them; what is longer than any event is cut."""
    held: AnyStr | None = None
    begun = 0
    for number, line in enumerate(lines, 1):
        if held is not None and line[:1] in blanks:
            if len(held) <= MAX_EVENT:
                held = held.rstrip(ends) + line[1:]
            continue
        if held is not None:
            yield begun, held
        held, begun = line, number
    if held is not None:
        yield begun, held
