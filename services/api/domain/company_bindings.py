"""What a workspace keeps of a company, as JSON:API: its labels, notes and custom fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import Field, JsonValue, ValidationError

from services.api.domain.bodies import Strict
from services.api.domain.companies import company_path
from services.api.domain.contacts import Resource
from services.api.domain.documents import JsonApi, Links, Part
from services.api.domain.problems import Problem, RequestError
from shared.events.company_binding import (
    MAX_LABELS,
    MAX_LABELS_SHOWN,
    KeptOfCompany,
    shown,
    told_apart,
)
from shared.events.custom_field import CustomField, misfits

MOST_BYTES: Final = 262_144
"""The largest body: 200 values."""

MAX_NOTES: Final = 10_000
"""Characters of notes (`shared.events.wire.Long`)."""

_EXAMPLE: Final = (
    '{"data": {"type": "company_bindings", "id": "cmp_…", "attributes": {"labels": ["Partner"], '
    '"notes": "…", "custom_fields": {"tier": "gold"}}}} with some of them; '
    f"at most {MAX_LABELS} labels of 255 characters besides those of merged companies, notes of "
    f"{MAX_NOTES:,}"
)


@dataclass(frozen=True, slots=True)
class BindingRow:
    """What is kept of one company: of the one that was asked for, or of one behind it."""

    is_own: bool
    kept: KeptOfCompany
    updated_at: datetime | None
    """None: nobody said anything of it."""


class CompanyBindingAttributes(Part):
    """What people of this workspace say of a company for it alone."""

    labels: tuple[str, ...] = ()
    notes: str | None = None
    custom_fields: dict[str, Any] = Field(default_factory=dict)
    updated_at: datetime | None = Field(default=None, description="Null: nobody said anything yet.")


class CompanyBindingMeta(Part):
    """What is known of the values."""

    custom_fields: dict[str, str] | None = Field(
        default=None, description="Custom field → what its value would have to be: it was changed."
    )


class CompanyBindingResource(Part):
    """The resource `company_bindings`, by the company's id."""

    type: Literal["company_bindings"] = "company_bindings"
    id: str
    attributes: CompanyBindingAttributes
    links: dict[str, str]
    meta: CompanyBindingMeta | None = None


class CompanyBindingDocument(Part):
    """What this workspace keeps of a company."""

    jsonapi: JsonApi
    links: Links
    data: CompanyBindingResource


class _Said(Strict):
    labels: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1, max_length=255)], ...],
            Field(max_length=MAX_LABELS_SHOWN),
        ]
        | None
    ) = None
    """All that are to show; null or empty: none."""
    notes: Annotated[str, Field(max_length=MAX_NOTES)] | None = None
    """Null: none."""
    custom_fields: Annotated[
        dict[Annotated[str, Field(max_length=255)], JsonValue], Field(max_length=200)
    ] = Field(default_factory=dict)
    """Values of fields that are defined for companies; null takes one away."""


def parse_binding(body: bytes, company_id: str) -> dict[str, Any]:
    """Read what is to be kept of a company, as an order; raises `RequestError`."""
    said = None
    try:
        data = orjson.loads(body)["data"]
        is_named = data["type"] == "company_bindings" and data.get("id", company_id) == company_id
        if is_named and data.keys() <= {"type", "id", "attributes"}:
            said = _Said.model_validate(data["attributes"]).model_dump(exclude_unset=True)
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError, ValidationError):
        pass
    if not said or _holds_nul(said):
        raise RequestError([Problem(400, "invalid_body", "Invalid body", f"Send {_EXAMPLE}.")])
    nothing: Mapping[str, Any] = {"labels": [], "notes": "", "custom_fields": {}}
    given = {name: nothing[name] if one is None else one for name, one in said.items()}
    return {"company_id": company_id, **given}


def binding_resource(
    company_id: str, rows: Iterable[BindingRow], fields: Mapping[str, CustomField]
) -> Resource:
    """Write what a workspace keeps of a company and of those that were merged into it."""
    found = list(rows)
    root = next((row.kept.company_id for row in found if row.is_own), 0)
    kept = shown(*told_apart((row.kept for row in found), root))
    values, wrong = misfits(fields, kept.custom_fields)
    attributes = CompanyBindingAttributes(
        labels=kept.labels,
        notes=kept.notes,
        custom_fields=values,
        updated_at=max((row.updated_at for row in found if row.updated_at), default=None),
    )
    path = company_path(company_id)
    resource: Resource = {
        "type": "company_bindings",
        "id": company_id,
        "attributes": attributes.model_dump(mode="json"),
        "links": {"self": f"{path}/binding", "related": path},
    }
    if wrong:
        resource["meta"] = {"custom_fields": wrong}
    return resource


def described_binding() -> dict[str, Any]:
    """Describe the body for OpenAPI."""
    data = {
        "type": "object",
        "required": ["type", "attributes"],
        "properties": {
            "type": {"const": "company_bindings"},
            "id": {"type": "string"},
            "attributes": _Said.model_json_schema(),
        },
    }
    schema = {"type": "object", "required": ["data"], "properties": {"data": data}}
    content = {"application/vnd.api+json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _holds_nul(said: Mapping[str, Any]) -> bool:
    """Tell whether a text has a NUL character, which no database text can hold."""
    return any("\0" in text for text in _texts(said))


def _texts(said: Any) -> list[str]:
    if isinstance(said, str):
        return [said]
    if isinstance(said, Mapping):
        said = [*said.keys(), *said.values()]
    return [text for one in said for text in _texts(one)] if isinstance(said, list | tuple) else []
