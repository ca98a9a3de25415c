"""The resolver's words: what it knows about a batch, and what it plans to write."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from shared.events.contact import (
    CompanyEvent,
    ContactEvent,
    ContactStatus,
    ProposalReason,
    VisibleField,
)
from shared.events.jobs import job_key
from shared.events.signal import (
    Employment,
    Facts,
    Identifier,
    NormalizedSignal,
    Point,
    PointStatus,
)

IdentifierKey = tuple[int, str, str]
"""(tenant, type, normalised value): what the gate compares."""

STRENGTH: Mapping[str, int] = {
    name: rank
    for rank, name in enumerate(
        (
            "linkedin_urn",
            "linkedin_public_id",
            "email",
            "phone_e164",
            "fb_user_id",
            "ig_user_id",
            "ig_username",
            "twitter_handle",
            "github_username",
            "domain",
        )
    )
}
"""Identifier type → rank, 0 the strongest (DESIGN 4.2)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A row of `data_source`."""

    id: int
    name: str
    priority: int
    source_type: str

    @property
    def is_enrichment(self) -> bool:
        """Tell whether it was asked about a contact, and did not come by itself."""
        return self.source_type in {"enrichment", "ai"}


Group = dict[VisibleField, str]
"""Visible values that belong together: a name, a job, an address."""


class Claim(Struct, frozen=True, gc=False):
    """What one current source record says of a contact, and how much it weighs."""

    record_key: bytes
    source: Source
    workspace_id: int
    confidence: float
    asserted_at: datetime
    facts: Facts
    groups: tuple[Group, ...]
    """What it says of each visible value: `survivorship.groups_of(facts)`."""

    @property
    def weight(self) -> tuple[int, float, datetime, bytes]:
        """Priority, then confidence, then recency; the key settles what is left (DESIGN 4.6)."""
        return (self.source.priority, self.confidence, self.asserted_at, self.record_key)


class Delivery(Struct, frozen=True, gc=False):
    """A signal on its way through the gate, with ids and keys resolved."""

    signal: NormalizedSignal
    tenant_id: int
    workspace_id: int
    source: Source
    record_key: bytes
    content_hash: bytes
    identifiers: tuple[tuple[IdentifierKey, Identifier], ...]
    """With their keys, strongest first."""
    employers: tuple[tuple[str | None, str | None], ...]
    """For each job: the domain that identifies its company, and its name's key."""
    raw: str
    """The payload as it came, JSON."""
    traceparent: str | None = None

    @property
    def facts(self) -> Facts:
        """What the signal says."""
        return self.signal.facts


class Revision(Struct, frozen=True, gc=False):
    """One delivery of a source record that the ledger holds."""

    number: int
    content_hash: bytes
    occurred_at: datetime
    source_version: int | None
    current: bool
    contact_id: int
    applied_version: int
    import_id: str | None = None
    """The import that brought it."""
    is_undone: bool = False
    """Whether it counts no more, as its import was taken back."""

    def replaced(self) -> "Revision":
        """Return it as it is once a newer revision stands in its place."""
        return replace(self, current=False)


class Document(Struct, frozen=True, gc=False):
    """What one record says, companies linked, and its JSON."""

    facts: Facts
    text: bytes
    """For the ledger."""
    shared: bytes
    """For those who hear of it: without what a workspace keeps for itself."""


@dataclass(slots=True)
class Contact:
    """A contact as the batch finds it, then as the batch leaves it."""

    id: int
    public_id: str
    tenant_id: int
    version: int
    status: ContactStatus
    claims: dict[bytes, Claim] = field(default_factory=dict)
    """Record key → what that record says."""
    bindings: dict[int, int] = field(default_factory=dict)
    """Workspace → binding id."""
    owned: set[int] = field(default_factory=set)
    """Workspaces in which a person took the contact's values over (`data_owner`)."""
    reshaped_at: datetime | None = None
    """When it was last merged or split, or records of it were taken back."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company that the tenant knows."""

    id: int
    public_id: str
    name: str


@dataclass(slots=True)
class Sharing:
    """An identifier that several people were seen with, or may be."""

    status: Literal["suspected", "shared", "blocked", "cleared"] = "suspected"
    """Suspected: it gates still. Shared or blocked: no more. Cleared: a person says it is one's."""
    contacts: list[int] = field(default_factory=list)
    """Those seen with it while suspected, who holds it among them."""

    @property
    def gates(self) -> bool:
        """Say whether the identifier still tells who somebody is."""
        return self.status in {"suspected", "cleared"}


@dataclass(slots=True)
class Known:
    """All that the database knows about a batch."""

    holders: dict[IdentifierKey, int] = field(default_factory=dict)
    """Identifier → the contact that holds it."""
    sharing: dict[IdentifierKey, Sharing] = field(default_factory=dict)
    """Identifiers that names were seen to contest; all others are one person's."""
    about: dict[tuple[int, str], int] = field(default_factory=dict)
    """(tenant, public id) → the contact that a vendor was asked about."""
    contacts: dict[int, Contact] = field(default_factory=dict)
    records: dict[tuple[int, bytes], list[Revision]] = field(default_factory=dict)
    """(tenant, record key) → its revisions, oldest first."""
    companies_by_domain: dict[tuple[int, str], Company] = field(default_factory=dict)
    companies_by_name: dict[tuple[int, str], Company] = field(default_factory=dict)
    company_ids: dict[str, int] = field(default_factory=dict)
    """Public id → id of every company that the batch may refer to."""
    asked: set[tuple[int, int]] = field(default_factory=set)
    """Pairs (lower id, higher id) that were ever proposed, or that a person keeps apart."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids made by the shell: the domain has no dice."""

    contacts: Iterator[tuple[int, str]]
    companies: Iterator[tuple[int, str]]
    bindings: Iterator[int]
    events: Iterator[str]


class RecordedEvent(Struct, frozen=True, gc=False):
    """An event with what its envelope needs."""

    event_id: str
    tenant_id: int
    tenant: str
    entity_id: int
    event: ContactEvent | CompanyEvent
    private_to: tuple[int, str] | None
    """(workspace id, public id) when the event is one workspace's own matter."""
    received_at: datetime
    traceparent: str | None


class LedgerRow(Struct, frozen=True, gc=False):
    """A delivery to be written to the ledger; stale ones are superseded at birth."""

    delivery: Delivery
    said: Document
    revision: int
    contact_id: int
    applied_version: int
    superseded: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two contacts that may be one person."""

    tenant_id: int
    first: int
    second: int
    identifiers: tuple[Identifier, ...]
    reason: ProposalReason


class EmploymentRow(Struct, frozen=True, gc=False):
    """A job to be written."""

    tenant_id: int
    contact_id: int
    company_id: int | None
    source: Source
    employment: Employment


class BindingRow(Struct, frozen=True, gc=False):
    """A workspace's view to be written: new, or changed."""

    id: int
    contact: Contact
    workspace_id: int
    is_new: bool
    fields: Mapping[VisibleField, str]
    company_id: int | None
    import_source: str | None
    labels: tuple[str, ...]
    notes: str | None
    custom_fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NewCompany:
    """A company to be written."""

    company: Company
    tenant_id: int
    domain: str | None
    """None: it is known by its page in a directory alone."""
    name_key: str | None
    source: Source


class Job(NamedTuple):
    """A job as the domain compares it: the same company, title and start is the same job."""

    company: str
    title: str
    start: str = ""

    @classmethod
    def of(cls, employment: Employment) -> "Job":
        """Take what makes two jobs the same: who employs, as what, and since when."""
        return cls(*job_key(employment))

    @property
    def post(self) -> tuple[str, str]:
        """Return what stints of one title at one employer have in common."""
        return self[:2]

    @property
    def key(self) -> str:
        """Return it as one text: the unit separator is in no name."""
        return "\x1f".join(self) if self.start else f"{self.company}\x1f{self.title}"


Said = tuple[Identifier, Source, float]
"""An identifier, who says it, and how sure that source is."""

Points = dict[tuple[int, str], tuple[int, Point, Source]]
"""E-mails or phones to be written: (contact, value) → tenant, as whom it is told, who told."""


PointKind = Literal["email", "phone"]
"""What a point is."""


class FoundOut(NamedTuple):
    """An identifier that turned out to be shared."""

    key: IdentifierKey
    contacts: tuple[int, ...]
    """Those that may have taken records by it."""
    delivery: Delivery
    """What found it out."""


class AuditRow(NamedTuple):
    """A field of a workspace's view that is another now, as text (DESIGN 9, 'Audit')."""

    tenant_id: int
    binding_id: int
    workspace_id: int
    field: str
    old: str | None
    new: str | None
    source_id: int | None
    """Whose signal it was; None: an order's."""
    cause: str


@dataclass(slots=True)
class Plan:
    """What to write, in the order of the tables; nothing else is written."""

    now: datetime
    ledger: list[LedgerRow] = field(default_factory=list)
    superseded: list[tuple[int, bytes, int]] = field(default_factory=list)
    """(tenant, record key, revision) that a newer revision replaces."""
    created: dict[int, tuple[Contact, Source]] = field(default_factory=dict)
    updated: set[int] = field(default_factory=set)
    """Known contacts whose version moved."""
    enriched: dict[int, datetime] = field(default_factory=dict)
    """Contact → of when the newest is that a vendor told of it in this batch."""
    identifiers: list[tuple[IdentifierKey, Identifier, int, Delivery]] = field(default_factory=list)
    sharing: dict[IdentifierKey, Sharing] = field(default_factory=dict)
    """Contested identifiers of which something changed."""
    retired: list[IdentifierKey] = field(default_factory=list)
    """Identifiers that nobody holds any more."""
    said: dict[IdentifierKey, Said | None] = field(default_factory=dict)
    """Identifiers held already → how they are said again; None: no record says them any more, so
    that they are inactive."""
    emails: Points = field(default_factory=dict)
    phones: Points = field(default_factory=dict)
    statuses: dict[tuple[PointKind, int, str], PointStatus] = field(default_factory=dict)
    """(kind, contact, value) → what was found out of it, where a record says or said so."""
    found_out: list[FoundOut] = field(default_factory=list)
    """Identifiers that turned out to be shared: what they had joined is decided again."""
    employments: list[EmploymentRow] = field(default_factory=list)
    dropped_emails: list[tuple[int, str]] = field(default_factory=list)
    """(contact, value) that no record says any more; dropped before others are written."""
    dropped_phones: list[tuple[int, str]] = field(default_factory=list)
    dropped_jobs: list[tuple[int, Job]] = field(default_factory=list)
    companies: list[NewCompany] = field(default_factory=list)
    bindings: dict[tuple[int, int], BindingRow] = field(default_factory=dict)
    authoritative: dict[int, int] = field(default_factory=dict)
    """Contact that several workspaces know → the binding that counts most."""
    audit: list[AuditRow] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    contacts: dict[int, Contact] = field(default_factory=dict)
    """Every contact the plan touches."""
    outcomes: dict[str, int] = field(default_factory=dict)
    """What became of the signals: created, updated, duplicate, stale; and candidates."""
