"""How it is told that an import was taken back: in every stream concerned, with its new shape."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.claims import WORKSPACE_ENTRY
from services.resolver.domain.cluster import Order, Reshaping
from services.resolver.domain.composition import Applied
from services.resolver.domain.homes import Homes, Merge, interleave
from services.resolver.domain.model import Claim, Contact, Source
from services.resolver.domain.redeciding import Redecided
from services.resolver.domain.telling_merges import asserted, contact_deleted, contacts_split
from shared.events.contact import (
    ContactEvent,
    FactAsserted,
    FactRetracted,
    MergeWithdrawn,
    Shape,
)
from shared.events.signal import Identifier
from shared.events.structs import changed, struct_of

_FactAsserted: Final = struct_of(FactAsserted)
_FactRetracted: Final = struct_of(FactRetracted)
_MergeWithdrawn: Final = struct_of(MergeWithdrawn)


class Retold:
    """Tells each contact what became of it."""

    def __init__(
        self,
        order: Order,
        *,
        before: Assigned,
        after: Assigned,
        homes: Homes,
        chosen: Collection[tuple[bytes, int]],
        redecided: Redecided,
        undone: Iterable[Merge],
    ) -> None:
        """`undone` says which merges came apart."""
        self._order = order
        self._homes = homes
        self._cluster = before.cluster
        self._gained: dict[int, list[tuple[Identifier, Applied]]] = {}
        for home, gained in redecided.gained.items():
            self._gained.setdefault(homes.root(home), []).extend(gained)
        self._before = before.homes
        self._present = {
            one.claim.record_key: one.claim for each in after.applied.values() for one in each
        }
        self._retracted: dict[int, dict[bytes, Claim]] = {
            root: _claims(one for one in applied if (one.claim.record_key, one.revision) in chosen)
            for root, applied in before.applied.items()
        }
        self.sources = _first_told(before, after)
        """Contact → who told of it first, where that is another than before."""
        self.shaped: set[int] = set()
        """Contacts of which everything was said that there is to say."""
        self._splits = _splits(before.homes, homes, redecided, undone)

    def tell(self, contact: Contact, shape: Shape | None) -> Iterator[ContactEvent]:
        """Say what of the contact was taken back, who came out of it, and what it is now."""
        if contact.status == "deleted":
            self.shaped.add(contact.id)
            yield contact_deleted(self._order, contact)
            return
        if shape and contact.id in self.sources:
            shape = changed(shape, source=self.sources[contact.id].name)
        splits = self._splits.get(contact.id, [])
        retracted = self._retracted.get(contact.id, {}) if shape else {}
        for number, (record, claim) in enumerate(retracted.items(), start=1):
            present = self._present.get(record)
            yield _FactRetracted(
                occurred_at=self._order.now,
                cause=self._order.command_id,
                contact_id=contact.public_id,
                version=contact.version + 1,
                source=claim.source.name,
                source_record=record.hex(),
                restored=asserted(present) if present else None,
                shape=shape if number == len(retracted) and not splits else None,
            )
        if shape and not retracted and not splits:
            yield self._identifiers_gained(contact)
        elif shape:
            self.shaped.add(contact.id)
        taken = self._homes.absorption(contact.id)
        names = self._cluster.names
        if taken and not splits:
            now = self._homes.root(contact.id)
            splits = [_Split(None, self._before.root(contact.id), now)]
        for split in splits:
            yield contacts_split(
                self._order,
                contact,
                shape,
                merge_id=split.merge,
                pair=(names[split.original], names[split.new]),
                moved=(),
                survivor=names[taken.survivor] if taken else None,
                unassigned=(),
            )

    def _identifiers_gained(self, contact: Contact) -> FactAsserted:
        """Tell of a contact that is known by what its record says, now that nobody else is."""
        gained = self._gained[contact.id]
        _, said = gained[0]
        return _FactAsserted(
            occurred_at=self._order.now,
            cause=self._order.command_id,
            contact_id=contact.public_id,
            version=contact.version + 1,
            identifiers_added=tuple(identifier for identifier, _ in gained),
            asserted=asserted(self._present.get(said.claim.record_key, said.claim)),
        )


class _Split(NamedTuple):
    """Two contacts that came out of one."""

    merge: str | None
    """What had made them one; None: no merge, but identifiers that are gone."""
    original: int
    """The contact that everything was in."""
    new: int
    """The contact that stands by itself."""


def _splits(
    before: Homes, homes: Homes, redecided: Redecided, undone: Iterable[Merge]
) -> dict[int, list[_Split]]:
    """Return contact → what it took part in, each pair once."""
    found: dict[int, list[_Split]] = {}
    moved = [
        _Split(None, before.root(home), homes.root(target))
        for home, target in sorted(redecided.moves)
    ]
    parted = [
        _Split(one.public_id, before.root(named), homes.root(named))
        for one in undone
        for named in (one.survivor, one.absorbed)
    ]
    for split in (*moved, *parted):
        if split.original == split.new:
            continue
        for contact in (split.original, split.new):
            told = found.setdefault(contact, [])
            if all(known[1:] != split[1:] for known in told):
                told.append(split)
    return found


def _first_told(before: Assigned, after: Assigned) -> dict[int, Source]:
    firsts = [
        {
            one.home: one.claim.source
            for one in reversed(interleave(assigned.applied.values()))
            if one.source.name != WORKSPACE_ENTRY
        }
        for assigned in (before, after)
    ]
    was, now = firsts
    return {
        home: now[home]
        for home in was
        if home in now and home is not None and now[home] != was[home]
    }


def withdraw(plan: Reshaping, homes: Homes, shaped: Collection[int]) -> None:
    """Tell either end of candidates that nothing proposes any more, where no new shape says it."""
    cluster, order = plan.cluster, plan.order
    for pair in plan.withdrawn:
        for home, other in (pair, pair[::-1]):
            if home not in cluster.contacts or homes.root(home) in shaped:
                continue
            contact = cluster.contacts[homes.root(home)]
            event = _MergeWithdrawn(
                occurred_at=order.now,
                cause=order.command_id,
                contact_id=contact.public_id,
                version=contact.version + 1,
                other_id=cluster.names[other],
            )
            plan.tell(contact, event)


def _claims(applied: Iterable[Applied]) -> dict[bytes, Claim]:
    return {one.claim.record_key: one.claim for one in applied}
