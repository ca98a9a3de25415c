"""Who is with whom in a scratch database, by every reading of what the machine did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import asyncpg

from kith.evaluation.measures import closure, majority
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("kith.evaluation.sql")

TIERS: Final = ("exact", "high", "medium", "low", "none")
"""Kinds of evidence, the surest first."""

FLAGGED: Final = "merge_and_flag"

Truth = Mapping[str, str]
"""Record → who it is about."""


class Merge(NamedTuple):
    """A merge in force, of two contacts as they were named."""

    one: int
    other: int
    by_person: bool
    action: str | None
    """What the machine decided; None: no machine did."""


class Decision(NamedTuple):
    """The last decision about a pair of contacts."""

    one: int
    other: int
    tier: str
    probability: float


class Calibrated(NamedTuple):
    """How right one tier is: what the scorer says of pairs, beside the truth."""

    pairs: int
    said: float
    """Mean probability."""
    right: float
    """Share of pairs that are one person."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in the database."""

    contacts: Mapping[str, int]
    """Record → the contact it is in."""
    homes: Mapping[str, int]
    """Record → the contact it would be in had nothing been merged."""
    merges: Sequence[Merge]
    decisions: Sequence[Decision]
    reviews: Sequence[tuple[int, int]]
    """Pairs of contacts that were ever put up for review."""

    def partition(self, truth: Truth) -> dict[str, object]:
        """Return record → contact; a record that was refused stands alone."""
        return {record: self.contacts.get(record, record) for record in truth}

    def at_the_gate(self, truth: Truth) -> dict[str, object]:
        """Return record → contact, had nothing been merged."""
        return {record: self.homes.get(record, record) for record in truth}

    def unflagged(self, truth: Truth) -> dict[str, object]:
        """Return record → contact, had no flagged merge and no person's been carried out."""
        sure = [
            (merge.one, merge.other)
            for merge in self.merges
            if merge.action != FLAGGED and not merge.by_person
        ]
        named = {one for merge in self.merges for one in (merge.one, merge.other)}
        roots = closure({*self.homes.values(), *named}, sure)
        return {
            record: roots[self.homes[record]] if record in self.homes else record
            for record in truth
        }

    def people(self, truth: Truth) -> dict[int, str]:
        """Return contact → who most of the records at home in it are about."""
        return _majorities(self.homes, truth)

    def residents(self, truth: Truth) -> dict[int, str]:
        """Return contact → who most of the records that are in it now are about."""
        return _majorities(self.contacts, truth)

    def review_share(self) -> float:
        """Return the share of records whose contact was put up for review."""
        asked = {one for pair in self.reviews for one in pair}
        homes = self.homes.values()
        return sum(home in asked for home in homes) / len(homes) if homes else 0.0

    def merged_right(self, truth: Truth, *, flagged: bool) -> tuple[int, float | None]:
        """Count the machine's merges, flagged or not, and the share that united one person.

        The share is None where there is no merge.
        """
        people = self.people(truth)
        rights = [
            people[merge.one] == people[merge.other]
            for merge in self.merges
            if not merge.by_person
            and (merge.action == FLAGGED) == flagged
            and merge.one in people
            and merge.other in people
        ]
        return len(rights), sum(rights) / len(rights) if rights else None

    def calibration(self, truth: Truth) -> dict[str, Calibrated]:
        """Compare what was said of decided pairs with how often it is right, tier by tier."""
        people = self.people(truth)
        rows: dict[str, list[tuple[float, bool]]] = {}
        for one in self.decisions:
            if one.one in people and one.other in people:
                is_right = people[one.one] == people[one.other]
                rows.setdefault(one.tier, []).append((one.probability, is_right))
        return {
            tier: Calibrated(
                len(rows[tier]),
                sum(said for said, _ in rows[tier]) / len(rows[tier]),
                sum(right for _, right in rows[tier]) / len(rows[tier]),
            )
            for tier in TIERS
            if tier in rows
        }


async def read_standing(connection: "asyncpg.Connection[asyncpg.Record]") -> Standing:
    """Read what came of everything so far."""
    records = await connection.fetch(QUERIES["find_records"])
    reviewed = await connection.fetch(QUERIES["find_reviewed"])
    return Standing(
        contacts={row["record"]: row["contact"] for row in records},
        homes={row["record"]: row["home"] for row in records},
        merges=[Merge(*row) for row in await connection.fetch(QUERIES["find_merges"])],
        decisions=[Decision(*row) for row in await connection.fetch(QUERIES["find_decisions"])],
        reviews=[(row["one"], row["other"]) for row in reviewed],
    )


def _majorities(contacts: Mapping[str, int], truth: Truth) -> dict[int, str]:
    groups: dict[int, list[str]] = {}
    for record, contact in contacts.items():
        if record in truth:
            groups.setdefault(contact, []).append(truth[record])
    return {contact: most for contact, group in groups.items() if (most := majority(group))}
