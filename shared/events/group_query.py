"""What a smart group asks: conditions on contacts, joined by AND and OR (spec 003, 12.1; ADR 0096).

`{"filters": [{"field": "city", "op": "eq", "value": "Paris"}, …], "logic": "AND"}`; a filter may be
such an object itself. The resolver keeps no query that it cannot read; the api reads it again and
makes a statement of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from pydantic import JsonValue

from shared.events.contact import ContactStatus
from shared.events.custom_field import (
    NUMERIC,
    CustomField,
    FieldType,
    WrongValueError,
    decimal_of,
    fitted,
    moment_of,
)
from shared.identifiers.timezones import normalize_timezone
from shared.identifiers.titles import DEPARTMENTS, SENIORITIES

MAX_DEPTH: Final = 5
"""Objects within one another."""

MAX_CONDITIONS: Final = 50
"""Conditions of a query."""

MAX_VALUES: Final = 200
"""Values that one condition lists."""

MAX_LENGTH: Final = 255
"""Characters of a text that is compared."""

CUSTOM: Final = "custom."
"""Before the key of a custom field."""

Kind = Literal[
    "text",
    "texts",
    "exact",
    "exacts",
    "number",
    "moment",
    "date",
    "boolean",
    "option",
    "options",
]
"""How a field is compared: texts without regard to case, `exact` ones as they are; the plural has
several values, of which one has to fit."""

Op = Literal[
    "eq",
    "neq",
    "in",
    "not_in",
    "contains",
    "not_contains",
    "starts_with",
    "gt",
    "gte",
    "lt",
    "lte",
    "exists",
]

DENIALS: Final[Mapping[Op, Op]] = {"neq": "eq", "not_in": "in", "not_contains": "contains"}
"""What is true just where the other is not, also of a contact without a value."""

LISTING: Final = frozenset({"in", "not_in"})
"""What takes `values`; all others take `value`."""

_TEXTUAL: Final[tuple[Op, ...]] = (
    "eq",
    "neq",
    "in",
    "not_in",
    "contains",
    "not_contains",
    "starts_with",
    "exists",
)
_ORDERED: Final[tuple[Op, ...]] = (
    "eq",
    "neq",
    "in",
    "not_in",
    "gt",
    "gte",
    "lt",
    "lte",
    "exists",
)
_CHOSEN: Final[tuple[Op, ...]] = ("eq", "neq", "in", "not_in", "exists")
_HAVING: Final[tuple[Op, ...]] = (*_CHOSEN, "contains", "not_contains")

OPS: Final[Mapping[Kind, tuple[Op, ...]]] = {
    "text": _TEXTUAL,
    "texts": _TEXTUAL,
    "exact": _CHOSEN,
    "exacts": _HAVING,
    "number": _ORDERED,
    "moment": _ORDERED,
    "date": _ORDERED,
    "boolean": ("eq", "neq", "exists"),
    "option": _CHOSEN,
    "options": _HAVING,
}
"""Kind → what may be asked. `contains` of tags, groups and options: is among them."""

FIELDS: Final[Mapping[str, Kind]] = {
    "display_name": "text",
    "first_name": "text",
    "last_name": "text",
    "headline": "text",
    "job_title": "text",
    "department": "text",
    "seniority": "exact",
    "departments": "exacts",
    "timezone": "exact",
    "company_name": "text",
    "city": "text",
    "state": "text",
    "country": "text",
    "linkedin_url": "text",
    "birthday": "text",
    "email": "texts",
    "phone": "texts",
    "status": "exact",
    "lead_status": "exact",
    "lead_source": "exact",
    "import_source": "exact",
    "company_id": "exacts",
    "tag": "exacts",
    "group": "exacts",
    "created_at": "moment",
    "updated_at": "moment",
    "last_activity_at": "moment",
    "engagement_score": "number",
    "intelligence_score": "number",
}
"""Field → how it is compared; those of the workspace are `custom.` and their key."""

LEAD_STATUSES: Final = (
    "new",
    "contacted",
    "qualified",
    "nurturing",
    "customer",
    "lost",
    "inactive",
)
"""The stages of a contact (DESIGN 9)."""

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "status": tuple(one for one in get_args(ContactStatus) if one != "deleted"),
    "lead_status": LEAD_STATUSES,
    "seniority": SENIORITIES,
    "departments": DEPARTMENTS,
}
_SCORES: Final = frozenset({"engagement_score", "intelligence_score"})
_CUSTOM_KINDS: Final[Mapping[FieldType, Kind]] = {
    **dict.fromkeys(NUMERIC, "number"),
    "boolean": "boolean",
    "date": "date",
    "datetime": "moment",
    "select": "option",
    "multi_select": "options",
}
_PHONE_SIGNS: Final = str.maketrans("", "", " ().-/")

Comparable = str | bool | Decimal | datetime
"""What a value is compared as."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something asked of one field; `op` is no denial, `is_denied` says that."""

    field: str
    kind: Kind
    op: Op
    values: tuple[Comparable, ...]
    """One, or of `in` several; of `exists` none."""
    is_denied: bool = False
    custom: CustomField | None = None


@dataclass(frozen=True, slots=True)
class Combination:
    """Conditions of which all have to hold, or any."""

    logic: Literal["AND", "OR"]
    parts: tuple["Condition | Combination", ...]


Query = Condition | Combination
"""What is asked of contacts."""


class QueryError(ValueError):
    """A query cannot be read: `path` leads to what is wrong, the text says what would be right."""

    def __init__(self, path: Sequence[str | int], why: str) -> None:
        super().__init__(why)
        self.path = tuple(path)


def read_query(said: JsonValue, custom: Mapping[str, CustomField]) -> Combination:
    """Read a query, given the workspace's custom fields; raises `QueryError`."""
    reader = _Reader(custom)
    return reader.combination(said, (), 1)


def read_condition(
    field: str, op: str, said: JsonValue, custom: Mapping[str, CustomField]
) -> Condition:
    """Read one condition, whose values come as a list where `op` takes one."""
    name = "values" if op in LISTING else "value"
    return _Reader(custom).condition({"field": field, "op": op, name: said}, ())


def conditions_of(query: Query) -> list[Condition]:
    """List the conditions of a query, however deep they stand."""
    if isinstance(query, Condition):
        return [query]
    return [one for part in query.parts for one in conditions_of(part)]


def groups_named(query: Query) -> set[str]:
    """Return the groups whose members a query asks about."""
    asked = [one for one in conditions_of(query) if one.field == "group"]
    return {str(value) for one in asked for value in one.values}


class _Reader:
    def __init__(self, custom: Mapping[str, CustomField]) -> None:
        self._custom = custom
        self._count = 0

    def combination(self, said: JsonValue, path: tuple[str | int, ...], depth: int) -> Combination:
        if not isinstance(said, dict) or not said.keys() <= {"filters", "logic"}:
            raise QueryError(path, 'must be {"filters": [...], "logic": "AND" or "OR"}')
        if depth > MAX_DEPTH:
            raise QueryError(path, f"must be at most {MAX_DEPTH} objects deep")
        logic, filters = said.get("logic", "AND"), said.get("filters")
        if logic not in ("AND", "OR"):
            raise QueryError((*path, "logic"), "must be AND or OR")
        if not isinstance(filters, list) or not filters:
            raise QueryError((*path, "filters"), "must be a list of one filter or more")
        parts = tuple(
            self._part(one, (*path, "filters", number), depth) for number, one in enumerate(filters)
        )
        return Combination("OR" if logic == "OR" else "AND", parts)

    def _part(self, said: JsonValue, path: tuple[str | int, ...], depth: int) -> Query:
        if isinstance(said, dict) and "filters" in said:
            return self.combination(said, path, depth + 1)
        self._count += 1
        if self._count > MAX_CONDITIONS:
            raise QueryError(path, f"is one of more than {MAX_CONDITIONS} conditions")
        return self.condition(said, path)

    def condition(self, said: JsonValue, path: tuple[str | int, ...]) -> Condition:
        if not isinstance(said, dict) or not said.keys() <= {"field", "op", "value", "values"}:
            raise QueryError(path, 'must be {"field": "city", "op": "eq", "value": "Paris"}')
        field = said.get("field")
        kind, custom = self._kind(field, (*path, "field"))
        op = next((one for one in OPS[kind] if one == said.get("op")), None)
        if op is None:
            raise QueryError((*path, "op"), f"must be one of {', '.join(OPS[kind])} for this field")
        name, other = ("values", "value") if op in LISTING else ("value", "values")
        if other in said:
            raise QueryError((*path, other), f"must be called {name} with {op}")
        where = (*path, name)
        if op == "exists":
            wanted = said.get("value", True)
            if not isinstance(wanted, bool):
                raise QueryError(where, "must be true or false")
            return Condition(str(field), kind, op, (), not wanted, custom)
        values = self._values(said.get(name), op, where)
        read = tuple(_value(str(field), kind, custom, one, at) for one, at in values)
        return Condition(str(field), kind, DENIALS.get(op, op), read, op in DENIALS, custom)

    def _kind(
        self, field: JsonValue, path: tuple[str | int, ...]
    ) -> tuple[Kind, CustomField | None]:
        if isinstance(field, str) and field in FIELDS:
            return FIELDS[field], None
        if isinstance(field, str) and field.startswith(CUSTOM):
            custom = self._custom.get(field.removeprefix(CUSTOM))
            if custom is None:
                raise QueryError(path, "is no custom field that this workspace defined")
            return _CUSTOM_KINDS.get(custom.type, "text"), custom
        raise QueryError(
            path, f"must be one of {', '.join(FIELDS)}, or custom. and the key of a custom field"
        )

    def _values(
        self, said: JsonValue, op: Op, path: tuple[str | int, ...]
    ) -> list[tuple[JsonValue, tuple[str | int, ...]]]:
        if op not in LISTING:
            return [(said, path)]
        if not isinstance(said, list) or not 1 <= len(said) <= MAX_VALUES:
            raise QueryError(path, f"must be a list of 1 to {MAX_VALUES} values")
        return [(one, (*path, number)) for number, one in enumerate(said)]


def _value(
    field: str,
    kind: Kind,
    custom: CustomField | None,
    said: JsonValue,
    path: tuple[str | int, ...],
) -> Comparable:
    match kind:
        case "number":
            number = decimal_of(said) if not isinstance(said, str) or custom else None
            if number is None or (field in _SCORES and not 0 <= number <= 1):
                more = " from 0 to 1" if field in _SCORES else ""
                raise QueryError(path, f"must be a number{more}, like 0.5")
            return number
        case "moment":
            moment = _moment(said)
            if moment is None:
                raise QueryError(path, "must be a date or a time with its zone, like 2026-01-31")
            return moment
        case "boolean":
            if not isinstance(said, bool):
                raise QueryError(path, "must be true or false")
            return said
        case "date" | "option" | "options":
            return _fitting(custom, said, path)
        case _:
            return _text(field, custom, said, path)


def _moment(said: JsonValue) -> datetime | None:
    found = moment_of(said)
    if found is None and isinstance(said, str) and len(said) == 10:
        try:
            found = datetime.combine(date.fromisoformat(said), datetime.min.time(), UTC)
        except ValueError:
            return None
    return found


def _fitting(
    custom: CustomField | None, said: JsonValue, path: tuple[str | int, ...]
) -> Comparable:
    assert custom is not None, "only custom fields have days and options"
    try:
        found = fitted(custom, said)
    except WrongValueError as error:
        raise QueryError(path, str(error)) from None
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else None
    if not isinstance(found, str):
        raise QueryError(path, "must be one value")
    return found


def _text(
    field: str, custom: CustomField | None, said: JsonValue, path: tuple[str | int, ...]
) -> str:
    words = _WORDS.get(field)
    if words is not None and said not in words:
        raise QueryError(path, f"must be one of {', '.join(words)}")
    text = said.strip() if isinstance(said, str) else ""
    if field == "timezone":
        zone = normalize_timezone(text)
        if zone is None:
            raise QueryError(path, "must be the name of a time zone, like Europe/Berlin")
        return zone
    if custom is not None and custom.type == "phone":
        text = text.translate(_PHONE_SIGNS)
    if "\0" in text or not 1 <= len(text) <= MAX_LENGTH:
        raise QueryError(path, f"must be a text of 1 to {MAX_LENGTH} characters")
    return text
