"""Which contacts a batch compares: those that share blocking keys, the rarest keys first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from services.resolver.domain.matches import Known
from services.resolver.domain.matching.blocking import HOT, blocking_keys
from services.resolver.domain.matching.cluster import Record

MOST_CANDIDATES: Final = 10
"""Contacts that one contact is compared with, at most: most keys in common, rare ones first."""

LEAST_WORTH: Final = 0.08
"""What two contacts share is worth comparing them from here on, each block worth one by how many
are in it: a single one of a dozen, two of two dozen (ADR 0092)."""

Block = tuple[int, int]
"""(tenant, number of a blocking key)."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A contact with its blocking keys."""

    tenant_id: int
    keys: Mapping[int, Record]
    """Number of a key → a record that has it."""

    def blocks(self) -> set[Block]:
        """Return the blocks that the contact is in."""
        return {(self.tenant_id, key) for key in self.keys}


@dataclass(slots=True)
class BlockPlan:
    """What to write of blocks, and whom to compare."""

    added: list[tuple[int, int, int, Record]] = field(default_factory=list)
    """(tenant, key, contact, record)."""
    removed: list[tuple[int, int]] = field(default_factory=list)
    """(contact, key)."""
    heated: set[Block] = field(default_factory=set)
    """Blocks with too many contacts to tell anybody apart from now on."""
    candidates: dict[int, list[int]] = field(default_factory=dict)
    """Contact → those it may be one with."""


def key_contacts(records: Mapping[Record, Known], tenants: Mapping[int, int]) -> dict[int, Keyed]:
    """Gather the keys of contacts: contact → keys; `tenants` says whose they are."""
    keys: dict[int, dict[int, Record]] = {contact: {} for contact in tenants}
    for record, known in records.items():
        theirs = keys.get(known.contact)
        if theirs is not None:
            for key in blocking_keys(known.profile):
                theirs.setdefault(number_of(key), record)
    return {contact: Keyed(tenants[contact], found) for contact, found in keys.items()}


def number_of(key: str) -> int:
    """Return the 64 bits that stand for a blocking key; two that share them cost a comparison."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def plan_blocks(
    contacts: Mapping[int, Keyed],
    written: Mapping[int, Collection[int]],
    members: Mapping[Block, Collection[int]],
    hot: Collection[Block],
) -> BlockPlan:
    """Put contacts into their blocks, and choose whom each is compared with.

    `written` are the keys that are stored of them, `members` the contacts stored in their blocks
    (of a block with too many, some), `hot` those blocks that are given up.
    """
    plan = BlockPlan()
    blocks = {block: set(found) for block, found in members.items()}
    for contact, keyed in contacts.items():
        stored = written.get(contact, ())
        plan.removed += [(contact, key) for key in stored if key not in keyed.keys]
        for key, record in keyed.keys.items():
            block = (keyed.tenant_id, key)
            if block in hot or block in plan.heated:
                continue
            inside = blocks.setdefault(block, set())
            inside.add(contact)
            if len(inside) > HOT:
                plan.heated.add(block)
            elif key not in stored:
                plan.added.append((keyed.tenant_id, key, contact, record))
    plan.added = [row for row in plan.added if row[:2] not in plan.heated]
    for contact, keyed in contacts.items():
        plan.candidates[contact] = _choose(contact, keyed, blocks, plan.heated)
    return plan


def _choose(
    contact: int,
    keyed: Keyed,
    blocks: Mapping[Block, Collection[int]],
    heated: Collection[Block],
) -> list[int]:
    """Rank others by the blocks they share, each worth the less the more contacts are in it."""
    weights: dict[int, float] = {}
    for block in keyed.blocks():
        inside = blocks.get(block, ())
        if block in heated or len(inside) < 2:
            continue
        worth = 1.0 / len(inside)
        for other in inside:
            if other != contact:
                weights[other] = weights.get(other, 0.0) + worth
    worthy = [other for other, worth in weights.items() if worth >= LEAST_WORTH]
    worthy.sort(key=lambda other: (-weights[other], other))
    return worthy[:MOST_CANDIDATES]
