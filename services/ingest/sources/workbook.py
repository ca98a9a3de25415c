"""Reading workbooks (.xlsx), row by row: a sheet is never held, whatever its size.

A workbook is a zip archive, so that a small upload may unfold to any size: what its parts say that
they unfold to is bounded before any is opened, and so is what the reader may hold of them.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import IO, Any, BinaryIO, Final, Self
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import iterparse
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser

from services.ingest.sources.row import BadRow, Blank
from services.ingest.sources.table import MAX_COLUMNS, MAX_ROW, Cells
from shared.errors import PoisonMessageError

MAX_UNFOLDED: Final = 512 << 20
"""Bytes of all parts together."""

MAX_RATIO: Final = 200
"""Times that a part may unfold; sheets of much alike rows unfold about 50 times."""

MAX_STRINGS: Final = 32 << 20
"""Bytes of the part whose strings are held, since cells share them."""

MAX_HELD: Final = 4 << 20
"""Bytes of a part that is held as a tree: styles, relations, the list of sheets."""

MAX_TEXT: Final = 1 << 20
"""Bytes of one text in a sheet; Excel itself allows a cell 32,767 characters."""

MAX_LINES: Final = 1 << 20
"""Rows of a sheet that Excel can have."""

_SMALL: Final = 1 << 20
"""Bytes of a part whose ratio does not matter."""

_MOST_SHEETS: Final = 10
"""Sheets in which a header is looked for."""

_PREVIEW: Final = 100
"""Rows of a sheet that are looked at."""

_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
)
"""What the reader raises upon a damaged workbook: its errors are no closed set."""

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BREAKS = re.compile(r"\s+")
_ERRORS: Final = frozenset(
    {"#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#GETTING_DATA"}
)

_ZIP: Final = "is a zip archive, not a workbook; unpack it and send the files in it"
_DAMAGED: Final = "is a damaged workbook; open it, save it again as .xlsx and send that"
_BROKEN: Final = "the workbook is damaged from here on; open it, save it again as .xlsx"
_BOMB: Final = "unfolds to more than is read; save the sheet of contacts alone, as CSV"
_LONG: Final = "is longer than 65,536 characters"
_WIDE: Final = "has more cells than the header has columns"


class _Text:
    """A part being read, within bounds."""

    def __init__(self, part: IO[bytes], limit: int) -> None:
        self._part = part
        self._left = limit
        self._run = 0

    def read(self, size: int = -1) -> bytes:
        data = self._part.read(size if size >= 0 else self._left + 1)
        self._left -= len(data)
        last = data.rfind(b"<")
        self._run = self._run + len(data) if last < 0 else len(data) - last
        if self._left < 0 or self._run > MAX_TEXT:
            raise ValueError(_BOMB)
        return data

    def close(self) -> None:
        self._part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Archive:
    """A zip archive of which a reader can neither hold too much nor be held up by one text."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.limit = MAX_STRINGS
        """Bytes of a part that may be read: while the workbook opens, all of it may be held."""

    def namelist(self) -> list[str]:
        return self._archive.namelist()

    def open(self, name: str, _mode: str = "r") -> _Text:
        return _Text(self._archive.open(name), self.limit)

    def read(self, name: str) -> bytes:
        with _Text(self._archive.open(name), MAX_HELD) as part:
            return part.read()

    def close(self) -> None:
        self._archive.close()


def is_workbook(file: BinaryIO) -> bool:
    """Tell whether a zip archive is a workbook."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except _DAMAGE as error:
        raise PoisonMessageError("malformed", _DAMAGED, field="file") from error


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook that is open: its sheets by name, and what their cells refer to."""

    archive: _Archive
    sheets: dict[str, str]
    """Name → part, of those that are shown."""
    strings: list[str]
    book: Any
    """An `openpyxl` workbook: its epoch, and which styles are of dates."""

    def rows(self, sheet: str, width: int) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows of a sheet that are not empty, with their numbers.

        What a row has been read into is dropped before the next: the library's own loop keeps
        the looks of every row, and reads every link behind them into memory.
        """
        with self.archive.open(self.sheets[sheet]) as part:
            reader = WorkSheetParser(
                part,
                self.strings,
                data_only=True,
                epoch=self.book.epoch,
                date_formats=self.book._date_formats,  # noqa: SLF001
                timedelta_formats=self.book._timedelta_formats,  # noqa: SLF001
            )
            above: Any = None
            for event, element in iterparse(part, events=("start", "end")):
                if event == "start":
                    if element.tag == DATA_TAG:
                        above = element
                elif element.tag == ROW_TAG:
                    with warnings.catch_warnings():
                        # It warns of cells that it cannot read as dates, and gives an error value.
                        warnings.simplefilter("ignore")
                        number, cells = reader.parse_row(element)
                    reader.row_dimensions.clear()
                    if above is not None:
                        above.clear()
                    if number > MAX_LINES:
                        return
                    texts = _texts(cells, width)
                    if texts:
                        yield number, texts
                elif element.tag == DATA_TAG:
                    return


def look_into(file: BinaryIO) -> dict[str, list[tuple[int, list[str]]]]:
    """Return the first rows of each sheet that is shown, with their numbers."""
    if not is_workbook(file):
        raise PoisonMessageError("invalid", _ZIP, field="file")
    found: dict[str, list[tuple[int, list[str]]]] = {}
    with _opened(file) as book:
        for sheet in islice(book.sheets, _MOST_SHEETS):
            found[sheet] = []
            with suppress(*_DAMAGE):
                found[sheet].extend(islice(book.rows(sheet, MAX_COLUMNS + 1), _PREVIEW))
    return found


def read_sheet(
    file: BinaryIO, sheet: str, header_line: int, width: int = 0
) -> Iterator[Cells | BadRow | Blank]:
    """Yield the header of a sheet, then the rows below it that are not empty.

    `header_line` 0: there is none, and every row has up to `width` cells.
    """
    line = 0
    with _opened(file) as book:
        try:
            for line, texts in book.rows(sheet, MAX_COLUMNS + 1):
                if line == header_line:
                    header = [_BREAKS.sub(" ", text).strip() for text in texts]
                    width = len(header)
                    yield Cells(line, header)
                elif line < header_line:
                    continue
                elif sum(map(len, texts)) > MAX_ROW:
                    yield BadRow(line, "", _LONG)
                elif len(texts) > width:
                    yield BadRow(line, "", _WIDE)
                else:
                    yield Cells(line, texts)
        except _DAMAGE:
            yield BadRow(line + 1, "", _BROKEN)


def read_texts(file: BinaryIO, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every row of a sheet as it stands, with its number, as far as it can be read."""
    with _opened(file) as book, suppress(*_DAMAGE):
        yield from book.rows(sheet, MAX_COLUMNS + 1)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[_Book]:
    """Open a workbook within bounds, or refuse it; the file stays open behind it."""
    file.seek(0)
    try:
        reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
        _refuse_bombs(reader.archive)
        archive: Any = _Archive(reader.archive)
        reader.archive = archive
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Of the steps of its `read` those that tables need: no themes, charts, properties.
            reader.read_manifest()
            reader.read_strings()
            reader.read_workbook()
            apply_stylesheet(archive, reader.wb)
            parts = set(archive.namelist())
            sheets = {
                sheet.name: rel.target
                for sheet, rel in reader.parser.find_sheets()
                if sheet.state == "visible" and rel.target in parts and "chart" not in rel.Type
            }
        archive.limit = MAX_UNFOLDED
        book = _Book(archive, sheets, reader.shared_strings, reader.wb)
    except _DAMAGE as error:
        raise PoisonMessageError("malformed", _DAMAGED, field="file") from error
    try:
        yield book
    finally:
        archive.close()


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    unfolded = sum(part.file_size for part in parts)
    worst = max(
        (part.file_size / max(part.compress_size, 1) for part in parts if part.file_size > _SMALL),
        default=0,
    )
    if unfolded > MAX_UNFOLDED or worst > MAX_RATIO:
        raise PoisonMessageError("too_large", _BOMB, field="file")


def _texts(cells: list[dict[str, Any]], width: int) -> list[str]:
    """Write the cells of a row, up to the last that is not empty."""
    texts: list[str] = []
    for cell in cells:
        text = _plain(cell["value"])
        column = min(cell["column"], width)
        if text.strip():
            texts.extend([""] * (column - len(texts)))
            texts[column - 1] = text
    return texts


def _plain(value: object) -> str:
    """Write a cell as a person would have typed it."""
    match value:
        case None:
            return ""
        case str():
            text = _ESCAPE.sub(_unescaped, value) if "_x" in value else value
            return "" if text in _ERRORS else text
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if not (value.hour or value.minute or value.second):
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _unescaped(match: re.Match[str]) -> str:
    """Undo how Excel writes characters that XML cannot hold."""
    code = int(match[1], 16)
    if code == 13:
        return "\n"
    return chr(code) if code in (9, 10) or 32 <= code < 0xD800 or code > 0xDFFF else ""
