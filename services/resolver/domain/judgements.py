"""What people and rules order about who is whom, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.merge import (
    Refusal,
    Refused,
    check_versions,
    merge,
    oldest,
    reject,
    take_out,
    undo,
)
from shared.events.command import (
    ApproveMerge,
    Judgement,
    MergeContacts,
    RejectMerge,
    SplitContact,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a judgement."""

    outcome: Literal["done", "unknown_contact"] | Refusal
    positions: Mapping[str, int] = field(default_factory=dict)
    """Contact → the version that tells of it: what a reader may wait for."""
    merge_id: str | None = None
    """The merge that was made or undone."""
    unassigned: tuple[str, ...] = ()
    """Records, hex, that nothing assigned to either side of a split."""


def contacts_of(command: Judgement) -> list[str]:
    """Return the public ids that a judgement names, its own contact first."""
    match command:
        case MergeContacts():
            return [command.contact_id, command.absorbed_id]
        case ApproveMerge() | RejectMerge():
            return [command.contact_id, command.other_id]
        case _:
            return [command.contact_id]


def judge(
    command: Judgement, cluster: Cluster, named: Mapping[str, int], merge_id: str, order: Order
) -> Reshaping | Refused | None:
    """Decide a judgement; None when the tenant has no contact of a name in it.

    `merge_id` is for the merge that it may lead to.
    """
    if not set(contacts_of(command)) <= named.keys():
        return None
    refused = check_versions(cluster, command.expected)
    if refused is not None:
        return refused
    contact = named[command.contact_id]
    match command:
        case MergeContacts():
            return merge(cluster, contact, named[command.absorbed_id], merge_id, order)
        case ApproveMerge():
            pair = oldest(cluster, contact, named[command.other_id])
            return merge(cluster, *pair, merge_id, order)
        case RejectMerge():
            return reject(cluster, contact, named[command.other_id], order)
        case SplitContact() if command.records or command.identifiers:
            keys = [(cluster.tenant_id, one.type, one.value) for one in command.identifiers]
            records = [bytes.fromhex(one) for one in command.records]
            return take_out(cluster, contact, records, keys, order)
        case SplitContact():
            return undo(cluster, contact, command.merge_id, order)
        case _:
            raise TypeError(type(command).__name__)


def answer(plan: Reshaping | Refused | None) -> Answer:
    """Say what became of a judgement."""
    if plan is None:
        return Answer("unknown_contact")
    if isinstance(plan, Refused):
        return Answer(plan.reason)
    return Answer(
        "done",
        plan.positions,
        plan.merged.public_id if plan.merged else next(iter(plan.undone), None),
        tuple(key.hex() for key in plan.unassigned),
    )
