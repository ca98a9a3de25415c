"""Who is one with whom, and where everything belongs that came meanwhile.

Every contact that was ever made is a *home*. A merge unites two homes and takes nothing away from
either: contacts are the groups that the merges in force make of homes, so that a merge may be
undone in any order, as if it had never been (DESIGN 4.5, ADR 0043).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.resolver.domain.composition import Applied, Evidence
from services.resolver.domain.model import IdentifierKey


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge in force, between two contacts as they were named."""

    public_id: str
    survivor: int
    absorbed: int
    by_person: bool = True


@dataclass(frozen=True, slots=True)
class Absorption:
    """Who took whom up in one merge, given all merges before it."""

    survivor: int
    absorbed: int
    merge: Merge


class Homes:
    """Homes as the merges in force unite them."""

    def __init__(self, homes: Iterable[int], merges: Iterable[Merge]) -> None:
        self._taken: dict[int, Absorption] = {}
        for merge in merges:
            survivor, absorbed = self.root(merge.survivor), self.root(merge.absorbed)
            if survivor != absorbed:
                self._taken[absorbed] = Absorption(survivor, absorbed, merge)
        self.groups: dict[int, list[int]] = {}
        """Contact that stands for itself → all homes that are one with it, itself first."""
        for home in homes:
            self.groups.setdefault(self.root(home), [])
        for home in sorted(homes):
            root = self.root(home)
            if home == root:
                self.groups[root].insert(0, home)
            else:
                self.groups[root].append(home)

    def root(self, home: int) -> int:
        """Return the contact that stands for a home."""
        while home in self._taken:
            home = self._taken[home].survivor
        return home

    def absorption(self, home: int) -> Absorption | None:
        """Return how a home came to stand behind another; None when it stands for itself."""
        return self._taken.get(home)

    def absorptions(self) -> list[Absorption]:
        """Return what every merge came to, oldest first."""
        return list(self._taken.values())


Belongings = dict[IdentifierKey, int | None]
"""Identifier → its home; None while it was not asked for yet."""


def settle(
    applied: Sequence[Applied], held: Belongings, homes: Collection[int], root: int
) -> tuple[list[Applied], dict[IdentifierKey, int]]:
    """Say of every delivery and identifier of one contact which of its homes it belongs to.

    What came since the last merge is decided as the gate would have: the record's home first, then
    the home of its strongest identifier. What nothing assigns stays with `root`, the survivor.
    """
    homed = {key: home for key, home in held.items() if home is not None}
    records = {one.claim.record_key: one.home for one in applied if one.home is not None}
    settled = []
    for one in applied:
        if one.home is None:
            home, evidence = _home_of(one, homed, records, homes, root)
            records[one.claim.record_key] = home
            settled.append(replace(one, home=home, evidence=evidence))
            for key, _ in one.identifiers:
                if key in held:
                    homed.setdefault(key, home)
        else:
            settled.append(one)
    for key in held:
        homed.setdefault(key, root)
    return settled, homed


def _home_of(
    one: Applied,
    homed: Mapping[IdentifierKey, int],
    records: Mapping[bytes, int | None],
    homes: Collection[int],
    root: int,
) -> tuple[int, Evidence]:
    known = records.get(one.claim.record_key)
    if known is not None:
        return known, "record"
    if len(homes) == 1:
        return root, "own"
    for key, _ in one.identifiers:
        if key in homed:
            return homed[key], "identifier"
    return root, "none"


def interleave(histories: Iterable[Sequence[Applied]]) -> list[Applied]:
    """Put several contacts' deliveries into one order, each contact's own order kept."""
    queues = [list(reversed(history)) for history in histories if history]
    ordered = []
    while queues:
        first = min(queues, key=lambda queue: queue[-1].applied_at)
        ordered.append(first.pop())
        if not first:
            queues.remove(first)
    return ordered
