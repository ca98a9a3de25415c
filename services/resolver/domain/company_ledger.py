"""What signals bring of companies, as it came, and what is known of those companies already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct

from services.resolver.domain.company_profiles import Birth, CompanyClaim, Shown, compose
from services.resolver.domain.model import Delivery
from shared.events.company import CompanyFacts, NormalizedCompany
from shared.events.contact import CompanyRelation
from shared.identifiers.company import company_name_key

CompanyKey = tuple[int, str, str]
"""(tenant, type, normalised value), of `org_identifier`."""

DOMAIN: Final = "domain"
NAME: Final = "name_normalized"


class Told(Struct, frozen=True, gc=False):
    """A company of which a delivery tells."""

    delivery: Delivery
    said: NormalizedCompany
    record_key: bytes
    content_hash: bytes
    keys: tuple[CompanyKey, ...]
    """What identifies it, strongest first."""
    name: CompanyKey | None
    company: int | Literal["new"] | None = None
    """Which company it is, where a person says so; else what it is known by tells."""
    raw: str | None = None
    """The payload as it came, JSON, where the ledger of persons' records does not have it."""

    @property
    def record(self) -> tuple[int, bytes]:
        """Return which record it is: (tenant, key)."""
        return self.delivery.tenant_id, self.record_key


class CompanyRevision(Struct, frozen=True, gc=False):
    """One delivery of a company's record that the ledger holds."""

    number: int
    content_hash: bytes
    occurred_at: datetime
    current: bool
    org_id: int
    workspace_id: int | None = None
    import_id: str | None = None
    is_undone: bool = False
    source_version: int | None = None
    """Of the person's record that it came with, and no number of this one: never known."""


@dataclass(slots=True)
class KnownCompany:
    """A company's row, and what its current records say."""

    id: int
    public_id: str
    tenant_id: int
    tenant: str
    version: int
    domain: str | None
    birth: Birth
    survivor_id: int | None = None
    updated_at: datetime | None = None
    """When it last became another; None: it is being made."""
    claims: dict[bytes, CompanyClaim] = field(default_factory=dict)


@dataclass(slots=True)
class KnownCompanies:
    """What the database knows of the companies that a batch tells of."""

    holders: dict[CompanyKey, int] = field(default_factory=dict)
    """Identifier → company; a name's, too."""
    records: dict[tuple[int, bytes], list[CompanyRevision]] = field(default_factory=dict)
    companies: dict[int, KnownCompany] = field(default_factory=dict)
    """With all that they are one with."""
    relations: dict[int, list[CompanyRelation]] = field(default_factory=dict)

    def group(self, root: int) -> list[KnownCompany]:
        """Return a company that stands for itself and all that stand behind it."""
        behind = [one for one in self.companies.values() if one.survivor_id == root]
        return [self.companies[root], *behind]

    def root(self, company: int) -> int:
        """Return who stands for a company."""
        return self.companies[company].survivor_id or company

    def show(self, company: int) -> Shown:
        """Compose what a company shows at present."""
        home = self.companies[company]
        group = [home] if home.survivor_id else self.group(company)
        said = [claim for one in group for claim in one.claims.values()]
        return compose(home.birth, list(home.claims.values()), said)


class CompanyRecordRow(Struct, frozen=True, gc=False):
    """A record to be written to the ledger."""

    told: Told
    org_id: int
    revision: int
    applied_version: int
    superseded: bool


@dataclass(slots=True)
class CompanyWrites:
    """What to write of companies besides those that are new."""

    records: list[CompanyRecordRow] = field(default_factory=list)
    superseded: list[tuple[int, bytes, int]] = field(default_factory=list)
    """(tenant, record key, revision) that a newer one replaces."""
    also_told: dict[tuple[int, bytes, int, int, str], None] = field(default_factory=dict)
    """(tenant, record key, revision) of an import, and (workspace, import) that told the same."""
    identifiers: list[tuple[CompanyKey, int, Told]] = field(default_factory=list)
    named: list[tuple[int, str]] = field(default_factory=list)
    """Company → the key of the name that it has now."""
    proposed: dict[tuple[int, int], tuple[int, list[CompanyKey]]] = field(default_factory=dict)
    """Pair (lower id, higher id) → tenant, and what one record says of both."""
    profiles: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `contact.organisation` as they are now."""


def told_of(deliveries: Iterable[Delivery], *, are_alone: bool = False) -> list[Told]:
    """Return the companies that deliveries tell of, in their order.

    `are_alone`: the deliveries say nothing of a person.  The payload of each stays with the first
    company that it tells of and that is entered.
    """
    return [
        Told(
            delivery,
            said,
            bytes.fromhex(said.record_key),
            bytes.fromhex(said.content_hash),
            tuple((delivery.tenant_id, one.type, one.value) for one in said.facts.identifiers),
            name_key(delivery.tenant_id, said.facts),
            raw=delivery.raw if are_alone else None,
        )
        for delivery in deliveries
        for said in delivery.signal.companies
    ]


def keys_of(told: Iterable[Told]) -> set[CompanyKey]:
    """Return all that may identify the companies told of."""
    return {key for one in told for key in one.keys}


def lock_names(told: Iterable[Told]) -> set[str]:
    """Name what no two batches may decide about at once, domains aside: those are locked anyway."""
    named = {
        f"{tenant}\0{kind}\0{value}" for tenant, kind, value in keys_of(told) if kind != DOMAIN
    }
    return named | {record_lock(*one.record) for one in told}


def record_lock(tenant: int, record_key: bytes) -> str:
    """Name a record, for a lock on it."""
    return f"{tenant}\0{record_key.hex()}"


def name_key(tenant: int, facts: CompanyFacts) -> CompanyKey | None:
    """Return how a company is looked up by the name that a record says; None: it says none."""
    key = company_name_key(facts.name) if facts.name else None
    return (tenant, NAME, key) if key else None


@dataclass(slots=True)
class CompanyNews:
    """What a batch tells of companies: as it came, what is known, and what comes of it."""

    told: Sequence[Told]
    found: KnownCompanies
    writes: CompanyWrites = field(default_factory=CompanyWrites)
    unplaced: list[Told] = field(default_factory=list)
    """What names a company by a name that none is known by: nothing comes of it."""
