"""Which records make one contact: the same answer whatever the order in which they came.

A component is all records that links join, directly or through others. Its partition depends on
its records and links alone, never on their order: whoever adds a link partitions the component
anew, and what comes out is what a batch over everything would have made. Within a component the
two groups whose records agree most in the mean join first (average linkage), as long as a join is
allowed: one weak bridge between two people does not fuse them, since the mean sees all pairs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.resolver.domain.matching.tiers import Action

LARGEST: Final = 100
"""Records of a component that are partitioned at once; a larger one is cut at its weakest links."""

CUT: Final = 1.0
"""Bits by which the floor rises until a component that is too large comes apart."""

Record = bytes
"""A source record, by its key: what ties go by, so that the order of arrival never matters."""

Pair = tuple[Record, Record]
"""Two records, or two groups by their lowest records; the lower first."""


class Link(NamedTuple):
    """How two records compare."""

    weight: float
    """Bits, as scored."""
    allowed: Action
    """The most that its evidence allows, however high the weight."""
    is_barred: bool = False
    """Vetoed by the machine: their groups never join without a person's word."""


class Step(NamedTuple):
    """Two groups that joined: `how` a contact came to be is its steps in order."""

    left: tuple[Record, ...]
    right: tuple[Record, ...]
    weight: float
    """Mean bits between their records."""
    action: Action


class Proposal(NamedTuple):
    """Two groups that may be one person and wait for a person's word."""

    left: tuple[Record, ...]
    right: tuple[Record, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Partition:
    """What became of a component."""

    groups: tuple[tuple[Record, ...], ...]
    """The records of each contact, sorted; all records of the component, each once."""
    steps: tuple[Step, ...]
    """The joins, in order."""
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about groups."""

    action_at: Callable[[float], Action]
    """Mean bits → what they allow."""
    least: Action = Action.FLAG
    """Joins that allow less are not made."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """What people said, or are to say: never overridden. A pair is (lower, higher)."""

    same: frozenset[Pair] = frozenset()
    different: frozenset[Pair] = frozenset()
    waiting: frozenset[Pair] = frozenset()
    """Pairs that wait for a person: joined by nobody else, but shown."""


NO_JUDGEMENTS: Final = Judgements()


def components(
    links: Mapping[Record, Mapping[Record, float]], records: Iterable[Record], floor: float
) -> list[tuple[Record, ...]]:
    """Return what links of at least `floor` bits join, each part at most `LARGEST` records.

    `links` is symmetric. A part that is too large is cut with a floor that rises bit by bit: what
    agrees equally, all of it, comes apart to single records.
    """
    found = []
    seen: set[Record] = set()
    for record in sorted(records):
        if record in seen:
            continue
        part = [record]
        seen.add(record)
        for one in part:
            for other, weight in links.get(one, {}).items():
                if weight >= floor and other not in seen:
                    seen.add(other)
                    part.append(other)
        if len(part) <= LARGEST:
            found.append(tuple(sorted(part)))
        else:
            found += components(links, part, floor + CUT)
    return found


def partition(
    records: Sequence[Record],
    link: Callable[[Record, Record], Link],
    rules: Rules,
    judgements: Judgements = NO_JUDGEMENTS,
    linked: Mapping[Record, Iterable[Record]] | None = None,
) -> Partition:
    """Partition one component. `link` compares any two of its records, the lower first.

    `linked` names the pairs that are worth comparing by themselves: all, where it is left out.
    Groups without any such pair between them never join, so that the others are compared only
    where their groups might.
    """
    table = _Table(sorted(records), link, rules, judgements, linked)
    table.join_same()
    while (best := table.best()) is not None:
        table.join(*best)
    return Partition(
        groups=tuple(sorted(table.groups.values())),
        steps=tuple(table.steps),
        proposals=tuple(table.proposals()),
    )


class _Between(NamedTuple):
    """All pairs between two groups, in sum."""

    weight: float
    pairs: int
    allowed: Action
    """The most that any pair allows."""
    barred: int
    """Pairs that the machine bars."""
    is_different: bool
    """By a person, for any pair."""
    is_waiting: bool
    """For a person, for any pair."""

    @property
    def mean(self) -> float:
        return self.weight / self.pairs

    @property
    def is_closed(self) -> bool:
        """Say whether only a person can join the groups: at least half of the pairs are barred.

        One record with somebody else's name in it does not bar all the others.
        """
        return self.is_different or self.is_waiting or 2 * self.barred >= self.pairs

    def plus(self, other: "_Between") -> "_Between":
        return _Between(
            self.weight + other.weight,
            self.pairs + other.pairs,
            max(self.allowed, other.allowed),
            self.barred + other.barred,
            self.is_different or other.is_different,
            self.is_waiting or other.is_waiting,
        )


class _Table:
    """Groups, named by their lowest record, and what lies between those that may have to do."""

    def __init__(
        self,
        records: Sequence[Record],
        link: Callable[[Record, Record], Link],
        rules: Rules,
        judgements: Judgements,
        linked: Mapping[Record, Iterable[Record]] | None,
    ) -> None:
        self.link = link
        self.rules = rules
        self.judgements = judgements
        self.groups: dict[Record, tuple[Record, ...]] = {one: (one,) for one in records}
        self.group_of = {one: one for one in records}
        self.steps: list[Step] = []
        self.between: dict[Pair, _Between] = {}
        self.joinable: dict[Pair, tuple[float, Action]] = {}
        """Mean and action of the groups that may join: what `best` chooses from."""
        self.near: dict[Record, set[Record]] = {one: set() for one in records}
        """Group → groups with a pair worth comparing between them."""
        for one, others in self._worth_comparing(records, linked):
            for other in others:
                self.near[one].add(other)
                self.near[other].add(one)
                self._set((one, other), self._compare(one, other))

    @staticmethod
    def _worth_comparing(
        records: Sequence[Record], linked: Mapping[Record, Iterable[Record]] | None
    ) -> Iterable[tuple[Record, Iterable[Record]]]:
        if linked is None:
            return ((one, records[place + 1 :]) for place, one in enumerate(records))
        inside = set(records)
        return (
            (one, [other for other in linked.get(one, ()) if other > one and other in inside])
            for one in records
        )

    def _compare(self, low: Record, high: Record) -> _Between:
        """Compare two records, of which the first has the lower key."""
        weight, allowed, is_barred = self.link(low, high)
        is_different = (low, high) in self.judgements.different
        is_waiting = (low, high) in self.judgements.waiting
        return _Between(weight, 1, allowed, int(is_barred), is_different, is_waiting)

    def _of(self, one: Record, other: Record) -> _Between:
        """Return what lies between two groups; compares those that were not worth it so far."""
        known = self.between.get((one, other) if one < other else (other, one))
        if known is not None:
            return known
        found = None
        for left in self.groups[one]:
            for right in self.groups[other]:
                pair = self._compare(min(left, right), max(left, right))
                found = pair if found is None else found.plus(pair)
        if found is None:
            raise ValueError("a group has no records")
        return found

    def _set(self, pair: Pair, between: _Between) -> None:
        self.between[pair] = between
        self.joinable.pop(pair, None)
        if not between.is_closed:
            mean = between.mean
            action = min(self.rules.action_at(mean), between.allowed)
            if action >= self.rules.least:
                self.joinable[pair] = mean, action

    def join_same(self) -> None:
        """Join what people said is one, whatever the machine thinks of it."""
        for one, other in sorted(self.judgements.same):
            left, right = self.group_of.get(one), self.group_of.get(other)
            if left is not None and right is not None and left != right:
                low, high = min(left, right), max(left, right)
                between = self._of(low, high)
                if not between.is_different:
                    self.between[low, high] = between
                    self.join((low, high), Action.MERGE)

    def best(self) -> tuple[Pair, Action] | None:
        """Return the pair of groups that agree most among those that may join."""
        if not self.joinable:
            return None
        pair = min(self.joinable, key=lambda one: (-self.joinable[one][0], one))
        return pair, self.joinable[pair][1]

    def join(self, pair: Pair, action: Action) -> None:
        """Make one group of two."""
        low, high = pair
        others = (self.near[low] | self.near[high]) - {low, high}
        between = {other: self._of(low, other).plus(self._of(high, other)) for other in others}
        mean = self.between.pop(pair).mean
        self.joinable.pop(pair, None)
        left, right = self.groups[low], self.groups.pop(high)
        self.steps.append(Step(left, right, mean, action))
        self.groups[low] = tuple(sorted(left + right))
        self.group_of.update(dict.fromkeys(right, low))
        for other in self.near.pop(high):
            gone = (min(high, other), max(high, other))
            self.between.pop(gone, None)
            self.joinable.pop(gone, None)
            self.near[other].discard(high)
        self.near[low] = others
        for other, found in between.items():
            self.near[other].add(low)
            self._set((min(low, other), max(low, other)), found)

    def proposals(self) -> Iterable[Proposal]:
        """Return the pairs of groups that a person should look at."""
        for (low, high), between in sorted(self.between.items()):
            if between.is_different:
                continue
            if min(self.rules.action_at(between.mean), between.allowed) >= Action.REVIEW:
                yield Proposal(self.groups[low], self.groups[high], between.mean)
