"""Rejected rows of tables and sheets, each behind its reason: to be corrected and fed again."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO, Final

from openpyxl import Workbook

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.encodings import mended, text_of
from services.ingest.sources.fixed_width import cut, runs_across
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_HEADER, MAX_ROW, is_wrapped, read_header, unwrapped
from services.ingest.sources.workbook import read_texts

LONGEST_LINE: Final = 1 << 20
"""Characters of one line that are given back."""

_PIECE: Final = 1 << 16
_FIRST: Final = {
    sign: re.compile(rf' *(?:"(?:[^"]|"")*+")?+[^{sign}\r\n]*{re.escape(sign)}') for sign in ",;\t|"
}
"""What stands between cells → the first cell of a row, and what is between it and the next."""

_FORMULA: Final = tuple("=+-@\t\r")


@dataclass(frozen=True, slots=True)
class Reject:
    """A row, or an entry, that was not taken."""

    line: int
    """Where it begins, from 1."""
    end: int | None
    """Where the row behind it begins; None: it is the last."""
    reason: str
    number: int = 0
    """Its place in the file, from 1."""


def rejected_lines(file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]) -> Iterator[str]:
    """Yield the header of a table and its rejected rows, each behind its reason."""
    yield "\ufeff"  # spreadsheets take the rest for UTF-8 then
    if not sniffed.has_header:
        yield f"{_row([REASON, *_names(sniffed)], sniffed)}\r\n"
    has_reasons = False
    for reason, row in _rejected_rows(file, sniffed, rejects):
        if reason == REASON:
            has_reasons = read_header(row.splitlines(), sniffed.delimiter)[0][:1] == [REASON]
        # Of a row that was rejected before, the reason of that time is what was corrected since.
        first = _FIRST[sniffed.delimiter].match(row) if has_reasons and reason is not None else None
        yield "" if reason is None else _cell(reason, sniffed)
        yield row[first.end() :] if first else row
        yield "" if row.endswith(("\n", "\r")) else "\r\n"


def rejected_cuts(file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]) -> Iterator[str]:
    """Yield a table of fixed width with commas between its cells: a reason would move its columns.

    Of a row that does not keep to them, all is in the first cell.
    """
    yield "\ufeff"
    yield f"{_row([REASON, *_names(sniffed)], sniffed)}\r\n"
    reasons = {one.line: one.reason for one in rejects}
    for number, line in lines_of(file, sniffed.encoding):
        if number in reasons:
            told = line.rstrip("\r\n")
            cells = [told] if runs_across(told, sniffed.starts) else cut(told, sniffed.starts)
            yield f"{_cell(reasons[number], sniffed)}{_row(cells, sniffed)}\r\n"


def _rejected_rows(
    file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]
) -> Iterator[tuple[str | None, str]]:
    """Yield the header, and rows with their reasons; with none, what goes on behind a long one."""
    begins = sniffed.header_line
    starts = {one.line: (one.reason, one.end) for one in rejects}
    if sniffed.has_header:
        starts[begins] = REASON, begins + sniffed.header_lines
    reason: str | None = None
    end: int | None = None
    held: list[str] | None = None
    size, wrapped = 0, False
    for number, stored in lines_of(file, sniffed.encoding):
        if number == begins:
            wrapped = is_wrapped(stored, sniffed.delimiter)
        line = unwrapped(stored) if wrapped else stored
        if held and (number in starts or number == end or size > MAX_ROW):
            yield reason, "".join(held)
            held, reason, size = None if number in starts or number == end else [], None, 0
        if number in starts:
            (reason, end), held = starts[number], []
        if held is not None:
            held.append(line)
            size += len(line)
    if held:
        yield reason, "".join(held)


def _cell(text: str, sniffed: Sniffed) -> str:
    """Write a cell on one line, and what is between it and the next; no spreadsheet computes it."""
    text = " ".join(text.split())
    return _row([f"'{text}" if text.startswith(_FORMULA) else text, ""], sniffed)


def _row(cells: Sequence[str], sniffed: Sniffed) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=sniffed.delimiter, lineterminator="").writerow(cells)
    return out.getvalue()


def _names(sniffed: Sniffed) -> list[str]:
    """Return what the columns of a table without a header were called when it was read."""
    return [] if sniffed.mapping is None else [column.name for column in sniffed.mapping.columns]


def lines_of(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the physical lines of a file, numbered as its readers number them."""
    text = text_of(file, encoding, marked=True)
    try:
        number = 0
        while line := text.readline(max(LONGEST_LINE, MAX_HEADER)):
            number += 1
            if line[-1] not in "\r\n":
                while (piece := text.readline(_PIECE)) and piece[-1] not in "\r\n":
                    pass
            yield number, mended(line)
    finally:
        text.detach()


def write_sheet(
    file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject], out: IO[bytes]
) -> None:
    """Write the header of a sheet and its rejected rows, as a workbook of that sheet."""
    starts = {one.line: one for one in rejects}
    book = Workbook(write_only=True)
    sheet = book.create_sheet(sniffed.sheet[:31])
    if not sniffed.has_header:
        sheet.append([REASON, *_names(sniffed)])
    reasons = 0
    for number, texts in read_texts(file, sniffed.sheet):
        if sniffed.has_header and number == sniffed.header_line:
            reasons = int(texts[:1] == [REASON])
            sheet.append([REASON, *texts[reasons:]])
        elif (reject := starts.get(number)) is not None:
            sheet.append([*map(_quiet, (reject.reason, *texts[reasons:]))])
    book.save(out)


def _quiet(text: str) -> str:
    """Keep a spreadsheet from computing a cell that another program wrote."""
    return f"'{text}" if text.startswith("=") else text
