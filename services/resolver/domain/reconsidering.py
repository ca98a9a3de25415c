"""A value turns out to be shared: what it alone had joined is decided again (DESIGN 4.4, ADR 0059).

While a value was taken for one person's, the gate gave its holder whatever named it. The records
that nothing else joins are parted here: those that another contact's identifier names go there,
the others become contacts of their own, as if the value had never gated. What a person put
together, or holds apart, stays as that person said.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.resolver.domain.admission import bar_of
from services.resolver.domain.assigning import Assigned, moved
from services.resolver.domain.cluster import Order, Reshaping, between
from services.resolver.domain.composition import Applied
from services.resolver.domain.homes import Homes
from services.resolver.domain.model import STRENGTH, Contact, IdentifierKey
from services.resolver.domain.reshaping import reshape
from services.resolver.domain.telling_merges import contacts_split
from shared.events.contact import ContactEvent, Shape
from shared.events.signal import Identifier

MOST_PARTS: Final = 200
"""Parts that leave a contact in one transaction: a contact of thousands is parted in steps."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is doubted of a contact, and what else there is to know."""

    value: IdentifierKey
    """The identifier that was found out."""
    idle: Collection[IdentifierKey] = ()
    """Identifiers of the contact's records that tell nothing of who somebody is, it among them."""
    held: Collection[bytes] = ()
    """Records that a person's word holds where they are."""
    elsewhere: Mapping[IdentifierKey, Sequence[int]] = field(default_factory=dict)
    """Identifier of a record → contacts outside that have it; they are in the cluster, too."""


@dataclass(slots=True)
class _Part:
    """Records that would be one contact had the value never gated."""

    home: int
    records: set[bytes]
    applied: list[Applied]
    first: int
    """Its earliest place among the deliveries of its home."""

    @property
    def size(self) -> tuple[int, bytes]:
        """How much of the contact it is: ties go by the key, never by the order of arrival."""
        return -len(self.records), min(self.records)


@dataclass(frozen=True, slots=True)
class _Loose:
    """The parts of one home that only the value keeps there."""

    parts: list[_Part]
    is_held: bool
    """Whether something stays in the home whatever leaves: a person says so."""
    is_answered: bool
    """Whether a vendor was asked about the home: the first part was there then."""

    def leaving(self, takers: Sequence[int | None]) -> list[tuple[_Part, int | None]]:
        """Return the parts that leave, each with who takes it. One part has to stay.

        The first one stays, unless others have what it names: then the first that nobody takes.
        """
        stays = 0
        if not self.is_answered and None in takers:
            stays = takers.index(None)
        pairs = list(zip(self.parts, takers, strict=True))
        return pairs if self.is_held else pairs[:stays] + pairs[stays + 1 :]


@dataclass(frozen=True, slots=True)
class _Going:
    """What leaves a contact, and to which."""

    records: dict[bytes, int] = field(default_factory=dict)
    keys: dict[IdentifierKey, int] = field(default_factory=dict)
    """Identifiers that the contact held."""
    named: dict[IdentifierKey, Identifier] = field(default_factory=dict)
    """The same as they are told of."""


def part(
    assigned: Assigned, contact: int, doubt: Doubt, order: Order, most: int = MOST_PARTS
) -> Reshaping | None:
    """Take out of a contact what the value alone had joined; None when that is nothing (more).

    At most so many parts leave at once: the caller comes again until nothing is left to do.
    """
    cluster = assigned.cluster
    original, *_ = group = assigned.group(contact)
    takers = _Takers(assigned, doubt)
    leaving = [
        (one, taker)
        for loose in _loose(assigned, group, doubt, most)
        for one, taker in loose.leaving([takers.find(one) for one in loose.parts])
    ]
    if not leaving:
        return None
    going = _go(assigned, group, leaving, order)
    after = moved(assigned, going.records, going.keys, "own")
    roots = Homes(cluster.contacts, cluster.merges)
    went = list(dict.fromkeys(roots.root(target) for target in going.records.values()))

    def tell(told: Contact, shape: Shape | None) -> Iterator[ContactEvent]:
        is_original = told.id == original
        taken = roots.absorption(told.id)
        yield contacts_split(
            order,
            told,
            shape,
            merge_id=None,
            pair=(cluster.names[original], cluster.names[went[0] if is_original else told.id]),
            moved=[
                going.named[key]
                for key, target in going.keys.items()
                if is_original or roots.root(target) == told.id
            ],
            survivor=cluster.names[taken.survivor] if taken else None,
            others=[cluster.names[one] for one in went[1:]] if is_original else (),
        )

    return reshape(assigned, after, cluster.merges, order, tell)


def _go(
    assigned: Assigned,
    group: Sequence[int],
    leaving: Iterable[tuple[_Part, int | None]],
    order: Order,
) -> _Going:
    """Say where the parts that leave go; who is taken by nobody becomes a contact of its own."""
    going = _Going()
    for one, taker in leaving:
        target = assigned.cluster.new_contact(order.ids) if taker is None else taker
        going.records.update(dict.fromkeys(one.records, target))
        for applied in one.applied:
            for key, identifier in applied.identifiers:
                if assigned.identifiers.get(key) in group:
                    going.keys[key] = target
                    going.named[key] = identifier
    return going


def outside(
    assigned: Assigned, contact: int, doubt: Doubt, most: int = MOST_PARTS
) -> list[IdentifierKey]:
    """Return the identifiers of what may leave first: other contacts may have them, too."""
    return sorted(
        {
            key
            for loose in _loose(assigned, assigned.group(contact), doubt, most)
            for one in loose.parts
            for applied in one.applied
            for key, _ in applied.identifiers
        }.difference(doubt.idle)
    )


def _loose(assigned: Assigned, group: Sequence[int], doubt: Doubt, most: int) -> Iterator[_Loose]:
    """Find what only the value keeps in each home, in an order that arrival has no say in.

    Whatever does not name the value has other reasons to be there, as has what a vendor answered
    about the contact, and what a person holds.
    """
    applied: dict[int, list[Applied]] = {home: [] for home in group}
    for one in assigned.applied[group[0]]:
        if one.home is not None:
            applied[one.home].append(one)
    for home, theirs in applied.items():
        parts = _parts(home, theirs, set(doubt.idle))
        free = [one for one in parts if not _is_held(one, doubt)]
        asked = [one.first for one in free if _is_answer(one)]
        found = sorted(
            (one for one in free if not _is_answer(one) and _names(one, doubt.value)),
            key=lambda one: (bool(asked) and one.first > min(asked), one.size),
        )
        is_held = len(free) < len(parts)
        if most > 0 and len(found) > (0 if is_held else 1):
            yield _Loose(found[: most + 1], is_held, bool(asked))
            most -= len(found)


def _is_held(one: _Part, doubt: Doubt) -> bool:
    return not one.records.isdisjoint(doubt.held) or any(
        applied.evidence == "person" for applied in one.applied
    )


def _is_answer(one: _Part) -> bool:
    return all(applied.source.is_enrichment for applied in one.applied)


def _names(one: _Part, value: IdentifierKey) -> bool:
    return any(key == value for applied in one.applied for key, _ in applied.identifiers)


def _parts(home: int, applied: Iterable[Applied], idle: Collection[IdentifierKey]) -> list[_Part]:
    """Put together the records that name an identifier in common, in any of their versions."""
    by_record: dict[bytes, _Part] = {}
    by_key: dict[IdentifierKey, _Part] = {}
    for place, one in enumerate(applied):
        record = one.claim.record_key
        mine = by_record.setdefault(record, _Part(home, {record}, [], place))
        mine.applied.append(one)
        for key, _ in one.identifiers:
            if key in idle:
                continue
            other = by_key.setdefault(key, mine)
            if other is not mine:
                small, large = sorted((mine, other), key=lambda part: len(part.applied))
                large.records |= small.records
                large.applied += small.applied
                large.first = min(large.first, small.first)
                by_record.update(dict.fromkeys(small.records, large))
                for taken in small.applied:
                    by_key.update(
                        {named: large for named, _ in taken.identifiers if named not in idle}
                    )
                mine = large
    return list({id(one): one for one in by_record.values()}.values())


class _Takers:
    """Contacts outside that parts may belong to, with what their records say."""

    def __init__(self, assigned: Assigned, doubt: Doubt) -> None:
        homes = assigned.homes
        self._assigned = assigned
        self._doubt = doubt
        roots = {homes.root(one) for each in doubt.elsewhere.values() for one in each}
        self._named = {
            root: {key for one in assigned.applied[root] for key, _ in one.identifiers}
            for root in roots
        }
        self._saying = {
            root: replace(
                assigned.cluster.contacts[root],
                claims={one.claim.record_key: one.claim for one in assigned.applied[root]},
            )
            for root in roots
        }

    def find(self, one: _Part) -> int | None:
        """Find the home of the strongest identifier that no name denies; None: nobody's.

        Who was merely seen with it may have lost the record that names it meanwhile.
        """
        homes, ours = self._assigned.homes, self._assigned.group(one.home)
        hits: dict[int, list[IdentifierKey]] = {}
        named = {key for applied in one.applied for key, _ in applied.identifiers}
        for key in sorted(named, key=lambda key: (STRENGTH[key[1]], key)):
            for contact in self._doubt.elsewhere.get(key, ()):
                root = homes.root(contact)
                if key in self._named[root]:
                    hits.setdefault(root, []).append(key)
        for root, keys in hits.items():
            theirs = homes.groups[root]
            if not between(self._assigned.cluster.apart, theirs, ours) and all(
                bar_of(applied, self._saying[root], keys) is None for applied in one.applied
            ):
                home = self._assigned.identifiers.get(keys[0])
                return home if home in theirs else root
        return None
