"""What a workbook is: the sheet that is read, and where its header is."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

from services.ingest.domain.headless import guess
from services.ingest.domain.suggesting import OTHER_LAYOUT
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS
from services.ingest.sources.understanding import (
    Choices,
    no_header,
    too_wide,
    understand,
    weight_of,
    without_header,
)
from services.ingest.sources.workbook import look_into

PREAMBLE_LINES: Final = 12
"""Lines in which a header is looked for: LinkedIn puts a note of some lines before it."""


def sniff_workbook(file: BinaryIO, choices: Choices) -> Sniffed:
    """Recognise a workbook by the sheet in which most columns are known, or refuse it."""
    best: tuple[int, str, int] | None = None
    widest = 0
    sheets = look_into(file)
    for sheet, rows in sheets.items():
        for index, (_, row) in enumerate(rows[:PREAMBLE_LINES]):
            widest = max(widest, len(row))
            weight = weight_of([" ".join(cell.split()) for cell in row], choices)
            if weight and (best is None or weight > best[0]):
                best = (weight, sheet, index)
    if best is None:
        if widest > MAX_COLUMNS:
            raise too_wide(widest)
        return _without_header(sheets, choices)
    _, sheet, index = best
    number, row = sheets[sheet][index]
    header = [" ".join(cell.split()) for cell in row]
    sample = [cells for _, cells in sheets[sheet][index + 1 :]]
    mapping, days, guessed, region = understand(header, sample, choices)
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


def _without_header(
    sheets: Mapping[str, Sequence[tuple[int, list[str]]]], choices: Choices
) -> Sniffed:
    for sheet, numbered in sheets.items():
        width = max((len(cells) for _, cells in numbered), default=0)
        # A row of a sheet ends with its last cell that is not empty.
        rows = [[*cells, *[""] * (width - len(cells))] for _, cells in numbered]
        mapping = guess(rows)
        if mapping is not None:
            found = Sniffed(OTHER_LAYOUT, "xlsx", assumed=False, sheet=sheet)
            return without_header(found, mapping, rows, choices)
    raise no_header()
