"""A query of contacts as a condition of SQL: texts of this module alone, values as arguments."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from shared.auth import Place
from shared.events.custom_field import FieldType
from shared.events.group_query import Combination, Condition, Kind, Op, Query

_OF_CONTACT: Final = (
    "display_name",
    "first_name",
    "last_name",
    "headline",
    "job_title",
    "department",
    "seniority",
    "departments",
    "timezone",
    "company_name",
    "city",
    "state",
    "country",
    "linkedin_url",
    "birthday",
    "status",
    "import_source",
    "created_at",
    "updated_at",
)

EXPRESSIONS: Final[Mapping[str, str]] = {
    **{name: f"view.{name}" for name in _OF_CONTACT},
    "lead_status": "view.stage",
    "lead_source": "view.source",
    "email": "view.emails",
    "phone": "view.phones",
    "company_id": """ARRAY[view.company_public_id, (
        SELECT behind.survivor_public_id FROM read.company_view AS behind
        WHERE behind.tenant_id = $1 AND behind.public_id = view.company_public_id)]""",
    "tag": """ARRAY(
        SELECT json_array_elements_text(view.detail #> ARRAY['bindings', {place}, 'labels']))""",
    "group": """ARRAY(
        SELECT json_array_elements_text(view.detail #> ARRAY['bindings', {place}, 'groups']))""",
    "last_activity_at": """(
        SELECT max(known.occurred_at) FROM read.activity AS known
        WHERE known.tenant_id = $1 AND known.workspace_id = $2 AND NOT known.is_withdrawn
            AND known.occurred_at <= now() AND known.contact_public_id = view.public_id)""",
    "engagement_score": "app.find_engagement($1, $2, view.public_id)::numeric",
    "intelligence_score": """(
        SELECT made.score::numeric FROM app.find_score($1, $2, view.public_id) AS made)""",
}
"""Field → what of a row of `find_contacts` it is; `{place}` is the workspace's public id."""

_LONGEST: Final = {"text": 255, "long_text": 10_000}
_TEXT: Final = """CASE WHEN char_length(read.field_text({value})) <= {longest}
    THEN read.field_text({value}) END"""
_STORED: Final[Mapping[FieldType, str]] = {
    "text": _TEXT,
    "long_text": _TEXT,
    "number": "read.field_number({value})",
    "currency": "read.field_number({value})",
    "boolean": "read.field_boolean({value})",
    "date": "read.field_date({value})",
    "datetime": "read.field_datetime({value})",
    "select": "read.field_text({value})",
    "multi_select": "read.field_parts({value})",
    "url": "read.field_url({value})",
    "email": "read.field_email({value})",
    "phone": "read.field_phone({value})",
}
_VALUE: Final = "view.detail #> ARRAY['bindings', {place}, 'custom_fields', {key}]"

_CASELESS: Final[Mapping[Op, str]] = {
    "eq": "lower({left}) = lower({right}::text)",
    "in": "lower({left}) = ANY (ARRAY(SELECT lower(one) FROM unnest({right}::text[]) AS one))",
    "contains": "strpos(lower({left}), lower({right}::text)) > 0",
    "starts_with": "starts_with(lower({left}), lower({right}::text))",
    "exists": "{left} <> ''",
}
_EXACT: Final[Mapping[Op, str]] = {
    "eq": "{left} = {right}::text",
    "contains": "{left} = {right}::text",
    "in": "{left} = ANY ({right}::text[])",
    "exists": "{left} IS NOT NULL",
}


def _ordered(kind: str, left: str = "{left}") -> dict[Op, str]:
    signs: dict[Op, str] = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    return {
        **{op: f"{left} {sign} {{right}}::{kind}" for op, sign in signs.items()},
        "in": f"{left} = ANY ({{right}}::{kind}[])",
        "exists": f"{left} IS NOT NULL",
    }


_SCALAR: Final[Mapping[Kind, Mapping[Op, str]]] = {
    "text": _CASELESS,
    "exact": _EXACT,
    "number": _ordered("numeric"),
    "moment": _ordered("timestamptz"),
    "date": _ordered("text", '({left} COLLATE "C")'),
    "boolean": _ordered("boolean"),
    "option": {**_CASELESS, "exists": _CASELESS["in"]},
}
"""Kind → what is asked → how, of one value."""

_EACH: Final[Mapping[Kind, Mapping[Op, str]]] = {
    "texts": _CASELESS,
    "exacts": _EXACT,
    "options": {**_CASELESS, "contains": _CASELESS["eq"], "exists": _CASELESS["in"]},
}
"""The same of each of several values, of which one has to fit."""

_CHOSEN: Final = frozenset({"option", "options"})
_EACH_OF: Final = "EXISTS (SELECT FROM unnest({left}) AS each (value) WHERE {asked})"
_ALL_OF: Final = (
    "NOT EXISTS (SELECT FROM unnest({left}) AS each (value) WHERE ({asked}) IS NOT TRUE)"
)


class Arguments:
    """The arguments of a statement, numbered as they come."""

    def __init__(self, first: int) -> None:
        self._first = first
        self.values: list[Any] = []

    def put(self, value: Any) -> str:
        """Take an argument, and return how the statement calls it."""
        self.values.append(value)
        return f"${self._first + len(self.values) - 1}"


def clause(query: Query, place: Place, arguments: Arguments) -> str:
    """Write a query as a condition on a row `view`; $1 and $2 are tenant and workspace."""
    if isinstance(query, Combination):
        parts = [clause(part, place, arguments) for part in query.parts]
        parts = parts or ["true" if query.logic == "AND" else "false"]
        return "(" + f" {query.logic} ".join(parts) + ")"
    asked = _asked(query, place, arguments)
    # What is not known is not true: a denial holds for who has no value.
    return f"(({asked}) IS NOT TRUE)" if query.is_denied else f"({asked})"


def _asked(one: Condition, place: Place, arguments: Arguments) -> str:
    if one.custom is None:
        left = EXPRESSIONS[one.field]
        if "{place}" in left:
            left = left.replace("{place}", arguments.put(place.workspace) + "::text")
        return _compared(one, left, arguments)
    value = _VALUE.replace("{place}", arguments.put(place.workspace) + "::text")
    value = value.replace("{key}", arguments.put(one.custom.key) + "::text")
    left = _STORED[one.custom.type].replace("{value}", value)
    left = left.replace("{longest}", str(_LONGEST.get(one.custom.type)))
    # Only where the key stands somewhere is it worth parsing a row.
    written = arguments.put(orjson.dumps(one.custom.key).decode())
    compared = _compared(one, left, arguments)
    return f"CASE WHEN strpos(view.detail::text, {written}::text) > 0 THEN {compared} END"


def _compared(one: Condition, left: str, arguments: Arguments) -> str:
    several = _EACH.get(one.kind)
    asked = (several or _SCALAR[one.kind])[one.op]
    options = list(one.custom.options) if one.custom and one.kind in _CHOSEN else None
    right: object = list(one.values) if one.op == "in" else next(iter(one.values), options)
    if "{right}" in asked:
        asked = asked.replace("{right}", arguments.put(right))
    if several is None:
        return asked.replace("{left}", left)
    found = _EACH_OF.format(left=left, asked=asked.replace("{left}", "each.value"))
    if options is None:
        return found
    fits = _CASELESS["in"].format(left="each.value", right=arguments.put(options))
    return f"{found} AND {_ALL_OF.format(left=left, asked=fits)}"
