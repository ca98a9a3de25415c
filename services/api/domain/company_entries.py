"""What people say of companies: bodies of `POST` and `PATCH /companies` as orders."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, get_args

import orjson
from pydantic import ValidationError

from services.api.domain.companies import CompanyEventRow, CompanyRow, row_of_event
from services.api.domain.problems import Problem, RequestError
from shared.events.company import CompanyField, CompanyRecord
from shared.events.refusal import invalid

MOST_BYTES: Final = 262_144
"""The largest body: a company with all its lists."""

ENTERED: Final = tuple(name for name in CompanyRecord.model_fields if name != "source_record_id")
"""Attributes that people may say."""

CLEARABLE: Final = frozenset(get_args(CompanyField)) - {"linkedin_url"}
"""Attributes that people may take back; what a company is known by lasts."""

_EXAMPLE: Final = (
    '{"data": {"type": "companies", "attributes": {"name": "Acme", "domain": "acme.com"}}}'
)
_ETAG: Final = re.compile(r'(?:W/)?"([1-9][0-9]{0,8})"')


def parse_new_company(body: bytes) -> dict[str, Any]:
    """Read a company that is to be made, as an order; raises `RequestError`."""
    said = _attributes(body, None)
    return {"values": _checked({name: one for name, one in said.items() if one is not None})}


def parse_company_change(body: bytes, company_id: str, if_match: str | None) -> dict[str, Any]:
    """Read what is to be another about a company, as an order; null takes back what people said."""
    said = _attributes(body, company_id)
    cleared = [name for name, one in said.items() if one is None]
    lasting = [name for name in cleared if name not in CLEARABLE]
    if lasting:
        raise _refused(lasting[0], "can't be taken back; give another value, or leave it out")
    given = {name: one for name, one in said.items() if one is not None}
    order = {"company_id": company_id, "values": _checked(given), "cleared": cleared}
    if if_match is None or if_match.strip() == "*":
        return order
    version = _ETAG.fullmatch(if_match.strip())
    if version is None:
        detail = 'Give the ETag that the company was answered with, like W/"3".'
        problem = Problem(400, "invalid_header", "Invalid header", detail, header="If-Match")
        raise RequestError([problem])
    return {**order, "expected": int(version[1])}


def row_of_answer(shown: Mapping[str, Any]) -> CompanyRow:
    """Show a company as the resolver left it."""
    payload = {"company_id": shown["company_id"], "shape": shown["shape"]}
    born = datetime.fromisoformat(shown["shape"]["created_at"])
    event = CompanyEventRow(shown["version"], "CompanyUpdated", born, born, payload)
    row = row_of_event(event)
    updated = {"updated_at": shown["updated_at"] and datetime.fromisoformat(shown["updated_at"])}
    return replace(row, attributes=row.attributes.model_copy(update=updated))


def described_company(*, is_new: bool) -> dict[str, Any]:
    """Describe the body for OpenAPI."""
    schema = CompanyRecord.model_json_schema()
    properties = {
        name: one if is_new or name in CLEARABLE else _without_null(one)
        for name, one in schema["properties"].items()
        if name in ENTERED and "$ref" not in orjson.dumps(one).decode()
    }
    lists = {name: {"type": "array"} for name in ENTERED if name not in properties}
    data = {
        "type": "object",
        "required": ["type", "attributes"],
        "properties": {
            "type": {"const": "companies"},
            "id": {"type": "string"},
            "attributes": {
                "type": "object",
                "properties": {**properties, **lists},
                "additionalProperties": False,
            },
        },
    }
    described = {"type": "object", "required": ["data"], "properties": {"data": data}}
    content = {"application/vnd.api+json": {"schema": described}}
    return {"requestBody": {"required": True, "content": content}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value without null, and without null as what it is by default."""
    said = {name: one for name, one in schema.items() if name not in {"anyOf", "default"}}
    values = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return {**said, "anyOf": values} if values else said


def _attributes(body: bytes, company_id: str | None) -> dict[str, Any]:
    attributes: Any = None
    try:
        data = orjson.loads(body)["data"]
        is_named = data["type"] == "companies" and data.get("id", company_id) == company_id
        if is_named and data.keys() <= {"type", "id", "attributes"}:
            attributes = data["attributes"]
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        pass
    if not isinstance(attributes, dict) or not attributes:
        raise RequestError([Problem(400, "invalid_body", "Invalid body", f"Send {_EXAMPLE}.")])
    unknown = [name for name in attributes if name not in ENTERED]
    if unknown:
        raise _refused(unknown[0][:100], f"is none of {', '.join(ENTERED)}")
    return dict(attributes)


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Let the resolver's own model judge, to name the attribute as the client does."""
    try:
        CompanyRecord.model_validate_json(orjson.dumps(values))
    except ValidationError as error:
        found = invalid(error)
        raise _refused(found.field or "", found.detail) from None
    return values


def _refused(field: str, detail: str) -> RequestError:
    problem = Problem(
        422,
        "invalid_attribute",
        "Invalid attribute",
        f"`{field}` {detail}",
        pointer="/data/attributes/" + field.replace(".", "/"),
    )
    return RequestError([problem])
