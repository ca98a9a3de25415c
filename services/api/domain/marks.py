"""Tags and groups as JSON:API: resources, and bodies as orders to the resolver."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import (
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from services.api.domain.bodies import Strict
from services.api.domain.contacts import ROOT, Resource
from services.api.domain.documents import CursorMeta, JsonApi, Links, Part
from services.api.domain.paging import PAGE_PARAMETERS, encode_cursor
from services.api.domain.position import WAIT_PARAMETER
from services.api.domain.problems import Problem, RequestError

MarkKind = Literal["tags", "groups"]
"""A resource's type, which is its path too."""

MARK_SORT: Final = "name"
"""The one order of tags and of groups."""

MARK_PARAMETERS: Final = PAGE_PARAMETERS | {"filter[name]", WAIT_PARAMETER}
"""What a list of tags or groups may be asked."""

MOST_BYTES: Final = 65_536
"""The largest body of an order: 500 contacts and some."""

ORDERS: Final[Mapping[tuple[MarkKind, str], str]] = {
    ("tags", "create"): "create_tag",
    ("tags", "change"): "change_tag",
    ("tags", "delete"): "delete_tag",
    ("tags", "add"): "add_tag",
    ("tags", "remove"): "remove_tag",
    ("groups", "create"): "create_group",
    ("groups", "change"): "change_group",
    ("groups", "delete"): "delete_group",
    ("groups", "add"): "add_group_members",
    ("groups", "remove"): "remove_group_members",
}
"""What is done to which → the resolver's command."""

_IDS: Final[Mapping[MarkKind, str]] = {"tags": "tag_id", "groups": "group_id"}


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A tag or a group as the table has it."""

    id: str
    values: Mapping[str, Any]


class TagAttributes(Part):
    """A label of this workspace, and how it is shown."""

    name: str
    color: str | None = Field(default=None, description="`#rrggbb`.")
    created_at: datetime


class GroupAttributes(Part):
    """A group that people put contacts into, or a smart one, whose members a query finds."""

    name: str
    description: str | None = None
    is_smart: bool = Field(description="Its members are those that `query_def` finds.")
    query_def: dict[str, Any] | None = Field(
        default=None,
        description="What a smart group asks: `filters` of `field`, `op` and `value` or `values`, "
        "joined by `logic`, AND or OR; a filter may be such an object itself.",
    )
    created_at: datetime
    updated_at: datetime


class Tag(Part):
    """The resource `tags`."""

    type: Literal["tags"] = "tags"
    id: str
    attributes: TagAttributes
    links: dict[str, str]
    meta: CursorMeta | None = None


class Group(Part):
    """The resource `groups`."""

    type: Literal["groups"] = "groups"
    id: str
    attributes: GroupAttributes
    links: dict[str, str]
    meta: CursorMeta | None = None


class TagDocument(Part):
    """One tag."""

    jsonapi: JsonApi
    links: Links
    data: Tag


class GroupDocument(Part):
    """One group."""

    jsonapi: JsonApi
    links: Links
    data: Group


class _TagSaid(Strict):
    name: str | None = None
    color: str | None = None


class _GroupSaid(Strict):
    name: str | None = None
    description: str | None = None
    is_smart: bool | None = None
    query_def: dict[str, JsonValue] | None = None


class _GroupChange(Strict):
    name: str | None = None
    description: str | None = None
    query_def: dict[str, JsonValue] | None = None


class _Linkage(Strict):
    type: Literal["contacts"]
    id: Annotated[str, StringConstraints(max_length=40)]


class _Linkages(Strict):
    data: tuple[_Linkage, ...] = Field(min_length=1, max_length=500)


_SAID: Final[Mapping[MarkKind, type[Strict]]] = {"tags": _TagSaid, "groups": _GroupSaid}
_CHANGE: Final[Mapping[MarkKind, type[Strict]]] = {"tags": _TagSaid, "groups": _GroupChange}
_EXAMPLES: Final[Mapping[MarkKind, str]] = {
    "tags": '{"data": {"type": "tags", "attributes": {"name": "VIP", "color": "#ff0000"}}}',
    "groups": '{"data": {"type": "groups", "attributes": {"name": "Board", "description": "…"}}}'
    '; a smart group has "query_def": {"filters": [{"field": "city", "op": "eq", "value": '
    '"Paris"}], "logic": "AND"} besides',
}


def mark_resource(kind: MarkKind, row: MarkRow, cursor: str | None = None) -> Resource:
    """Write a tag or a group."""
    model = TagAttributes if kind == "tags" else GroupAttributes
    values = {name: row.values[name] for name in model.model_fields}
    if values.get("query_def") is not None:
        values["query_def"] = orjson.loads(values["query_def"])
    attributes = model.model_validate(values).model_dump(mode="json")
    resource: Resource = {
        "type": kind,
        "id": row.id,
        "attributes": attributes,
        "links": {"self": f"{ROOT}/{kind}/{row.id}"},
    }
    if cursor is not None:
        resource["meta"] = {"page": {"cursor": cursor}}
    return resource


def mark_cursor(row: MarkRow) -> str:
    """Write a cursor to a tag or a group."""
    return encode_cursor(MARK_SORT, [row.values["name"]])


def parse_mark(kind: MarkKind, body: bytes, mark_id: str | None) -> dict[str, Any]:
    """Read what a tag or a group is to be, as an order; `mark_id` names one that there is."""
    try:
        data = orjson.loads(body)["data"]
        named = data.get("id", mark_id)
        known = data.keys() <= {"type", "id", "attributes"} and data["type"] == kind
        model = (_SAID if mark_id is None else _CHANGE)[kind]
        given = model.model_validate(data["attributes"]).model_dump(exclude_unset=True)
        said = {name: value for name, value in given.items() if value is not None}
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError, ValidationError):
        raise _invalid(_EXAMPLES[kind]) from None
    if not known or named != mark_id or (mark_id is None and "name" not in said) or not said:
        raise _invalid(_EXAMPLES[kind])
    return said if mark_id is None else {**said, _IDS[kind]: mark_id}


def parse_members(kind: MarkKind, body: bytes, mark_id: str) -> dict[str, Any]:
    """Read which contacts are to have a tag or be in a group, or no more, as an order."""
    try:
        said = _Linkages.model_validate_json(body)
    except ValidationError:
        raise _invalid(
            '{"data": [{"type": "contacts", "id": "con_…"}]} with 1 to 500 contacts'
        ) from None
    return members(kind, mark_id, [one.id for one in said.data])


def members(kind: MarkKind, mark_id: str, contacts: list[str]) -> dict[str, Any]:
    """Write an order about contacts."""
    return {_IDS[kind]: mark_id, "contacts": contacts}


def deletion(kind: MarkKind, mark_id: str) -> dict[str, Any]:
    """Write the order to forget a tag or a group."""
    return {_IDS[kind]: mark_id}


def described_body(kind: MarkKind | None, *, is_change: bool = False) -> dict[str, Any]:
    """Describe a body for OpenAPI: a tag's or a group's; None: contacts."""
    contact = {
        "type": "object",
        "required": ["type", "id"],
        "properties": {"type": {"const": "contacts"}, "id": {"type": "string"}},
    }
    if kind is None:
        data: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": 500, "items": contact}
    else:
        data = {
            "type": "object",
            "required": ["type", "attributes"],
            "properties": {
                "type": {"const": kind},
                "id": {"type": "string"},
                "attributes": (_CHANGE if is_change else _SAID)[kind].model_json_schema(),
            },
        }
    schema = {"type": "object", "required": ["data"], "properties": {"data": data}}
    content = {"application/vnd.api+json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _invalid(example: str) -> RequestError:
    return RequestError([Problem(400, "invalid_body", "Invalid body", f"Send {example}.")])
