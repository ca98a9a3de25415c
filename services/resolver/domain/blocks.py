"""Which contacts a batch compares: those that share blocking keys, the rarest keys first."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from services.resolver.domain.matches import Known
from services.resolver.domain.matching.blocking import HOT, blocking_keys
from services.resolver.domain.matching.partitioning import Record

MOST_CANDIDATES: Final = 10
"""Contacts that one contact is compared with, at most: most keys in common, rare ones first."""

LEAST_WORTH: Final = 0.08
"""What two contacts share is worth comparing them from here on, each block worth one by how many
are in it: a single one of a dozen, two of two dozen (ADR 0092)."""

Keys = Mapping[int, Record]
"""Number of a blocking key → a record that has it; those of a tenant who have one are its block."""


@dataclass(slots=True)
class BlockPlan:
    """What to write of blocks, and whom to compare."""

    added: list[tuple[int, int, Record]] = field(default_factory=list)
    """(key, contact, record)."""
    removed: list[tuple[int, int]] = field(default_factory=list)
    """(contact, key)."""
    heated: set[int] = field(default_factory=set)
    """Keys that too many contacts have to tell anybody apart from now on."""
    candidates: dict[int, list[int]] = field(default_factory=dict)
    """Contact → those it may be one with."""


def key_contacts(
    records: Mapping[Record, Known], contacts: Iterable[int]
) -> dict[int, dict[int, Record]]:
    """Gather the keys of these contacts, all of one tenant."""
    keys: dict[int, dict[int, Record]] = {contact: {} for contact in contacts}
    for record, known in records.items():
        theirs = keys.get(known.contact)
        if theirs is not None:
            for key in blocking_keys(known.profile):
                theirs.setdefault(number_of(key), record)
    return keys


def number_of(key: str) -> int:
    """Return the 64 bits that stand for a blocking key; two that share them cost a comparison."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def plan_blocks(
    contacts: Mapping[int, Keys],
    written: Mapping[int, Collection[int]],
    members: Mapping[int, Collection[int]],
    hot: Collection[int],
) -> BlockPlan:
    """Put contacts of one tenant into their blocks, and choose whom each is compared with.

    `written` are the keys that are stored of them, `members` the contacts stored with each of their
    keys (with one that too many have, some), `hot` those keys that are given up.
    """
    plan = BlockPlan()
    blocks = {key: set(found) for key, found in members.items()}
    for contact, keys in contacts.items():
        stored = written.get(contact, ())
        plan.removed += [(contact, key) for key in stored if key not in keys]
        for key, record in keys.items():
            if key in hot or key in plan.heated:
                continue
            inside = blocks.setdefault(key, set())
            inside.add(contact)
            if len(inside) > HOT:
                plan.heated.add(key)
            elif key not in stored:
                plan.added.append((key, contact, record))
    plan.added = [row for row in plan.added if row[0] not in plan.heated]
    for contact, keys in contacts.items():
        plan.candidates[contact] = _choose(contact, keys, blocks, plan.heated)
    return plan


def _choose(
    contact: int,
    keys: Iterable[int],
    blocks: Mapping[int, Collection[int]],
    heated: Collection[int],
) -> list[int]:
    """Rank others by the blocks they share, each worth the less the more contacts are in it."""
    weights: dict[int, float] = {}
    for key in sorted(keys):  # a sum's last bit, hence a tie, does not depend on the process
        inside = blocks.get(key, ())
        if len(inside) < 2 or key in heated:
            continue
        worth = 1.0 / len(inside)
        for other in inside:
            if other != contact:
                weights[other] = weights.get(other, 0.0) + worth
    worthy = [other for other, worth in weights.items() if worth >= LEAST_WORTH]
    worthy.sort(key=lambda other: (-weights[other], other))
    return worthy[:MOST_CANDIDATES]
