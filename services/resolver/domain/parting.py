"""What the machine had put together comes apart again, as the evidence says by now (ADR 0074).

Only what identifiers or the machine itself had joined: what a person put together, or took over,
what a vendor answered about a contact, and a record that stays with its contact whatever a newer
version of it says, have other reasons to be where they are.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.composition import Applied, Evidence
from services.resolver.domain.homes import Homes
from services.resolver.domain.matches import Parting
from services.resolver.domain.merge import Refused, take_out, undo
from services.resolver.domain.model import IdentifierKey

_BY_IDENTIFIER: Final[frozenset[Evidence]] = frozenset({"identifier", "name"})
"""Why a delivery is at its home that the gate gave to several homes by an identifier: whoever holds
that, or whoever of them bears its name, where who holds it is called otherwise."""


def may_part(cluster: Cluster, parting: Parting, held: Collection[bytes]) -> bool:
    """Tell whether a contact may be parted so by the machine's word.

    `held` are records that people said are one person's. A contact that holds others by now than
    those that were compared is left to whoever compares it next.
    """
    assigned = Assigned.of(cluster)
    group = set(assigned.group(parting.contact))
    applied = assigned.applied[assigned.homes.root(parting.contact)]
    if _records(applied) != parting.records:
        return False
    if any(one.by_person and {one.survivor, one.absorbed} <= group for one in cluster.merges):
        return False
    if any(one.evidence == "person" or one.claim.record_key in held for one in applied):
        return False
    return all(
        _merge_behind(assigned, parting.contact, leaving) or _may_leave(applied, leaving)
        for leaving in parting.leaving
    )


def part(cluster: Cluster, leaving: frozenset[bytes], order: Order) -> Reshaping | Refused:
    """Take records out of whoever holds them: by undoing the merge that brought them, if one did.

    `cluster` has all homes of the contact as it was compared, whatever has left it since.
    """
    assigned = Assigned.of(cluster)
    contact = next(
        root for root, applied in assigned.applied.items() if leaving <= _records(applied)
    )
    if leaving == _records(assigned.applied[contact]):
        return Refused("unchanged")
    merge = _merge_behind(assigned, contact, leaving)
    if merge is not None:
        return undo(cluster, contact, merge, order)
    return take_out(cluster, contact, leaving, (), order)


def _records(applied: Iterable[Applied]) -> set[bytes]:
    return {one.claim.record_key for one in applied}


def _merge_behind(assigned: Assigned, contact: int, leaving: frozenset[bytes]) -> str | None:
    """Return the machine's merge of which one side brought just these records."""
    cluster, homes = assigned.cluster, set(assigned.group(contact))
    applied = assigned.applied[assigned.homes.root(contact)]
    sides = (leaving, _records(applied) - leaving)
    for merge in reversed(cluster.merges):
        if {merge.survivor, merge.absorbed} <= homes:
            without = Homes(cluster.contacts, [one for one in cluster.merges if one is not merge])
            theirs = set(without.groups[without.root(merge.absorbed)])
            if _records(one for one in applied if one.home in theirs) in sides:
                return merge.public_id
    return None


def _may_leave(applied: Sequence[Applied], leaving: frozenset[bytes]) -> bool:
    """Tell whether identifiers alone keep the records where they are.

    Each came once, and names somebody whom another record of its home names, or came to one of
    several homes by an identifier of theirs. A home that somebody was shown keeps all: what was
    said about it would be left without whom it was said of.
    """
    theirs = [one for one in applied if one.claim.record_key in leaving]
    homes = {one.home for one in theirs}
    if len({one.claim.record_key for one in theirs}) < len(theirs):
        return False
    return not any(one.home in homes and _was_shown(one) for one in applied) and all(
        one.evidence in _BY_IDENTIFIER
        or not (named := _named(applied, one))
        or {key for key, _ in one.identifiers} & named
        for one in theirs
    )


def _was_shown(one: Applied) -> bool:
    """Tell whether its sender spoke of a contact that it was shown, and need not name it."""
    return one.source.is_enrichment or one.source.name == "manual_entry"


def _named(applied: Iterable[Applied], one: Applied) -> set[IdentifierKey]:
    """Return what the other records of its home name; nothing where it is the only one."""
    return {
        key
        for other in applied
        if other.home == one.home and other.claim.record_key != one.claim.record_key
        for key, _ in other.identifiers
    }
