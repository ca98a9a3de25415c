"""What signals bring of companies: whose record it is, what that changes, and what is told of it.

Each company that a signal speaks of is a record with a ledger of its own: the same company told of
with a thousand people is one record, and a person's record that says nothing new may bring news of
their employer. The strongest identifier decides which company it is (spec 004); identifiers of
several companies put those up for review; a name alone links to a company known by it, and makes
none (DESIGN 9).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from services.resolver.domain.company_profiles import (
    Birth,
    CompanyClaim,
    Shown,
    changes,
    compose,
    profile_row,
)
from services.resolver.domain.ledger import standing_of
from services.resolver.domain.model import (
    Company,
    Delivery,
    Ids,
    Known,
    NewCompany,
    Plan,
    RecordedEvent,
)
from services.resolver.domain.telling import company_created
from shared.events.company import CompanyFacts, NormalizedCompany
from shared.events.contact import CompanyRelation, CompanyShape, CompanyUpdated
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


def take_companies(news: CompanyNews, known: Known, ids: Ids, plan: Plan) -> None:
    """Decide what deliveries tell of companies: before their jobs, which find them made."""
    taking = _Taking(news, known, ids, plan)
    for one in news.told:
        taking.take(one)
    taking.tell()
    found = news.found.companies
    news.writes.records = [
        replace(row, applied_version=found[row.org_id].version) for row in news.writes.records
    ]


class _Taking:
    """One batch's companies on their way into the plan."""

    def __init__(self, news: CompanyNews, known: Known, ids: Ids, plan: Plan) -> None:
        self._found = news.found
        self._known = known
        self._ids = ids
        self._plan = plan
        self._writes = news.writes
        self._unplaced = news.unplaced
        self._before: dict[int, Shown] = {}
        self._because: dict[int, Told] = {}
        """Company → what last told something new of it."""
        self._placed: set[int] = set()
        """Companies that had no domain until now, or another."""

    def take(self, told: Told) -> None:
        """Enter a record in the ledger, and what it says with its company."""
        revisions = self._found.records.setdefault(told.record, [])
        standing = _standing(told, revisions)
        if standing == "duplicate":
            self._note(told, revisions)
            return
        current = next((one for one in revisions if one.current), None)
        company = self._company_of(told, current)
        if company is None:
            self._unplaced.append(told)
            return
        is_stale = standing == "stale"
        number = revisions[-1].number + 1 if revisions else 1
        if not is_stale:
            self._say(told, company, current)
            if current is not None:
                revisions[revisions.index(current)] = replace(current, current=False)
                self._writes.superseded.append((*told.record, current.number))
        signal = told.delivery.signal
        revisions.append(
            CompanyRevision(
                number,
                told.content_hash,
                signal.occurred_at,
                not is_stale,
                company.id,
                told.delivery.workspace_id,
                signal.import_id,
            )
        )
        self._writes.records.append(
            CompanyRecordRow(told, company.id, number, company.version, is_stale)
        )

    def tell(self) -> None:
        """Tell of every company that shows something else now."""
        for root, told in self._because.items():
            company = self._found.companies[root]
            shown = self._found.show(root)
            before = self._before[root]
            if shown == before and root not in self._placed:
                continue
            company.version += 1
            signal = told.delivery.signal
            event = updated(
                self._found,
                root,
                before,
                shown,
                occurred_at=signal.occurred_at,
                cause=signal.signal_id,
                workspace=signal.workspace,
            )
            self._record(told, root, event)
            is_enriched = told.delivery.source.is_enrichment
            self._writes.profiles.append(
                profile_row(
                    root,
                    company.version,
                    shown,
                    company.domain,
                    signal.occurred_at if is_enriched else None,
                )
            )
            if shown.name != before.name and (key := company_name_key(shown.name)):
                self._writes.named.append((root, key))
                self._writes.identifiers.append(((company.tenant_id, NAME, key), root, told))

    def _company_of(self, told: Told, current: CompanyRevision | None) -> KnownCompany | None:
        """Find whose record it is, or make the company that its identifiers name."""
        found = self._found
        if told.company == "new":
            return self._make(told)
        if told.company is not None:
            return self._place(told, found.companies[told.company])
        hits = list(dict.fromkeys(found.holders[key] for key in told.keys if key in found.holders))
        if hits:
            first = found.root(hits[0])
            for other in hits[1:]:
                if (second := found.root(other)) != first:
                    self._propose(told, first, second)
            return self._name(told, found.companies[hits[0]])
        if current is not None:
            return self._name(told, found.companies[current.org_id])
        if told.keys:
            return self._make(told)
        holder = found.holders.get(told.name) if told.name else None
        return found.companies[holder] if holder is not None else None

    def _place(self, told: Told, company: KnownCompany) -> KnownCompany:
        """Let a company have the domain that a person says, in place of the one it had."""
        domain = next((value for _, kind, value in told.keys if kind == DOMAIN), None)
        if domain is not None and domain != company.domain:
            company.domain = domain
            self._placed.add(company.id)
        return self._name(told, company)

    def _name(self, told: Told, company: KnownCompany) -> KnownCompany:
        """Let a company be known by what nobody is known by yet."""
        for key in told.keys:
            if key not in self._found.holders:
                self._found.holders[key] = company.id
                self._writes.identifiers.append((key, company.id, told))
                if key[1] == DOMAIN:
                    if company.domain is None:
                        company.domain = key[2]
                        self._placed.add(company.id)
                    self._known.companies_by_domain[key[0], key[2]] = _plain(company)
        return company

    def _make(self, told: Told) -> KnownCompany:
        company_id, public_id = next(self._ids.companies)
        delivery, signal = told.delivery, told.delivery.signal
        domain = next((value for _, kind, value in told.keys if kind == DOMAIN), None)
        # Without a name, the best of what it is known by stands for one.
        name = told.said.facts.name or domain or told.keys[0][2]
        source = delivery.source
        birth = Birth(name, domain, source.name, source.priority, self._plan.now)
        company = KnownCompany(
            company_id, public_id, delivery.tenant_id, signal.tenant, 1, domain, birth
        )
        self._found.companies[company_id] = company
        new = NewCompany(
            _plain(company),
            delivery.tenant_id,
            domain,
            told.name[2] if told.name else None,
            delivery.source,
        )
        self._plan.companies.append(new)
        self._known.company_ids[public_id] = company_id
        for key in told.keys:
            self._found.holders[key] = company_id
            if key[1] == DOMAIN:
                self._known.companies_by_domain[key[0], key[2]] = new.company
            if key != (delivery.tenant_id, DOMAIN, domain):
                self._writes.identifiers.append((key, company_id, told))
        if told.name and told.name not in self._found.holders:
            self._found.holders[told.name] = company_id
            self._known.companies_by_name.setdefault(
                (delivery.tenant_id, told.name[2]), new.company
            )
        self._before[company_id] = self._found.show(company_id)
        self._record(told, company_id, company_created(delivery, new))
        return company

    def _note(self, told: Told, revisions: Sequence[CompanyRevision]) -> None:
        """Note who else tells what an import told: it outlasts the import (ADR 0053)."""
        said = [
            one for one in revisions if not one.is_undone and one.content_hash == told.content_hash
        ]
        now = told.delivery.signal.occurred_at
        same = next((one for one in said if one.occurred_at == now), None)
        same = same or next((one for one in said if one.current), None)
        if same is None or same.import_id is None:
            return
        who = (told.delivery.workspace_id, told.delivery.signal.import_id or "")
        if who != (same.workspace_id, same.import_id):
            self._writes.also_told[*told.record, same.number, *who] = None

    def _say(self, told: Told, company: KnownCompany, current: CompanyRevision | None) -> None:
        """Let the record speak of this company from now on, and of no other."""
        self._touch(company.id, told)
        if current is not None and current.org_id != company.id:
            self._touch(current.org_id, told)
            self._found.companies[current.org_id].claims.pop(told.record_key, None)
        signal, source = told.delivery.signal, told.delivery.source
        company.claims[told.record_key] = CompanyClaim(
            told.record_key,
            source.name,
            source.priority,
            signal.confidence,
            signal.occurred_at,
            told.said.facts,
        )

    def _touch(self, company: int, told: Told) -> None:
        for one in {company, self._found.root(company)}:
            if one not in self._before:
                self._before[one] = self._found.show(one)
            self._because[one] = told

    def _propose(self, told: Told, one: int, other: int) -> None:
        pair = (min(one, other), max(one, other))
        evidence = [key for key in told.keys if key in self._found.holders]
        self._writes.proposed.setdefault(pair, (told.delivery.tenant_id, evidence))

    def _record(self, told: Told, company: int, event: Any) -> None:
        delivery = told.delivery
        self._plan.events.append(
            RecordedEvent(
                next(self._ids.events),
                delivery.tenant_id,
                delivery.signal.tenant,
                company,
                event,
                None,
                delivery.signal.received_at,
                delivery.traceparent,
            )
        )


def updated(
    found: KnownCompanies,
    company: int,
    before: Shown,
    shown: Shown,
    *,
    occurred_at: datetime,
    cause: str,
    workspace: str | None = None,
) -> CompanyUpdated:
    """Tell what a company shows now, and what of it is new."""
    home = found.companies[company]
    changed, parts = changes(before, shown)
    return CompanyUpdated(
        occurred_at=occurred_at,
        cause=cause,
        workspace=workspace,
        company_id=home.public_id,
        version=home.version,
        changes=changed,
        parts_changed=parts,
        shape=shape_of(found, company, shown),
    )


def shape_of(found: KnownCompanies, company: int, shown: Shown) -> CompanyShape:
    """Say all that is known of a company at once."""
    home = found.companies[company]
    return CompanyShape(
        name=shown.name,
        domain=home.domain,
        source=home.birth.source,
        created_at=home.birth.at,
        survivor_id=found.companies[home.survivor_id].public_id if home.survivor_id else None,
        relations=tuple(found.relations.get(company, ())),
        profile=shown.profile,
    )


def tell_again(
    found: KnownCompanies,
    before: Mapping[int, Shown],
    writes: CompanyWrites,
    now: datetime,
    cause: str,
) -> list[tuple[int, CompanyUpdated]]:
    """Tell of the companies that show something else than before, and note what to write."""
    told = []
    for company, was in sorted(before.items()):
        shown = found.show(company)
        if shown == was:
            continue
        home = found.companies[company]
        home.version += 1
        event = updated(found, company, was, shown, occurred_at=now, cause=cause)
        told.append((company, event))
        writes.profiles.append(profile_row(company, home.version, shown, home.domain))
    return told


def _plain(company: KnownCompany) -> Company:
    return Company(company.id, company.public_id, company.birth.name)


def _standing(told: Told, revisions: Sequence[CompanyRevision]) -> str:
    """Say what a record is to its ledger, as `ledger.standing` does of a person's."""
    signal = told.delivery.signal
    for one in revisions:
        repeats = one.content_hash == told.content_hash and one.occurred_at == signal.occurred_at
        if one.is_undone and repeats and signal.import_id in {None, one.import_id}:
            return "duplicate"
    counting = [one for one in revisions if not one.is_undone]
    return standing_of(told.content_hash, signal.occurred_at, None, counting)
