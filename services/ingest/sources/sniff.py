"""What a file is: its kind, encoding, layout and language, and where it begins; nobody is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.columns import ColumnMapping
from services.ingest.domain.contents import is_reach
from services.ingest.domain.days import find_order
from services.ingest.domain.headless import guess
from services.ingest.domain.regions import find_region, language_of_names
from services.ingest.domain.suggesting import OTHER_LAYOUT, recognise, suggest
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.cells import is_rounded, phones_in
from services.ingest.sources.encodings import LEGACY, MIXED, PIECE, text_of
from services.ingest.sources.kinds import kind_of_bytes, kind_of_text
from services.ingest.sources.row import Row
from services.ingest.sources.sniffed import VCARD, Sniffed
from services.ingest.sources.survey import Survey, survey_of
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


def sniff(file: BinaryIO, choices: Choices | None = None, survey: Survey | None = None) -> Sniffed:
    """Recognise a file, or refuse it with the reason: nothing recognised is never a success.

    `survey`: what all its bytes said when they came; else they are looked at now.
    """
    file.seek(0)
    head = file.read(PIECE)
    if head.startswith(_ZIP):
        return _sniff_workbook(file, choices or {})
    if kind := kind_of_bytes(head):
        raise _no_table(kind)
    survey = survey or survey_of(file)
    encoding, assumed = survey.encoding()
    lines = list(_first_lines(file, encoding))
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise PoisonMessageError("invalid", "the file is empty", field="file")
    usual = "cp1252" if encoding == MIXED else encoding
    cards = Sniffed(VCARD, usual, assumed, has_groups=survey.has_groups())
    if _begins_card(first):
        return _cards(file, cards)
    if kind := kind_of_text("".join(lines)):
        raise _no_table(kind)
    found = _find_table(lines, choices or {})
    if assumed and encoding != MIXED:
        encoding, found = _by_header(file, encoding, found, choices or {})
    if (found is None or len(found.header) == 1) and any(map(_begins_card, lines)):
        return _cards(file, cards)
    if found is None:
        return _sniff_headless(file, Sniffed(OTHER_LAYOUT, encoding, assumed), lines, choices or {})
    sample = _sample(file, encoding, found)
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


def _by_header(
    file: BinaryIO, encoding: str, found: _Found | None, choices: Choices
) -> tuple[str, _Found | None]:
    """Read a table in the legacy encoding in which most of its header's words are known."""
    lines = list(_first_lines(file, encoding))
    if all(map(str.isascii, lines)):
        return encoding, found
    for other in LEGACY:
        lines = list(_first_lines(file, other)) if other != encoding else []
        better = (
            _find_table(lines, choices)
            if found is None
            else _table_at(lines, found.line - 1, found.delimiter, choices)
        )
        if better is not None and (found is None or better.weight > found.weight):
            encoding, found = other, better
    return encoding, found


def _sample(file: BinaryIO, encoding: str, found: _Found) -> list[list[str]]:
    """Read the header and the first rows."""
    width = len(found.header)
    rows = read_table(file, encoding, found.delimiter, found.line, found.lines, width)
    return [row.cells for row in islice(rows, SAMPLE_ROWS) if isinstance(row, Cells)]


def _sniff_headless(
    file: BinaryIO, sniffed: Sniffed, lines: Sequence[str], choices: Choices
) -> Sniffed:
    """Read a table whose first row is plainly a person's, or refuse it for want of a header."""
    first = next(line for line in lines if line.strip())
    for delimiter in [one for one in _DELIMITERS if one in first] or [","]:
        header, _ = read_header([first], delimiter)
        rows = _sample(file, sniffed.encoding, _Found(delimiter, 0, 0, header, 0))
        mapping = guess(rows)
        if mapping is not None:
            return _headless(replace(sniffed, delimiter=delimiter), mapping, rows, choices)
    raise _no_header()


def _headless(
    sniffed: Sniffed, mapping: ColumnMapping, rows: Sequence[Sequence[str]], choices: Choices
) -> Sniffed:
    mapping, days, guessed, region = _settle(mapping.changed(choices), rows)
    return replace(
        sniffed,
        header_line=0,
        header_lines=0,
        mapping=mapping,
        days=days,
        days_assumed=guessed,
        region=region,
    )


def _begins_card(line: str) -> bool:
    return line.strip("\ufeff \t\r\n").upper().startswith("BEGIN:VCARD")


def _cards(file: BinaryIO, sniffed: Sniffed) -> Sniffed:
    """Look into the first cards for where their numbers are dialled; whose groups do not matter."""
    cards = read_vcard(file, replace(sniffed, has_groups=False))
    people = [row.record for row in islice(cards, SAMPLE_ROWS) if isinstance(row, Row)]
    script = language_of_names(person.get("full_name", "") for person in people)
    numbers: list[tuple[str, str]] = []
    for person in people:
        addresses = person.get("addresses", ())
        country = next((one["country"] for one in addresses if one.get("country")), "")
        numbers += [(point["value"], country) for point in person.get("phones", ())]
    return replace(sniffed, region=find_region(numbers, "", vocabulary(), script))


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
        if widest > MAX_COLUMNS:
            raise _too_wide(widest)
        return _sniff_headless_workbook(sheets, choices)
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


def _sniff_headless_workbook(
    sheets: Mapping[str, Sequence[tuple[int, list[str]]]], choices: Choices
) -> Sniffed:
    for sheet, numbered in sheets.items():
        width = max((len(cells) for _, cells in numbered), default=0)
        # A row of a sheet ends with its last cell that is not empty.
        rows = [[*cells, *[""] * (width - len(cells))] for _, cells in numbered]
        mapping = guess(rows)
        if mapping is not None:
            found = Sniffed(OTHER_LAYOUT, "xlsx", assumed=False, sheet=sheet)
            return _headless(found, mapping, rows, choices)
    raise _no_header()


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


def _find_table(lines: list[str], choices: Choices) -> _Found | None:
    """Find the header, and what stands between its cells; None: no line is one."""
    best: _Found | None = None
    widest = 0
    for delimiter in _DELIMITERS:
        for number in range(min(len(lines), PREAMBLE_LINES)):
            found = _table_at(lines, number, delimiter, choices)
            if found is None:
                continue
            widest = max(widest, len(found.header))
            if found.weight and (best is None or found.weight > best.weight):
                best = found
    if best is None and widest > MAX_COLUMNS:
        raise _too_wide(widest)
    return best


def _table_at(lines: list[str], number: int, delimiter: str, choices: Choices) -> _Found | None:
    """Read a line, counted from 0, as a header; it weighs nothing if it cannot be one."""
    if not lines:
        return None
    header, taken = read_header(lines[number:], delimiter)
    return _Found(delimiter, number + 1, taken, header, _weight(header, choices))


def _weight(header: Sequence[str], choices: Choices) -> int:
    """Return how many columns of a row are known by their names, if it can be a header."""
    if not any(header) or len(header) > MAX_COLUMNS:
        return 0
    if choices and set(choices) <= set(header):
        return len(header) + len(choices)
    if any(map(is_reach, header)):
        return 0  # a person's row that happens to hold a word of headers
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
    return _settle(suggest(header, rows, vocabulary()).changed(choices), rows)


def _settle(
    mapping: ColumnMapping, rows: Sequence[Sequence[str]]
) -> tuple[ColumnMapping, DayOrder, bool, str]:
    """Add what the cells of a table show: the order of dates, and where its phones are dialled."""
    words = vocabulary()
    if not mapping.identifies:
        raise _no_header()
    usual: DayOrder = next(
        (language.days for language in words.languages if language.code == mapping.language), "mdy"
    )
    days = _cells(mapping, rows, "birthday", "date")
    shown = find_order(days)
    script = language_of_names(_cells(mapping, rows, "full_name", "first_name", "last_name"))
    region = find_region(_numbers(mapping, rows), mapping.language, words, script)
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
