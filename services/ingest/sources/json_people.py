"""JSON of people: signals as kith exports and takes them, or a table's rows as objects."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

import orjson

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.cells import SEPARATOR
from services.ingest.sources.json_items import Item, read_items
from services.ingest.sources.people import People
from services.ingest.sources.row import CONTACT_ID, BadRow, Row, Rows
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS, MAX_ROW, Cells

_SIGNAL: Final = frozenset(
    {"emails", "phones", "identifiers", "employments", "addresses", "custom_fields"}
)
"""Fields of a signal that hold lists of objects, or an object: no table has such cells."""

_APART: Final = ("source", "id", REASON)
"""What a signal says that an import says for all of them, or that says nothing."""

_VALUES: Final = ("value", "address", "number", "email", "phone", "contact_point", "url")
"""What applications call the value itself where a list holds several, each with its type."""

_DEEPEST: Final = 3
"""Objects within objects that are columns of their own."""

_NO_OBJECT: Final = "is no object of names and values"
_WIDE: Final = f"has more than {MAX_COLUMNS} values"
_LONG: Final = f"has more than {MAX_ROW:,} characters"
_NEW: Final = "is in none of the file's first items; kept in the source record only"


def is_signal(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is a signal, as `POST /v1/signals` takes it."""
    return (
        any(
            (isinstance(part, list) and part and all(isinstance(one, dict) for one in part))
            or (isinstance(part, dict) and name == "custom_fields")
            for name in _SIGNAL & value.keys()
            for part in [value[name]]
        )
        or {"source", "source_record_id"} <= value.keys()
    )


def read_signals(file: BinaryIO, encoding: str) -> Rows:
    """Yield a row per signal of a file."""
    for item in read_items(file, encoding):
        yield item if isinstance(item, BadRow) else _signal(item)


def _signal(item: Item) -> Row | BadRow:
    if not isinstance(item.value, dict):
        return BadRow(item.number, "", _NO_OBJECT)
    record = {name: value for name, value in item.value.items() if name not in _APART}
    uid = record.pop("source_record_id", None)
    if isinstance(uid, str) and CONTACT_ID.fullmatch(uid):
        record.setdefault("about", uid)
    return Row(item.number, record, item.value, uid if isinstance(uid, str) else None)


def read_objects(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per object of a file, as a table whose columns are the objects' names."""
    yield from rows_of(read_items(file, sniffed.encoding), sniffed)


def rows_of(items: Iterable[Item | BadRow], sniffed: Sniffed) -> Rows:
    """Yield a row per item, as a table whose columns are the items' names."""
    assert sniffed.mapping is not None
    people = People(sniffed.mapping, sniffed)
    names = [column.name for column in sniffed.mapping.columns]
    known = set(names)
    for item in items:
        if isinstance(item, BadRow):
            yield item
            continue
        cells = cells_of(item.value)
        if isinstance(cells, str):
            yield BadRow(item.number, "", cells)
            continue
        row = people.read(Cells(item.number, [cells.get(name, "") for name in names]))
        if isinstance(row, Row):
            row.left_out.extend((name, _NEW) for name in cells.keys() - known)
            row = replace(row, raw=item.value if item.record is None else item.record)
        yield row


def cells_of(value: Any) -> dict[str, str] | str:
    """Write an object as a row: column → cell; or why it is none."""
    if not isinstance(value, dict):
        return _NO_OBJECT
    cells = dict(_cells(value, "", _DEEPEST))
    cells.pop(REASON, None)
    if len(cells) > MAX_COLUMNS:
        return _WIDE
    return _LONG if sum(map(len, cells.values())) > MAX_ROW else cells


def _cells(value: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, part in value.items():
        place = f"{path} {name}".strip()
        if isinstance(part, dict) and part and depth:
            yield from _cells(part, place, depth - 1)
        else:
            yield place, _cell(part)


def _value_of(value: Any) -> str | None:
    """Return what one of several says, beside its type: `{"value": "a@x.org", "type": "work"}`."""
    if not isinstance(value, dict):
        return None
    found = (value[name] for name in _VALUES if isinstance(value.get(name), str))
    return next(filter(None, found), None)


def _cell(value: Any) -> str:
    """Write a value as a person would have typed it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float():
            return str(value)
        case list() if not any(isinstance(one, dict | list) for one in value):
            return f" {SEPARATOR} ".join(filter(None, map(_cell, value)))
        case list() if (said := [_value_of(one) for one in value]) and all(said):
            return f" {SEPARATOR} ".join(map(str, said))
        case _:
            return orjson.dumps(value).decode()
