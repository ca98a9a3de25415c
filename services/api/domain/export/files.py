"""Contacts as text files, a piece at a time: CSV, vCard, JSON."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import orjson

from services.api.domain.export.record import Record, signal_of
from services.api.domain.export.table import Layout, guarded
from services.api.domain.export.vcard import write_card

Format = Literal["csv", "xlsx", "vcard", "vcard3", "json"]
"""What contacts can be exported as; `vcard` is 4.0."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is called."""

    media_type: str
    ending: str


KINDS: Final[dict[Format, Kind]] = {
    "csv": Kind("text/csv; charset=utf-8; header=present", "csv"),
    "xlsx": Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "vcard": Kind("text/vcard; charset=utf-8; version=4.0", "vcf"),
    "vcard3": Kind("text/vcard; charset=utf-8; version=3.0", "vcf"),
    "json": Kind("application/json", "json"),
}
"""Format → media type (RFC 4180, RFC 6350) and ending."""

TABLES: Final = frozenset({"csv", "xlsx"})
"""Formats of rows and columns."""


@dataclass(frozen=True, slots=True)
class Text:
    """How a file of text is put together."""

    begin: bytes
    piece: Callable[[Sequence[Record], bool], bytes]
    """Writes some contacts; whether they are the first."""
    end: bytes


def text_of(format_: Format, layout: Layout) -> Text:
    """Return how a format that is text is written."""
    if format_ == "csv":
        # Spreadsheets take UTF-8 for what it is only behind a byte order mark.
        return Text(b"\xef\xbb\xbf" + _lines([layout.header]), _csv(layout), b"")
    if format_ == "json":
        return Text(b"[", _json, b"\n]\n")
    version: Literal["3.0", "4.0"] = "3.0" if format_ == "vcard3" else "4.0"
    return Text(b"", lambda records, _: b"".join(write_card(r, version) for r in records), b"")


def _csv(layout: Layout) -> Callable[[Sequence[Record], bool], bytes]:
    return lambda records, _: _lines([layout.row(record) for record in records])


def _json(records: Sequence[Record], first: bool) -> bytes:
    lines = b"".join(b",\n" + orjson.dumps(signal_of(record)) for record in records)
    return lines.removeprefix(b",") if first else lines


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")
