"""Write what comes of a decision about who is whom, table by table."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from services.resolver.domain.auditing import audited
from services.resolver.domain.bindings import authoritative, private_of, view_of
from services.resolver.domain.cluster import Kept, Reshaping
from services.resolver.domain.model import EmploymentRow, Plan
from services.resolver.domain.point_statuses import statuses_of
from services.resolver.domain.telling_merges import shape_of
from services.resolver.store.clusters import MERGES
from services.resolver.store.labels import MARKS
from services.resolver.store.relocating import relocate_activities
from services.resolver.store.writing import Writer
from shared.events.structs import to_json
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

RETRACTIONS: Final = Queries.load("services.resolver.sql", "retracting.sql")
"""The statements of `services/resolver/sql/retracting.sql`, by name."""


class Reshaper:
    """Applies one decision inside its transaction."""

    def __init__(self, connection: Connection, plan: Reshaping) -> None:
        self._connection = connection
        self._plan = plan
        self._tenant = plan.cluster.tenant_id
        self._now = plan.order.now

    async def write(self) -> None:
        """Write every table; nothing that the plan does not name."""
        await self._contacts()
        await self._retractions()
        await self._holdings()
        await self._clear_details()
        retired = [(binding,) for binding in self._plan.retired_bindings]
        await self._each("retire_bindings", retired, self._now)
        await Writer(self._connection, self._rows()).write()
        enriched = [(contact, made.enriched_at) for contact, made in self._plan.composed.items()]
        await self._each("retell_enriched", enriched)
        await self._bindings()
        await self._log()
        await self._judgements()
        await relocate_activities(self._connection, self._plan)

    async def _each(
        self, name: str, rows: Sequence[Sequence[Any]], *others: Any, of_tenant: bool = False
    ) -> None:
        """Run a statement over columns of rows, if there are any, with what else it takes."""
        if rows:
            first = (self._tenant,) if of_tenant else ()
            columns = [list(column) for column in zip(*rows, strict=True)]
            await self._connection.execute(MERGES[name], *first, *columns, *others)

    async def _contacts(self) -> None:
        plan, born = self._plan, {contact.id for contact, _ in self._plan.created}
        touched = [one for one in plan.touched.values() if one.id not in born]
        await self._each(
            "let_stand",
            [(one.id, one.version, one.status) for one in touched if one.status != "merged"],
            self._now,
        )
        absorbed = {one.id for one in touched if one.status == "merged"}
        absorbed |= {home for home, root in plan.survivors.items() if root is not None}
        contacts = [plan.cluster.contacts[home] for home in sorted(absorbed)]
        await self._each(
            "absorb",
            [
                (one.id, one.version, self._root(one.id), plan.absorbed_as.get(one.id))
                for one in contacts
            ],
            self._now,
        )

    def _root(self, home: int) -> int:
        above = {absorbed: survivor for survivor, absorbed in self._plan.resolved.values()}
        while home in above:
            home = above[home]
        return home

    async def _holdings(self) -> None:
        plan = self._plan
        await self._each("move_records", plan.records, of_tenant=True)
        if plan.records:
            holders = sorted(plan.cluster.contacts)
            keys, contacts, _ = map(list, zip(*plan.records, strict=True))
            await self._connection.execute(MERGES["move_blocks"], holders, keys, contacts)
        moved = [(*key[1:], contact) for key, contact in plan.identifiers]
        await self._each("move_identifiers", moved, self._now, of_tenant=True)
        homes = [
            (one.record_key, one.revision, one.home, one.place, one.evidence) for one in plan.homes
        ]
        await self._each("save_record_homes", homes, of_tenant=True)
        named = [(*key[1:], home) for key, home in plan.identifier_homes]
        await self._each("save_identifier_homes", named, of_tenant=True)

    async def _retractions(self) -> None:
        """Mark what counts no more, and let go what nothing says any more."""
        plan, run = self._plan, self._connection.execute
        if not plan.retracted:
            return
        taken = [list(column) for column in zip(*plan.retracted, strict=True)]
        await run(RETRACTIONS["undo_records"], self._tenant, *taken, self._now)
        await run(RETRACTIONS["forget_homes"], self._tenant, *taken)
        for name, rows, more in (
            ("restore_records", plan.restored, ()),
            ("release_identifiers", [key[1:] for key in plan.released], (self._now,)),
            ("withdraw_candidates", plan.withdrawn, ()),
        ):
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                await run(RETRACTIONS[name], self._tenant, *columns, *more)
        if plan.sources:
            sources = [source.id for source in plan.sources.values()]
            await run(RETRACTIONS["retell_sources"], list(plan.sources), sources)
        if plan.deleted and plan.released:
            columns = [
                list(column) for column in zip(*(key[1:] for key in plan.released), strict=True)
            ]
            await run(RETRACTIONS["forget_bearers"], self._tenant, *columns, plan.deleted)

    async def _clear_details(self) -> None:
        """Delete what is written anew of whoever was composed."""
        composed = [(contact,) for contact in sorted(self._plan.composed)]
        for name in ("delete_emails", "delete_phones", "delete_employments"):
            await self._each(name, composed)

    def _rows(self) -> Plan:
        """Write down as the gate's plan what is written as the gate writes it."""
        plan, cluster = self._plan, self._plan.cluster
        rows = Plan(now=self._now, events=plan.events)
        rows.created = {contact.id: (contact, source) for contact, source in plan.created}
        for contact, made in plan.composed.items():
            for points, into in ((made.emails, rows.emails), (made.phones, rows.phones)):
                for value, told in points.items():
                    into[contact, value] = (self._tenant, *told)
            for kind, value, status in statuses_of(made.claims.values()):
                rows.statuses[kind, contact, value] = status
            rows.said.update(made.said)
            rows.employments += [
                EmploymentRow(
                    self._tenant,
                    contact,
                    cluster.company_ids.get(job.company_id or ""),
                    source,
                    job,
                )
                for job, source in made.employments
            ]
            if cluster.contacts[contact].bindings:
                rows.authoritative[contact] = authoritative(cluster.contacts[contact])
        rows.audit = audited(plan)
        for one in plan.bindings:
            made = plan.composed[one.contact]
            rows.bindings[one.contact, one.workspace] = view_of(
                cluster.contacts[one.contact],
                one.workspace,
                one.id,
                made.fields,
                cluster.company_ids,
                is_new=one.is_new,
                import_source=made.bound[one.workspace].import_source,
            )
        return rows

    async def _bindings(self) -> None:
        plan = self._plan
        await self._each("revive_bindings", [(one.id, *_kept(one.shown)) for one in plan.bindings])
        await self._groups()
        await self._each("forget_own", [(home,) for home in plan.standing_alone])
        own = [(*place, *_kept(one)) for place, one in plan.own.items()]
        await self._each("save_own", own, of_tenant=True)

    async def _groups(self) -> None:
        """Write which groups contacts are in, where anybody ever said so of one of them."""
        plan = self._plan
        told = (one.facts for applied in plan.cluster.applied.values() for one in applied)
        if not any(one.groups or one.groups_left for one in told):
            return
        rows = [
            (one.id, private_of(plan.composed[one.contact].claims.values(), one.workspace).groups)
            for one in plan.bindings
        ]
        if rows:
            ids, groups = zip(*rows, strict=True)
            lists = [orjson.dumps(each).decode() for each in groups]
            await self._connection.execute(MARKS["keep_groups"], ids, lists)

    async def _log(self) -> None:
        plan = self._plan
        if plan.undone:
            await self._connection.execute(
                MERGES["log_split"], self._tenant, plan.undone, self._now
            )
            resolved = [(name, *pair) for name, pair in plan.resolved.items()]
            # In two steps: two merges may exchange whom they absorb, and nobody is absorbed twice.
            await self._each("unresolve_merges", resolved, of_tenant=True)
            await self._each("resolve_merges", resolved, of_tenant=True)
        if plan.merged is None:
            return
        merge, order = plan.merged, plan.order
        survivor, absorbed = plan.resolved[merge.public_id]
        taken = plan.was[absorbed]
        await self._connection.execute(
            MERGES["log_merge"],
            self._tenant,
            merge.public_id,
            survivor,
            absorbed,
            merge.survivor,
            merge.absorbed,
            merge.by_person,
            order.merge_reason,
            to_json(shape_of(taken, plan.cluster.workspaces, ())).decode(),
            len(taken.identifiers),
            len(taken.employments),
            self._now,
            order.decision_id,
            order.similarity,
        )

    async def _judgements(self) -> None:
        plan, order = self._plan, self._plan.order
        said = sorted({*plan.overruled, *plan.joined, *plan.kept_apart})
        await self._each("withdraw_judgements", said, self._now, of_tenant=True)
        for judgement, pairs in (("must_link", plan.joined), ("cannot_link", plan.kept_apart)):
            why = (judgement, order.reason, order.command_id, self._now)
            await self._each("save_judgements", pairs, *why, of_tenant=True)
        settled = [(*pair, status) for pair, status in sorted(plan.settled.items())]
        await self._each("settle_candidates", settled, self._now, of_tenant=True)


def _kept(kept: Kept) -> tuple[str, int | None, bool, str]:
    return (kept.stage, kept.contact_owner_id, kept.is_favorite, kept.data_owner)
