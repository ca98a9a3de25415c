"""Previews as plain documents: what a workspace may know of what its signals would lead to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from services.resolver.domain.claims import without_private
from services.resolver.domain.explaining import REASONS
from services.resolver.domain.model import Claim, Contact
from services.resolver.domain.previewing import Preview
from services.resolver.domain.reviewing import Said, side_by_side
from services.resolver.domain.survivorship import choose
from shared.events.signal import Facts
from shared.events.structs import to_json

Document = dict[str, Any]
"""JSON in the making."""

MOST_AGAINST: Final = 5
"""Contacts that one signal is shown beside."""

MOST_RECORDS: Final = 10
"""Records of one of them that are shown in full, those that weigh most."""

CLASSES: Final[Mapping[str, str]] = {
    "created": "new",
    "updated": "update",
    "duplicate": "duplicate",
    "stale": "duplicate",
}
"""What the gate makes of a signal → what a person is told, unless somebody must be asked."""

STALE: Final = "a newer version of this record is known already"

Namesakes = Mapping[str, Sequence[tuple[str, str]]]
"""Name in small letters → (public id, name) of the workspace's contacts that are called so."""


def tell_preview(one: Preview, workspace_id: int, name: str, namesakes: Namesakes) -> Document:
    """Describe what a signal would lead to, as its workspace may know it.

    A contact that only other workspaces of the tenant know stays unnamed, with all its values.
    `name` is the signal's own, in small letters.
    """
    is_shown = one.creator is not None or workspace_id in _bound_before(one)
    is_conflict = bool(one.proposals)
    return {
        "signal_id": one.delivery.signal.signal_id,
        "class": "conflict" if is_conflict else CLASSES[one.outcome],
        "reason": _reason(one),
        "contact": one.contact.public_id if is_shown and one.creator is None else None,
        "name": choose(one.contact.claims.values()).get("display_name") if is_shown else None,
        "creator": one.creator,
        "changes": [
            {
                "field": change.field,
                "old": change.old if is_shown else None,
                "old_source": change.old_source if is_shown else None,
                "new": change.new,
                "source": change.source,
            }
            for change in one.changes
            if is_shown or change.source == one.delivery.source.name
        ],
        "kept": [
            {"field": kept.field, "value": kept.value, "source": kept.source, "said": kept.said}
            for kept in one.kept
            if is_shown
        ],
        "adds": [{"type": added.type, "value": added.value} for added in one.identifiers],
        "against": [
            _against(one, contact, reason, workspace_id)
            for contact, reason in one.proposals[:MOST_AGAINST]
        ],
        "alike": [
            {"contact": contact, "name": shown}
            for contact, shown in (namesakes.get(name, ()) if one.outcome == "created" else ())
            if contact not in {other.public_id for other, _ in one.proposals}
        ][:MOST_AGAINST],
    }


def tell_refusal(signal_id: str, field: str, detail: str) -> Document:
    """Describe a signal that the gate would set aside."""
    return {
        "signal_id": signal_id,
        "class": "rejected",
        "reason": f"{field}: {detail}" if field else detail,
        **dict.fromkeys(("contact", "name", "creator")),
        **{name: [] for name in ("changes", "kept", "adds", "against", "alike")},
    }


def _bound_before(one: Preview) -> Iterable[int]:
    """Return the workspaces that knew the contact: a binding of this signal's is imagined."""
    return [workspace for workspace, binding in one.contact.bindings.items() if binding > 0]


def _reason(one: Preview) -> str:
    if one.proposals:
        return "; ".join(dict.fromkeys(REASONS[reason] for _, reason in one.proposals))
    return STALE if one.outcome == "stale" else ""


def _against(one: Preview, other: Contact, reason: str, workspace_id: int) -> Document:
    """Set a signal beside a contact that may be the same person: both in full."""
    known = other.bindings.get(workspace_id, 0) > 0
    told: Document = {"contact": None, "name": None, "reason": reason, "values": [], "records": []}
    if not known:
        return told
    claims = sorted(other.claims.values(), key=lambda claim: claim.weight, reverse=True)
    delivery = one.delivery
    ours = [_said(claim, other.id) for claim in claims]
    theirs = Said(
        contact=one.contact.id,
        record=delivery.record_key.hex(),
        record_id=None,
        source=delivery.source.name,
        priority=delivery.source.priority,
        confidence=delivery.signal.confidence,
        at=delivery.signal.occurred_at,
        received_at=delivery.signal.received_at,
        workspace_id=delivery.workspace_id,
        facts=delivery.signal.facts,
    )
    return told | {
        "contact": other.public_id,
        "name": choose(claims).get("display_name"),
        "values": [
            {
                "field": row.field,
                "agrees": row.agrees,
                "mine": [{"value": value.value, "source": value.source} for value in row.left],
                "theirs": [value.value for value in row.right],
            }
            for row in side_by_side(ours, [theirs])
        ],
        "records": [
            {
                "source": claim.source.name,
                "at": claim.asserted_at.isoformat(),
                "facts": orjson.Fragment(to_json(_visible(claim, workspace_id))),
            }
            for claim in claims[:MOST_RECORDS]
        ],
    }


def _visible(claim: Claim, workspace_id: int) -> Facts:
    """Return what a record says, less what another workspace keeps for itself."""
    if claim.workspace_id == workspace_id:
        return claim.facts
    return without_private(claim.facts)


def _said(claim: Claim, contact: int) -> Said:
    return Said(
        contact=contact,
        record=claim.record_key.hex(),
        record_id=None,
        source=claim.source.name,
        priority=claim.source.priority,
        confidence=claim.confidence,
        at=claim.asserted_at,
        received_at=claim.asserted_at,
        workspace_id=claim.workspace_id,
        facts=claim.facts,
    )
