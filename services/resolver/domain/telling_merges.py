"""How decisions about who is whom are told: the events of merges, splits and rejections."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from services.resolver.domain.bindings import Private
from services.resolver.domain.cluster import Order
from services.resolver.domain.composition import Composite
from services.resolver.domain.model import Claim, Contact
from services.resolver.domain.telling import document
from shared.events.contact import (
    Assertion,
    BindingChanged,
    ContactCreated,
    ContactDeleted,
    ContactsMerged,
    ContactsSplit,
    KnownBy,
    MergeRejected,
    Origin,
    Shape,
)
from shared.events.signal import Identifier, ImportSource
from shared.events.structs import struct_of, verbatim

_Assertion: Final = struct_of(Assertion)
_BindingChanged: Final = struct_of(BindingChanged)
_ContactCreated: Final = struct_of(ContactCreated)
_ContactDeleted: Final = struct_of(ContactDeleted)
_ContactsMerged: Final = struct_of(ContactsMerged)
_ContactsSplit: Final = struct_of(ContactsSplit)
_KnownBy: Final = struct_of(KnownBy)
_MergeRejected: Final = struct_of(MergeRejected)
_Origin: Final = struct_of(Origin)
_Shape: Final = struct_of(Shape)


def shape_of(made: Composite, workspaces: Mapping[int, str], candidates: Sequence[str]) -> Shape:
    """Write down all that is shared of a contact; `candidates` are public ids."""
    return _Shape(
        status=made.status,
        fields=made.fields,
        provenance={
            name: _Origin(
                source=claim.source.name,
                source_record=claim.record_key.hex(),
                asserted_at=claim.asserted_at,
            )
            for name, claim in made.origins.items()
        },
        identifiers=tuple(made.identifiers.values()),
        employments=tuple(made.jobs),
        known_by=tuple(
            _KnownBy(
                workspace=workspaces[workspace],
                import_source=cast("ImportSource | None", bound.import_source),
                bound_at=bound.since,
            )
            for workspace, bound in made.bound.items()
        ),
        candidates=tuple(candidates),
    )


def contact_born(order: Order, contact: Contact, claim: Claim) -> ContactCreated:
    """Tell of a contact that a split made, by the first record that it is made of."""
    return _ContactCreated(
        occurred_at=order.now,
        cause=order.command_id,
        contact_id=contact.public_id,
        version=contact.version + 1,
        source=claim.source.name,
        status=contact.status,
        asserted=asserted(claim),
    )


def contact_deleted(order: Order, contact: Contact) -> ContactDeleted:
    """Tell of a contact of which nothing is left: what made it was taken back."""
    return _ContactDeleted(
        occurred_at=order.now,
        cause=order.command_id,
        contact_id=contact.public_id,
        version=contact.version + 1,
        reason="import_retracted",
    )


def asserted(claim: Claim) -> Assertion:
    """Write down what a record says, for those who hear of it."""
    return _Assertion(
        source=claim.source.name,
        source_record=claim.record_key.hex(),
        confidence=claim.confidence,
        asserted_at=claim.asserted_at,
        facts=verbatim(document(claim.facts).shared),
    )


def binding_told(order: Order, contact: Contact, workspace: str, keeps: Private) -> BindingChanged:
    """Tell a workspace, and nobody else, what it keeps about a contact from now on."""
    return _BindingChanged(
        occurred_at=order.now,
        cause=order.command_id,
        workspace=workspace,
        contact_id=contact.public_id,
        version=contact.version + 1,
        labels=keeps.labels,
        notes=keeps.notes,
        custom_fields=dict(keeps.custom_fields),
        groups=keeps.groups,
    )


def contacts_merged(
    order: Order, contact: Contact, shape: Shape | None, merge_id: str, pair: tuple[str, str]
) -> ContactsMerged:
    """Tell of a merge; `pair` names the survivor, then the absorbed contact."""
    survivor, absorbed = pair
    return _ContactsMerged(
        occurred_at=order.now,
        cause=order.command_id,
        contact_id=contact.public_id,
        version=contact.version + 1,
        merge_id=merge_id,
        survivor_id=survivor,
        absorbed_id=absorbed,
        decided_by="person" if order.by_person else "machine",
        reason=order.merge_reason,
        shape=shape,
    )


def contacts_split(
    order: Order,
    contact: Contact,
    shape: Shape | None,
    *,
    merge_id: str | None,
    pair: tuple[str, str],
    moved: Iterable[Identifier],
    survivor: str | None,
    unassigned: Iterable[bytes] = (),
    others: Iterable[str] = (),
) -> ContactsSplit:
    """Tell of a split; `pair` names the contact that everything was in, then the other."""
    original, new = pair
    return _ContactsSplit(
        occurred_at=order.now,
        cause=order.command_id,
        contact_id=contact.public_id,
        version=contact.version + 1,
        merge_id=merge_id,
        original_id=original,
        new_id=new,
        identifiers_moved=tuple(moved),
        survivor_id=survivor,
        shape=shape,
        unassigned=tuple(key.hex() for key in unassigned),
        others=tuple(others),
        decided_by="person" if order.by_person else "machine",
        reason=order.reason,
    )


def merge_rejected(
    order: Order, contact: Contact, other: Contact, retired: Iterable[str]
) -> MergeRejected:
    """Tell that two contacts are two people; `retired` are this one's candidates settled so."""
    return _MergeRejected(
        occurred_at=order.now,
        cause=order.command_id,
        contact_id=contact.public_id,
        version=contact.version + 1,
        other_id=other.public_id,
        retired=tuple(retired),
        reason=order.reason,
    )
