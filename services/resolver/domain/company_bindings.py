"""What people change of what their workspace keeps of a company (ADR 0102)."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.json import encode
from pydantic import JsonValue

from services.resolver.domain.auditing import Changed, text_of
from shared.errors import PoisonMessageError
from shared.events.command import ChangeCompanyBinding
from shared.events.company_binding import MAX_LABELS, CompanyBinding, shown
from shared.identifiers.names import clean_text


def labels_of(order: ChangeCompanyBinding) -> tuple[str, ...] | None:
    """Return the labels that an order gives, cleaned, each once; None: it says nothing of them."""
    if order.labels is None:
        return None
    labels = [clean_text(one) for one in order.labels]
    if not all(labels):
        raise PoisonMessageError("invalid", "must not hold a blank label", field="labels")
    return tuple(dict.fromkeys(labels))


def changed(
    own: CompanyBinding,
    behind: Sequence[CompanyBinding],
    order: ChangeCompanyBinding,
    values: Mapping[str, JsonValue],
) -> CompanyBinding:
    """Return what is kept of a company itself from now on, so that what shows is as was ordered.

    `values` are the order's custom fields as their fields write them. What is not named stays, and
    what those that stand behind the company keep stays theirs; `behind` is what showed of them.
    """
    wanted = labels_of(order)
    labels, taken_off, label_order = own.labels, own.labels_removed, own.label_order
    if wanted is not None:
        theirs = dict.fromkeys(label for one in behind for label in one.labels)
        labels = tuple(one for one in wanted if one in own.labels or one not in theirs)
        if len(labels) > MAX_LABELS:
            allowed = (
                f"must be at most {MAX_LABELS} besides those of companies merged into this one"
            )
            raise PoisonMessageError("invalid", allowed, field="labels")
        taken_off = tuple(one for one in theirs if one not in wanted)
        label_order = wanted if any(one in theirs for one in wanted) else ()
    inherited = {key for one in behind for key in one.custom_fields}
    fields = {**own.custom_fields, **values}
    fields = {key: value for key, value in fields.items() if value is not None or key in inherited}
    notes = own.notes
    if order.notes is not None:
        notes = order.notes.strip()
        if not notes and not any(one.notes for one in behind):
            notes = None
    return CompanyBinding(
        labels=labels,
        labels_removed=taken_off,
        label_order=label_order,
        custom_fields=fields,
        notes=notes,
    )


def differences(
    before: CompanyBinding, after: CompanyBinding, behind: Iterable[CompanyBinding]
) -> list[Changed]:
    """Say what shows otherwise than before, field by field, for the audit."""
    others = list(behind)
    was, now = shown(before, others), shown(after, others)
    found = []
    if was.labels != now.labels:
        found.append(Changed("labels", text_of(was.labels), text_of(now.labels)))
    if was.notes != now.notes:
        found.append(Changed("notes", was.notes, now.notes))
    for key in sorted({**was.custom_fields, **now.custom_fields}):
        old, new = was.custom_fields.get(key), now.custom_fields.get(key)
        # As JSON: to Python, true is 1.
        if encode(old) != encode(new):
            found.append(Changed(f"custom_fields.{key}", text_of(old), text_of(new)))
    return found
