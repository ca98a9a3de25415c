"""Queries of smart groups, answered row by row: what the statement has to answer too."""

import operator
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.events.custom_field import NUMERIC, CustomField, WrongValueError, decimal_of, fitted
from shared.events.group_query import CUSTOM, Combination, Condition, Query

_ORDERS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def answers(query: Query, row: Mapping[str, Any]) -> bool:
    """Tell whether a contact answers a query: `row` has values by the names of fields."""
    if isinstance(query, Combination):
        parts = [answers(part, row) for part in query.parts]
        return all(parts) if query.logic == "AND" else any(parts)
    return _holds(query, _values(query, row)) is not query.is_denied


def _values(one: Condition, row: Mapping[str, Any]) -> list[Any]:
    """List what a contact has of a field, as it is compared; nothing of what does not fit."""
    said = row.get(one.field)
    if one.custom is not None:
        said = _fitting(one.custom, row.get("custom_fields", {}).get(one.field[len(CUSTOM) :]))
    if said is None:
        return []
    return list(said) if isinstance(said, list | tuple) else [said]


def _fitting(field: CustomField, raw: Any) -> Any:
    try:
        value = fitted(field, raw)
    except WrongValueError:
        return None
    if value is not None and field.type in NUMERIC:
        return decimal_of(raw)
    if value is not None and field.type == "datetime":
        return datetime.fromisoformat(str(value))
    return value


def _holds(one: Condition, values: Sequence[Any]) -> bool:
    return bool(values) if one.op == "exists" else any(_fits(one, value) for value in values)


def _fits(one: Condition, value: Any) -> bool:
    has, wanted = _caseless(one, value), [_caseless(one, each) for each in one.values]
    if one.op in ("eq", "in") or (one.op == "contains" and one.kind in ("exacts", "options")):
        return has in wanted
    if one.op == "contains":
        return wanted[0] in has
    if one.op == "starts_with":
        return bool(has.startswith(wanted[0]))
    return bool(_ORDERS[one.op](has, wanted[0]))


def _caseless(one: Condition, value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    is_text = isinstance(value, str) and one.kind in ("text", "texts", "option", "options")
    return value.lower() if is_text else value
