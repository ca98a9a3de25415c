"""Who is one with whom, and where everything belongs that came meanwhile.

Every contact that was ever made is a *home*. A merge unites two homes and takes nothing away from
either: contacts are the groups that the merges in force make of homes, so that a merge may be
undone in any order, as if it had never been (DESIGN 4.5, ADR 0043).
"""

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.resolver.domain.admission import bar_of, is_agreed
from services.resolver.domain.composition import Applied, Evidence
from services.resolver.domain.model import Contact, IdentifierKey


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge in force, between two contacts as they were named."""

    public_id: str
    survivor: int
    absorbed: int
    by_person: bool = True
    made_at: datetime | None = None
    """When; None: not known to whoever asks."""


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


def assign(
    applied: Sequence[Applied], held: Belongings, homes: Collection[int], root: int
) -> tuple[list[Applied], dict[IdentifierKey, int]]:
    """Say of every delivery and identifier of one contact which of its homes it belongs to.

    What came since the last merge is decided as the gate would have: the record's home first, then
    the home of its strongest identifier that no name denies, then whoever of those merged bears its
    name, or of those that share an identifier which somebody else holds. What nothing assigns stays
    with `root`, the survivor.
    """
    assigning = _Assigning(held, homes, root)
    assigning.remember(applied)
    assigned = [assigning.assign(one) for one in applied]
    for key in held:
        assigning.homed.setdefault(key, root)
    return assigned, assigning.homed


class _Assigning:
    """Deliveries of one contact on their way to its homes, in the order in which they came."""

    def __init__(self, held: Belongings, homes: Collection[int], root: int) -> None:
        self.homed = {key: home for key, home in held.items() if home is not None}
        """Identifier → the home that it brings its records to."""
        self._held = held
        self._homes = homes
        self._root = root
        self._records: dict[bytes, int] = {}
        self._apart: dict[int, Contact] = {}
        """Home → itself, with what its own records said until now."""
        self._naming: dict[IdentifierKey, set[int]] = {}
        """Identifier → homes whose records named it until now, whoever holds it."""

    def remember(self, applied: Iterable[Applied]) -> None:
        """Note which records have a home already."""
        for one in applied:
            if one.home is not None:
                self._records[one.claim.record_key] = one.home

    def assign(self, one: Applied) -> Applied:
        """Give a delivery its home, unless it has one."""
        if one.home is None:
            home, evidence = self._home_of(one)
            self._records[one.claim.record_key] = home
            for key, _ in one.identifiers:
                if key in self._held:
                    self.homed.setdefault(key, home)
            one = replace(one, home=home, evidence=evidence)
        if one.home is not None and len(self._homes) > 1:
            self._at(one.home).claims[one.claim.record_key] = one.claim
            for key, _ in one.identifiers:
                self._naming.setdefault(key, set()).add(one.home)
        return one

    def _home_of(self, one: Applied) -> tuple[int, Evidence]:
        known = self._records.get(one.claim.record_key)
        if known is not None:
            return known, "record"
        if len(self._homes) == 1:
            return self._root, "own"
        hits: dict[int, list[IdentifierKey]] = {}
        for key, _ in one.identifiers:
            if key in self.homed:
                hits.setdefault(self.homed[key], []).append(key)
        for home, keys in hits.items():
            if bar_of(one, self._at(home), keys) is None:
                return home, "identifier"
        bearers = self._homes if hits else self._sharing(one)
        for home in bearers:
            if home not in hits and is_agreed(one, self._at(home)):
                return home, "name"
        return self._root, "none"

    def _sharing(self, one: Applied) -> list[int]:
        """Return the homes that share an identifier of it, which somebody else holds.

        Who holds it is called otherwise: the gate found who bears the name (`admission`).
        """
        sharing = {home for key, _ in one.identifiers for home in self._naming.get(key, ())}
        return [home for home in self._homes if home in sharing]

    def _at(self, home: int) -> Contact:
        contact = self._apart.get(home)
        if contact is None:
            tenant = next(iter(self._held), (0,))[0]
            contact = self._apart[home] = Contact(home, "", tenant, 0, "active")
        return contact


def interleave(histories: Iterable[Sequence[Applied]]) -> list[Applied]:
    """Put several contacts' deliveries into one order, each contact's own order kept."""
    return list(heapq.merge(*histories, key=lambda one: one.applied_at))
