"""One workspace's view of a contact: the shared values, and what it keeps for itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from services.resolver.domain.claims import PEOPLE, is_private, leading_claims, private_claims
from services.resolver.domain.model import BindingRow, Claim, Contact
from services.resolver.domain.survivorship import Values


@dataclass(frozen=True, slots=True)
class Private:
    """What one workspace keeps about a contact for itself."""

    labels: tuple[str, ...] = ()
    notes: str | None = None
    custom_fields: Mapping[str, JsonValue] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    """Public ids."""


NOTHING_PRIVATE = Private()
"""The usual case."""


def view_of(
    contact: Contact,
    workspace: int,
    binding_id: int,
    values: Values,
    company_ids: Mapping[str, int],
    *,
    is_new: bool,
    import_source: str | None,
) -> BindingRow:
    """Denormalise a contact for one workspace."""
    company = values.get("company_id")
    private = private_values(contact, workspace)
    return BindingRow(
        id=binding_id,
        contact=contact,
        workspace_id=workspace,
        is_new=is_new,
        fields=values,
        company_id=company_ids.get(company) if company else None,
        import_source=import_source or "crm-direct",
        labels=private.labels,
        notes=private.notes,
        custom_fields=private.custom_fields,
    )


def authoritative(contact: Contact) -> int:
    """Return the binding that speaks for the contact, where several workspaces know it.

    The workspace of the weightiest claim: priority of its source, then confidence, then recency;
    before all others one in which a person took the values over (spec 004; ADR 0068).
    """
    best = max(
        (claim for claim in leading_claims(contact) if claim.workspace_id in contact.bindings),
        key=lambda claim: (claim.workspace_id in contact.owned, claim.weight),
    )
    return contact.bindings[best.workspace_id]


def private_values(contact: Contact, workspace: int) -> Private:
    """Gather what a workspace keeps for itself about a contact."""
    return private_of(private_claims(contact, workspace), workspace)


def custom_by_people(contact: Contact, workspace: int) -> dict[str, JsonValue]:
    """Return what people of a workspace said of custom fields, the newest of each; null: none."""
    claims = _by_people(contact, workspace)
    return {name: value for one in claims for name, value in one.facts.custom_fields.items()}


def labels_by_people(contact: Contact, workspace: int) -> frozenset[str]:
    """Return the labels that a contact has by the newest word of people, whatever sources say."""
    given: dict[str, bool] = {}
    for one in _by_people(contact, workspace):
        given.update(dict.fromkeys(one.facts.labels, True))
        given.update(dict.fromkeys(one.facts.labels_removed, False))
    return frozenset(label for label, is_on in given.items() if is_on)


def _by_people(contact: Contact, workspace: int) -> list[Claim]:
    """Return claims enough to tell what people of a workspace say, the newest last."""
    told = private_claims(contact, workspace)
    claims = [one for one in told if one.workspace_id == workspace and one.source.name in PEOPLE]
    return sorted(claims, key=lambda one: (one.asserted_at, one.record_key))


def private_of(told: Iterable[Claim], workspace: int) -> Private:
    """Gather one workspace's labels (union), notes (all) and custom fields (newest wins).

    What a person says of a label, a group or a custom field stands, whatever sources say before or
    after; of what people say, the newest (ADR 0088). Null of a person is no value.
    """
    claims = [one for one in told if one.workspace_id == workspace and is_private(one.facts)]
    if not claims:
        return NOTHING_PRIVATE
    claims.sort(key=lambda one: (one.asserted_at, one.record_key))
    labels = dict.fromkeys(label for one in claims for label in one.facts.labels)
    taken_off: dict[str, bool] = {}
    member: dict[str, bool] = {}
    for one in claims:
        said = one.facts
        if one.source.name in PEOPLE:
            taken_off.update(dict.fromkeys(said.labels, False))
            taken_off.update(dict.fromkeys(said.labels_removed, True))
            member.update(dict.fromkeys(said.groups, True))
            member.update(dict.fromkeys(said.groups_left, False))
    notes = "\n\n".join(dict.fromkeys(one.facts.notes for one in claims if one.facts.notes))
    custom: dict[str, JsonValue] = {}
    by_people: dict[str, JsonValue] = {}
    for one in claims:
        (by_people if one.source.name in PEOPLE else custom).update(one.facts.custom_fields)
    custom.update(by_people)
    custom = {
        name: value for name, value in custom.items() if value is not None or name not in by_people
    }
    return Private(
        tuple(label for label in labels if not taken_off.get(label)),
        notes or None,
        custom,
        tuple(group for group, is_in in member.items() if is_in),
    )
