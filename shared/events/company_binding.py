"""What a workspace keeps of a company for itself, and what that comes to once companies are merged.

The resolver that changes it and the api that shows it must agree, hence it is shared. Nothing moves
when companies are merged (ADR 0060): each home keeps its own, and what shows is computed along the
merges in force. So an undone merge has never been, and a company that is taken up brings what
showed of it (ADR 0102).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pydantic import JsonValue

MAX_LABELS: Final = 50
"""Labels that people give one company in one workspace, besides those of companies behind it."""

MAX_LABELS_SHOWN: Final = 1_000
"""Labels that one order names: with those of companies that were merged into it."""


@dataclass(frozen=True, slots=True)
class CompanyBinding:
    """What people of one workspace said of one company."""

    labels: tuple[str, ...] = ()
    labels_removed: tuple[str, ...] = ()
    """Of companies that stand behind it: they do not show."""
    label_order: tuple[str, ...] = ()
    """How labels were ordered when some of them were of companies behind it; others come after."""
    custom_fields: Mapping[str, JsonValue] = field(default_factory=dict)
    """Null hides what those that stand behind it have."""
    notes: str | None = None
    """Empty hides what those that stand behind it have."""


@dataclass(frozen=True, slots=True)
class KeptOfCompany:
    """What is kept of one of several companies that are one."""

    company_id: int
    survivor_id: int | None
    """The company that took it up, which another may have taken up since."""
    kept: CompanyBinding


def told_apart(
    companies: Iterable[KeptOfCompany], root: int
) -> tuple[CompanyBinding, list[CompanyBinding]]:
    """Return what is kept of `root` itself, and what showed of each that it took up.

    `companies` are all that are one with it, in the order in which they are to show.
    """
    kept: dict[int, CompanyBinding] = {}
    behind: dict[int | None, list[int]] = {}
    for one in companies:
        kept[one.company_id] = one.kept
        if one.company_id != root:
            behind.setdefault(one.survivor_id, []).append(one.company_id)
    # Whoever took others up comes before these, so that backwards each is complete when it counts.
    ordered = [root]
    for company in ordered:
        ordered += behind.get(company, ())
    showing: dict[int, CompanyBinding] = {}
    for company in reversed(ordered[1:]):
        others = [showing[one] for one in behind.get(company, ())]
        showing[company] = shown(kept[company], others)
    own = kept.get(root, CompanyBinding())
    return own, [showing[one] for one in behind.get(root, ())]


def shown(own: CompanyBinding, behind: Iterable[CompanyBinding]) -> CompanyBinding:
    """Return what shows of a company that stands for itself, and of what showed of those behind it.

    Labels are all of theirs. Of a custom field and of the notes, what was said of the company
    itself comes first; else the first value of the others, and all their notes.
    """
    others = list(behind)
    inherited = (one for each in others for one in each.labels if one not in own.labels_removed)
    labels = dict.fromkeys(chain(own.labels, inherited))
    ordered = (one for one in own.label_order if one in labels)
    values: dict[str, JsonValue] = {}
    for each in (own, *others):
        for key, value in each.custom_fields.items():
            values.setdefault(key, value)
    notes = own.notes
    if notes is None:
        notes = "\n\n".join(one.notes for one in others if one.notes)
    return CompanyBinding(
        labels=tuple(dict.fromkeys(chain(ordered, labels))),
        custom_fields={key: value for key, value in values.items() if value is not None},
        notes=notes or None,
    )
