"""What a contact shows besides what sources say: derived of it, and told by nobody.

The resolver's bindings and the api must show the same, hence it is shared. It is computed where it
is shown (ADR 0097): no event tells of it, and a better table changes no history.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.identifiers.timezones import normalize_timezone, timezone_of
from shared.identifiers.titles import departments_of, seniority_of


class Derived(NamedTuple):
    """How high a job is, in which departments, and in which zone its holder lives."""

    seniority: str | None
    departments: tuple[str, ...]
    timezone: str | None


def derived(fields: Mapping[Any, str | None]) -> Derived:
    """Derive what a contact's visible values leave open; what a source says itself stands.

    `fields` is visible field → value.
    """
    get = fields.get
    title = get("job_title")
    return Derived(
        get("seniority") or (seniority_of(title) if title else None),
        departments_of(get("department"), title),
        _timezone(get("timezone")) or timezone_of(get("city"), get("state"), get("country")),
    )


def _timezone(said: str | None) -> str | None:
    """Return the one name of the zone that is said: events of before have others, too."""
    return (normalize_timezone(said) or said) if said else None
