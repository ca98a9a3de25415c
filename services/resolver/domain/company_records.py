"""What signals bring of companies: whose record it is, what that changes, and what is told of it.

Each company that a signal speaks of is a record with a ledger of its own: the same company told of
with a thousand people is one record, and a person's record that says nothing new may bring news of
their employer. The strongest identifier decides which company it is (spec 004); identifiers of
several companies put those up for review; a name alone links to a company known by it, and makes
none (DESIGN 9).
"""

from collections.abc import Sequence

from msgspec.structs import replace

from services.resolver.domain.company_ledger import (
    DOMAIN,
    NAME,
    CompanyNews,
    CompanyRecordRow,
    CompanyRevision,
    KnownCompany,
    Told,
)
from services.resolver.domain.company_profiles import Birth, CompanyClaim, Shown, profile_row
from services.resolver.domain.company_telling import updated
from services.resolver.domain.ledger import standing_of
from services.resolver.domain.model import Company, Ids, Known, NewCompany, Plan
from services.resolver.domain.telling import company_created, recorded
from shared.events.contact import CompanyEvent
from shared.identifiers.company import company_name_key


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

    def _record(self, told: Told, company: int, event: CompanyEvent) -> None:
        event_id = next(self._ids.events)
        self._plan.events.append(recorded(told.delivery, event_id, company, event))


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
