"""A base in memory that does what the resolver does on PostgreSQL, one record at a time.

Statistics move in steps. A term whose step moves has the links of its records scored again; when
that of the base does, every candidate is. A block that becomes hot gives up the pairs that it alone
had found. So the links at any time are those that a batch over the same records would find.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.resolver.domain.matching.blocking import HOT, blocking_keys
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import Profile, Term
from services.resolver.domain.matching.partitioning import Link, Partition, components, partition
from services.resolver.domain.matching.statistics import (
    Counts,
    countable,
    moves,
)
from services.resolver.domain.matching.tiers import Action

Key = bytes


@dataclass(slots=True)
class Base:
    """Records, what is counted of them, and the links between them."""

    matcher: Matcher
    profiles: dict[Key, Profile] = field(default_factory=dict)
    counts: dict[Term, int] = field(default_factory=dict)
    holders: set[tuple[Term, str]] = field(default_factory=set)
    blocks: dict[str, list[Key]] = field(default_factory=dict)
    keys: dict[Key, frozenset[str]] = field(default_factory=dict)
    having: dict[Term, list[Key]] = field(default_factory=dict)
    links: dict[Key, dict[Key, float]] = field(default_factory=dict)
    verdicts: dict[tuple[Key, Key], Link] = field(default_factory=dict)
    compared: int = 0

    @property
    def statistics(self) -> Counts:
        """What is counted, as the scorer reads it."""
        return Counts(len(self.profiles), self.counts)

    def _sizes(self) -> tuple[float, float]:
        """Return the sizes that weights depend on: all is scored again when one takes a step."""
        counts = Counts(len(self.profiles))
        return counts.size, counts.size_for_own

    def admit(self, key: Key, profile: Profile) -> None:
        """Let one record in and bring all links up to date."""
        sizes = self._sizes()
        self.profiles[key] = profile
        moved = self._count(key, profile)
        fresh = self._block(key, profile)
        if self._sizes() != sizes:
            self._score_all()
            return
        for term in moved:
            for record in self.having[term]:
                for other in list(self.links.get(record, ())):
                    self._score(record, other)
        for other in fresh:
            self._score(key, other)

    def admit_all(self, records: Mapping[Key, Profile]) -> None:
        """Let all records in at once: the batch that the stream is measured against."""
        for key, profile in records.items():
            self.profiles[key] = profile
            self._count(key, profile)
            self._block(key, profile)
        self._score_all()

    def _count(self, key: Key, profile: Profile) -> list[Term]:
        moved = []
        for term, holder in countable(profile):
            self.having.setdefault(term, []).append(key)
            if holder is not None:
                if (term, holder) in self.holders:
                    continue
                self.holders.add((term, holder))
            self.counts[term] = self.counts.get(term, 0) + 1
            if moves(self.counts[term]):
                moved.append(term)
        return moved

    def _block(self, key: Key, profile: Profile) -> set[Key]:
        """Put the record into its blocks; return whom it is worth comparing with."""
        self.keys[key] = blocking_keys(profile)
        found: set[Key] = set()
        for block_key in self.keys[key]:
            block = self.blocks.setdefault(block_key, [])
            block.append(key)
            if len(block) <= HOT:
                found.update(block)
            elif len(block) == HOT + 1:
                self._cool(block)
        found.discard(key)
        return {other for other in found if self._is_candidate(key, other)}

    def _cool(self, block: list[Key]) -> None:
        """Give up the pairs that only a block which is now hot had found."""
        for record in block:
            for other in list(self.links.get(record, ())):
                if not self._is_candidate(record, other):
                    self._drop(record, other)

    def _is_candidate(self, one: Key, other: Key) -> bool:
        return any(len(self.blocks[key]) <= HOT for key in self.keys[one] & self.keys[other])

    def _score_all(self) -> None:
        self.links.clear()
        self.verdicts.clear()
        for one, other in self.candidates():
            self._score(one, other)

    def candidates(self) -> set[tuple[Key, Key]]:
        """Return every pair that is worth comparing, the lower key first."""
        return {
            (one, other) if one < other else (other, one)
            for block in self.blocks.values()
            if len(block) <= HOT
            for place, one in enumerate(block)
            for other in block[:place]
        }

    def _score(self, one: Key, other: Key) -> None:
        pair = (one, other) if one < other else (other, one)
        link = self.compare(*pair)
        if link.weight >= self.matcher.floor:
            self.links.setdefault(one, {})[other] = link.weight
            self.links.setdefault(other, {})[one] = link.weight
            self.verdicts[pair] = link
        else:
            self._drop(one, other)

    def _drop(self, one: Key, other: Key) -> None:
        self.links.get(one, {}).pop(other, None)
        self.links.get(other, {}).pop(one, None)
        self.verdicts.pop((one, other) if one < other else (other, one), None)

    def compare(self, one: Key, other: Key) -> Link:
        """Compare two records with the statistics of now."""
        self.compared += 1
        return self.matcher.judge(self.profiles[one], self.profiles[other], self.statistics).link

    def partition(self, least: Action = Action.FLAG) -> list[Partition]:
        """Return what became of each component."""
        rules = self.matcher.rules(least)
        beyond: dict[tuple[Key, Key], Link] = {}

        def link(one: Key, other: Key) -> Link:
            known = self.verdicts.get((one, other)) or beyond.get((one, other))
            if known is None:
                known = beyond[one, other] = self.compare(one, other)
            return known

        return [
            partition(part, link, rules, linked=self.links)
            for part in components(self.links, self.profiles, self.matcher.floor)
        ]


def labels_of(partitions: Iterable[Partition]) -> dict[Key, Key]:
    """Name each record's contact by the contact's first record."""
    return {record: group[0] for one in partitions for group in one.groups for record in group}
