"""Rejected rows in the layout of their file, each with its reason: to be corrected and fed again.

Text is given back as it stands, line by line; the reason comes first, so that a row whose quotes
or cells are amiss does not swallow it. Reading it again, the reason is left out.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Any, BinaryIO, Final

import orjson

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.json_items import read_items
from services.ingest.sources.originals import original_elements
from services.ingest.sources.phone_book import ENTRIES, pieces_of
from services.ingest.sources.rejected_tables import (
    Reject,
    lines_of,
    rejected_cuts,
    rejected_lines,
    write_sheet,
)
from services.ingest.sources.row import BadRow
from services.ingest.sources.sniffed import LDIF, PHONE_BOOK, VCARD, Sniffed

PROPERTY: Final = "X-KITH-REASON"
"""Where a card says what is wrong with it."""


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
        write_sheet(file, sniffed, rejects, out)
        return
    if sniffed.layout == PHONE_BOOK:
        reasons = {one.number: " ".join(one.reason.split()) for one in rejects}
        for element in original_elements(pieces_of(file, sniffed.encoding), ENTRIES, reasons):
            out.write(element)
        return
    if sniffed.starts:
        pieces = rejected_cuts(file, sniffed, rejects)
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
    for number, line in lines_of(file, sniffed.encoding):
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
    for number, line in lines_of(file, sniffed.encoding):
        if (reject := starts.get(number)) is not None:
            is_open = True
            yield f"\r\n# {REASON}: {' '.join(reject.reason.split())}\r\n"
        elif not line.strip():
            is_open = False
        if is_open:
            yield line
