"""LDIF address books as tables: an entry is a row, and each attribute a column.

Thunderbird, Evolution, Outlook Express and directories write it.  Where an attribute goes is data
(`data/ldif.toml`), and an operator's to change, as of any table.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import BinaryIO, Final

from services.ingest.domain.columns import Column, Target, custom, target_of
from services.ingest.sources.cells import SEPARATOR
from services.ingest.sources.ldif_entries import Entry, read_entries
from services.ingest.sources.people import People
from services.ingest.sources.row import BadRow, Blank, Row, Rows
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import Cells

_SEVERAL: Final = frozenset({"email", "phone", "website", "labels"})
"""Kinds of which a cell may hold several values."""

_SEVERAL_LINES: Final = frozenset({"notes", "custom"})
_LINES_APART: Final = "$"
"""Between the lines of a postal address (RFC 4517 3.3.28)."""

_LABELED: Final = "labeleduri"
"""An address of a page, and behind a blank what it is called (RFC 2079)."""

_ONE: Final = "has several values, and one place; this one is kept in the source record only"
_NEW: Final = "is in none of the file's first entries; kept in the source record only"
_NOBODY: Final = "is no person's entry; only people are imported from directories"
_CHANGE: Final = "is a change to a directory, not an entry of one; export its entries"


@dataclass(frozen=True, slots=True)
class _Schema:
    """What attributes and classes mean."""

    targets: Mapping[str, Target]
    """Attribute → its place; those that are read sooner stand before."""
    called: Mapping[str, str]
    """Other name → attribute."""
    passed: frozenset[str]
    people: frozenset[str]
    """Classes of entries of people."""
    keeping: frozenset[str]
    """Of what people are kept in: lists, groups, units."""
    machines: frozenset[str]
    """Of machines and rooms, which a directory may say to be people, too."""
    others: frozenset[str]
    """Of companies, roles, programs."""


@cache
def _schema() -> _Schema:
    text = resources.files(__package__).joinpath("data", "ldif.toml").read_text("utf-8")
    said = tomllib.loads(text)
    classes = said["classes"]
    return _Schema(
        {name: target_of(target) for name, target in said["attributes"].items()},
        said["called"],
        frozenset(said["passed"]["attributes"]),
        frozenset(classes["people"]),
        frozenset(classes["keeping"]),
        frozenset(classes["machines"]),
        frozenset(classes["others"]),
    )


def read_ldif(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per entry of a file."""
    assert sniffed.mapping is not None
    people = People(sniffed.mapping, sniffed)
    names = [column.name for column in sniffed.mapping.columns]
    known = set(names)
    passed = _schema().passed
    for entry in read_entries(file, sniffed.encoding):
        nobody = why_nobody(entry)
        if nobody is not None:
            yield nobody
            continue
        cells, dropped = cells_of(entry)
        row = people.read(Cells(entry.line, [cells.get(name, "") for name in names]))
        if isinstance(row, Row):
            row.left_out.extend(note for note in entry.left_out if note[0] not in passed)
            row.left_out.extend((name, _ONE) for name in dropped)
            row.left_out.extend((name, _NEW) for name in cells if name not in known)
            row = replace(row, raw=_raw(entry))
        yield row


def why_nobody(entry: Entry) -> BadRow | Blank | None:
    """Tell why an entry is no person's: what keeps people is passed over, a company refused."""
    schema = _schema()
    if entry.values.get("changetype", ["add"])[0].lower() != "add":
        return BadRow(entry.line, "changetype", _CHANGE)
    classes = {name.lower() for name in entry.values.get("objectclass", ())}
    if classes & schema.machines:
        return BadRow(entry.line, "objectclass", _NOBODY)
    if classes & schema.people:
        return None
    if classes & schema.keeping:
        return Blank(entry.line)
    return BadRow(entry.line, "objectclass", _NOBODY) if classes & schema.others else None


def columns_of(names: Sequence[str]) -> tuple[Column, ...]:
    """Give each attribute its place: one that nothing is known of is a custom field."""
    schema = _schema()
    order = {name: place for place, name in enumerate(schema.targets)}
    return tuple(
        Column(name, schema.targets[name], "layout", (order[name], 0, name))
        if name in order
        else Column(name, custom(name), "none", (len(order), 0, name))
        for name in names
    )


def cells_of(entry: Entry) -> tuple[dict[str, str], list[str]]:
    """Write an entry as a row: attribute → cell; and name the attribute of each value left out."""
    schema = _schema()
    values: dict[str, list[str]] = {}
    for name, said in entry.values.items():
        if name not in schema.passed:
            values.setdefault(schema.called.get(name, name), []).extend(said)
    for better, worse in (("displayname", "cn"), ("co", "c")):
        if better in values:
            values.pop(worse, None)
    cells: dict[str, str] = {}
    dropped: list[str] = []
    for name, said in values.items():
        several = list(dict.fromkeys(said))
        cells[name], count = _cell(name, schema.targets.get(name), several)
        dropped += [name] * (len(several) - count)
    return cells, dropped


def _cell(name: str, target: Target | None, values: Sequence[str]) -> tuple[str, int]:
    """Return an attribute's cell, and how many of its values stand in it."""
    kind = "custom" if target is None else target.kind
    if name == _LABELED:
        values = [value.split(maxsplit=1)[0] for value in values]
    if kind in _SEVERAL:
        return f" {SEPARATOR} ".join(values), len(values)
    if kind in _SEVERAL_LINES:
        return "\n".join(values), len(values)
    if target is not None and target.part == "formatted":
        return values[0].replace(_LINES_APART, "\n"), 1
    return values[0], 1


def _raw(entry: Entry) -> dict[str, str | list[str]]:
    """Return an entry as it came."""
    raw: dict[str, str | list[str]] = {
        name: said[0] if len(said) == 1 else said for name, said in entry.values.items()
    }
    files = {name: f"({size:,} bytes, left out)" for name, size in entry.files.items()}
    return {**raw, **files}
