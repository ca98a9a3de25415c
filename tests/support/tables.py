"""Files of contacts as ingest takes them, without a broker."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from openpyxl import Workbook

from services.ingest.domain.imports import Tally
from services.ingest.sources.reading import SOURCES, Terms, signals, survey
from services.ingest.sources.sniff import Sniffed, sniff
from tests.support.ingest import ORIGIN, RULES

FORMATS: Final = Path(__file__).parents[1] / "fixtures" / "formats"
"""One file per dialect, made for these tests; beside each the facts that it holds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file."""

    sniffed: Sniffed
    facts: list[dict[str, Any]]
    """Of each accepted row, without the identifiers, which repeat them."""
    tally: Tally

    def told(self) -> dict[str, Any]:
        """Return all of it as a golden file keeps it."""
        reading = self.sniffed.told()
        reading.pop("columns", None)
        return {
            "reading": reading,
            "facts": self.facts,
            "rejected": [note.model_dump() for note in self.tally.rejected],
            "warnings": [note.model_dump() for note in self.tally.warnings],
            "blank": self.tally.blank,
        }


def take(data: bytes, choices: Mapping[str, str] | None = None, max_rows: int = 100_000) -> Taken:
    """Import a file as the route does."""
    file = io.BytesIO(data)
    sniffed = sniff(file, choices)
    terms = Terms(ORIGIN, SOURCES[sniffed.layout], max_rows)
    *_, seen = survey(file, sniffed, terms, RULES)
    tally = Tally()
    found = signals(file, sniffed, terms, RULES, seen=seen, tally=tally)
    facts = [orjson.loads(one.body)["facts"] for _, one in found]
    for one in facts:
        one.pop("identifiers", None)
    return Taken(sniffed, facts, tally)


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
