"""Rejected rows in the layout of their file, each with its reason: to be corrected and fed again.

Text is given back as it stands, line by line; the reason comes first, so that a row whose quotes
or cells are amiss does not swallow it. Reading it again, the reason is left out.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final

import orjson
from openpyxl import Workbook

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.encodings import mended, text_of
from services.ingest.sources.fixed_width import cut, runs_across
from services.ingest.sources.json_items import read_items
from services.ingest.sources.originals import original_elements
from services.ingest.sources.phone_book import ENTRIES, pieces_of
from services.ingest.sources.row import BadRow
from services.ingest.sources.sniffed import LDIF, PHONE_BOOK, VCARD, Sniffed
from services.ingest.sources.table import MAX_HEADER, MAX_ROW, is_wrapped, read_header, unwrapped
from services.ingest.sources.workbook import read_texts

LONGEST_LINE: Final = 1 << 20
"""Characters of one line that are given back."""

PROPERTY: Final = "X-KITH-REASON"
"""Where a card says what is wrong with it."""

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


def media_of(sniffed: Sniffed) -> tuple[str, str]:
    """Return the media type and the ending of the file that rejects come back in."""
    if sniffed.layout == VCARD:
        return "text/vcard; charset=utf-8", "vcf"
    if sniffed.layout == PHONE_BOOK:
        return "application/xml", "xml"
    if sniffed.layout == LDIF:
        return "text/plain; charset=utf-8", "ldif"
    if sniffed.is_json:
        return "application/json", "json"
    if sniffed.sheet:
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"
    return "text/csv; charset=utf-8", "csv"


def write_rejects(
    file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject], out: IO[bytes]
) -> None:
    """Write the rejected rows, which are in the order of the file."""
    if sniffed.sheet:
        _write_sheet(file, sniffed, rejects, out)
        return
    if sniffed.layout == PHONE_BOOK:
        reasons = {one.number: " ".join(one.reason.split()) for one in rejects}
        for element in original_elements(pieces_of(file, sniffed.encoding), ENTRIES, reasons):
            out.write(element)
        return
    if sniffed.starts:
        pieces = _cut_rows(file, sniffed, rejects)
    elif sniffed.is_json:
        pieces = _items(file, sniffed, rejects)
    elif sniffed.layout == VCARD:
        pieces = _cards(file, sniffed, rejects)
    elif sniffed.layout == LDIF:
        pieces = _entries(file, sniffed, rejects)
    else:
        pieces = rejected_lines(file, sniffed, rejects)
    for piece in pieces:
        out.write(piece.encode("utf-8", "replace"))


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


def _cut_rows(file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]) -> Iterator[str]:
    """Yield a table of fixed width with commas between its cells: a reason would move its columns.

    Of a row that does not keep to them, all is in the first cell.
    """
    yield "\ufeff"
    yield f"{_row([REASON, *_names(sniffed)], sniffed)}\r\n"
    reasons = {one.line: one.reason for one in rejects}
    for number, line in _lines(file, sniffed.encoding):
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
    for number, stored in _lines(file, sniffed.encoding):
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


def _items(file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]) -> Iterator[str]:
    """Write the items that can be read, each with its reason; what is no JSON is told only."""
    reasons = {one.line: one.reason for one in rejects}
    between = "["
    for item in read_items(file, sniffed.encoding):
        if isinstance(item, BadRow) or item.number not in reasons:
            continue
        yield f"{between}\n{_item(item.value, reasons[item.number])}"
        between = ","
    yield "\n]\n" if between == "," else "[]\n"


def _item(value: Any, reason: str) -> str:
    match value:
        case dict():
            value = {
                REASON: reason,
                **{name: said for name, said in value.items() if name != REASON},
            }
        case ["vcard", list(properties)]:
            name = PROPERTY.lower()
            kept = [one for one in properties if not (isinstance(one, list) and one[:1] == [name])]
            value = ["vcard", [[name, {}, "text", reason], *kept]]
    return orjson.dumps(value).decode()


def _cards(file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]) -> Iterator[str]:
    starts = {one.line: one for one in rejects}
    open_until: int | None = 0
    is_reason = False
    for number, line in _lines(file, sniffed.encoding):
        is_reason = tells_reason(line, goes_on=is_reason)
        if (reject := starts.get(number)) is not None:
            open_until = reject.end
            told = (
                " ".join(reject.reason.split())
                .replace("\\", "\\\\")
                .replace(",", "\\,")
                .replace(";", "\\;")
            )
            is_begun = line.strip().upper() == "BEGIN:VCARD"
            yield line if is_begun else ""
            yield f"{PROPERTY}:{told}\r\n"
            yield "" if is_begun else line
        elif (open_until is None or number < open_until) and not is_reason:
            yield line


def tells_reason(line: str, *, goes_on: bool) -> bool:
    """Tell whether a card's or event's line says what was wrong before; folded, it `goes_on`."""
    return line[: len(PROPERTY) + 1].upper() == f"{PROPERTY}:" or (
        goes_on and line.startswith((" ", "\t"))
    )


def _entries(file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject]) -> Iterator[str]:
    """Write entries, each below a comment that gives its reason; comments are not read."""
    yield "version: 1\r\n"
    starts = {one.line: one for one in rejects}
    is_open = False
    for number, line in _lines(file, sniffed.encoding):
        if (reject := starts.get(number)) is not None:
            is_open = True
            yield f"\r\n# {REASON}: {' '.join(reject.reason.split())}\r\n"
        elif not line.strip():
            is_open = False
        if is_open:
            yield line


def _lines(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
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


def _write_sheet(
    file: BinaryIO, sniffed: Sniffed, rejects: Sequence[Reject], out: IO[bytes]
) -> None:
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
