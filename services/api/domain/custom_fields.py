"""Custom fields as JSON:API: what they are, values that people give, and those that do not fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import Field, JsonValue, ValidationError

from services.api.domain.bodies import Strict
from services.api.domain.contacts import ROOT, ContactRow, Resource
from services.api.domain.documents import JsonApi, Links, Part
from services.api.domain.problems import Problem, RequestError
from shared.events.custom_field import FIELD_TYPES, MOST_OPTIONS, CustomField, FieldType, misfits

MOST_BYTES: Final = 262_144
"""The largest body: 500 options, or 200 values."""

_FIELD: Final = (
    '{"data": {"type": "custom_fields", "attributes": {"key": "size", "label": "T-shirt", '
    '"type": "select", "options": ["S", "M"]}}}'
)
_CHANGE: Final = (
    '{"data": {"type": "custom_fields", "id": "fld_…", "attributes": {"label": "T-shirt size"}}} '
    "with some of label, description, type, options, currency, is_required, is_archived"
)
_VALUES: Final = (
    '{"data": {"type": "contacts", "id": "con_…", "attributes": {"custom_fields": {"size": "M"}}}}'
    "; null takes a value away"
)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A custom field as the table has it."""

    id: str
    values: Mapping[str, Any]

    @property
    def field(self) -> CustomField:
        """What its values have to be."""
        one = self.values
        options = tuple(one["options"] or ())
        return CustomField(one["key"], one["type"], options, one["is_required"], one["is_archived"])


class FieldAttributes(Part):
    """What a custom field is."""

    entity: Literal["contact", "company"] = Field(description="Whose it is.")
    key: str = Field(description="What sources and `custom_fields` call it.")
    label: str
    type: FieldType
    options: tuple[str, ...] | None = Field(
        default=None, description="What a value may be; of `select` and `multi_select`."
    )
    currency: str | None = Field(default=None, description="ISO 4217; of `currency`.")
    description: str | None = None
    is_required: bool = Field(description="A person may not take its value away.")
    is_archived: bool = Field(description="Nobody sets it any more; its values stay.")
    created_at: datetime
    updated_at: datetime


class CustomFieldResource(Part):
    """The resource `custom_fields`."""

    type: Literal["custom_fields"] = "custom_fields"
    id: str
    attributes: FieldAttributes
    links: dict[str, str]


class FieldsDocument(Part):
    """All custom fields of a workspace."""

    jsonapi: JsonApi
    links: Links
    data: tuple[CustomFieldResource, ...]


class FieldDocument(Part):
    """One custom field."""

    jsonapi: JsonApi
    links: Links
    data: CustomFieldResource


class _Said(Strict):
    label: str | None = None
    description: str | None = None
    options: Annotated[tuple[str, ...], Field(max_length=MOST_OPTIONS)] | None = None
    currency: str | None = None
    is_required: bool | None = None


class _New(_Said):
    entity: Literal["contact", "company"] = "contact"
    key: str | None = None
    type: str


class _Change(_Said):
    type: str | None = None
    is_archived: bool | None = None


class _Values(Strict):
    custom_fields: dict[str, JsonValue] = Field(min_length=1, max_length=200)


def field_resource(row: FieldRow) -> Resource:
    """Write a custom field."""
    attributes = FieldAttributes.model_validate(
        {name: row.values[name] for name in FieldAttributes.model_fields}
    )
    return {
        "type": "custom_fields",
        "id": row.id,
        "attributes": attributes.model_dump(mode="json"),
        "links": {"self": f"{ROOT}/custom-fields/{row.id}"},
    }


def fields_by_key(
    rows: Iterable[FieldRow], entity: Literal["contact", "company"] = "contact"
) -> dict[str, CustomField]:
    """Return what a workspace's fields of contacts, or of companies, are."""
    return {row.field.key: row.field for row in rows if row.values["entity"] == entity}


def typed(row: ContactRow, fields: Mapping[str, CustomField]) -> ContactRow:
    """Show custom values as their fields write them; those that do not fit as they are."""
    values, wrong = misfits(fields, row.attributes.custom_fields)
    if not wrong and values == row.attributes.custom_fields:
        return row
    attributes = row.attributes.model_copy(update={"custom_fields": values})
    return replace(row, attributes=attributes, misfits=wrong)


def parse_field(body: bytes, field_id: str | None) -> dict[str, Any]:
    """Read what a field is to be, as an order; `field_id` names one that there is."""
    if field_id is None:
        said = _attributes(body, ("custom_fields", None), _New, _FIELD)
        _check_type(said, _FIELD)
        return said
    said = _attributes(body, ("custom_fields", field_id), _Change, _CHANGE)
    if not said:
        raise _invalid(_CHANGE)
    _check_type(said, _CHANGE)
    return {**said, "field_id": field_id}


def parse_values(body: bytes, contact_id: str) -> dict[str, Any]:
    """Read which values of custom fields a contact is to have, as an order."""
    said = _attributes(body, ("contacts", contact_id), _Values, _VALUES)
    return {"contacts": [contact_id], "values": said["custom_fields"]}


def described(what: Literal["field", "change", "values"]) -> dict[str, Any]:
    """Describe a body for OpenAPI."""
    models: Mapping[str, type[Strict]] = {"field": _New, "change": _Change, "values": _Values}
    kind = "contacts" if what == "values" else "custom_fields"
    data = {
        "type": "object",
        "required": ["type", "attributes"],
        "properties": {
            "type": {"const": kind},
            "id": {"type": "string"},
            "attributes": models[what].model_json_schema(),
        },
    }
    schema = {"type": "object", "required": ["data"], "properties": {"data": data}}
    content = {"application/vnd.api+json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _check_type(said: Mapping[str, Any], example: str) -> None:
    if said.get("type", FIELD_TYPES[0]) not in FIELD_TYPES:
        raise _invalid(f"{example}; type is one of {', '.join(FIELD_TYPES)}")


def _attributes(
    body: bytes, expected: tuple[str, str | None], model: type[Strict], example: str
) -> dict[str, Any]:
    kind, named = expected
    try:
        data = orjson.loads(body)["data"]
        is_known = data.keys() <= {"type", "id", "attributes"} and data["type"] == kind
        said = model.model_validate(data["attributes"]).model_dump(exclude_unset=True)
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError, ValidationError):
        raise _invalid(example) from None
    if not is_known or data.get("id", named) != named:
        raise _invalid(example)
    return said


def _invalid(example: str) -> RequestError:
    return RequestError([Problem(400, "invalid_body", "Invalid body", f"Send {example}.")])
