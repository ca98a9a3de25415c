"""What the readers of API documents share: what a document lacks or misspells is left out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from shared.events.signal import MAX_VALUES

MAX_SHORT: Final = 255
"""Characters of a value that has one line (`shared.events.wire.Short`)."""

MAX_NOTES: Final = 10_000
"""Characters of a note (`shared.events.wire.Long`)."""


class ApiPerson(NamedTuple):
    """A person of an account, or that somebody is no longer among them."""

    record_id: str
    signal: dict[str, Any] | None
    """A contact signal without its source; None: deleted there."""
    changed_at: datetime | None = None
    """When the account last changed it."""


def text(value: object, limit: int = MAX_SHORT) -> str | None:
    """Return a text that says something, without NULs, cut where it is too long for one value."""
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").strip()[:limit] or None


def line(value: object) -> str | None:
    """Return a text of several lines as one."""
    found = text(value)
    return found.replace("\r\n", ", ").replace("\n", ", ") if found else None


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def part(value: object) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts of a list."""
    found = value if isinstance(value, list) else []
    return [one for one in map(text, found) if one]


def moment(value: object) -> datetime | None:
    """Read an RFC 3339 time; one of the future or of nobody's memory is none."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if found.year > 1970 and found <= datetime.now(UTC) else None


def birthday(year: object, month: object, day: object) -> str | None:
    """Write a birthday as a signal does; a year of 0, as Google has it, or none is `--12-10`."""
    if not isinstance(month, int) or not isinstance(day, int):
        return None
    known = year if isinstance(year, int) and year > 0 else None
    try:
        date(known or 2000, month, day)
    except ValueError:
        return None
    return f"{known:04}-{month:02}-{day:02}" if known else f"--{month:02}-{day:02}"


def points(found: Iterable[tuple[str | None, str | None, bool]]) -> list[dict[str, Any]]:
    """Write addresses or numbers: (value, label, whether it is the first choice)."""
    return [
        {"value": value, **({"label": label} if label else {}), "primary": primary}
        for value, label, primary in found
        if value
    ][:MAX_VALUES]


def said(record: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing."""
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}


def several(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what says nothing, and more than a signal may hold."""
    return [one for one in map(said, found) if one][:MAX_VALUES]
