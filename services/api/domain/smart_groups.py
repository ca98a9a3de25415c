"""Filters by custom fields, and what smart groups ask, as queries of contacts (ADR 0096)."""

from collections.abc import Mapping
from typing import Any, Final

from services.api.domain.listing import CustomFilter
from services.api.domain.problems import bad_parameter
from shared.events.custom_field import CustomField
from shared.events.group_query import (
    CUSTOM,
    LISTING,
    Combination,
    Condition,
    Query,
    QueryError,
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
