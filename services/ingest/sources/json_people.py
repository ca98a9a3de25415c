"""JSON of people: signals as kith exports and takes them, or a table's rows as objects."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

import orjson

from services.ingest.domain.headers import read_header_words
from services.ingest.domain.suggesting import REASON
from services.ingest.domain.vocabulary import LONGEST, key_of
from services.ingest.sources.cells import SEPARATOR
from services.ingest.sources.json_items import Item, read_items
from services.ingest.sources.people import People
from services.ingest.sources.row import CONTACT_ID, BadRow, Row, Rows
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS, MAX_ROW, Cells
from services.ingest.sources.vocabulary import vocabulary
from shared.events.signal import ContactSignal

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

_FEW: Final = 5
"""Objects of a list that are columns of their own."""

_NO_OBJECT: Final = "is no object of names and values"
_WIDE: Final = f"has more than {MAX_COLUMNS} values"
_LONG: Final = f"has more than {MAX_ROW:,} characters"
_WRITTEN: Final = ("[{", '{"')
"""How JSON begins that stands in a cell for want of a text."""

_OBJECTS: Final = "holds objects in a list; kept in the source record only"
_NEW: Final = "is in none of the file's first items; kept in the source record only"


def is_signal(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is a signal, as `POST /v1/signals` takes it.

    Other programs have lists of addresses as well, beside what no signal has: an `email`.
    """
    if {"source", "source_record_id"} <= value.keys():
        return True
    return any(
        (isinstance(part, list) and part and all(isinstance(one, dict) for one in part))
        or (isinstance(part, dict) and name == "custom_fields")
        for name in _SIGNAL & value.keys()
        for part in [value[name]]
    ) and not any(map(_reaches, value.keys() - ContactSignal.model_fields.keys()))


def _reaches(name: str) -> bool:
    """Tell whether a column of this name would hold an address or number of the person."""
    said = read_header_words(key_of(name[:LONGEST]), vocabulary())
    return said is not None and said.target.kind in ("email", "phone")


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
    fields = {one.name for one in sniffed.mapping.columns if one.target.kind != "custom"}
    known = set(names)
    for item in items:
        if isinstance(item, BadRow):
            yield item
            continue
        cells = cells_of(item.value)
        if isinstance(cells, str):
            yield BadRow(item.number, "", cells)
            continue
        written = {name for name in fields if cells.get(name, "")[:2] in _WRITTEN}
        texts = ["" if name in written else cells.get(name, "") for name in names]
        row = people.read(Cells(item.number, texts))
        if isinstance(row, Row):
            row.left_out.extend((name, _OBJECTS) for name in written)
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
        elif depth and _are_parts(part):
            # The first of several is what a table would have; the others are counted.
            for number, one in enumerate(part, start=1):
                yield from _cells(one, place if number == 1 else f"{place} {number}", depth - 1)
        elif points := _points(part):
            mails = [point for point in points if "@" in point]
            yield f"{place} email", _cell(mails)
            yield f"{place} phone", _cell([point for point in points if point not in mails])
        else:
            yield place, _cell(part)


def _points(value: Any) -> list[str]:
    """Return the addresses and numbers that Facebook keeps together, without saying which is what.

    >>> _points([{"contact_point": "+4930123456"}, {"contact_point": "a@x.org"}])
    ['+4930123456', 'a@x.org']
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return []
    points = [one.get("contact_point") for one in value]
    return points if all(isinstance(point, str) for point in points) else []


def _are_parts(value: Any) -> bool:
    """Tell a list of a few addresses, jobs or names, each of several parts."""
    return (
        isinstance(value, list)
        and 0 < len(value) <= _FEW
        and all(isinstance(one, dict) and one for one in value)
        and not all(map(_value_of, value))
    )


def _value_of(value: Any) -> str | None:
    """Return what one of several says, beside its type: `{"value": "a@x.org", "type": "work"}`.

    A label may have no more than its name: `{"id": 1, "name": "vip"}`.
    """
    if not isinstance(value, dict):
        return None
    found = [value[name] for name in _VALUES if isinstance(value.get(name), str)]
    said = {name: part for name, part in value.items() if isinstance(part, str) and name != "id"}
    if not found and said.keys() == {"name"}:
        found = list(said.values())
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
