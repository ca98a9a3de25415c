"""Who is with whom in a scratch database, by every reading of what the machine did."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import asyncpg

from kith.evaluation.measures import Key, closure, majority
from services.resolver.domain.matching.holding import sure_groups
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.profile import profile_of
from services.resolver.domain.matching.statistics import count_all
from shared.events.signal import Facts
from shared.events.structs import Reader
from shared.postgres.queries import Queries

_read_facts: Final = Reader(Facts).read

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
    threads: Mapping[str, str] = field(default_factory=dict)
    """Record that hangs on the others of its home by a thread → the first record of those that it
    is surely with: the gate's own joins, marked for a look (ADR 0066)."""

    def partition(self, truth: Truth) -> dict[str, object]:
        """Return record → contact; a record that was refused stands alone."""
        return {record: self.contacts.get(record, record) for record in truth}

    def at_the_gate(self, truth: Truth) -> dict[str, object]:
        """Return record → contact, had nothing been merged."""
        return {record: self.homes.get(record, record) for record in truth}

    def unflagged(self, truth: Truth) -> dict[str, object]:
        """Return record → contact without what was joined or merged with a flag, or by a person."""
        sure = [
            (merge.one, merge.other)
            for merge in self.merges
            if merge.action != FLAGGED and not merge.by_person
        ]
        named = {one for merge in self.merges for one in (merge.one, merge.other)}
        held = self._held()
        roots = closure({*held.values(), *self.homes.values(), *named}, sure)
        return {record: roots[held[record]] if record in held else record for record in truth}

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

    def _held(self) -> dict[str, str | int]:
        """Return record → its home, or the piece of it that hangs on a thread with it."""
        return {record: self.threads.get(record, home) for record, home in self.homes.items()}

    def joined_right(self, truth: Truth, *, flagged: bool) -> tuple[int, float | None]:
        """Count the gate's joins, flagged or not, and the share that united one person.

        Records that are together surely are joined one by one, those on a thread in one piece.
        """
        people = _majorities(
            {record: home for record, home in self.homes.items() if record not in self.threads},
            truth,
        )
        held = self._held()
        pieces = _majorities(held, truth)
        rights = []
        seen = set()
        for record, piece in held.items():
            if record not in truth:
                continue
            is_new = piece not in seen
            seen.add(piece)
            if flagged and is_new and record in self.threads:
                rights.append(pieces[piece] == people.get(self.homes[record]))
            if not flagged and not is_new:
                rights.append(truth[record] == pieces[piece])
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


async def read_standing(
    connection: "asyncpg.Connection[asyncpg.Record]", matcher: Matcher
) -> Standing:
    """Read what came of everything so far; `matcher` says what is sure."""
    records = await connection.fetch(QUERIES["find_records"])
    reviewed = await connection.fetch(QUERIES["find_reviewed"])
    return Standing(
        contacts={row["record"]: row["contact"] for row in records},
        homes={row["record"]: row["home"] for row in records},
        merges=[Merge(*row) for row in await connection.fetch(QUERIES["find_merges"])],
        decisions=[Decision(*row) for row in await connection.fetch(QUERIES["find_decisions"])],
        reviews=[(row["one"], row["other"]) for row in reviewed],
        threads=_threads(records, matcher),
    )


def _threads(records: Sequence[asyncpg.Record], matcher: Matcher) -> dict[str, str]:
    """Find the records that the rest of their home does not hold surely."""
    profiles = {row["record"]: profile_of(_read_facts(row["facts"])) for row in records}
    counts = count_all(profiles.values())
    homes: dict[int, dict[str, Profile]] = defaultdict(dict)
    for row in records:
        homes[row["home"]][row["record"]] = profiles[row["record"]]
    return {
        record: group[0]
        for together in homes.values()
        for group in sure_groups(together, matcher, counts)[1:]
        for record in group
    }


def _majorities(contacts: Mapping[str, Key], truth: Truth) -> dict[Key, str]:
    groups: dict[Key, list[str]] = {}
    for record, contact in contacts.items():
        if record in truth:
            groups.setdefault(contact, []).append(truth[record])
    return {contact: most for contact, group in groups.items() if (most := majority(group))}
