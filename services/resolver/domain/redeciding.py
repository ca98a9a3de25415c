"""Whose deliveries are when others are taken back: decided again, as the gate would have.

What came to a contact before the first delivery that is gone was decided without it and stays.
What came later goes where the gate would have put it: to its record's home, else to the home of its
strongest identifier, else to a contact of its own. What people said for their workspaces names
nobody: it stays with whom they said it of, and goes where these go.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.claims import WORKSPACE_ENTRY
from services.resolver.domain.composition import Applied
from services.resolver.domain.homes import interleave
from services.resolver.domain.model import IdentifierKey, Ids
from shared.events.signal import Identifier

Delivered = tuple[bytes, int]
"""(record key, revision): one delivery of the ledger."""


@dataclass(slots=True)
class Redecided:
    """A cluster without what was taken back, everything at the home where it belongs now."""

    assigned: Assigned
    moves: set[tuple[int, int]] = field(default_factory=set)
    """(home, home that has some of its deliveries now)."""
    released: list[IdentifierKey] = field(default_factory=list)
    """Identifiers that nobody names any more."""
    gained: dict[int, list[tuple[Identifier, Applied]]] = field(default_factory=dict)
    """Home → identifiers that became free and that a delivery there names."""


def redecide(
    before: Assigned,
    left: Mapping[int, list[Applied]],
    asked: Collection[bytes],
    ids: Ids,
) -> Redecided:
    """Decide again what came after deliveries that are no longer in `left`."""
    return _Redecision(before, left, asked, ids).made()


def to_decide(
    before: Assigned, left: Mapping[int, list[Applied]]
) -> Iterator[tuple[int, Sequence[Applied], Sequence[Applied]]]:
    """Return homes that lose a delivery, with what stays in each and what is decided again."""
    for root, group in before.homes.groups.items():
        kept = {(one.claim.record_key, one.revision) for one in left[root]}
        if len(kept) == len(before.applied[root]):
            continue
        for home in group:
            was = [one for one in before.applied[root] if one.home == home]
            count = next((n for n, one in enumerate(was) if name_of(one) not in kept), None)
            if count is not None:
                stays = {name_of(one) for one in was[:count]}
                if all(one.source.name == WORKSPACE_ENTRY for one in was[:count]):
                    stays = set()  # people's words, which nobody is known by
                now = [one for one in left[root] if one.home == home]
                yield (
                    home,
                    [one for one in now if name_of(one) in stays],
                    [one for one in now if name_of(one) not in stays],
                )


def name_of(one: Applied) -> Delivered:
    """Return what a delivery is found by in the ledger."""
    return one.claim.record_key, one.revision


class _Redecision:
    """One decision on its way."""

    def __init__(
        self,
        before: Assigned,
        left: Mapping[int, list[Applied]],
        asked: Collection[bytes],
        ids: Ids,
    ) -> None:
        self._before = before
        self._left = left
        self._asked = asked
        self._ids = ids
        self._identifiers = dict(before.identifiers)
        self._lost: set[IdentifierKey] = set()
        self._records: dict[bytes, int] = {}
        self._goes: dict[Delivered, int] = {}
        self._led: dict[int, int] = {}
        """Home → where the last of its deliveries went that went elsewhere."""
        self._made = Redecided(Assigned(before.cluster, before.homes))

    def made(self) -> Redecided:
        """Put everything where it belongs."""
        homes = list(to_decide(self._before, self._left))
        for home, stays, _ in homes:
            self._lose(home, stays)
        self._replay(homes)
        assigned = self._made.assigned
        assigned.applied = {
            root: [
                replace(one, home=self._goes[name_of(one)], evidence="own")
                if name_of(one) in self._goes
                else one
                for one in applied
            ]
            for root, applied in self._left.items()
        }
        assigned.identifiers = self._identifiers
        self._made.released = sorted(self._lost - self._identifiers.keys())
        return self._made

    def _lose(self, home: int, stays: Sequence[Applied]) -> None:
        """Forget identifiers of a home that what stays there does not name."""
        root = self._before.homes.root(home)
        named = {
            key for one in self._before.applied[root] if one.home == home for key in _keys(one)
        }
        kept = {key for one in stays for key in _keys(one)}
        lost = {key for key in named - kept if self._identifiers.get(key) == home}
        self._lost |= lost
        for key in lost:
            del self._identifiers[key]

    def _replay(self, homes: Sequence[tuple[int, Sequence[Applied], Sequence[Applied]]]) -> None:
        """Let deliveries through in the order in which they came.

        Others that name an identifier which became free stay where they are, and take it.
        """
        again = {name_of(one) for _, _, deliveries in homes for one in deliveries}
        empty = {home for home, stays, _ in homes if not stays}
        words: list[Applied] = []
        for home, stays, _ in homes:
            self._records.update((one.claim.record_key, home) for one in stays)
        for one in interleave(self._left.values()):
            assert one.home is not None
            if name_of(one) in again and one.source.name == WORKSPACE_ENTRY:
                words.append(one)
                continue
            home = self._place(one, one.home, empty) if name_of(one) in again else one.home
            for key, identifier in one.identifiers:
                if key in self._lost and key not in self._identifiers:
                    self._identifiers[key] = home
                    if name_of(one) not in again:
                        self._made.gained.setdefault(home, []).append((identifier, one))

        for one in words:
            assert one.home is not None
            self._go(one, one.home, self._whose(one, one.home, empty))

    def _whose(self, one: Applied, home: int, empty: set[int]) -> int:
        """Return where the person is by now of whom people said something for a workspace."""
        target = self._records.get(one.claim.record_key)
        return target or (self._led.get(home, home) if home in empty else home)

    def _place(self, one: Applied, home: int, empty: set[int]) -> int:
        target = self._home_of(one, home)
        if target is None:
            target = home if home in empty else self._before.cluster.new_contact(self._ids)
        empty.discard(target)
        self._go(one, home, target)
        return target

    def _home_of(self, one: Applied, home: int) -> int | None:
        """Return where it belongs that came to a home; None where nothing says so any more."""
        known = self._records.get(one.claim.record_key)
        if known is not None:
            return known
        if one.evidence == "person":
            return home
        held = (self._identifiers.get(key) for key in _keys(one))
        holder = next((at for at in held if at is not None), None)
        return home if holder is None and self._was_asked(one) else holder

    def _go(self, one: Applied, home: int, target: int) -> None:
        self._records[one.claim.record_key] = target
        if target != home:
            self._goes[name_of(one)] = self._led[home] = target
            self._made.moves.add((home, target))

    def _was_asked(self, one: Applied) -> bool:
        """Tell whether its sender spoke of this very contact: the last resort (ADR 0018)."""
        return one.source.is_enrichment or one.claim.record_key in self._asked


def _keys(one: Applied) -> list[IdentifierKey]:
    return [key for key, _ in one.identifiers]
