"""What a workspace keeps of a company for itself, and what that comes to once companies are merged.

The resolver that changes it and the api that shows it must agree, hence it is shared. Nothing moves
when companies are merged (ADR 0060): each home keeps its own, and what shows is computed. So an
undone merge has never been (ADR 0102).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pydantic import JsonValue

MAX_LABELS: Final = 50
"""Labels of one company in one workspace."""


@dataclass(frozen=True, slots=True)
class CompanyBinding:
    """What people of one workspace said of one company."""

    labels: tuple[str, ...] = ()
    labels_removed: tuple[str, ...] = ()
    """Of companies that stand behind it: they do not show."""
    custom_fields: Mapping[str, JsonValue] = field(default_factory=dict)
    """Null hides what those that stand behind it have."""
    notes: str | None = None
    """Empty hides what those that stand behind it have."""


def shown(own: CompanyBinding, behind: Iterable[CompanyBinding]) -> CompanyBinding:
    """Return what shows of a company that stands for itself and of those that stand behind it.

    Labels are all of theirs. Of a custom field and of the notes, what was said of the company
    itself comes first; else the first value of the others, and all their notes.
    """
    others = list(behind)
    inherited = (one for each in others for one in each.labels if one not in own.labels_removed)
    values: dict[str, JsonValue] = {}
    for each in (own, *others):
        for key, value in each.custom_fields.items():
            values.setdefault(key, value)
    notes = own.notes
    if notes is None:
        notes = "\n\n".join(one.notes for one in others if one.notes)
    return CompanyBinding(
        labels=tuple(dict.fromkeys(chain(own.labels, inherited))),
        custom_fields={key: value for key, value in values.items() if value is not None},
        notes=notes or None,
    )
