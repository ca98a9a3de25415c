"""Carry out what a person says of a company: lock, load, decide, apply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, Literal

from services.resolver.domain.company_entries import (
    SOURCE,
    entry,
    entry_key,
    first_facts,
    keys_of,
    new_identifiers,
    revised,
    taken,
)
from services.resolver.domain.company_ledger import DOMAIN, CompanyNews, KnownCompanies, Told
from services.resolver.domain.company_records import take_companies
from services.resolver.domain.company_telling import shape_of
from services.resolver.domain.marking import Ordered
from services.resolver.domain.model import Known, Plan, Source
from services.resolver.store.company_records import JUDGING, LOCKS, CompanyRecords
from services.resolver.store.ids import IdBlocks
from services.resolver.store.loading import lock_key
from services.resolver.store.queries import QUERIES
from services.resolver.store.writing import Writer
from shared.auth import Place
from shared.events.command import ChangeCompany, CompanyEntry, CreateCompany
from shared.events.company import CompanyFacts
from shared.postgres.pool import Connection

IDS: Final = 2
"""Ids that an entry needs at most."""


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """What became of an entry."""

    outcome: Literal["done", "unchanged", "unknown_company", "conflict", "identifier_taken"]
    positions: Mapping[str, int] = field(default_factory=dict)
    """Company → the version that tells of it."""
    shown: Mapping[str, Any] | None = None
    """The company as it is now: id, version, and its shape as events have it."""
    named: Sequence[str] = ()
    """Other companies, known by what was said of this one."""


class CompanyEntries:
    """Decides and writes inside one transaction."""

    def __init__(
        self,
        connection: Connection,
        sources: Mapping[int, Source],
        ids: IdBlocks,
        place: Place,
        trace: str | None,
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._ids = ids
        self._place = place
        self._trace = trace
        self._records = CompanyRecords(connection)
        self._now = datetime.now(UTC)

    async def carry_out(self, order: CompanyEntry) -> EntryAnswer:
        """Carry out one order; the same command again answers with what it led to."""
        if isinstance(order, CreateCompany):
            said = first_facts(order.values)
        elif isinstance(order, ChangeCompany):
            said = new_identifiers(order)
        else:
            raise TypeError(type(order).__name__)
        await self._lock(said)
        done = await self._connection.fetchrow(
            JUDGING["find_company_command"], order.command_id, self._place.tenant_id
        )
        if done is not None:
            return await self._as_it_is(done["public_id"])
        if isinstance(order, CreateCompany):
            return await self._create(order, said)
        return await self._change(order, said)

    async def _lock(self, said: CompanyFacts) -> None:
        """Keep batches from telling of these companies meanwhile: names first, as batches do."""
        tenant = self._place.tenant_id
        keys = keys_of(tenant, said)
        names = [f"domain\0{tenant}\0{value}" for _, kind, value in keys if kind == DOMAIN]
        names += [
            f"company\0{tenant}\0{kind}\0{value}" for _, kind, value in keys if kind != DOMAIN
        ]
        await self._connection.fetchval(QUERIES["lock"], sorted({lock_key(one) for one in names}))
        await self._connection.execute(JUDGING["lock_companies"], LOCKS, tenant)

    async def _create(self, order: CreateCompany, said: CompanyFacts) -> EntryAnswer:
        ids = await self._ids.take(self._connection, IDS)
        company_id, public_id = next(ids.companies)
        key = entry_key(self._place.tenant, public_id)
        told = self._told(order, said, key, self._now, "new")
        news = await self._load(told)
        if others := taken(told.keys, news.found, None):
            return self._taken(news.found, others)
        given = replace(ids, companies=chain([(company_id, public_id)], ids.companies))
        plan = Plan(now=self._now)
        take_companies(news, Known(), given, plan)
        return await self._apply(order, news, plan, company_id)

    async def _change(self, order: ChangeCompany, said: CompanyFacts) -> EntryAnswer:
        root = await self._find(order.company_id)
        if root is None:
            return EntryAnswer("unknown_company")
        found = KnownCompanies()
        await self._records.read([root], found)
        company = found.companies[root]
        if order.expected is not None and order.expected != company.version:
            return EntryAnswer("conflict", {company.public_id: company.version})
        key = entry_key(self._place.tenant, company.public_id)
        present = company.claims.get(key)
        facts = revised(present.facts if present else None, said, found.show(root), order)
        # Clocks differ: what is said now is said after what was said before.
        at = max(self._now, present.asserted_at) if present else self._now
        told = self._told(order, facts, key, at, root)
        news = await self._load(told, root)
        keys = keys_of(self._place.tenant_id, said)
        if others := taken(keys, news.found, root):
            return self._taken(news.found, others)
        plan = Plan(now=self._now)
        take_companies(news, Known(), await self._ids.take(self._connection, IDS), plan)
        return await self._apply(order, news, plan, root)

    def _told(
        self,
        order: CompanyEntry,
        facts: CompanyFacts,
        key: bytes,
        at: datetime,
        company: int | Literal["new"],
    ) -> Told:
        place = self._place
        ordered = Ordered(
            order.command_id,
            place.tenant_id,
            place.tenant,
            place.workspace_id,
            place.workspace,
            next(one for one in self._sources.values() if one.name == SOURCE),
            self._now,
            self._trace,
        )
        return entry(ordered, facts, key, at, company)

    async def _load(self, told: Told, root: int | None = None) -> CompanyNews:
        news = await self._records.load([told], () if root is None else (root,))
        assert news is not None, "something is told"
        return news

    async def _find(self, public_id: str) -> int | None:
        rows = await self._connection.fetch(
            JUDGING["find_company_roots"], self._place.tenant_id, [public_id]
        )
        return rows[0]["root"] if rows else None

    def _taken(self, found: KnownCompanies, others: Sequence[int]) -> EntryAnswer:
        return EntryAnswer(
            "identifier_taken", named=[found.companies[one].public_id for one in others]
        )

    async def _apply(
        self, order: CompanyEntry, news: CompanyNews, plan: Plan, company: int
    ) -> EntryAnswer:
        await Writer(self._connection, plan).write()
        await self._records.write(news.writes, plan.now)
        home = news.found.companies[company]
        await self._connection.execute(
            JUDGING["log_company_command"],
            order.command_id,
            self._place.tenant_id,
            company,
            home.version,
            plan.now,
        )
        if not plan.events:
            return self._answer("unchanged", news.found, company)
        home.updated_at = plan.now
        return self._answer("done", news.found, company)

    async def _as_it_is(self, public_id: str) -> EntryAnswer:
        root = await self._find(public_id)
        assert root is not None, "the command log names it"
        found = KnownCompanies()
        await self._records.read([root], found)
        return self._answer("done", found, root)

    def _answer(
        self, outcome: Literal["done", "unchanged"], found: KnownCompanies, company: int
    ) -> EntryAnswer:
        home = found.companies[company]
        shape = shape_of(found, company, found.show(company)).model_dump(mode="json")
        shown = {
            "company_id": home.public_id,
            "version": home.version,
            "updated_at": home.updated_at and home.updated_at.isoformat(),
            "shape": shape,
        }
        return EntryAnswer(outcome, {home.public_id: home.version}, shown)
