"""What a format's reader yields, and what several of them need to say it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from services.ingest.domain.days import read_iso_day
from shared.events.signal import MAX_VALUES

MAX_SHORT: Final = 255
"""Characters of a value that is no note (`shared.events.wire.Short`)."""

LONG_VALUE: Final = "has more than 255 characters"
MANY: Final = f"has more than {MAX_VALUES} values; the others are kept in the source record only"

CONTACT_ID: Final = re.compile(r"con_[0-9A-HJKMNP-TV-Z]{26}")
"""A contact's id: it names the record in an export of kith's own, and whom it is about."""


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a file."""

    line: int
    """Where the row or card begins, from 1."""
    record: dict[str, Any]
    """The fields of a `ContactSignal`, without source and record id."""
    raw: dict[str, Any]
    """The row as it came, less what is empty and less pictures."""
    uid: str | None = None
    """What the format itself identifies the record by."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(column, reason) of values that the reader could not place."""
    columns: dict[str, str] = field(default_factory=dict)
    """Path into `record` → column or property of the file."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no person's, and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Blank:
    """A row that says nothing of a person: an empty line, a closed account, a group."""

    line: int


Rows = Iterator[Row | BadRow | Blank]


def read_birthday(text: str) -> str | None:
    """Write a birthday as a signal does: `1815-12-10`, or `--12-10` without the year."""
    return read_iso_day(text)


def compact(record: dict[str, Any]) -> dict[str, Any]:
    """Drop what is empty."""
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}
