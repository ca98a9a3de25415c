"""Reading delimited text: row by row, each with its line, a broken one without its neighbours.

A quote that is never closed takes the rest of a file with it in most readers.  Here it costs its
own line: what was read behind it is read again.  Such rows are trusted only if they have exactly
the header's number of cells, until the table is in step again.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO, Final

from services.ingest.sources.encodings import MIXED, mended, text_of
from services.ingest.sources.row import BadRow, Blank

MAX_ROW: Final = 65_536
"""Characters of one row; no signal has as many octets."""

MAX_COLUMNS: Final = 2_000
"""Columns of one table: fifty of each repeated group that Google writes are fewer."""

MAX_HEADER: Final = 1 << 20
"""Characters of a header that are read, to say how many columns it has."""

_FEWEST_COLUMNS: Final = 3
"""Columns of a table, for a single cell below it to be a note."""

_DELIMITERS: Final = ",;\t|"
_PIECE: Final = 1 << 16

HEADER_LINES: Final = 8
"""Lines that a header may take: a cell of a spreadsheet may be broken into several."""

_AROUND: Final = " \t\r\n\ufeff"
"""What may stand around a line that is in quotes."""

_MARK: Final = "\ufeff"
"""A byte order mark; in the middle of a file it shows where two were put together."""

_BREAKS = re.compile(r"\s+")

_OPEN: Final = "a quote is opened and not closed, or not followed by a delimiter"
_LONG: Final = "is longer than 65,536 characters"
_WIDE: Final = (
    "has more cells than the header has columns; a comma in a cell needs quotes around it"
)
_AGAIN: Final = "repeats the header; were several files put together?"
_ENDS: Final = "the file ends within this row; it may be cut off, export it again"
_UNENDED: Final = "has no line break behind it; if the file is cut off, its last cell is not whole"
_STRAY: Final = "has {found} of {all} cells behind a broken row; it may be a part of that one"
_SHORT: Final = "has {found} of {all} cells; the missing ones are taken for empty"
_NOTE: Final = "stands by itself below the table; read as a note, not as a person"
_OTHERWISE: Final = "has another sign between its cells than the header; read by that"
_LOOSE: Final = "has quotes that are not doubled; read as they stand"
_MENDED: Final = "has letters that are not UTF-8 as the rest of the file; read as cp1252"


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, as long as the header or shorter."""

    line: int
    cells: list[str]
    notes: tuple[str, ...] = ()
    """What to know of the row as a whole."""


class _OverlongError(Exception):
    """A row has more characters than any may have."""


class _Lines:
    """The physical lines of a text, with those of the present row at hand to be read again."""

    def __init__(self, text: TextIOWrapper, *, wrapped: bool = False) -> None:
        self._text = text
        self._is_wrapped = wrapped
        self._again: deque[str | None] = deque()
        self._size = 0
        self.row: list[str | None] = []
        """The lines of the present row; None for one that was too long to keep."""
        self.next = 1
        """Number of the line that comes."""
        self.unended = False
        """The last line read has no line break: the file ends there."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.next += 1
        self.row.append(line)
        if line is None:
            raise _OverlongError
        self._size += len(line)
        if self._size > MAX_ROW:
            raise _OverlongError
        return line

    def begin(self) -> None:
        """Begin a row."""
        self.row.clear()
        self._size = 0

    def back_to_second(self) -> bool:
        """Let the lines behind the row's first be read again; tell whether there are any."""
        rest = self.row[1:]
        self._again.extendleft(reversed(rest))
        self.next -= len(rest)
        return bool(rest)

    @property
    def is_rereading(self) -> bool:
        """Tell whether lines wait to be read again."""
        return bool(self._again)

    def _read(self) -> str | None:
        line = self._text.readline(MAX_ROW + 1)
        if not line:
            raise StopIteration
        if len(line) > MAX_ROW and line[-1] not in "\r\n":
            while (piece := self._text.readline(_PIECE)) and piece[-1] not in "\r\n":
                pass
            return None
        self.unended = line[-1] not in "\r\n"
        line = line.replace(_MARK, "") if _MARK in line else line
        return unwrapped(line) if self._is_wrapped else line


def read_table(  # noqa: PLR0917  # where a table begins takes as many words
    file: BinaryIO,
    encoding: str,
    delimiter: str,
    header_line: int,
    header_lines: int = 1,
    width: int = 0,
) -> Iterator[Cells | BadRow | Blank]:
    """Yield the header, then the rows below it.

    `header_line` 0: there is none, and every line is of a row of `width` cells.
    """
    text = text_of(file, encoding, marked=True)
    try:
        for _ in range(header_line - 1):
            text.readline(MAX_HEADER)
        lines = _Lines(text)
        header = [""] * width
        if header_line:
            first = [mended(text.readline(MAX_HEADER)) for _ in range(header_lines)]
            header, _ = read_header(first, delimiter)
            yield Cells(header_line, header)
            lines = _Lines(text, wrapped=is_wrapped(first[0], delimiter))
            lines.next = header_line + header_lines
        yield from _Rows(lines, header, delimiter, mixed=encoding == MIXED)
    finally:
        text.detach()


def is_wrapped(line: str, delimiter: str) -> bool:
    """Tell whether all of a line stands in quotes, as where it was taken for a single cell."""
    text = line.strip(_AROUND)
    inside = text[1:-1].replace('""', "")
    return (
        len(text) > 2 and text[0] == text[-1] == '"' and '"' not in inside and delimiter in inside
    )


def unwrapped(line: str) -> str:
    """Return what stands in a line's quotes; a line that has none as it is."""
    text = line.strip(_AROUND)
    if len(text) < 2 or not text[0] == text[-1] == '"' or '"' in text[1:-1].replace('""', ""):
        return line
    end = line[len(line.rstrip("\r\n")) :]
    return text[1:-1].replace('""', '"') + end


def read_header(lines: Sequence[str], delimiter: str) -> tuple[list[str], int]:
    """Read the header that begins these lines, loosely; return it and how many lines it takes."""
    taken, quotes = 1, 0
    for count, line in enumerate(lines[:HEADER_LINES], start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            taken = count
            break
    written = [unwrapped(lines[0])] if lines and is_wrapped(lines[0], delimiter) else lines[:taken]
    rows = csv.reader(written, delimiter=delimiter, skipinitialspace=True)
    try:
        cells = next(rows, [])
    except csv.Error:
        return [], 1
    return [_BREAKS.sub(" ", cell.replace(_MARK, "")).strip() for cell in cells], taken


class _Rows:
    """The rows below a header, each judged by what surrounds it."""

    def __init__(self, lines: _Lines, header: list[str], delimiter: str, *, mixed: bool) -> None:
        self._lines = lines
        self._header = header
        self._delimiter = delimiter
        self._mixed = mixed
        self._reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        self._in_step = True
        """No row is broken off that what comes may be a part of."""
        self._is_below = False
        """An empty line, or a note behind one, is what came last."""

    def __iter__(self) -> Iterator[Cells | BadRow | Blank]:
        """Yield every row."""
        lines = self._lines
        while True:
            lines.begin()
            line = lines.next
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except _OverlongError:
                self._step_back()
                yield BadRow(line, "", _LONG if len(lines.row) == 1 else _OPEN)
            except csv.Error:
                found = _loosely(lines.row[0] or "", self._delimiter, len(self._header))
                self._step_back()
                yield (
                    BadRow(line, "", _OPEN)
                    if found is None
                    else self._judged(line, found, (_LOOSE,))
                )
            else:
                yield self._judged(line, cells)

    def _otherwise(self, line: str) -> list[str] | None:
        """Read a line between whose cells another sign stands than between the header's."""
        if len(self._header) < _FEWEST_COLUMNS or "\n" in line or "\r" in line:
            return None  # a quoted cell of several lines is no such line
        for delimiter in _DELIMITERS:
            if delimiter != self._delimiter and line.count(delimiter) >= len(self._header) - 1:
                found = _loosely(line, delimiter, len(self._header))
                if found is not None:
                    return found
        return None

    def _step_back(self) -> None:
        """Let the lines behind a broken row's first be read again."""
        if self._lines.back_to_second():
            self._in_step = False

    def _judged(
        self, line: int, cells: list[str], notes: tuple[str, ...] = ()
    ) -> Cells | BadRow | Blank:
        """Tell by the number of its cells whether a row can be trusted."""
        if len(cells) == 1 and (other := self._otherwise(cells[0])) is not None:
            cells, notes = other, (*notes, _OTHERWISE)
        count, width = len(cells), len(self._header)
        if self._mixed and _is_marked("".join(cells)):
            cells, notes = [mended(cell) for cell in cells], (*notes, _MENDED)
        if count == width:
            self._in_step = self._in_step or not self._lines.is_rereading
            if cells == self._header and any(cells):
                return BadRow(line, "", _AGAIN)
            self._is_below = False
            is_last = self._lines.unended and not self._lines.is_rereading
            return Cells(line, cells, (*notes, _UNENDED) if is_last else notes)
        if not any(map(str.strip, cells)):
            self._is_below = True
            return Blank(line)
        if count == 1 and width >= _FEWEST_COLUMNS and self._is_below and self._in_step:
            return BadRow(line, "", _NOTE)
        self._is_below = False
        if not self._in_step:
            return BadRow(line, "", _STRAY.format(found=count, all=width))
        if count > width:
            is_wide = any(map(str.strip, cells[width:]))
            return BadRow(line, "", _WIDE) if is_wide else Cells(line, cells[:width], notes)
        if self._lines.unended and not self._lines.is_rereading:
            return BadRow(line, "", _ENDS)
        return Cells(line, cells, (*notes, _SHORT.format(found=count, all=width)))


def _loosely(line: str, delimiter: str, width: int) -> list[str] | None:
    r"""Read a line whose quotes are not doubled, or written `\"`, if it has all its cells."""
    for escape in ("\\", None) if '\\"' in line else (None,):
        reader = csv.reader(
            [line],
            delimiter=delimiter,
            skipinitialspace=True,
            escapechar=escape,
            doublequote=escape is None,
        )
        cells = next(reader, [])
        if len(cells) == width:
            return cells
    return None


def _is_marked(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text)
