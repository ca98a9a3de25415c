"""What a file is: its encoding, its layout, and where it begins; nobody is asked."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from shared.errors import PoisonMessageError

Layout = Literal["google_new", "google_old", "linkedin", "vcard"]
"""The layouts that are read."""

PIECE: Final = 1 << 16
"""Bytes read at once."""

PREAMBLE_LINES: Final = 12
"""Lines in which a header is looked for: LinkedIn puts a note of some lines before it."""

MAX_CELL: Final = 131_072
"""Characters of one cell (`csv.field_size_limit`'s default)."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_KNOWN = (
    "Google Contacts CSV (old and new), LinkedIn Connections.csv and vCard (.vcf, as of iCloud)"
)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """How a file is to be read."""

    layout: Layout
    encoding: str
    assumed: bool
    """Nothing in the file says its encoding, and it is not UTF-8."""
    delimiter: str = ","
    header_line: int = 1
    """The line that names the columns, from 1."""


def sniff(file: BinaryIO) -> Sniffed:
    """Recognise a file, or refuse it with the reason: nothing recognised is never a success."""
    encoding, assumed = sniff_encoding(file)
    lines = list(_first_lines(file, encoding))
    if not any(line.strip() for line in lines):
        raise PoisonMessageError("invalid", "the file is empty", field="file")
    first = next(line for line in lines if line.strip())
    if first.strip().upper().startswith("BEGIN:VCARD"):
        return Sniffed("vcard", encoding, assumed)
    for delimiter in ",;\t":
        for line, cells in _rows(lines, delimiter):
            layout = recognise(cells)
            if layout is not None:
                return Sniffed(layout, encoding, assumed, delimiter, line)
    raise PoisonMessageError(
        "invalid",
        f"the header is not one that is known; {_KNOWN} are read. Export the file again and send "
        "it unchanged",
        field="file",
    )


def recognise(header: list[str]) -> Layout | None:
    """Tell which layout a header row belongs to (product research 3.1, 3.3)."""
    names = {name.strip() for name in header}
    if {"First Name", "Connected On"} <= names:
        return "linkedin"
    if {"First Name", "Last Name", "Labels"} <= names and names & {
        "File As",
        "Phonetic First Name",
    }:
        return "google_new"
    if {"Given Name", "Family Name"} <= names and names & {"Group Membership", "Yomi Name"}:
        return "google_old"
    return None


def sniff_encoding(file: BinaryIO) -> tuple[str, bool]:
    """Return a file's encoding, and whether it was assumed (product research 3.6)."""
    file.seek(0)
    head = file.read(PIECE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, False
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        return ("utf-16-le" if odd > even else "utf-16-be"), False
    return ("utf-8", False) if _is_utf8(file) else ("cp1252", True)


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def text_of(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Open the file as text from its beginning; `detach` it when done, to keep it open."""
    file.seek(0)
    # cp1252 leaves five bytes undefined: a sign that does not fit is shown as such, not refused.
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def _first_lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = text_of(file, encoding)
    try:
        for _ in range(PREAMBLE_LINES):
            line = text.readline(MAX_CELL)
            if not line:
                return
            yield line
    finally:
        text.detach()


def _rows(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Read each of the first lines as a row of its own: a preamble may hold an odd quote."""
    for number, line in enumerate(lines, start=1):
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            continue
        if len(cells) > 1:
            yield number, cells
