"""Filters by custom fields, and what smart groups ask, as queries of contacts (ADR 0096)."""

from collections.abc import Mapping
from typing import Any, Final

from services.api.domain.listing import DEFAULT_STATUSES, STATUSES, CustomFilter
from services.api.domain.problems import Problem, RequestError, bad_parameter
from shared.events.custom_field import CustomField
from shared.events.group_query import (
    CUSTOM,
    LISTING,
    Combination,
    Condition,
    Query,
    QueryError,
    conditions_of,
    read_condition,
    read_query,
)

_NOBODY: Final = Combination("OR", ())
"""A query that nothing answers."""

_TRUTHS: Final[Mapping[str, bool]] = {"true": True, "false": False}


def custom_condition(asked: CustomFilter, fields: Mapping[str, CustomField]) -> Condition:
    """Read a filter by a custom field; raises `RequestError`."""
    field = fields.get(asked.key)
    said: Any = asked.value
    if asked.op in LISTING:
        said = [part.strip() for part in asked.value.split(",")]
    elif asked.op == "exists" or (field is not None and field.type == "boolean"):
        said = _TRUTHS.get(asked.value.lower(), asked.value)
    try:
        return read_condition(f"{CUSTOM}{asked.key}", asked.op, said, fields)
    except QueryError as error:
        where = {"field": "The field ", "op": "The operator in brackets "}
        begin = where.get(str(error.path[-1]) if error.path else "", "The value ")
        raise bad_parameter(asked.name, f"{begin}{error}.") from None


def asked_of(query: Any, fields: Mapping[str, CustomField]) -> Query:
    """Read what a smart group asks; what can be read no more is answered by nobody."""
    try:
        return read_query(query, fields)
    except QueryError:
        return _NOBODY


def statuses_asked(query: Query) -> tuple[str, ...]:
    """Return the statuses among which a query is answered, where the request names none.

    One that speaks of the status is not narrowed by what a list shows when nothing is said. But
    absorbed contacts are the ones that they were merged into: only who names them gets them, not
    who denies another status.
    """
    asked = [one for one in conditions_of(query) if one.field == "status"]
    if not asked:
        return DEFAULT_STATUSES
    if any("merged" in one.values and not one.is_denied for one in asked):
        return STATUSES
    return tuple(one for one in STATUSES if one != "merged")


def too_heavy() -> RequestError:
    """Refuse a query that takes too long to answer, and would again."""
    text = (
        "Answering it takes too long: put fewer conditions on intelligence_score, last_activity_at "
        "and custom fields, or join others by AND that leave fewer contacts."
    )
    return RequestError([Problem(400, "query_too_heavy", "Query too heavy", text)])
