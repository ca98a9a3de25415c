"""What a file of activities gives, whichever kind it is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Happened:
    """One activity, as the fields of an `ActivitySignal` without its source."""

    line: int
    """Where it begins in the file, from 1."""
    record: dict[str, Any]
    raw: dict[str, Any]
    """What the file says, by its own names."""
    stated_at: datetime | None = None
    """When the file says it was last changed; None: it does not say."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Field and reason of what was not taken."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An activity that cannot be read."""

    line: int
    field: str
    reason: str
    """What is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that is no activity between people, and no fault either."""

    line: int
    reason: str = field(default="")


Reading = Happened | Unread | Passed
