"""What a file is: its kind, encoding, layout and language, and where it begins; nobody is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.columns import ColumnMapping
from services.ingest.domain.days import find_order
from services.ingest.domain.regions import find_region
from services.ingest.domain.suggesting import recognise, suggest
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.cells import is_rounded, phones_in
from services.ingest.sources.encodings import MIXED, PIECE, sniff_encoding, text_of
from services.ingest.sources.kinds import kind_of_bytes, kind_of_text
from services.ingest.sources.row import Row
from services.ingest.sources.sniffed import VCARD, Sniffed
from services.ingest.sources.table import (
    HEADER_LINES,
    MAX_COLUMNS,
    MAX_HEADER,
    Cells,
    read_header,
    read_table,
)
from services.ingest.sources.vcard import read_vcard
from services.ingest.sources.vocabulary import vocabulary
from services.ingest.sources.workbook import look_into
from shared.errors import PoisonMessageError

PREAMBLE_LINES: Final = 12
"""Lines in which a header is looked for: LinkedIn puts a note of some lines before it."""

SAMPLE_ROWS: Final = 200
"""Rows that are looked at, to suggest what columns mean and in which order dates are."""

_DELIMITERS: Final = ",;\t|"
_ZIP: Final = b"PK\x03\x04"
_ALONE: Final = frozenset({"email", "phone", "linkedin_url"})
"""Kinds that make a table of one column one of people."""

_KNOWN = (
    "exports of Google Contacts, Outlook, Thunderbird, LinkedIn, iMazing, HubSpot, Salesforce and "
    "Apollo, vCard files, and any table whose header names a column like Name, First name, E-mail "
    "or Phone"
)


class UnknownHeaderError(PoisonMessageError):
    """A table in which no column is known to say who a person is."""


Choices = Mapping[str, str]
"""Column → target, where an operator knows better."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a table begins."""

    delimiter: str
    line: int
    lines: int
    header: list[str]
    weight: int
    """How many columns are known by their names."""


def sniff(file: BinaryIO, choices: Choices | None = None) -> Sniffed:
    """Recognise a file, or refuse it with the reason: nothing recognised is never a success."""
    file.seek(0)
    head = file.read(PIECE)
    if head.startswith(_ZIP):
        return _sniff_workbook(file, choices or {})
    if kind := kind_of_bytes(head):
        raise _no_table(kind)
    encoding, assumed = sniff_encoding(file)
    lines = list(_first_lines(file, encoding))
    if not any(line.strip() for line in lines):
        raise PoisonMessageError("invalid", "the file is empty", field="file")
    first = next(line for line in lines if line.strip())
    if first.strip().upper().startswith("BEGIN:VCARD"):
        return _cards(file, Sniffed(VCARD, "cp1252" if encoding == MIXED else encoding, assumed))
    if kind := kind_of_text("".join(lines)):
        raise _no_table(kind)
    found = _find_table(lines, choices or {})
    sample = [
        row.cells
        for row in islice(
            read_table(file, encoding, found.delimiter, found.line, found.lines), SAMPLE_ROWS
        )
        if isinstance(row, Cells)
    ]
    mapping, days, guessed, region = _understand(found.header, sample[1:], choices or {})
    return Sniffed(
        mapping.layout,
        encoding,
        assumed,
        found.delimiter,
        found.line,
        found.lines,
        mapping=mapping,
        days=days,
        days_assumed=guessed,
        region=region,
    )


def _cards(file: BinaryIO, sniffed: Sniffed) -> Sniffed:
    """Look into the first cards for where their numbers are dialled."""
    people = [
        row.record for row in islice(read_vcard(file, sniffed), SAMPLE_ROWS) if isinstance(row, Row)
    ]
    numbers: list[tuple[str, str]] = []
    for person in people:
        addresses = person.get("addresses", ())
        country = next((one["country"] for one in addresses if one.get("country")), "")
        numbers += [(point["value"], country) for point in person.get("phones", ())]
    return replace(sniffed, region=find_region(numbers, "", vocabulary()))


def _sniff_workbook(file: BinaryIO, choices: Choices) -> Sniffed:
    best: tuple[int, str, int] | None = None
    widest = 0
    sheets = look_into(file)
    for sheet, rows in sheets.items():
        for index, (_, row) in enumerate(rows[:PREAMBLE_LINES]):
            widest = max(widest, len(row))
            weight = _weight([" ".join(cell.split()) for cell in row], choices)
            if weight and (best is None or weight > best[0]):
                best = (weight, sheet, index)
    if best is None:
        raise _too_wide(widest) if widest > MAX_COLUMNS else _no_header()
    _, sheet, index = best
    number, row = sheets[sheet][index]
    header = [" ".join(cell.split()) for cell in row]
    sample = [cells for _, cells in sheets[sheet][index + 1 :]]
    mapping, days, guessed, region = _understand(header, sample, choices)
    return Sniffed(
        mapping.layout,
        "xlsx",
        assumed=False,
        header_line=number,
        sheet=sheet,
        mapping=mapping,
        days=days,
        days_assumed=guessed,
        region=region,
    )


def _first_lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = text_of(file, encoding)
    try:
        for _ in range(PREAMBLE_LINES + HEADER_LINES):
            line = text.readline(MAX_HEADER)
            if not line:
                return
            yield line
    finally:
        text.detach()


def _find_table(lines: list[str], choices: Choices) -> _Found:
    """Find the header, and what stands between its cells."""
    best: _Found | None = None
    widest = 0
    for delimiter in _DELIMITERS:
        for number in range(min(len(lines), PREAMBLE_LINES)):
            header, taken = read_header(lines[number:], delimiter)
            widest = max(widest, len(header))
            if len(header) > MAX_COLUMNS:
                continue
            weight = _weight(header, choices)
            if weight and (best is None or weight > best.weight):
                best = _Found(delimiter, number + 1, taken, header, weight)
    if best is None:
        raise _too_wide(widest) if widest > MAX_COLUMNS else _no_header()
    return best


def _weight(header: Sequence[str], choices: Choices) -> int:
    """Return how many columns of a row are known by their names, if it can be a header."""
    if not any(header) or len(header) > MAX_COLUMNS:
        return 0
    if choices and set(choices) <= set(header):
        return len(header) + len(choices)
    mapping = suggest(header, (), vocabulary())
    if not mapping.is_sure:
        return 0
    if len(header) == 1 and mapping.columns[0].target.kind not in _ALONE:
        return 0
    known = sum(column.why in ("layout", "name") for column in mapping.columns)
    # A product's own header outweighs a row that happens to hold a few of its words.
    return known + (len(header) if recognise(header, vocabulary()) else 0)


def _understand(
    header: Sequence[str], rows: Sequence[Sequence[str]], choices: Choices
) -> tuple[ColumnMapping, DayOrder, bool, str]:
    words = vocabulary()
    mapping = suggest(header, rows, words).changed(choices)
    if not mapping.identifies:
        raise _no_header()
    usual: DayOrder = next(
        (language.days for language in words.languages if language.code == mapping.language), "mdy"
    )
    days = _cells(mapping, rows, "birthday", "date")
    shown = find_order(days)
    region = find_region(_numbers(mapping, rows), mapping.language, words)
    return mapping, shown or usual, bool(days) and shown is None, region


def _cells(mapping: ColumnMapping, rows: Sequence[Sequence[str]], *kinds: str) -> list[str]:
    """Return what stands in the columns of some kinds."""
    places = _places(mapping, "value", *kinds)
    return [row[place] for place in places for row in rows if place < len(row) and row[place]]


def _numbers(mapping: ColumnMapping, rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield telephone numbers, each with the country of an address of its row."""
    phones = _places(mapping, "value", "phone")
    countries = _places(mapping, "country", "address")
    for row in rows:
        country = next((row[one] for one in countries if one < len(row) and row[one]), "")
        for place in phones:
            if place < len(row) and row[place] and not is_rounded(row[place]):
                yield from ((number, country) for number in phones_in(row[place]))


def _places(mapping: ColumnMapping, part: str, *kinds: str) -> list[int]:
    return [
        place
        for place, column in enumerate(mapping.columns)
        if column.target.part == part and column.target.kind in kinds
    ]


def _no_table(kind: str) -> PoisonMessageError:
    return PoisonMessageError(
        "invalid", f"is {kind}; that is no table of contacts. {_KNOWN} are read", field="file"
    )


def _no_header() -> UnknownHeaderError:
    return UnknownHeaderError(
        "invalid",
        f"the header is not one that is known; {_KNOWN} are read. Export the file again and send "
        "it unchanged, or say what its columns are",
        field="file",
    )


def _too_wide(count: int) -> PoisonMessageError:
    return PoisonMessageError(
        "too_large", f"has {count} columns or more; at most {MAX_COLUMNS} are read", field="file"
    )
