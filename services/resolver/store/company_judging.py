"""Carry out an order about companies: load, decide, apply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from ulid import ULID

from services.resolver.domain.cluster import Order, pair_of
from services.resolver.domain.company_merges import (
    Companies,
    CompanyHome,
    CompanyPlan,
    CompanyRefusal,
    Related,
    companies_of,
    judge_companies,
)
from services.resolver.domain.company_profiles import Birth
from services.resolver.domain.homes import Merge
from services.resolver.domain.model import Plan
from services.resolver.store.company_records import JUDGING as STATEMENTS
from services.resolver.store.company_records import LOCKS, find_claims, save_profiles
from services.resolver.store.ids import IdBlocks
from services.resolver.store.writing import Writer
from shared.auth import Place
from shared.events.codec import encode
from shared.events.command import CompanyOrder
from shared.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class CompanyAnswer:
    """What became of an order about companies."""

    outcome: Literal["done"] | CompanyRefusal
    positions: Mapping[str, int] = field(default_factory=dict)
    """Company → the version that tells of it."""
    merge_id: str | None = None


class CompanyJudge:
    """Decides and writes inside one transaction."""

    def __init__(self, connection: Connection, ids: IdBlocks) -> None:
        self._connection = connection
        self._ids = ids

    async def carry_out(
        self, command: CompanyOrder, place: Place, trace: str | None
    ) -> CompanyAnswer:
        """Carry out one order; the same command again answers what it led to."""
        tenant = place.tenant_id
        await self._connection.execute(STATEMENTS["lock_companies"], LOCKS, tenant)
        done = await self._connection.fetch(
            STATEMENTS["find_company_command"], command.command_id, tenant
        )
        if done:
            return CompanyAnswer("done", {row["public_id"]: row["applied_version"] for row in done})
        rows = await self._connection.fetch(
            STATEMENTS["find_company_roots"], tenant, companies_of(command)
        )
        named = {row["public_id"]: row["id"] for row in rows}
        companies = await self._load(place, sorted({row["root"] for row in rows}))
        order = Order(
            command_id=command.command_id,
            ids=await self._ids.take(self._connection, 1),
            now=datetime.now(UTC),
            issued_at=command.issued_at,
            reason=command.reason,
            traceparent=trace,
        )
        plan = judge_companies(command, companies, named, f"mrg_{ULID()}", order)
        if isinstance(plan, CompanyPlan):
            await self._write(plan)
        elif plan != "unchanged":
            return CompanyAnswer(plan)
        await self._log_command(command, tenant, companies.homes[named[command.company_id]], order)
        if not isinstance(plan, CompanyPlan):
            return CompanyAnswer(plan)
        merge = plan.merged.public_id if plan.merged else plan.undone
        return CompanyAnswer("done", plan.positions, merge)

    async def _load(self, place: Place, roots: list[int]) -> Companies:
        companies = Companies(place.tenant_id, place.tenant)
        for row in await self._connection.fetch(STATEMENTS["find_company_homes"], roots):
            companies.homes[row["id"]] = CompanyHome(
                row["id"],
                row["public_id"],
                row["version"],
                Birth(
                    row["born_name"],
                    row["primary_domain"],
                    row["source"],
                    row["priority"],
                    row["created_at"],
                ),
                row["parent_org_id"],
            )
            companies.names[row["id"]] = row["public_id"]
        homes = sorted(companies.homes)
        for home, claim in await find_claims(self._connection, homes):
            companies.homes[home].claims.append(claim)
        companies.merges = [
            Merge(row["merge_id"], row["named_into_id"], row["named_from_id"], row["by_person"])
            for row in await self._connection.fetch(STATEMENTS["find_company_merges"], homes)
        ]
        for row in await self._connection.fetch(STATEMENTS["find_company_relations"], homes):
            companies.relations.append(
                Related(
                    row["from_org_id"], row["to_org_id"], row["kind"], row["since"], row["until"]
                )
            )
            companies.names[row["from_org_id"]] = row["from_name"]
            companies.names[row["to_org_id"]] = row["to_name"]
        for row in await self._connection.fetch(
            STATEMENTS["find_companies_apart"], place.tenant_id, homes
        ):
            companies.apart.add((row["entity_id_a"], row["entity_id_b"]))
        for row in await self._connection.fetch(STATEMENTS["find_open_company_candidates"], homes):
            companies.candidates.add(pair_of(row["org_id_a"], row["org_id_b"]))
        await self._read_above(companies, roots)
        return companies

    async def _read_above(self, companies: Companies, roots: list[int]) -> None:
        """Find who is above the companies, and above the parents of each of their homes."""
        parents = {one.id: one.parent for one in companies.homes.values() if one.parent}
        rows = await self._connection.fetch(
            STATEMENTS["find_company_roots_by_id"], sorted(set(parents.values()))
        )
        standing = {row["id"]: row["root"] for row in rows}
        companies.parents = {home: standing[parent] for home, parent in parents.items()}
        above: dict[int, set[int]] = {}
        rows = await self._connection.fetch(
            STATEMENTS["find_above"], sorted({*roots, *companies.parents.values()})
        )
        for row in rows:
            above.setdefault(row["company"], set()).add(row["root"])
        companies.above = above

    async def _write(self, plan: CompanyPlan) -> None:
        tenant, order, run = plan.companies.tenant_id, plan.order, self._connection.execute
        if plan.touched:
            rows = [(one.id, one.version, plan.survivors[one.id]) for one in plan.touched.values()]
            await run(STATEMENTS["update_companies"], *_columns(rows), order.now)
        if plan.profiles:
            await save_profiles(self._connection, plan.profiles, order.now)
        for old in (plan.unrelated, plan.related):
            if old is not None:
                await run(STATEMENTS["unrelate_companies"], tenant, old.one, old.other, old.kind)
        if plan.related is not None:
            await run(STATEMENTS["relate_companies"], tenant, *plan.related, order.now)
        if plan.parents:
            await run(STATEMENTS["set_parents"], *_columns(list(plan.parents.items())))
        await self._log(plan)
        said = sorted({*plan.joined, *plan.kept_apart, *plan.overruled})
        if said:
            columns = _columns(said)
            await run(STATEMENTS["withdraw_company_judgements"], tenant, *columns, order.now)
        for judgement, pairs in (("must_link", plan.joined), ("cannot_link", plan.kept_apart)):
            if pairs:
                why = (judgement, order.reason, order.command_id, order.now)
                await run(STATEMENTS["judge_companies"], tenant, *_columns(pairs), *why)
        for status in sorted(set(plan.settled.values())):
            chosen = sorted(pair for pair, one in plan.settled.items() if one == status)
            columns = _columns(chosen)
            await run(STATEMENTS["settle_company_candidates"], tenant, *columns, status, order.now)
        await Writer(self._connection, Plan(now=order.now, events=plan.events)).write()

    async def _log(self, plan: CompanyPlan) -> None:
        tenant, order, run = plan.companies.tenant_id, plan.order, self._connection.execute
        if plan.undone is not None:
            await run(STATEMENTS["log_company_split"], tenant, plan.undone, order.now)
            rows = [(name, *pair) for name, pair in plan.resolved.items()]
            if rows:
                # In two steps: two merges may exchange whom they absorb.
                await run(STATEMENTS["unresolve_company_merges"], tenant, *_columns(rows))
                await run(STATEMENTS["resolve_company_merges"], tenant, *_columns(rows))
        if plan.merged is not None:
            survivor, absorbed = plan.resolved[plan.merged.public_id]
            told = next(one.event for one in plan.events if one.entity_id == absorbed)
            await run(
                STATEMENTS["log_company_merge"],
                tenant,
                plan.merged.public_id,
                survivor,
                absorbed,
                plan.merged.survivor,
                plan.merged.absorbed,
                order.merge_reason,
                encode(told).decode(),
                order.now,
            )

    async def _log_command(
        self, command: CompanyOrder, tenant: int, home: CompanyHome, order: Order
    ) -> None:
        await self._connection.execute(
            STATEMENTS["log_company_command"],
            command.command_id,
            tenant,
            home.id,
            home.version,
            order.now,
        )


def _columns(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """Turn rows into columns: a statement takes an array each."""
    return [list(column) for column in zip(*rows, strict=True)]
