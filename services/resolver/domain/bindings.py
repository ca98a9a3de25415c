"""One workspace's view of a contact: the shared values, and what it keeps for itself."""

from collections.abc import Mapping

from pydantic import JsonValue

from services.resolver.domain.model import BindingRow, Contact
from services.resolver.domain.survivorship import Values


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
    labels, notes, custom = private_values(contact, workspace)
    return BindingRow(
        id=binding_id,
        contact=contact,
        workspace_id=workspace,
        is_new=is_new,
        fields={name: value for name, (value, _) in values.items()},
        company_id=company_ids.get(company[0]) if company else None,
        import_source=import_source or "crm-direct",
        labels=labels,
        notes=notes,
        custom_fields=custom,
    )


def private_values(
    contact: Contact, workspace: int
) -> tuple[tuple[str, ...], str | None, dict[str, JsonValue]]:
    """Gather one workspace's labels (union), notes (all) and custom fields (newest wins)."""
    claims = sorted(
        (one for one in contact.claims.values() if one.workspace_id == workspace),
        key=lambda one: (one.asserted_at, one.record_key),
    )
    labels = tuple(dict.fromkeys(label for one in claims for label in one.facts.labels))
    notes = "\n\n".join(dict.fromkeys(one.facts.notes for one in claims if one.facts.notes))
    custom: dict[str, JsonValue] = {}
    for one in claims:
        custom.update(one.facts.custom_fields)
    return labels, notes or None, custom
