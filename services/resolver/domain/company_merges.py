"""Merge companies, take them apart, relate them: what people order, and what comes of it.

A company is a home as a contact is, and a merge an edge between two homes (ADR 0043). But nothing
moves: jobs, names and domains stay with the company that they were said of, and whoever reads a
company reads those of all that stand behind it. So a merge that was undone has never been, however
many people work there (ADR 0060).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from services.resolver.domain.cluster import Order, Pair, between, pair_of
from services.resolver.domain.company_profiles import (
    Birth,
    CompanyClaim,
    compose,
    profile_row,
)
from services.resolver.domain.homes import Homes, Merge
from services.resolver.domain.model import RecordedEvent
from shared.events.command import (
    CompanyOrder,
    MergeCompanies,
    RejectCompanyMerge,
    RelateCompanies,
    SplitCompany,
    UnrelateCompanies,
)
from shared.events.contact import (
    CompaniesMerged,
    CompaniesRelated,
    CompaniesSplit,
    CompanyEvent,
    CompanyRelation,
    CompanyRelationKind,
    CompanyShape,
)

BELONGING: Final = frozenset({"subsidiary", "division"})
"""Kinds that make the other company the parent: there is at most one."""

MUTUAL: Final = frozenset({"partner", "competitor"})
"""Kinds that hold both ways: kept once, the older company first."""

CompanyRefusal = Literal[
    "unchanged",
    "one_company",
    "unknown_company",
    "unknown_merge",
    "unknown_relation",
    "circular",
    "has_parent",
]
"""Why nothing is done: it is so already; what is to be kept apart is one company; no such company,
merge or relation; a company would be its own ancestor; it belongs to another company already."""


@dataclass(slots=True)
class CompanyHome:
    """A company as its row says."""

    id: int
    public_id: str
    version: int
    birth: Birth
    parent: int | None
    claims: list[CompanyClaim] = field(default_factory=list)
    """What its current records say."""


class Related(NamedTuple):
    """What a person said of two companies; `one` is a `kind` of `other`."""

    one: int
    other: int
    kind: CompanyRelationKind
    since: date | None
    until: date | None


@dataclass(slots=True)
class Companies:
    """The companies that an order concerns, with all they were merged with."""

    tenant_id: int
    tenant: str
    homes: dict[int, CompanyHome] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    """In force among them, oldest first."""
    relations: list[Related] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """Company → public id, of the other ends of relations too."""
    above: Mapping[int, Collection[int]] = field(default_factory=dict)
    """Company that stands for itself → itself and all above it."""
    parents: dict[int, int] = field(default_factory=dict)
    """Home → who stands for its parent."""
    apart: set[Pair] = field(default_factory=set)
    candidates: set[Pair] = field(default_factory=set)


@dataclass(slots=True)
class CompanyPlan:
    """What to write."""

    order: Order
    companies: Companies
    touched: dict[int, CompanyHome] = field(default_factory=dict)
    survivors: dict[int, int | None] = field(default_factory=dict)
    """Touched company → who stands for it; None: itself."""
    events: list[RecordedEvent] = field(default_factory=list)
    merged: Merge | None = None
    undone: str | None = None
    resolved: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Merge in force → (survivor, absorbed) as it comes out, given all others."""
    related: Related | None = None
    unrelated: Related | None = None
    parents: dict[int, int | None] = field(default_factory=dict)
    profiles: list[dict[str, Any]] = field(default_factory=list)
    """What touched companies show now."""
    joined: list[Pair] = field(default_factory=list)
    """Pairs that a person makes one; whoever kept them apart is overruled."""
    overruled: list[Pair] = field(default_factory=list)
    kept_apart: list[Pair] = field(default_factory=list)
    settled: dict[Pair, str] = field(default_factory=dict)

    @property
    def positions(self) -> dict[str, int]:
        """Return public id → version of every company that changed."""
        return {one.public_id: one.version for one in self.touched.values()}


def companies_of(command: CompanyOrder) -> list[str]:
    """Return the public ids that an order names, its own company first."""
    match command:
        case MergeCompanies():
            return [command.company_id, command.absorbed_id]
        case RejectCompanyMerge() | RelateCompanies() | UnrelateCompanies():
            return [command.company_id, command.other_id]
        case _:
            return [command.company_id]


def judge_companies(
    command: CompanyOrder,
    companies: Companies,
    named: Mapping[str, int],
    merge_id: str,
    order: Order,
) -> CompanyPlan | CompanyRefusal:
    """Decide an order about companies."""
    if not set(companies_of(command)) <= named.keys():
        return "unknown_company"
    decision = _Decision(companies, order)
    company = named[command.company_id]
    match command:
        case MergeCompanies():
            return decision.merge(company, named[command.absorbed_id], merge_id)
        case RejectCompanyMerge():
            return decision.reject(company, named[command.other_id])
        case SplitCompany():
            return decision.undo(company, command.merge_id)
        case RelateCompanies():
            dates = (command.since, command.until)
            return decision.relate(company, named[command.other_id], command.kind, dates)
        case UnrelateCompanies():
            return decision.unrelate(company, named[command.other_id], command.kind)
        case _:
            raise TypeError(type(command).__name__)


_Teller = Callable[[CompanyHome, CompanyShape], CompanyEvent]
"""Makes the event that tells a company's new shape."""


class _Decision:
    """One order on its way into a plan."""

    def __init__(self, companies: Companies, order: Order) -> None:
        self._companies = companies
        self._order = order
        self._before = Homes(companies.homes, companies.merges)
        self._relations = list(companies.relations)
        self._plan = CompanyPlan(order, companies)

    def merge(self, survivor: int, absorbed: int, merge_id: str) -> CompanyPlan | CompanyRefusal:
        """Make two companies one: a person overrules whoever kept them apart."""
        kept, taken = self._before.root(survivor), self._before.root(absorbed)
        if kept == taken:
            return "unchanged"
        ours, theirs = self._before.groups[kept], self._before.groups[taken]
        # A parent outside that has either above it would be above and below what they become.
        outside = {
            parent
            for home in (*ours, *theirs)
            if (parent := self._companies.parents.get(home)) not in (None, kept, taken)
        }
        if any({kept, taken} & set(self._companies.above.get(one, ())) for one in outside if one):
            return "circular"
        new = Merge(merge_id, survivor, absorbed)
        after = Homes(self._companies.homes, [*self._companies.merges, new])
        names = (self._companies.names[kept], self._companies.names[taken])

        def tell(home: CompanyHome, shape: CompanyShape) -> CompanyEvent:
            return CompaniesMerged(
                occurred_at=self._order.now,
                cause=self._order.command_id,
                company_id=home.public_id,
                version=home.version,
                merge_id=merge_id,
                survivor_id=names[0],
                absorbed_id=names[1],
                decided_by="person",
                reason=self._order.merge_reason,
                shape=shape,
            )

        plan = self._plan
        plan.merged = new
        self._restand(after, tell, also=[kept])
        pair = pair_of(survivor, absorbed)
        plan.joined = [pair]
        plan.overruled = sorted(between(self._companies.apart, ours, theirs))
        plan.settled = dict.fromkeys(between(self._companies.candidates, ours, theirs), "approved")
        return plan

    def undo(self, company: int, merge_id: str | None) -> CompanyPlan | CompanyRefusal:
        """Take a company apart along one merge, the newest by default."""
        original = self._before.root(company)
        group = self._before.groups[original]
        within = [one for one in self._companies.merges if one.survivor in group]
        chosen = [one for one in within if merge_id in (None, one.public_id)]
        if not chosen:
            return "unknown_merge"
        undone = chosen[-1]
        left = [one for one in self._companies.merges if one is not undone]
        after = Homes(self._companies.homes, left)
        ends = {after.root(undone.survivor), after.root(undone.absorbed)}
        (new,) = ends - {original}
        names = (self._companies.names[original], self._companies.names[new])

        def tell(home: CompanyHome, shape: CompanyShape) -> CompanyEvent:
            return CompaniesSplit(
                occurred_at=self._order.now,
                cause=self._order.command_id,
                company_id=home.public_id,
                version=home.version,
                merge_id=undone.public_id,
                original_id=names[0],
                new_id=names[1],
                reason=self._order.reason,
                shape=shape,
            )

        plan = self._plan
        plan.undone = undone.public_id
        self._restand(after, tell, also=[original])
        pairs = {pair_of(undone.survivor, undone.absorbed), pair_of(original, new)}
        plan.kept_apart = sorted(pairs)
        plan.settled = dict.fromkeys(self._companies.candidates & pairs, "rejected")
        return plan

    def reject(self, one: int, other: int) -> CompanyPlan | CompanyRefusal:
        """Keep two companies apart from now on."""
        ours = self._before.groups[self._before.root(one)]
        theirs = self._before.groups[self._before.root(other)]
        if ours == theirs:
            return "one_company"
        if pair_of(one, other) in self._companies.apart:
            return "unchanged"
        plan = self._plan
        plan.kept_apart = [pair_of(one, other)]
        plan.settled = dict.fromkeys(between(self._companies.candidates, ours, theirs), "rejected")
        return plan

    def relate(
        self,
        one: int,
        other: int,
        kind: CompanyRelationKind,
        dates: tuple[date | None, date | None],
    ) -> CompanyPlan | CompanyRefusal:
        """Say what a company is of another; it is said of those who stand for them."""
        ours, theirs = one, other = self._before.root(one), self._before.root(other)
        related = _related(one, other, kind, *dates)
        if ours == theirs:
            return "circular"
        if related in self._relations:
            return "unchanged"
        if kind in BELONGING:
            if self._companies.homes[one].parent not in (None, other):
                return "has_parent"
            if ours in self._companies.above.get(theirs, ()):
                return "circular"
            self._plan.parents[one] = other
        old = self._find(one, other, kind)
        self._relations = [found for found in self._relations if found != old] + [related]
        self._plan.unrelated, self._plan.related = old, related
        return self._tell_relation(related, is_over=False)

    def unrelate(
        self, one: int, other: int, kind: CompanyRelationKind
    ) -> CompanyPlan | CompanyRefusal:
        """Take back what was said of two companies."""
        old = self._find(one, other, kind)
        if old is None:
            return "unknown_relation"
        self._relations.remove(old)
        belongs = any(left.one == old.one and left.kind in BELONGING for left in self._relations)
        if kind in BELONGING and not belongs:
            self._plan.parents[old.one] = None
        self._plan.unrelated = old
        return self._tell_relation(old, is_over=True)

    def _find(self, one: int, other: int, kind: CompanyRelationKind) -> Related | None:
        """Find what was said of two companies, or of any that they stand for."""
        homes = self._before
        ends = [homes.groups[homes.root(one)], homes.groups[homes.root(other)]]
        for left, right in (ends, ends[::-1]) if kind in MUTUAL else (ends,):
            for found in self._relations:
                if found.kind == kind and found.one in left and found.other in right:
                    return found
        return None

    def _tell_relation(self, related: Related, *, is_over: bool) -> CompanyPlan:
        relation = self._relation(related)

        def tell(home: CompanyHome, shape: CompanyShape) -> CompanyEvent:
            return CompaniesRelated(
                occurred_at=self._order.now,
                cause=self._order.command_id,
                company_id=home.public_id,
                version=home.version,
                relation=relation,
                is_over=is_over,
                reason=self._order.reason,
                shape=shape,
            )

        for company in sorted({related.one, related.other}):
            self._tell(company, self._before, tell)
        return self._plan

    def _restand(self, after: Homes, tell: _Teller, also: Collection[int]) -> None:
        """Tell of every company that another stands for now, or no longer does."""
        moved = {
            home for home in self._companies.homes if after.root(home) != self._before.root(home)
        }
        for home in sorted({*moved, *also}):
            self._tell(home, after, tell)
        self._plan.resolved = {
            one.merge.public_id: (one.survivor, one.absorbed) for one in after.absorptions()
        }

    def _tell(self, company: int, homes: Homes, tell: _Teller) -> None:
        plan, companies = self._plan, self._companies
        home = companies.homes[company]
        home.version += 1
        root = homes.root(company)
        plan.touched[company] = home
        plan.survivors[company] = None if root == company else root
        group = homes.groups[company] if root == company else [company]
        said = [claim for one in group for claim in companies.homes[one].claims]
        shown = compose(home.birth, home.claims, said)
        plan.profiles.append(profile_row(company, home.version, shown, home.birth.domain))
        shape = CompanyShape(
            name=shown.name,
            domain=home.birth.domain,
            source=home.birth.source,
            created_at=home.birth.at,
            survivor_id=None if root == company else companies.names[root],
            relations=tuple(
                self._relation(one) for one in self._relations if company in (one.one, one.other)
            ),
            profile=shown.profile,
        )
        tenant = (companies.tenant_id, companies.tenant)
        plan.events.append(self._order.recorded(tenant, company, tell(home, shape)))

    def _relation(self, related: Related) -> CompanyRelation:
        names = self._companies.names
        return CompanyRelation(
            kind=related.kind,
            from_id=names[related.one],
            to_id=names[related.other],
            since=related.since,
            until=related.until,
        )


def _related(
    one: int, other: int, kind: CompanyRelationKind, since: date | None, until: date | None
) -> Related:
    if kind in MUTUAL:
        one, other = pair_of(one, other)
    return Related(one, other, kind, since, until)
