"""A labelled table, read as ingest reads files: each row with who it is about."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, Final

import orjson

from kith.evaluation.columns import (
    fill_in,
    find_column,
    identifying,
    parse_wish,
    read_wishes,
    set_aside,
)
from kith.evaluation.errors import EvaluationError
from services.ingest.domain.columns import SKIP, ColumnMapping, Target
from services.ingest.domain.mapping import Normalized, Origin, Rules, to_normalized
from services.ingest.domain.reading import read_value
from services.ingest.domain.vocabulary import key_of
from services.ingest.sources.people import read_people
from services.ingest.sources.row import BadRow, Blank, Row
from services.ingest.sources.sniff import sniff
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import read_header
from services.ingest.sources.understanding import UnknownHeaderError
from services.ingest.sources.vocabulary import vocabulary
from shared.errors import PoisonMessageError
from shared.events.signal import ContactSignal

MAX_ROWS: Final = 1_000_000
"""Rows of one file: what a laptop's memory holds, with their values."""

SOURCE: Final = "csv_upload"
"""The source of every row, as `kith import` has it."""

_FIRST_LINES: Final = 1 << 16
_DELIMITERS: Final = ",;\t|"
_WORKBOOK: Final = b"PK\x03\x04"
"""How a workbook begins, which has no lines to be shown."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One row, as its source would send it."""

    line: int
    """Where it begins in the file; names the record."""
    record: Mapping[str, Any]
    """The fields of a `ContactSignal`, without source and record id."""
    person: str | None
    """Who it is about; None: the file does not say, and it is not measured."""

    @property
    def record_id(self) -> str:
        """Name the record in the ledger: no two rows are deliveries of one record."""
        return f"line-{self.line}"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A file with its truth, and how it was read."""

    sniffed: Sniffed
    truth: str
    """The column that says who a row is about."""
    rows: Sequence[LabelledRow]
    columns: Mapping[str, str]
    """Column → where its cells go."""
    aside: Mapping[str, str]
    """Column → why it is not compared."""
    unread: Sequence[tuple[int, str]]
    """(line, reason) of rows that cannot be read."""
    blank: int
    left_out: int
    """Values that could not be read and were left out of their rows."""

    @property
    def people(self) -> dict[str, str]:
        """Return record id → person, of the rows that are measured."""
        return {row.record_id: row.person for row in self.rows if row.person is not None}

    def shuffled(self, seed: int) -> list[LabelledRow]:
        """Return the rows in a random order, the same for the same seed."""
        rows = list(self.rows)
        Random(seed).shuffle(rows)  # noqa: S311  # an order, no secret
        return rows


def read_labelled(path: Path, truth: str, maps: Sequence[str] = ()) -> Labelled:
    """Read a table, find its columns, and set aside what may not be compared.

    Raises `EvaluationError` when it is no table of people, or has no truth.
    """
    with path.open("rb") as file, _told():
        column, choices = _choose(file, truth, maps)
        first = _read(file, _sniff_as_chosen(file, choices), column)
        if not first.rows:
            raise EvaluationError("has no row below its header that can be read")
        if not any(row.person for row in first.rows):
            raise EvaluationError(
                f"column {column} is empty in every row: nothing says who is whom"
            )
        aside = set_aside(_mapping(first.sniffed), first.cells, first.persons)
        sniffed = sniff(file, choices | dict.fromkeys(aside, str(SKIP)))
        read = _read(file, sniffed, column)
    return Labelled(
        sniffed=sniffed,
        truth=column,
        rows=read.rows,
        columns={
            one.name: str(one.target)
            for one in _mapping(sniffed).columns
            if one.name != column and one.name not in aside
        },
        aside=aside,
        unread=read.unread,
        blank=read.blank,
        left_out=read.left_out,
    )


def normalized(row: LabelledRow, origin: Origin, rules: Rules) -> Normalized:
    """Normalise a row as ingest does; raises `PoisonMessageError` when it speaks of nobody."""
    return to_normalized(signal_of(row), orjson.dumps(row.record), origin, rules)


def signal_of(row: LabelledRow) -> ContactSignal:
    """Read a row as the signal that ingest would make of it."""
    record = {**row.record, "source": SOURCE, "source_record_id": row.record_id}
    return read_value(record, may_hold_nul=True)[0]


@contextmanager
def _told() -> Iterator[None]:
    """Say of a file what ingest says of it."""
    try:
        yield
    except PoisonMessageError as error:
        raise EvaluationError(error.detail) from None


def _choose(file: BinaryIO, truth: str, maps: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Find the truth's column, and what is said or known of the others."""
    try:
        sniffed = sniff(file)
    except UnknownHeaderError:
        # The header may say nothing of people in known words: then what was wished for finds it.
        sniffed = _sniff_by_wishes(file, truth, maps)
    mapping = _mapping(sniffed)
    column = find_column(truth, [one.name for one in mapping.columns])
    wishes = read_wishes(maps, mapping, vocabulary())
    if column in wishes:
        raise EvaluationError(f"column {column} is the truth; it cannot be compared as well")
    choices = fill_in(mapping, column, vocabulary()) | wishes | {column: str(SKIP)}
    return column, choices


def _sniff_as_chosen(file: BinaryIO, choices: Mapping[str, str]) -> Sniffed:
    try:
        return sniff(file, choices)
    except UnknownHeaderError:
        raise EvaluationError(
            "no column names a person, and a company or a place alone names nobody: say which "
            "does, --map full_name=COLUMN, --map email=COLUMN, --map phone=COLUMN"
        ) from None


def _sniff_by_wishes(file: BinaryIO, truth: str, maps: Sequence[str]) -> Sniffed:
    header = _widest_header(file)
    wished = [parse_wish(wish)[1] for wish in maps]
    keys = set(map(key_of, wished))
    names = [name for name in header if key_of(name) in keys]
    names = names or identifying(header, vocabulary())
    if names and key_of(truth) in map(key_of, header):
        # Any identifying place finds the header; what its columns are is settled afterwards.
        choices = dict.fromkeys(names, str(SKIP)) | {names[0]: str(Target("full_name"))}
        with contextlib.suppress(UnknownHeaderError):
            return sniff(file, choices)
    for name in wished if header else ():
        find_column(name, header)
    first = f"; the first line has: {', '.join(header)}" if header else ""
    raise EvaluationError(
        f"no column is known to speak of a person{first}. "
        "Say what they are: --map full_name=COLUMN, --map email=COLUMN …"
    )


def _widest_header(file: BinaryIO) -> list[str]:
    file.seek(0)
    begin = file.read(_FIRST_LINES)
    if begin.startswith(_WORKBOOK):
        return []
    lines = begin.decode("utf-8", "replace").splitlines()[:1]
    headers = [read_header(lines, delimiter)[0] for delimiter in _DELIMITERS] if lines else []
    return max(headers, key=len, default=[])


def _mapping(sniffed: Sniffed) -> ColumnMapping:
    if sniffed.mapping is None:
        raise EvaluationError("is a file of cards and has no column of truth; give a table")
    return sniffed.mapping


@dataclass(slots=True)
class _Read:
    """What one reading of a file found."""

    sniffed: Sniffed
    rows: list[LabelledRow]
    persons: list[str | None]
    cells: dict[str, list[str]]
    """Column that may be compared as a custom field → its cells, row by row."""
    unread: list[tuple[int, str]]
    blank: int = 0
    left_out: int = 0


def _read(file: BinaryIO, sniffed: Sniffed, truth: str) -> _Read:
    watched = [
        one.name
        for one in _mapping(sniffed).columns
        if one.target.kind in ("custom", "record_id") and one.why != "chosen"
    ]
    read = _Read(sniffed, [], [], {name: [] for name in watched}, [])
    for row in read_people(file, sniffed):
        match row:
            case Row():
                _take(read, row, truth)
            case BadRow():
                read.unread.append((row.line, row.reason))
            case Blank():
                read.blank += 1
    return read


def _take(read: _Read, row: Row, truth: str) -> None:
    if len(read.rows) >= MAX_ROWS:
        raise EvaluationError(f"has more than {MAX_ROWS:,} rows; split it")
    person = row.raw.get(truth)
    read.rows.append(LabelledRow(row.line, row.record, person))
    read.persons.append(person)
    for name, cells in read.cells.items():
        cells.append(row.raw.get(name, ""))
    read.left_out += len(row.left_out)
