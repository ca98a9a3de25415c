"""What a contact took part in: e-mails, meetings, calls, as one workspace knows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, get_args

from services.api.domain.contacts import Resource
from services.api.domain.documents import ActivityAttributes
from services.api.domain.paging import PAGE_ALIASES, PAGE_PARAMETERS, PageRequest, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from shared.events.activity import ActivityKind, Direction

ACTIVITY_SORT: Final = "-occurred_at"
"""The one order of activities: the newest first, what is still to come before it."""
ACTIVITY_FILTERS: Final = {
    "kind": f"{', '.join(get_args(ActivityKind))}; several by comma.",
    "direction": f"{', '.join(get_args(Direction))}; several by comma.",
    "occurred_after": "ISO 8601, inclusive.",
    "occurred_before": "ISO 8601, exclusive.",
}
"""`filter[…]` → what it does."""
ACTIVITY_PARAMETERS: Final = (
    PAGE_PARAMETERS | {WAIT_PARAMETER} | {f"filter[{name}]" for name in ACTIVITY_FILTERS}
)
"""What the list may be asked."""


@dataclass(frozen=True, slots=True)
class ActivityQuery:
    """Which activities, and which page of them; what is None does not restrict."""

    page: PageRequest
    kinds: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """An activity as the read model has it."""

    id: str
    kind: str
    occurred_at: datetime
    source: str
    detail: Mapping[str, Any]


def parse_activities(items: list[tuple[str, str]]) -> ActivityQuery:
    """Read what is asked of a contact's activities."""
    parameters = Parameters(items, known=ACTIVITY_PARAMETERS, aliases=PAGE_ALIASES)
    return ActivityQuery(
        page=parse_page(parameters, ACTIVITY_SORT, 2),
        kinds=parameters.choices("filter[kind]", get_args(ActivityKind)),
        directions=parameters.choices("filter[direction]", get_args(Direction)),
        after=parameters.moment("filter[occurred_after]"),
        before=parameters.moment("filter[occurred_before]"),
    )


def activity_resource(row: ActivityRow, cursor: str) -> Resource:
    """Write an activity; who else took part, as far as they are contacts, as a relationship."""
    told = dict(row.detail)
    others = told.pop("others", ())
    attributes = ActivityAttributes(
        kind=row.kind, occurred_at=row.occurred_at, source=row.source, **told
    )
    return {
        "type": "activities",
        "id": row.id,
        "attributes": attributes.model_dump(mode="json"),
        "relationships": {
            "others": {"data": [{"type": "contacts", "id": other} for other in others]}
        },
        "meta": {"page": {"cursor": cursor}},
    }
