"""Contacts as a workbook (.xlsx), written as it is sent: nothing is kept, in memory or on disk.

A zip archive may be written without going back (its directory stands at its end), and so may a
sheet of texts (ECMA-376, part 1, 18.3.1): libraries write sheets to a file first, whose size an
export does not bound.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from typing_extensions import override

from services.api.domain.export.record import Record
from services.api.domain.export.table import Layout, guarded

MAX_ROWS: Final = 1_048_575
"""Rows of a sheet below its header (Excel's own limit)."""

MAX_CELL: Final = 32_767
"""Characters of a cell (Excel's own limit): what is longer is cut there."""

_LARGE: Final = 250_000
"""Rows of a sheet that may unfold to over 2 GB: the archive has to say so beforehand."""

_LEVEL: Final = 5
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
"""What XML cannot hold, or changes; `More` has the whole text."""

_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What a reader would take for a character's number (ECMA-376, ST_Xstring)."""

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET: Final = "xl/worksheets/sheet1.xml"
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
    '<sheet name="Contacts" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/>'
    '<name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
    '<patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3">'
    '<xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/>'
    '<xf xfId="0" numFmtId="49" applyNumberFormat="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
"""Everything but the sheet. Style 1 is bold, 2 says that a cell is a text whatever is typed."""

_BEGIN: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane xSplit="1" ySplit="1" topLeftCell="B2" activePane="bottomRight" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)
_END: Final = "</sheetData></worksheet>"


class _Sink(io.RawIOBase):
    """Holds what was written until it is taken; cannot go back."""

    def __init__(self) -> None:
        self._held = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: object) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


class Workbook:
    """A workbook in the making: every step returns the bytes that it added."""

    def __init__(self, layout: Layout, rows: int) -> None:
        self._layout = layout
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        for name, text in _PARTS.items():
            self._archive.writestr(name, _XML + text)
        self._sheet = self._archive.open(_SHEET, "w", force_zip64=rows > _LARGE)
        self._columns = [_letters(n) for n in range(len(layout.header))]
        self._row = 0
        self._write(_BEGIN + self._line(layout.header, style=1))

    def add(self, records: Sequence[Record]) -> bytes:
        """Write some contacts."""
        self._write("".join([self._line(self._layout.row(one), style=2) for one in records]))
        return self._sink.take()

    def finish(self) -> bytes:
        """Write the end of the sheet and the archive's directory."""
        self._write(_END)
        self._sheet.close()
        self._archive.close()
        return self._sink.take()

    def _write(self, text: str) -> None:
        self._sheet.write(text.encode("utf-8", "replace"))

    def _line(self, cells: Sequence[str], style: int) -> str:
        self._row += 1
        number = self._row
        written = [
            f'<c r="{column}{number}" s="{style}" t="inlineStr"><is>'
            f'<t xml:space="preserve">{_text(cell)}</t></is></c>'
            for column, cell in zip(self._columns, cells, strict=True)
            if cell
        ]
        return f'<row r="{number}">{"".join(written)}</row>'


def _text(cell: str) -> str:
    text = _ESCAPE.sub("_x005F_", _UNSEEN.sub("", guarded(cell)))
    return escape(text[:MAX_CELL])


def _letters(index: int) -> str:
    """Name a column: A to Z, then AA, AB and so on."""
    name, index = "", index + 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
