"""A world in memory: the gate and decisions about who is whom, without a database.

It keeps what the tables keep, and applies a plan as the store does, so that whole histories of
signals, merges and splits run in a millisecond.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from services.resolver.domain.archiving import archive
from services.resolver.domain.arrival import deliver, read_signal
from services.resolver.domain.assigning import Assigned
from services.resolver.domain.cluster import (
    BindingOf,
    Cluster,
    HomeRow,
    Kept,
    Order,
    Pair,
    Reshaping,
    pair_of,
)
from services.resolver.domain.composition import Applied
from services.resolver.domain.gate import decide
from services.resolver.domain.homes import Homes, Merge
from services.resolver.domain.ledger import after, is_newer
from services.resolver.domain.marking import Marked, Ordered
from services.resolver.domain.merge import Refused, merge, reject, take_out, undo
from services.resolver.domain.model import (
    Claim,
    Delivery,
    IdentifierKey,
    Ids,
    Known,
    LedgerRow,
    Plan,
    RecordedEvent,
    Revision,
)
from services.resolver.domain.reconsidering import Doubt, outside, part
from services.resolver.domain.retracting import Import, KeptEdit, asked_again, retract
from services.resolver.domain.survivorship import groups_of
from shared.events.codec import encode, event_type, parse_event
from shared.events.command import ArchiveContact, UnarchiveContact
from shared.events.contact import CompanyEvent, ContactEvent, ContactStatus
from shared.events.fold import ContactState, fold
from shared.events.signal import NormalizedSignal
from tests.support.signals import MOMENT, SOURCES, TENANT, a_signal

WORKSPACES = {1: "wsp_" + "0" * 26, 2: "wsp_" + "1" * 26}
"""Two workspaces of one tenant, by number."""


def some_ids() -> Ids:
    """Make ids that count."""

    def named(prefix: str) -> Iterator[tuple[int, str]]:
        return ((n, f"{prefix}{n:026d}") for n in count(1))

    return Ids(named("con_"), named("cmp_"), count(1), (f"evt_{n:026d}" for n in count(1)))


@dataclass
class World:
    """Everything that the database would hold of one tenant."""

    known: Known = field(default_factory=Known)
    ids: Ids = field(default_factory=some_ids)
    ledger: list[tuple[datetime, LedgerRow]] = field(default_factory=list)
    homes: dict[tuple[bytes, int], HomeRow] = field(default_factory=dict)
    identifier_homes: dict[IdentifierKey, int] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    apart: set[Pair] = field(default_factory=set)
    waiting: set[Pair] = field(default_factory=set)
    """Candidates that nobody but a person may merge."""
    candidates: set[Pair] = field(default_factory=set)
    """Those that wait for an answer."""
    proposed: set[Pair] = field(default_factory=set)
    """Those that ever were put up, and still are or were answered."""
    bindings: dict[tuple[int, int], BindingOf] = field(default_factory=dict)
    own: dict[tuple[int, int], Kept] = field(default_factory=dict)
    absorbed_as: dict[int, ContactStatus] = field(default_factory=dict)
    undone: set[tuple[bytes, int]] = field(default_factory=set)
    """Deliveries that were taken back with their import."""
    streams: dict[str, list[ContactEvent]] = field(default_factory=dict)
    held: set[bytes] = field(default_factory=set)
    """Records that a person's word holds where they are."""
    clock: Iterator[int] = field(default_factory=lambda: count(1))

    def tell(self, record: str, workspace: int = 1, **said: Any) -> Plan:
        """Let one signal through the gate."""
        name = WORKSPACES[workspace]
        signal = read_signal(encode(a_signal(record, workspace=name, **said)))
        return self.resolve(deliver(signal, 1, workspace, SOURCES[signal.source]))

    def resolve(self, *deliveries: Delivery) -> Plan:
        """Decide a batch and keep what comes of it."""
        apart = {pair_of(self.root(one), self.root(other)) for one, other in self.apart}
        self.known.asked = self.proposed | apart
        plan = decide(deliveries, self.known, self.ids, self.now())
        self.ledger += [(plan.now, row) for row in plan.ledger]
        proposed = {(one.first, one.second) for one in plan.candidates}
        self.candidates |= proposed
        self.proposed |= proposed
        for (contact, workspace), row in plan.bindings.items():
            old = self.bindings.get((contact, workspace))
            shown = old.shown if old and old.is_live else Kept()
            self.bindings[contact, workspace] = BindingOf(row.id, is_live=True, shown=shown)
        self._publish(plan.events)
        for one in plan.found_out:
            for contact in sorted(one.contacts):
                while self.part(contact, one.key):
                    pass
        return plan

    def part(self, contact: int, value: IdentifierKey, most: int = 200) -> Reshaping | None:
        """Take out of a contact what a shared value alone had joined; one step of it."""
        idle = {key for key, one in self.known.sharing.items() if not one.gates}
        doubt = Doubt(value, idle, self.held)
        root = self.root(contact)
        named = outside(Assigned.of(self.cluster(root)), root, doubt, most)
        having: dict[IdentifierKey, list[int]] = {}
        for key in named:
            seen = self.known.sharing[key].contacts if key in self.known.sharing else []
            roots = {self.root(one) for one in (*seen, self.known.holders.get(key, root))}
            if roots - {root}:
                having[key] = sorted(roots - {root})
        cluster = self.cluster(root, *(one for each in having.values() for one in each))
        doubt = replace(doubt, elsewhere=having)
        plan = part(Assigned.of(cluster), root, doubt, self.order(by_person=False), most)
        if plan is not None:
            self.apply(plan)
        return plan

    def archive(self, contact: int) -> None:
        """Archive a contact, or bring it back."""
        named = self.known.contacts[contact]
        kind = UnarchiveContact if named.status == "archived" else ArchiveContact
        command = kind(
            command_id=f"cmd_{next(self.clock):026d}",
            tenant=TENANT,
            workspace=WORKSPACES[1],
            issued_at=self.now(),
            contact_id=named.public_id,
        )
        plan, _ = archive([(command, 1, None)], [named], (), self.ids, self.now())
        self._publish(plan.events)

    def say(self, contact: int, workspace: int, decide: Callable[..., Marked]) -> Marked:
        """Let a person say something of a contact for a workspace alone, after all signals."""
        number, now = next(self.clock), self.now()
        order = Ordered(
            f"cmd_{number:026d}",
            1,
            TENANT,
            workspace,
            WORKSPACES[workspace],
            SOURCES["workspace_entry"],
            now + timedelta(days=1),
        )
        asked = [self.known.contacts[contact]]
        records = self.known.records
        marked = decide(order, contacts=asked, ledger=records, event_ids=self.ids.events)
        for row in marked.plan.ledger:
            before = records.get((1, row.delivery.record_key), [])
            records[1, row.delivery.record_key] = [
                *(one.replaced() if one.current else one for one in before),
                after(row.delivery, before, asked[0], current=True),
            ]
        self.ledger += [(now, row) for row in marked.plan.ledger]
        self._publish(marked.plan.events)
        return marked

    def keep(self, contact: int, workspace: int, **kept: Any) -> None:
        """Let a person set something on a binding."""
        binding = self.bindings[contact, workspace]
        shown = replace(binding.shown, **kept)
        self.bindings[contact, workspace] = replace(binding, shown=shown)

    def now(self) -> datetime:
        """Let a second pass."""
        return MOMENT + timedelta(seconds=next(self.clock))

    def order(self, *, by_person: bool = True) -> Order:
        """Give an order."""
        number, now = next(self.clock), self.now()
        return Order(f"cmd_{number:026d}", self.ids, now, now, by_person=by_person)

    def merge(self, survivor: int, absorbed: int, *, by_person: bool = True) -> str | Refused:
        """Merge two contacts; returns the merge's id."""
        order = self.order(by_person=by_person)
        name = f"mrg_{next(self.clock):026d}"
        plan = merge(self.cluster(survivor, absorbed), survivor, absorbed, name, order)
        if isinstance(plan, Refused):
            return plan
        self.apply(plan)
        return name

    def undo(self, contact: int, name: str | None = None) -> Reshaping | Refused:
        """Undo a merge."""
        return self._done(undo(self.cluster(contact), contact, name, self.order()))

    def take_out(
        self, contact: int, records: list[bytes], keys: list[IdentifierKey]
    ) -> Reshaping | Refused:
        """Take records or identifiers out of a contact."""
        return self._done(take_out(self.cluster(contact), contact, records, keys, self.order()))

    def reject(self, one: int, other: int) -> Reshaping | Refused:
        """Keep two contacts apart."""
        return self._done(reject(self.cluster(one, other), one, other, self.order()))

    def _done(self, plan: Reshaping | Refused) -> Reshaping | Refused:
        if isinstance(plan, Reshaping):
            self.apply(plan)
        return plan

    def root(self, contact: int) -> int:
        """Return who stands for a contact."""
        return Homes(self.known.contacts, self.merges).root(contact)

    def cluster(self, *named: int) -> Cluster:
        """Load what a decision about some contacts concerns, as the store would."""
        groups = Homes(self.known.contacts, self.merges)
        members = {home for one in named for home in groups.groups[groups.root(one)]}
        cluster = Cluster(1, TENANT, workspaces=dict(WORKSPACES))
        cluster.contacts = {one: self.known.contacts[one] for one in sorted(members)}
        cluster.absorbed_as = {
            one: status for one, status in self.absorbed_as.items() if one in members
        }
        cluster.merges = [one for one in self.merges if {one.survivor, one.absorbed} & members]
        cluster.candidates = {pair for pair in self.candidates if set(pair) & members}
        cluster.apart = {pair for pair in self.apart if set(pair) & members}
        cluster.waiting = {pair for pair in self.waiting if set(pair) & members}
        cluster.names = {one.id: one.public_id for one in self.known.contacts.values()}
        cluster.bindings = {
            place: replace(binding, own=self.own.get(place))
            for place, binding in self.bindings.items()
            if place[0] in members
        }
        for root in {groups.root(one) for one in members}:
            cluster.held[root] = {
                key: self.identifier_homes.get(key)
                for key, holder in self.known.holders.items()
                if holder == root
            }
            cluster.applied[root], cluster.late[root] = self._applied(root)
        return cluster

    def _applied(self, root: int) -> tuple[list[Applied], list[Applied]]:
        """Read a contact's deliveries: those with a place first, then the newer ones; late ones."""
        found, late = [], []
        stale = self._stale()
        for number, (applied_at, row) in enumerate(self.ledger):
            revision = self._revision(row)
            name = (row.delivery.record_key, row.revision)
            if revision.contact_id != root or name in self.undone:
                continue
            home = self.homes.get((row.delivery.record_key, row.revision))
            applied = Applied(
                claim=_claim(row),
                revision=row.revision,
                applied_at=applied_at,
                import_source=row.delivery.signal.import_source,
                identifiers=row.delivery.identifiers,
                home=home.home if home else None,
                evidence=home.evidence if home else "none",
                place=home.place if home else None,
                source_version=row.delivery.signal.source_version,
                import_id=row.delivery.signal.import_id,
            )
            if name in stale:
                late.append(applied)
            else:
                found.append(((home is None, home.place if home else number), applied))
        return [one for _, one in sorted(found, key=lambda pair: pair[0])], late

    def _stale(self) -> set[tuple[bytes, int]]:
        """Find the deliveries that came too late, as the ledger's loader does."""
        stale = set()
        current: dict[bytes, NormalizedSignal] = {}
        for _, row in sorted(self.ledger, key=lambda one: one[1].revision):
            key, signal = row.delivery.record_key, row.delivery.signal
            if (key, row.revision) in self.undone:
                continue
            before = current.get(key)
            if before is None or is_newer(
                signal.occurred_at,
                before.occurred_at,
                versions=(signal.source_version, before.source_version),
            ):
                current[key] = signal
            else:
                stale.add((key, row.revision))
        return stale

    def retract(self, import_id: str, piece: int = 500) -> list[KeptEdit]:
        """Take an import back, so many contacts at a time; returns what others' edits stay."""
        kept = []
        while contacts := self._brought_to(import_id)[:piece]:
            chosen = frozenset(self._brought(import_id, contacts))
            ends = self._ends(contacts)
            cluster = self.cluster(*contacts, *ends)
            holders = {
                self.known.holders[key]
                for key in asked_again(cluster, chosen)
                if key in self.known.holders
            }
            cluster = self.cluster(*contacts, *ends, *holders)
            taken = Import(import_id, 1, chosen)
            plan, edits = retract(cluster, taken, self.order(by_person=False))
            self.apply(plan)
            kept += edits
        return kept

    def has_rows(self, import_id: str) -> bool:
        """Tell whether something of an import counts still."""
        return bool(self._import_rows(import_id))

    def overlooks(self, import_id: str) -> bool:
        """Tell whether somebody says what an import brought whom taking it back does not look at.

        Such are found by what is open or decided between two contacts: no index has all that
        records say.
        """
        contacts = self._brought_to(import_id)
        seen = {self.root(one) for one in (*contacts, *self._ends(contacts))}
        brought = {
            key for row in self._import_rows(import_id) for key, _ in row.delivery.identifiers
        }
        return any(
            (1, said.type, said.value) in brought
            for one in self.known.contacts.values()
            if one.id not in seen
            for claim in one.claims.values()
            for said in claim.facts.identifiers
        )

    def _ends(self, contacts: Collection[int]) -> set[int]:
        """Return who is open or decided with one of these contacts."""
        pairs = self.candidates | self.apart
        return {one for pair in pairs for one in pair if set(pair) & set(contacts)}

    def _brought_to(self, import_id: str) -> list[int]:
        return sorted({self._revision(row).contact_id for row in self._import_rows(import_id)})

    def _brought(self, import_id: str, contacts: Collection[int]) -> Iterator[tuple[bytes, int]]:
        for row in self._import_rows(import_id):
            if self._revision(row).contact_id in contacts:
                yield row.delivery.record_key, row.revision

    def _import_rows(self, import_id: str) -> list[LedgerRow]:
        return [
            row
            for _, row in self.ledger
            if row.delivery.signal.import_id == import_id
            and (row.delivery.record_key, row.revision) not in self.undone
        ]

    def _revision(self, row: LedgerRow) -> Revision:
        revisions = self.known.records[1, row.delivery.record_key]
        return next(one for one in revisions if one.number == row.revision)

    def apply(self, plan: Reshaping) -> None:
        """Keep what came of a decision, as the store would."""
        known = self.known
        known.contacts.update(plan.cluster.contacts)
        for key, contact, version in plan.records:
            known.records[1, key] = [
                msgspec.structs.replace(one, contact_id=contact, applied_version=version)
                for one in known.records[1, key]
            ]
        known.holders.update(plan.identifiers)
        self._apply_retraction(plan)
        self.absorbed_as.update(plan.absorbed_as)
        for contact, survivor in plan.survivors.items():
            if survivor is None:
                self.absorbed_as.pop(contact, None)
        self.homes.update({(one.record_key, one.revision): one for one in plan.homes})
        self.identifier_homes.update(plan.identifier_homes)
        self._apply_bindings(plan)
        self.apart |= set(plan.kept_apart)
        self.apart -= set(plan.overruled)
        self.candidates -= set(plan.settled)
        if plan.merged:
            self.merges.append(plan.merged)
        self.merges = [one for one in self.merges if one.public_id not in plan.undone]
        self._publish(plan.events)

    def _apply_retraction(self, plan: Reshaping) -> None:
        known = self.known
        self.undone.update(plan.retracted)
        for names, change in (
            (plan.retracted, {"current": False, "is_undone": True}),
            (plan.restored, {"current": True}),
        ):
            for key, number in names:
                known.records[1, key] = [
                    msgspec.structs.replace(one, **change) if one.number == number else one
                    for one in known.records[1, key]
                ]
        for released in plan.released:
            del known.holders[released]
            self.identifier_homes.pop(released, None)
        self.candidates -= set(plan.withdrawn)
        self.proposed -= set(plan.withdrawn)

    def _apply_bindings(self, plan: Reshaping) -> None:
        retired = set(plan.retired_bindings)
        for place, binding in self.bindings.items():
            if binding.id in retired:
                self.bindings[place] = replace(binding, is_live=False)
                self.known.contacts[place[0]].bindings.pop(place[1], None)
        for one in plan.bindings:
            self.bindings[one.contact, one.workspace] = BindingOf(
                one.id, is_live=True, shown=one.shown
            )
        for place in list(self.own):
            if place[0] in plan.standing_alone:
                del self.own[place]
        self.own.update(plan.own)

    def _publish(self, events: list[RecordedEvent]) -> None:
        for one in events:
            event = parse_event(event_type(one.event), encode(one.event))
            if not isinstance(event, CompanyEvent):
                self.streams.setdefault(event.contact_id, []).append(event)

    def states(self) -> dict[str, ContactState]:
        """Fold every contact from its events."""
        folded = {name: fold(None, events) for name, events in self.streams.items()}
        return {name: state for name, state in folded.items() if state}

    def holdings(self) -> dict[str, object]:
        """Say of every contact all that a merge may move: what a split has to put back."""
        return (
            {state.contact_id: essence(state) for state in self.states().values()}
            | {
                f"{contact.public_id} bindings": sorted(
                    (workspace, binding.shown)
                    for (owner, workspace), binding in self.bindings.items()
                    if owner == contact.id and binding.is_live
                )
                for contact in self.known.contacts.values()
            }
            | {
                f"{contact.public_id} records": sorted(contact.claims)
                for contact in self.known.contacts.values()
            }
        )


def essence(state: ContactState) -> object:
    """Keep of a state what a merge that was undone must leave as it was.

    Versions and times of change stay behind as history, candidates as decisions; whoever saw an
    absorbed contact while it held more is still led on to its survivor.
    """
    return (
        state.status,
        state.survivor_id,
        state.source,
        state.created_at,
        state.fields,
        state.provenance,
        state.identifiers,
        state.employments,
        None if state.status == "merged" else state.bindings,
    )


def _claim(row: LedgerRow) -> Claim:
    signal = row.delivery.signal
    return Claim(
        record_key=row.delivery.record_key,
        source=row.delivery.source,
        workspace_id=row.delivery.workspace_id,
        confidence=signal.confidence,
        asserted_at=signal.occurred_at,
        facts=row.said.facts,
        groups=groups_of(row.said.facts),
    )


__all__ = ["WORKSPACES", "World", "essence"]
