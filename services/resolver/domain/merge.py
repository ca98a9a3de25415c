"""Merge two contacts, take one apart, keep two apart: what is ordered, and what comes of it.

Each function takes the contacts concerned as a `Cluster` and returns the plan, or says why nothing
is done. A person overrules whoever kept two contacts apart; a machine never does (DESIGN 4.4).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from services.resolver.domain.assigning import Assigned, moved
from services.resolver.domain.cluster import (
    Cluster,
    Order,
    Pair,
    Reshaping,
    between,
    pair_of,
)
from services.resolver.domain.composition import Applied, Evidence
from services.resolver.domain.homes import Homes, Merge
from services.resolver.domain.lifecycle import has_name
from services.resolver.domain.model import Contact, IdentifierKey
from services.resolver.domain.reshaping import reshape
from services.resolver.domain.telling_merges import (
    contact_deleted,
    contacts_merged,
    contacts_split,
    merge_rejected,
)
from services.resolver.domain.words import rehome_words
from shared.events.contact import ContactEvent, Shape

Refusal = Literal[
    "unchanged",
    "one_contact",
    "conflict",
    "archived_survivor",
    "kept_apart",
    "kept_together",
    "unknown_merge",
    "unknown_records",
    "nothing_would_stay",
    "nothing_would_go",
]
"""Why nothing is done: it is so already; what is to be kept apart is one contact, so that its merge
is to be undone; a contact changed since it was looked at; the survivor is archived and would hide
the other; a person keeps them apart, or together, or a phone backup's question waits for a person;
no such merge, record or identifier is in this contact; a split may not take, nor leave, nothing
that tells who somebody is: an identifier without a record, or records of neither name nor
identifier, as people's words for a workspace, corrections and vendors' answers may be."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A decision that was not carried out."""

    reason: Refusal


def check_versions(cluster: Cluster, expected: Mapping[str, int]) -> Refused | None:
    """Refuse what was decided on a version that is no longer the newest."""
    versions = {one.public_id: one.version for one in cluster.contacts.values()}
    outdated = any(versions.get(name, version) != version for name, version in expected.items())
    return Refused("conflict") if outdated else None


def merge(
    cluster: Cluster, survivor: int, absorbed: int, merge_id: str, order: Order
) -> Reshaping | Refused:
    """Make two contacts one. Whoever was absorbed already stands for its survivor."""
    assigned = Assigned.of(cluster)
    staying, going = assigned.group(survivor), assigned.group(absorbed)
    kept, taken = cluster.contacts[staying[0]], cluster.contacts[going[0]]
    if kept is taken:
        return Refused("unchanged")
    if kept.status == "archived" and taken.status != "archived":
        return Refused("archived_survivor")
    # Among all homes: whom a person separated stays so, whoever was merged with either meanwhile.
    apart = between(cluster.apart, staying, going)
    waiting = between(cluster.waiting, staying, going)
    if (apart or waiting) and not order.by_person:
        return Refused("kept_apart")
    new = Merge(merge_id, survivor, absorbed, order.by_person)
    pair = (kept.public_id, taken.public_id)

    def tell(contact: Contact, shape: Shape | None) -> Iterator[ContactEvent]:
        yield contacts_merged(order, contact, shape, merge_id, pair)

    plan = reshape(assigned, assigned, [*cluster.merges, new], order, tell)
    plan.merged = new
    answer = "approved" if order.by_person else "auto_merged"
    plan.settled = dict.fromkeys(between(cluster.candidates, staying, going), answer)
    if order.by_person:
        plan.overruled = sorted(apart)
        plan.joined = [pair_of(survivor, absorbed)]
    return plan


def oldest(cluster: Cluster, one: int, other: int) -> tuple[int, int]:
    """Put the contact first that survives by default: not archived, then the older."""
    homes = Homes(cluster.contacts, cluster.merges)

    def rank(named: int) -> tuple[bool, int]:
        root = homes.root(named)
        return cluster.contacts[root].status == "archived", root

    first, second = sorted((one, other), key=rank)
    return first, second


def undo(cluster: Cluster, contact: int, merge_id: str | None, order: Order) -> Reshaping | Refused:
    """Take a contact apart along one merge, the newest by default, as if it had never been."""
    assigned = Assigned.of(cluster)
    group = assigned.group(contact)
    within = [one for one in cluster.merges if one.survivor in group and one.absorbed in group]
    chosen = [one for one in within if merge_id in (None, one.public_id)]
    if not chosen:
        return Refused("unknown_merge")
    undone = chosen[-1]
    if undone.by_person and not order.by_person:
        return Refused("kept_together")
    left = [one for one in cluster.merges if one is not undone]
    after = Homes(cluster.contacts, left)
    original = group[0]
    (new,) = {after.root(undone.survivor), after.root(undone.absorbed)} - {original}
    rehomed, _ = rehome_words(assigned, assigned, after)
    plan = _take_apart(assigned, rehomed, left, (original, new), order, merge_id=undone.public_id)
    plan.undone = [undone.public_id]
    _keep_apart(plan, [pair_of(undone.survivor, undone.absorbed), pair_of(original, new)])
    return plan


def take_out(
    cluster: Cluster,
    contact: int,
    records: Iterable[bytes],
    keys: Iterable[IdentifierKey],
    order: Order,
) -> Reshaping | Refused:
    """Take chosen records, or chosen identifiers and what they brought, into a new contact.

    Where that is all that one merge holds to the others, it is undone: both sides have their ids.
    """
    assigned = Assigned.of(cluster)
    group = assigned.group(contact)
    original = group[0]
    applied = assigned.applied[original]
    held = {key for key, home in assigned.identifiers.items() if home in group}
    records, keys = set(records), set(keys)
    if not records <= {one.claim.record_key for one in applied} or not keys <= held:
        return Refused("unknown_records")
    records, keys = what_goes(applied, held, records, keys)
    telling = _telling(applied)
    if records >= telling:
        return Refused("nothing_would_stay")
    if records.isdisjoint(telling):
        return Refused("nothing_would_go")
    left = {one.home for one in applied if one.claim.record_key in records and one.home is not None}
    whole = _held_by(assigned, original, left, records, keys) if order.by_person else None
    if whole is not None:
        return undo(cluster, contact, whole.public_id, order)
    new = cluster.new_contact(order.ids)
    evidence: Evidence = "person" if order.by_person else "own"
    after = moved(assigned, dict.fromkeys(records, new), dict.fromkeys(keys, new), evidence)
    plan = _take_apart(assigned, after, cluster.merges, (original, new), order, merge_id=None)
    _keep_apart(plan, [pair_of(new, home) for home in sorted({original, *left})])
    return plan


def _telling(applied: Collection[Applied]) -> set[bytes]:
    """Return the records that tell who somebody is: by a name that they say, or an identifier.

    What a record said before brings its identifiers still, but its name no more.
    """
    latest = {one.claim.record_key: one.facts for one in applied}
    naming = {one.claim.record_key for one in applied if one.identifiers}
    return naming | {record for record, facts in latest.items() if has_name(facts)}


def _held_by(
    assigned: Assigned, root: int, left: set[int], records: set[bytes], keys: set[IdentifierKey]
) -> Merge | None:
    """Return the one merge that holds just these records and identifiers to all the others.

    What names no identifier need not be chosen: people's words, corrections and vendors' answers
    belong to whoever the others are.
    """
    if len(left) != 1:
        return None
    (home,) = left
    theirs = [one for one in assigned.applied[root] if one.home == home]
    naming = {one.claim.record_key for one in theirs if one.identifiers}
    held = {key for key, at in assigned.identifiers.items() if at == home}
    if not keys <= held or not (naming or {one.claim.record_key for one in theirs}) <= records:
        return None
    merges = [one for one in assigned.cluster.merges if home in (one.survivor, one.absorbed)]
    return merges[0] if len(merges) == 1 else None


def what_goes(
    applied: Iterable[Applied],
    held: Iterable[IdentifierKey],
    records: set[bytes],
    keys: set[IdentifierKey],
) -> tuple[set[bytes], set[IdentifierKey]]:
    """Add what belongs to chosen records and identifiers.

    A record goes with the strongest identifier that it names; an identifier goes when all records
    that name it go.
    """
    named: dict[bytes, list[IdentifierKey]] = {}
    ours = set(held)
    for one in applied:
        kept = [key for key, _ in one.identifiers if key in ours]
        named.setdefault(one.claim.record_key, []).extend(kept)
    naming: dict[IdentifierKey, set[bytes]] = {}
    for record, theirs in named.items():
        for key in theirs:
            naming.setdefault(key, set()).add(record)
    records, keys = set(records), set(keys)
    while True:
        more = {record for record, theirs in named.items() if theirs and theirs[0] in keys}
        alone = {key for key, by in naming.items() if by <= records | more}
        if more <= records and alone <= keys:
            return records, keys
        records |= more
        keys |= alone


def reject(cluster: Cluster, one: int, other: int, order: Order) -> Reshaping | Refused:
    """Keep two contacts apart from now on, whatever arrives; only a person can overrule it."""
    homes = Homes(cluster.contacts, cluster.merges)
    ours, theirs = homes.groups[homes.root(one)], homes.groups[homes.root(other)]
    if ours == theirs:
        return Refused("one_contact")
    if pair_of(one, other) in cluster.apart:
        return Refused("unchanged")
    plan = Reshaping(order, cluster)
    plan.settled = dict.fromkeys(between(cluster.candidates, ours, theirs), "rejected")
    plan.kept_apart = sorted({pair_of(one, other), *plan.settled} - cluster.apart)
    left, right = cluster.contacts[ours[0]], cluster.contacts[theirs[0]]
    for contact, another, group in ((left, right, theirs), (right, left, ours)):
        event = merge_rejected(order, contact, another, [cluster.names[home] for home in group])
        plan.tell(contact, event)
    return plan


def _take_apart(
    before: Assigned,
    after: Assigned,
    merges: list[Merge],
    pair: tuple[int, int],
    order: Order,
    *,
    merge_id: str | None,
) -> Reshaping:
    cluster = after.cluster
    original, new = pair
    homes = Homes(cluster.contacts, merges)
    theirs = {key for key, home in after.identifiers.items() if homes.root(home) == new}
    identifiers = {
        key: identifier
        for one in after.applied[original]
        for key, identifier in one.identifiers
        if key in theirs
    }
    unassigned = tuple(
        dict.fromkeys(
            one.claim.record_key
            for one in after.applied[original]
            if one.evidence == "none" and one.home is not None and homes.root(one.home) == original
        )
    )

    def tell(contact: Contact, shape: Shape | None) -> Iterator[ContactEvent]:
        if contact.status == "deleted":  # what had brought it was taken back since it was merged
            yield contact_deleted(order, contact)
            return
        taken = homes.absorption(contact.id)
        yield contacts_split(
            order,
            contact,
            shape,
            merge_id=merge_id,
            pair=(cluster.names[original], cluster.names[new]),
            moved=identifiers.values(),
            survivor=cluster.names[taken.survivor] if taken else None,
            unassigned=unassigned if contact.id == original else (),
        )

    plan = reshape(before, after, merges, order, tell)
    plan.unassigned = unassigned
    return plan


def _keep_apart(plan: Reshaping, pairs: Iterable[Pair]) -> None:
    """Note what a person separated: only people keep contacts apart."""
    cluster = plan.cluster
    if not plan.order.by_person:
        return
    plan.kept_apart = sorted({one for one in pairs if one[0] != one[1]} - cluster.apart)
    plan.settled = dict.fromkeys(cluster.candidates.intersection(plan.kept_apart), "rejected")
