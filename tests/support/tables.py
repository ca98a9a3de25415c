"""Files of contacts as ingest takes them, without a broker."""

import io
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from openpyxl import Workbook

from services.ingest.domain.staging import Staged, nobody, told_apart
from services.ingest.sources.reading import SOURCES, Terms
from services.ingest.sources.sniff import sniff
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.staging import stage
from tests.support.ingest import ORIGIN, RULES

FORMATS: Final = Path(__file__).parents[1] / "fixtures" / "formats"
"""One file per dialect, made for these tests; beside each the facts that it holds."""


@dataclass(frozen=True, slots=True)
class RowNote:
    """Something to know about one row of a file."""

    line: int
    field: str
    reason: str


@dataclass(slots=True)
class Tally:
    """What became of the rows of a file."""

    accepted: int = 0
    blank: int = 0
    refused: int = 0
    rejected: list[RowNote] = field(default_factory=list)
    warnings: list[RowNote] = field(default_factory=list)
    first: Staged | None = None
    """The first that was rejected."""

    @property
    def rows(self) -> int:
        return self.accepted + self.blank + self.refused

    def add(self, row: Staged) -> bool:
        """Count a row; tell whether it was accepted."""
        if row.row_class == "blank":
            self.blank += 1
        elif row.row_class == "rejected":
            self.refused += 1
            self.first = self.first or row
            self.rejected.append(RowNote(row.line, row.field, row.reason))
        else:
            self.accepted += 1
            self.warnings += [RowNote(row.line, *note) for note in row.notes]
        return row.row_class is None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file."""

    sniffed: Sniffed
    facts: list[dict[str, Any]]
    """Of each accepted row, without the identifiers, which repeat them."""
    tally: "Tally"
    bodies: list[dict[str, Any]]
    """The signals of the accepted rows."""

    def told(self) -> dict[str, Any]:
        """Return all of it as a golden file keeps it."""
        reading = self.sniffed.told()
        reading.pop("columns", None)
        return {
            "reading": reading,
            "facts": self.facts,
            "rejected": [asdict(note) for note in self.tally.rejected],
            "warnings": [asdict(note) for note in self.tally.warnings],
            "blank": self.tally.blank,
        }


def take(data: bytes, choices: Mapping[str, str] | None = None, max_rows: int = 100_000) -> Taken:
    """Read a file as an import stages it."""
    file = io.BytesIO(data)
    sniffed = sniff(file, choices)
    terms = Terms(ORIGIN, SOURCES[sniffed.layout], max_rows)
    tally = Tally()
    rows = [row for row in stage(file, sniffed, terms, RULES) if tally.add(row)]
    if not rows:
        raise nobody(tally.rows, tally.first)
    alike = Counter(row.identity for row in rows)
    bodies = [
        orjson.loads(
            told_apart(row.signal, row.identity, ORIGIN.tenant, RULES)[0]
            if alike[row.identity] > 1
            else row.signal
        )
        | {"raw": orjson.loads(row.raw)}
        for row in rows
    ]
    facts = [orjson.loads(row.signal)["facts"] for row in rows]
    for one in facts:
        one.pop("identifiers", None)
    return Taken(sniffed, facts, tally, bodies)


def workbook(*sheets: list[list[Any]]) -> bytes:
    """Make an .xlsx of sheets of rows."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, part: str, content: bytes) -> bytes:
    """Return a zip archive with one part replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return out.getvalue()
