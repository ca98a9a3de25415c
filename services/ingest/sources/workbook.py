"""Reading workbooks (.xlsx), row by row: a sheet is never held, whatever its size.

A workbook is a zip archive, so that a small upload may unfold to any size: what its parts say that
they unfold to is bounded before any is opened, and so is what the reader may hold of them.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import IO, Any, BinaryIO, Final, Self
from xml.etree.ElementTree import ParseError

from openpyxl.reader.excel import ExcelReader
from openpyxl.workbook import Workbook

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

_CHUNK: Final = 100
_BESIDE: Final = 20
"""Columns behind the header's last that are looked at, for cells that belong to none."""

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


def look_into(file: BinaryIO) -> dict[str, list[list[str]]]:
    """Return the first rows of each visible sheet."""
    if not is_workbook(file):
        raise PoisonMessageError("invalid", _ZIP, field="file")
    found: dict[str, list[list[str]]] = {}
    with _opened(file) as book:
        for sheet in book.worksheets[:_MOST_SHEETS]:
            if sheet.sheet_state != "visible":
                continue
            try:
                rows = list(islice(_values(sheet, MAX_COLUMNS + 1), _PREVIEW))
            except _DAMAGE:
                continue
            found[sheet.title] = [[_plain(value) for value in row] for _, row in rows]
    return found


def read_sheet(file: BinaryIO, sheet: str, header_line: int) -> Iterator[Cells | BadRow | Blank]:
    """Yield the header of a sheet, then the rows below it that are not empty."""
    line = header_line
    with _opened(file) as book:
        try:
            page = book[sheet]
            head = next(islice(_values(page, MAX_COLUMNS + 1), header_line - 1, None))[1]
            header = [_BREAKS.sub(" ", _plain(value)).strip() for value in head]
            while header and not header[-1]:
                header.pop()
            yield Cells(header_line, header)
            width = len(header)
            for line, row in islice(_values(page, width + _BESIDE), header_line, None):
                if any(value is not None for value in row):
                    cells = [_plain(value) for value in row]
                    if sum(map(len, cells)) > MAX_ROW:
                        yield BadRow(line, "", _LONG)
                    elif any(map(str.strip, cells[width:])):
                        yield BadRow(line, "", _WIDE)
                    elif any(map(str.strip, cells)):
                        yield Cells(line, cells[:width])
        except _DAMAGE:
            yield BadRow(line + 1, "", _BROKEN)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Workbook]:
    """Open a workbook within bounds, or refuse it; the file stays open behind it."""
    file.seek(0)
    try:
        reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
        _refuse_bombs(reader.archive)
        archive = _Archive(reader.archive)
        reader.archive = archive  # type: ignore[assignment]  # what it uses of one
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read()
        archive.limit = MAX_UNFOLDED
        book: Workbook = reader.wb
    except _DAMAGE as error:
        raise PoisonMessageError("malformed", _DAMAGED, field="file") from error
    try:
        yield book
    finally:
        book.close()


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    unfolded = sum(part.file_size for part in parts)
    worst = max(
        (part.file_size / max(part.compress_size, 1) for part in parts if part.file_size > _SMALL),
        default=0,
    )
    if unfolded > MAX_UNFOLDED or worst > MAX_RATIO:
        raise PoisonMessageError("too_large", _BOMB, field="file")


def _values(sheet: Any, width: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the rows of a sheet with their numbers; its warnings say nothing of a person."""
    sheet.reset_dimensions()
    rows = enumerate(sheet.iter_rows(max_row=MAX_LINES, max_col=width, values_only=True), start=1)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chunk = list(islice(rows, _CHUNK))
        if not chunk:
            return
        yield from chunk


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
