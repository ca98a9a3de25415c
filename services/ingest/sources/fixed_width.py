"""Tables in columns of fixed width, as reports and database clients print them.

Nothing stands between their cells but space: where columns begin is told by a rule of dashes below
the header, else by the header itself, and only where all rows keep to it.
"""

import re
from collections.abc import Container, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from services.ingest.sources.encodings import mended, text_of
from services.ingest.sources.row import BadRow, Blank
from services.ingest.sources.table import MAX_ROW, Cells

SAMPLE_LINES: Final = 200
"""Lines below the header that must keep to its columns."""

FEWEST_ROWS: Final = 2
"""Rows without which a header's columns could be a chance."""

_PIECE: Final = 1 << 16
_NAMES: Final = re.compile(r"\S+(?: \S+)*")
_RULE: Final = re.compile(r"\s*[-=]{2,}(?:\s+[-=]{2,})+\s*")
_DASHES: Final = re.compile(r"[-=]+")
_COUNT: Final = re.compile(
    r"\(\d[\d.,]{0,12} (?:row|record|zeile|datens|ligne|fila|riga|righe|linha|rij)[^@]{0,60}\)\.?"
    r"|\d[\d.,]{0,12} (?:rows?|row\(s\)|records?|record\(s\)|zeilen?|datens\S{2,4}|lignes?|filas?"
    r"|rig(?:a|he)|linhas?|rij(?:en)?)"
    r" (?:affected|selected|returned|fetched|found|in set|ausgew|gefunden|betroffen|s[eé]le[cz]"
    r"|trouv|encontrad|trovat|geselecteerd)[^@]{0,40}",
    re.IGNORECASE,
)
"""How database clients say of how many rows a table is."""

_ACROSS: Final = "runs over the beginning of a column; line its cells up with the header"
_LONG: Final = f"has more than {MAX_ROW:,} characters"


class Columns(NamedTuple):
    """Where the columns of a table begin."""

    names: list[str]
    starts: tuple[int, ...]
    """Characters before each, the first at 0."""
    header_lines: int
    """Lines of the header, with its rule."""


def find_columns(lines: Sequence[str], above: Sequence[str] = ()) -> Columns | None:
    """Read lines as a header and the first rows below it; None: they are no such table.

    `above`: the lines before the header, which every page of a report may begin with.
    """
    header = lines[0].rstrip("\r\n")
    if "\t" in header or not header.strip():
        return None
    is_ruled = len(lines) > 1 and _RULE.fullmatch(lines[1].rstrip("\r\n")) is not None
    spans = (_DASHES if is_ruled else _NAMES).finditer(lines[1] if is_ruled else header)
    starts = (0, *[span.start() for span in spans][1:])
    if len(starts) < 2:
        return None
    names = cut(header, starts)
    head = {line.strip() for line in (*above, header)}
    rows = [line for line in lines[1 + is_ruled :] if not is_no_row(line, head)]
    if len(rows) < (1 if is_ruled else FEWEST_ROWS) or not all(names):
        return None
    if not is_ruled and any(runs_across(line.rstrip("\r\n"), starts) for line in rows):
        return None
    return Columns(names, starts, 1 + is_ruled)


def cut(line: str, starts: Sequence[int]) -> list[str]:
    """Cut a line into its cells.

    >>> cut("Ada Byron   ada@x.example", (0, 12))
    ['Ada Byron', 'ada@x.example']
    """
    ends = (*starts[1:], len(line) + 1)
    return [line[begin:end].strip() for begin, end in zip(starts, ends, strict=True)]


def read_fixed_width(
    file: BinaryIO, encoding: str, starts: Sequence[int], header_line: int, header_lines: int
) -> Iterator[Cells | BadRow | Blank]:
    """Yield the header, then the rows below it."""
    text = text_of(file, encoding, marked=True)
    head: set[str] = set()
    try:
        number = 0
        while stored := text.readline(MAX_ROW + 1):
            number += 1
            is_long = len(stored) > MAX_ROW and stored[-1] not in "\r\n"
            while is_long and (piece := text.readline(_PIECE)) and piece[-1] not in "\r\n":
                pass
            line = mended(stored).replace("\ufeff", "").rstrip("\r\n")
            if number <= header_line:
                head.add(line.strip())
            if number == header_line:
                yield Cells(number, cut(line, starts))
            elif number < header_line + header_lines:
                continue
            elif is_long:
                yield BadRow(number, "", _LONG)
            elif is_no_row(line, head):
                yield Blank(number)
            elif runs_across(line, starts):
                yield BadRow(number, "", _ACROSS)
            else:
                yield Cells(number, cut(line, starts))
    finally:
        text.detach()


def first_rows(rows: Iterator[Cells | BadRow | Blank], count: int) -> list[list[str]]:
    """Return the cells of the first rows, the header's first."""
    return [row.cells for row in islice(rows, count) if isinstance(row, Cells)]


def is_no_row(line: str, head: Container[str]) -> bool:
    """Tell what a report prints between its rows and below: what each page begins with, a count.

    >>> is_no_row("---- -----", ()), is_no_row("(2 rows affected)", ()), is_no_row("Ada", ())
    (True, True, False)
    """
    said = line.strip()
    is_rule = not said.strip("-= ") and ("--" in said or "==" in said)
    return not said or is_rule or said in head or _COUNT.fullmatch(said) is not None


def runs_across(line: str, starts: Sequence[int]) -> bool:
    """Tell a line of which a cell goes on where the next column begins."""
    return "\t" in line or any(start < len(line) and line[start - 1] != " " for start in starts[1:])
