"""What changed of a workspace's view, field by field, for the audit (DESIGN 9, spec 004).

A binding that is new has changed nothing. Values are written as text, as the trigger writes them
that audits whoever changes a binding past the resolver.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec.json import encode

from services.resolver.domain.bindings import Private, private_of
from services.resolver.domain.cluster import Kept, Reshaping
from services.resolver.domain.model import AuditRow
from shared.events.contact import VisibleField

COLUMNS: Final[Mapping[VisibleField, str]] = {
    "first_name": "first_name",
    "last_name": "last_name",
    "display_name": "full_name",
    "job_title": "title",
    "headline": "headline",
    "email_primary": "primary_email",
    "phone_primary": "primary_phone",
    "city": "city",
    "state": "state",
    "country": "country",
    "company_id": "current_org_id",
    "company_name": "current_org_name",
    "avatar_url": "avatar_url",
}
"""Visible value → the binding's column that shows it; the others are in none."""


class Changed(NamedTuple):
    """A field of a binding that is another now."""

    field: str
    old: str | None
    new: str | None


def values_changed(
    changes: Iterable[tuple[VisibleField, str | None, str | None]], company_ids: Mapping[str, int]
) -> list[Changed]:
    """Say which columns change with these visible values, given as field, old and new value."""
    found = []
    for name, old, new in changes:
        column = COLUMNS.get(name)
        if column and name == "company_id":
            found.append(Changed(column, _number(old, company_ids), _number(new, company_ids)))
        elif column is not None:
            found.append(Changed(column, old, new))
    return [one for one in found if one.old != one.new]


def private_changed(before: Private, after: Private) -> list[Changed]:
    """Say what a workspace keeps otherwise; custom fields one by one."""
    found = []
    if before.labels != after.labels:
        found.append(Changed("labels", text_of(before.labels), text_of(after.labels)))
    if before.groups != after.groups:
        found.append(Changed("groups", text_of(before.groups), text_of(after.groups)))
    if before.notes != after.notes:
        found.append(Changed("notes", before.notes, after.notes))
    old, new = before.custom_fields, after.custom_fields
    for key in sorted({**old, **new}):
        # As JSON: to Python, true is 1.
        if encode(old.get(key)) != encode(new.get(key)):
            name = f"custom_fields.{key}"
            found.append(Changed(name, text_of(old.get(key)), text_of(new.get(key))))
    return found


def audited(plan: Reshaping) -> list[AuditRow]:
    """Say what an order changes of bindings that were in use and are."""
    rows = []
    for one in plan.bindings:
        old = plan.cluster.bindings.get((one.contact, one.workspace))
        was, made = plan.was.get(one.contact), plan.composed[one.contact]
        if old is None or not old.is_live or was is None:
            continue
        names = sorted({*was.fields, *made.fields})
        changed = values_changed(
            ((name, was.fields.get(name), made.fields.get(name)) for name in names),
            plan.cluster.company_ids,
        )
        before, after = (private_of(each.claims.values(), one.workspace) for each in (was, made))
        changed += [*private_changed(before, after), *kept_changed(old.shown, one.shown)]
        place = (plan.cluster.tenant_id, one.id, one.workspace)
        rows += [
            AuditRow(*place, each.field, each.old, each.new, None, plan.order.command_id)
            for each in changed
        ]
    return rows


def kept_changed(before: Kept, after: Kept) -> Iterator[Changed]:
    """Say what people had set otherwise."""
    for name in ("stage", "contact_owner_id", "is_favorite", "data_owner"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Changed(name, text_of(old), text_of(new))


def _number(company: str | None, company_ids: Mapping[str, int]) -> str | None:
    number = company_ids.get(company) if company else None
    return None if number is None else str(number)


def text_of(value: object) -> str | None:
    """Write a value as the trigger does: a text as it is, any other as JSON."""
    if value is None or isinstance(value, str):
        return value
    return encode(value).decode()
