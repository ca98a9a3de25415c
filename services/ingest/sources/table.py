"""Reading delimited text: row by row, each with its line, a broken one without its neighbours."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from services.ingest.sources.row import BadRow, Blank
from services.ingest.sources.sniff import Sniffed, text_of

_BROKEN = (
    "cannot be read as a row: a quote is not closed, or a cell is longer than 131,072 characters"
)
_TOO_WIDE = "has more cells than the header has columns; a comma in a cell needs quotes around it"


@dataclass(frozen=True, slots=True)
class Cells:
    """One row: column → cell, only those that are not empty, without white space around them."""

    line: int
    values: dict[str, str]


def read_table(file: BinaryIO, sniffed: Sniffed) -> Iterator[Cells | BadRow | Blank]:
    """Yield the rows below the header."""
    text = text_of(file, sniffed.encoding)
    try:
        for _ in range(sniffed.header_line - 1):
            text.readline()
        reader = csv.reader(text, delimiter=sniffed.delimiter)
        header = [name.strip() for name in next(reader)]
        before = sniffed.header_line - 1
        while True:
            line = before + reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield BadRow(line, "", _BROKEN)
                continue
            yield _cells(line, header, row)
    finally:
        text.detach()


def _cells(line: int, header: list[str], row: list[str]) -> Cells | BadRow | Blank:
    if any(cell.strip() for cell in row[len(header) :]):
        return BadRow(line, "", _TOO_WIDE)
    values = {name: cell for name, text in zip(header, row, strict=False) if (cell := text.strip())}
    return Cells(line, values) if values else Blank(line)
