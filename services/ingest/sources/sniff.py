"""What a file is: its kind, encoding, layout and language, and where it begins; nobody is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.headless import guess
from services.ingest.domain.suggesting import OTHER_LAYOUT, suggest
from services.ingest.sources.calls import is_log
from services.ingest.sources.encodings import LEGACY, MIXED, PIECE, text_of
from services.ingest.sources.fixed_width import (
    SAMPLE_LINES,
    find_columns,
    first_rows,
    read_fixed_width,
)
from services.ingest.sources.kinds import JSON, LDIF_TEXT, XML, kind_of_bytes, kind_of_text
from services.ingest.sources.sniff_json import sniff_json
from services.ingest.sources.sniff_ldif import sniff_ldif
from services.ingest.sources.sniff_phone_book import sniff_phone_book
from services.ingest.sources.sniff_workbook import PREAMBLE_LINES, sniff_workbook
from services.ingest.sources.sniffed import LDIF, PHONE_BOOK, VCARD, Sniffed
from services.ingest.sources.survey import Survey, survey_of
from services.ingest.sources.table import (
    HEADER_LINES,
    MAX_COLUMNS,
    MAX_HEADER,
    Cells,
    read_header,
    read_table,
)
from services.ingest.sources.understanding import (
    SAMPLE_ROWS,
    Choices,
    no_header,
    no_table,
    read_ahead,
    too_wide,
    understand,
    weight_of,
    without_header,
)
from services.ingest.sources.vocabulary import vocabulary
from shared.errors import PoisonMessageError

_DELIMITERS: Final = ",;\t|"
_OF_PEOPLE: Final = frozenset({"email", "first_name", "last_name", "job", "birthday"})
"""Kinds of columns that make a table one of people, whatever a call is told by in it."""

_ZIP: Final = b"PK\x03\x04"


class CallLogError(PoisonMessageError):
    """A table says what happened, and not who people are."""


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
    choices = choices or {}
    file.seek(0)
    head = file.read(PIECE)
    if head.startswith(_ZIP):
        return sniff_workbook(file, choices)
    if kind := kind_of_bytes(head):
        raise no_table(kind)
    survey = survey or survey_of(file)
    encoding, assumed = survey.encoding()
    lines = list(_first_lines(file, encoding))
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise PoisonMessageError("invalid", "the file is empty", field="file")
    usual = "cp1252" if encoding == MIXED else encoding
    cards = Sniffed(VCARD, usual, assumed, has_groups=survey.has_groups())
    if _begins_card(first):
        return read_ahead(file, cards)
    kind = kind_of_text("".join(lines))
    if kind == JSON:
        return sniff_json(file, encoding, choices)
    if kind:
        return _sniff_kind(kind, file, cards, choices)
    return _sniff_table(file, encoding, lines, cards, choices)


def _sniff_table(
    file: BinaryIO, encoding: str, lines: list[str], cards: Sniffed, choices: Choices
) -> Sniffed:
    """Find a table's header and columns; `cards`: what the file is if cards follow a few lines."""
    found = _find_table(lines, choices)
    if cards.assumed and encoding != MIXED:
        encoding, found = _by_header(file, encoding, found, choices)
    if (found is None or len(found.header) == 1) and any(map(_begins_card, lines)):
        return read_ahead(file, cards)
    if not choices:
        _refuse_log(file, encoding, found)
    table = Sniffed(OTHER_LAYOUT, encoding, cards.assumed)
    fixed = _sniff_fixed_width(file, table, found, choices)
    if fixed is not None:
        return fixed
    if found is None:
        return _sniff_headless(file, table, lines, choices)
    sample = _sample(file, encoding, found)
    mapping, days, guessed, region = understand(found.header, sample[1:], choices)
    return replace(
        table,
        layout=mapping.layout,
        delimiter=found.delimiter,
        header_line=found.line,
        header_lines=found.lines,
        mapping=mapping,
        days=days,
        days_assumed=guessed,
        region=region,
    )


def _sniff_kind(kind: str, file: BinaryIO, sniffed: Sniffed, choices: Choices) -> Sniffed:
    """Look into text that begins as no table does, or refuse it by what it is."""
    if kind == LDIF_TEXT:
        return sniff_ldif(file, Sniffed(LDIF, sniffed.encoding, sniffed.assumed), choices)
    if kind == XML:
        book = Sniffed(PHONE_BOOK, sniffed.encoding, sniffed.assumed)
        return sniff_phone_book(file, book, choices)
    raise no_table(kind)


def _refuse_log(file: BinaryIO, encoding: str, found: _Found | None) -> None:
    """Refuse what happened, unless its columns say more of people than who was at the other end."""
    header = [] if found is None else found.header
    columns = suggest(header, (), vocabulary())
    if (
        columns.layout == OTHER_LAYOUT
        and _OF_PEOPLE.isdisjoint(column.target.kind for column in columns.columns)
        and is_log(file, encoding)
    ):
        why = no_table("a log of calls or messages; import it with `kith activities`")
        raise CallLogError(why.reason, why.detail, field=why.field)


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
    return _by_language(file, encoding, found, choices)


def _by_language(
    file: BinaryIO, encoding: str, found: _Found | None, choices: Choices
) -> tuple[str, _Found | None]:
    """Read a table in the encoding of its header's language, if the header is as well known in it.

    Hungarian says its long vowels so seldom that cells alone do not tell them from Estonian ones.
    """
    if found is None:
        return encoding, found
    spoken = suggest(found.header, (), vocabulary()).language
    legacy = next((one.legacy for one in vocabulary().languages if one.code == spoken), "")
    if legacy in ("", encoding):
        return encoding, found
    lines = list(_first_lines(file, legacy))
    same = _table_at(lines, found.line - 1, found.delimiter, choices)
    return (legacy, same) if same is not None and same.weight >= found.weight else (encoding, found)


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
            return without_header(replace(sniffed, delimiter=delimiter), mapping, rows, choices)
    raise no_header()


def _sniff_fixed_width(
    file: BinaryIO, sniffed: Sniffed, found: _Found | None, choices: Choices
) -> Sniffed | None:
    """Read a table whose columns nothing parts but space; None: it is none."""
    if found is not None and len(found.header) > 1:
        return None
    lines = list(_first_lines(file, sniffed.encoding, SAMPLE_LINES))
    for number in range(min(len(lines), PREAMBLE_LINES)):
        columns = find_columns(lines[number:], lines[:number])
        if columns is None or not weight_of(columns.names, choices):
            continue
        taken = columns.header_lines
        rows = read_fixed_width(file, sniffed.encoding, columns.starts, number + 1, taken)
        header, *sample = first_rows(rows, SAMPLE_ROWS)
        mapping, days, guessed, region = understand(header, sample, choices)
        return replace(
            sniffed,
            layout=mapping.layout,
            header_line=number + 1,
            header_lines=taken,
            starts=columns.starts,
            mapping=mapping,
            days=days,
            days_assumed=guessed,
            region=region,
        )
    return None


def _begins_card(line: str) -> bool:
    return line.strip("\ufeff \t\r\n").upper().startswith("BEGIN:VCARD")


def _first_lines(
    file: BinaryIO, encoding: str, count: int = PREAMBLE_LINES + HEADER_LINES
) -> Iterator[str]:
    text = text_of(file, encoding)
    try:
        for _ in range(count):
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
        raise too_wide(widest)
    return best


def _table_at(lines: list[str], number: int, delimiter: str, choices: Choices) -> _Found | None:
    """Read a line, counted from 0, as a header; it weighs nothing if it cannot be one."""
    if not lines:
        return None
    header, taken = read_header(lines[number:], delimiter)
    return _Found(delimiter, number + 1, taken, header, weight_of(header, choices))
