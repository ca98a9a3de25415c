"""The contacts that a decision concerns, with all they were merged with; what is to be written."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from services.resolver.domain.composition import Applied, Composite, Evidence
from services.resolver.domain.homes import Belongings, Merge
from services.resolver.domain.model import Contact, IdentifierKey, Ids, RecordedEvent, Source
from shared.events.contact import CompanyEvent, ContactEvent, ContactStatus

Pair = tuple[int, int]
"""Two contacts, the lower id first."""


def pair_of(one: int, other: int) -> Pair:
    """Name two contacts in the one order that pairs are kept in."""
    return (min(one, other), max(one, other))


@dataclass(frozen=True, slots=True)
class Kept:
    """What people set on one workspace's binding, beyond what records say."""

    stage: str = "new"
    contact_owner_id: int | None = None
    is_favorite: bool = False
    data_owner: str = "enrichment"

    def joined(self, other: "Kept") -> "Kept":
        """Take over what only the other has: the survivor's word stands where it has one."""
        return Kept(
            stage=other.stage if self.stage == NOTHING_KEPT.stage else self.stage,
            contact_owner_id=self.contact_owner_id or other.contact_owner_id,
            is_favorite=self.is_favorite or other.is_favorite,
            data_owner="user" if "user" in (self.data_owner, other.data_owner) else self.data_owner,
        )

    def changed_since(self, before: "Kept", own: "Kept") -> "Kept":
        """Return `own` with what differs here from `before`: people changed it meanwhile."""
        old = asdict(before)
        return replace(
            own, **{name: value for name, value in asdict(self).items() if value != old[name]}
        )


NOTHING_KEPT = Kept()
"""A binding that nobody touched."""


@dataclass(frozen=True, slots=True)
class BindingOf:
    """One contact's binding in one workspace, in use or put aside."""

    id: int
    is_live: bool
    shown: Kept
    own: Kept | None = None
    """What is the contact's own of it, while it is merged with others."""


@dataclass(slots=True)
class Cluster:
    """All that the database knows of the contacts concerned."""

    tenant_id: int
    tenant: str
    contacts: dict[int, Contact] = field(default_factory=dict)
    """Every home, whether it stands for itself or not."""
    absorbed_as: dict[int, ContactStatus] = field(default_factory=dict)
    """Contact that another stands for → the status that it had by itself."""
    merges: list[Merge] = field(default_factory=list)
    """Merges in force among them, oldest first."""
    applied: dict[int, list[Applied]] = field(default_factory=dict)
    """Contact that holds them → its deliveries in the order in which they came."""
    late: dict[int, list[Applied]] = field(default_factory=dict)
    """Contact → deliveries of its records that came too late to be applied."""
    held: dict[int, Belongings] = field(default_factory=dict)
    """Contact → the identifiers that it holds, and their homes."""
    bindings: dict[tuple[int, int], BindingOf] = field(default_factory=dict)
    """(contact, workspace) → binding."""
    candidates: set[Pair] = field(default_factory=set)
    """Open candidates that name one of them."""
    waiting: set[Pair] = field(default_factory=set)
    """Those of them that nobody but a person may merge."""
    apart: set[Pair] = field(default_factory=set)
    """Pairs that a person keeps apart and that name one of them."""
    names: dict[int, str] = field(default_factory=dict)
    """Contact → public id, of the other ends of candidates too."""
    workspaces: dict[int, str] = field(default_factory=dict)
    """Workspace → public id."""
    company_ids: dict[str, int] = field(default_factory=dict)

    def new_contact(self, ids: Ids) -> int:
        """Make a contact of which nothing was told yet; returns its id."""
        number, name = next(ids.contacts)
        self.contacts[number] = Contact(number, name, self.tenant_id, 0, "active")
        self.names[number] = name
        return number


@dataclass(frozen=True, slots=True)
class Order:
    """Who ordered a decision, and when."""

    command_id: str
    ids: Ids
    """For what comes of it."""
    now: datetime
    issued_at: datetime
    by_person: bool = True
    reason: str | None = None
    decision_id: int | None = None
    """The machine's decision behind it, with its evidence."""
    similarity: int | None = None
    """The score of that decision, 0 to 100."""
    traceparent: str | None = None

    @property
    def merge_reason(self) -> str:
        """Return why contacts are merged by it: a person need not say."""
        return self.reason or ("manual" if self.by_person else "machine")

    def recorded(
        self,
        tenant: tuple[int, str],
        entity_id: int,
        event: ContactEvent | CompanyEvent,
        private_to: tuple[int, str] | None = None,
    ) -> RecordedEvent:
        """Give an event that the order led to what its envelope needs.

        `tenant` and `private_to` are (id, public id), of a workspace the latter.
        """
        return RecordedEvent(
            event_id=next(self.ids.events),
            tenant_id=tenant[0],
            tenant=tenant[1],
            entity_id=entity_id,
            event=event,
            private_to=private_to,
            received_at=self.issued_at,
            traceparent=self.traceparent,
        )


@dataclass(frozen=True, slots=True)
class HomeRow:
    """Where one delivery belongs, and its place among its contact's."""

    record_key: bytes
    revision: int
    home: int
    place: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class BindingChange:
    """A binding to be made, taken back into use, or changed."""

    id: int
    contact: int
    workspace: int
    is_new: bool
    shown: Kept


@dataclass(slots=True)
class Reshaping:
    """What to write so that contacts are what the merges in force make of them."""

    order: Order
    cluster: Cluster
    created: list[tuple[Contact, Source]] = field(default_factory=list)
    """Contacts that are new, and the source of what they were made of first."""
    touched: dict[int, Contact] = field(default_factory=dict)
    """Contacts with a new version."""
    survivors: dict[int, int | None] = field(default_factory=dict)
    """Contact → who stands for it now; None: itself."""
    absorbed_as: dict[int, ContactStatus] = field(default_factory=dict)
    """Contact that stands for itself no longer → the status that it had."""
    was: dict[int, Composite] = field(default_factory=dict)
    """Contact that stood for itself → all that it held."""
    composed: dict[int, Composite] = field(default_factory=dict)
    """Contact → all that it holds from now on; nothing for one that was absorbed."""
    records: list[tuple[bytes, int, int]] = field(default_factory=list)
    """(record key, contact that holds it now, version that this led to)."""
    identifiers: list[tuple[IdentifierKey, int]] = field(default_factory=list)
    """Identifiers that changed hands."""
    homes: list[HomeRow] = field(default_factory=list)
    identifier_homes: list[tuple[IdentifierKey, int]] = field(default_factory=list)
    bindings: list[BindingChange] = field(default_factory=list)
    retired_bindings: list[int] = field(default_factory=list)
    own: dict[tuple[int, int], Kept] = field(default_factory=dict)
    """(contact, workspace) → what is its own of a binding that shows more."""
    standing_alone: list[int] = field(default_factory=list)
    """Contacts whose bindings show their own again."""
    events: list[RecordedEvent] = field(default_factory=list)
    merged: Merge | None = None
    """The merge that is in force from now on."""
    undone: list[str] = field(default_factory=list)
    """Public ids of merges that are no longer in force."""
    retracted: list[tuple[bytes, int]] = field(default_factory=list)
    """(record key, revision) of deliveries that count no more."""
    restored: list[tuple[bytes, int]] = field(default_factory=list)
    """(record key, revision) of deliveries that are their records' present version again."""
    sources: dict[int, Source] = field(default_factory=dict)
    """Contact → who told of it first, where that is another than before."""
    released: list[IdentifierKey] = field(default_factory=list)
    """Identifiers that nobody holds any more."""
    deleted: list[int] = field(default_factory=list)
    """Contacts of which nothing is left."""
    withdrawn: list[Pair] = field(default_factory=list)
    """Candidates that nothing proposes any more."""
    resolved: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Merge in force → (survivor, absorbed) as it comes out, given all others."""
    kept_apart: list[Pair] = field(default_factory=list)
    joined: list[Pair] = field(default_factory=list)
    """Pairs that a person makes one; whoever kept them apart is overruled."""
    overruled: list[Pair] = field(default_factory=list)
    settled: dict[Pair, str] = field(default_factory=dict)
    """Candidate → its status from now on."""
    unassigned: tuple[bytes, ...] = ()
    """Records that no evidence assigned to either side."""

    @property
    def positions(self) -> dict[str, int]:
        """Return public id → version of every contact that changed."""
        return {one.public_id: one.version for one in self.touched.values()}

    def tell(
        self, contact: Contact, event: ContactEvent, private_to: tuple[int, str] | None = None
    ) -> None:
        """Put an event behind a contact's others: its next version."""
        contact.version += 1
        self.touched[contact.id] = contact
        tenant = (self.cluster.tenant_id, self.cluster.tenant)
        self.events.append(self.order.recorded(tenant, contact.id, event, private_to))


def between(pairs: Iterable[Pair], ones: Collection[int], others: Collection[int]) -> set[Pair]:
    """Return the pairs that have one of the ones at one end and one of the others at the other."""
    left, right = set(ones), set(others)
    return {
        (one, other)
        for one, other in pairs
        if (one in left and other in right) or (one in right and other in left)
    }
