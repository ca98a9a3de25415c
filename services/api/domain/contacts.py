"""Contacts as JSON:API resources: what of a row is shown, and how it is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.api.domain.documents import (
    CONTACT_RELATIONSHIPS,
    ContactAttributes,
    Employment,
    IdentifierAttributes,
)
from services.api.domain.listing import Shape
from shared.events.derived import Derived, derived
from shared.events.fold import ContactState
from shared.events.group_query import LEAD_STATUSES
from shared.events.jobs import stints
from shared.events.signal import Identifier, PointStatus

ROOT: Final = "/api/v1"
"""Where the api's paths begin."""

Resource = dict[str, Any]
"""A JSON:API resource object, values as pydantic knows them: not yet JSON."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact of the read model, or of the past."""

    id: str
    attributes: ContactAttributes
    company_id: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    survivor_id: str | None = None
    """Whom the contact was merged into: whoever asks for it is led there."""
    possible_duplicates: tuple[str, ...] = ()
    provenance: Mapping[str, Mapping[str, Any]] | None = None
    """Field → origin; None where only the detail shows it."""
    misfits: Mapping[str, str] = field(default_factory=dict)
    """Custom field → what would be right, where its value does not fit."""
    statuses: Mapping[tuple[str, str], PointStatus] = field(default_factory=dict)
    """(type, value) of an e-mail or a phone → what was found out of it, where that was asked."""
    sort_values: tuple[str, ...] = field(default=())
    """The values that a cursor to this row holds."""


def contact_path(contact_id: str) -> str:
    """Where a contact is."""
    return f"{ROOT}/contacts/{contact_id}"


def contact_resource(row: ContactRow, shape: Shape, cursor: str | None = None) -> Resource:
    """Write a contact, restricted to the fields that were asked for."""
    wanted = shape.contact_fields
    names = None if wanted is None else set(wanted)
    resource: Resource = {
        "type": "contacts",
        "id": row.id,
        "attributes": row.attributes.model_dump(mode="json", include=names),
        "links": {"self": contact_path(row.id)},
    }
    relationships = {
        name: value
        for name, value in _relationships(row).items()
        if wanted is None or name in wanted
    }
    if relationships:
        resource["relationships"] = relationships
    meta: dict[str, Any] = {}
    if cursor is not None:
        meta["page"] = {"cursor": cursor}
    if row.provenance is not None:
        meta["provenance"] = {
            name: origin
            for name, origin in _public(row.provenance).items()
            if wanted is None or name in wanted
        }
        meta["possible_duplicates"] = list(row.possible_duplicates)
        meta["derived"] = [
            name
            for name in Derived._fields
            if getattr(row.attributes, name)
            and name not in row.provenance
            and (wanted is None or name in wanted)
        ]
    if row.misfits and (wanted is None or "custom_fields" in wanted):
        meta["custom_fields"] = dict(row.misfits)
    if meta:
        resource["meta"] = meta
    return resource


def identifier_resource(
    contact_id: str,
    number: int,
    identifier: Identifier,
    fields: frozenset[str] | None = None,
    cursor: str | None = None,
    *,
    status: PointStatus | None = None,
) -> Resource:
    """Write the `number`th identifier of a contact, counted from 1 as they were added."""
    attributes = IdentifierAttributes(
        identifier_type=identifier.type,
        value=identifier.value,
        assumed_region=identifier.assumed_region,
        status=status,
    )
    resource: Resource = {
        "type": "contact_identifiers",
        "id": identifier_id(contact_id, number),
        "attributes": attributes.model_dump(
            mode="json", include=None if fields is None else set(fields)
        ),
    }
    if cursor is not None:
        resource["meta"] = {"page": {"cursor": cursor}}
    return resource


def identifier_id(contact_id: str, number: int) -> str:
    """Name an identifier by its place: an id is never derived from personal data."""
    return f"{contact_id}.{number}"


def included(rows: Sequence[ContactRow], shape: Shape) -> list[Resource] | None:
    """Write `included`: None when `include` was not given, empty when it asked for nothing."""
    if shape.include is None:
        return None
    return [
        identifier_resource(
            row.id,
            number,
            identifier,
            shape.identifier_fields,
            status=row.statuses.get((identifier.type, identifier.value)),
        )
        for row in rows
        for number, identifier in enumerate(row.identifiers, start=1)
        if shape.with_identifiers
    ]


def besides(fields: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what of a contact has no column in the read model, of its visible values."""
    return {"avatar_url": fields.get("avatar_url"), **derived(fields)._asdict()}


def row_of_state(state: ContactState, workspace: str) -> ContactRow:
    """Show a folded contact as one workspace would have seen it."""
    visible: dict[str, Any] = {
        name: value
        for name, value in state.fields.items()
        if name in ContactAttributes.model_fields
    }
    visible |= besides(state.fields)
    binding = state.bindings.get(workspace)
    assert state.status != "deleted", "of a deleted contact there is nothing to show"
    attributes = ContactAttributes(
        **visible,
        emails=_values(state, "email"),
        phones=_values(state, "phone_e164"),
        employments=stints(
            Employment.model_validate(job.model_dump(mode="json")) for job in state.employments
        ),
        status=state.status,
        lead_status=LEAD_STATUSES[0],  # no event changes the stage yet
        lead_source=state.source,
        import_source=binding.import_source if binding else None,
        labels=binding.labels if binding else (),
        groups=binding.groups if binding else (),
        notes=binding.notes if binding else None,
        custom_fields=binding.custom_fields if binding else {},
        version=state.version,
        created_at=state.created_at,
        updated_at=state.updated_at,
    )
    provenance = {name: origin.model_dump(mode="json") for name, origin in state.provenance.items()}
    return ContactRow(
        id=state.contact_id,
        attributes=attributes,
        company_id=state.fields.get("company_id"),
        identifiers=state.identifiers,
        survivor_id=state.survivor_id,
        possible_duplicates=state.candidates,
        provenance=provenance,
    )


def _relationships(row: ContactRow) -> dict[str, Any]:
    company = {"type": "companies", "id": row.company_id} if row.company_id else None
    identifiers = {
        "links": {"related": f"{contact_path(row.id)}/identifiers"},
        "data": [
            {"type": "contact_identifiers", "id": identifier_id(row.id, number)}
            for number in range(1, len(row.identifiers) + 1)
        ],
    }
    return dict(zip(CONTACT_RELATIONSHIPS, ({"data": company}, identifiers), strict=True))


def _public(provenance: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Name origins as the resource does: the company's id is a relationship here."""
    return {
        "company" if name == "company_id" else name: origin for name, origin in provenance.items()
    }


def _values(state: ContactState, kind: str) -> tuple[str, ...]:
    """List a contact's values of a kind, the primary one first, as the read model does."""
    primary = state.fields.get(f"{kind.partition('_')[0]}_primary")
    found = [one.value for one in state.identifiers if one.type == kind]
    return tuple(dict.fromkeys([primary, *found] if primary else found))
