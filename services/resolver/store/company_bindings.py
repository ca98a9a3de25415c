"""Carry out what a workspace keeps of a company: lock, load, decide, write."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import orjson

from services.resolver.domain.company_bindings import changed, differences
from services.resolver.store.company_records import JUDGING, LOCKS, STATEMENTS
from services.resolver.store.loading import lock_key
from services.resolver.store.queries import QUERIES
from shared.auth import Place
from shared.events.command import ChangeCompanyBinding
from shared.events.company_binding import CompanyBinding, KeptOfCompany, told_apart
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

BINDINGS: Final = Queries.load("services.resolver.sql", "company_bindings.sql")


class CompanyBindings:
    """Decides and writes inside one transaction."""

    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    async def change(self, order: ChangeCompanyBinding, values: Mapping[str, Any]) -> bool | None:
        """Keep what an order says; tell whether anything shows otherwise.

        `values` are its custom fields as their fields write them. None: there is no such company.
        """
        tenant, workspace = self._place.tenant_id, self._place.workspace_id
        # Merges of companies wait meanwhile, and so do other orders about this one.
        await self._connection.execute(STATEMENTS["share_company_decisions"], LOCKS, [tenant])
        roots = await self._connection.fetch(
            JUDGING["find_company_roots"], tenant, [order.company_id]
        )
        if not roots:
            return None
        root = roots[0]["root"]
        name = f"company binding\0{workspace}\0{root}"
        await self._connection.fetchval(QUERIES["lock"], [lock_key(name)])
        rows = await self._connection.fetch(
            BINDINGS["find_company_bindings"], tenant, workspace, root
        )
        own, behind = told_apart((_kept(row) for row in rows), root)
        after = changed(own, behind, order, dict(values))
        if after == own:
            return False
        now = datetime.now(UTC)
        binding = await self._connection.fetchval(
            BINDINGS["keep_of_company"],
            tenant,
            workspace,
            root,
            list(after.labels),
            list(after.labels_removed),
            list(after.label_order),
            orjson.dumps(after.custom_fields).decode(),
            after.notes,
            now,
        )
        if told := differences(own, after, behind):
            fields, old, new = (list(column) for column in zip(*told, strict=True))
            who = (tenant, binding, workspace)
            await self._connection.execute(
                BINDINGS["audit_company_binding"], *who, fields, old, new, order.command_id, now
            )
        return bool(told)


def _kept(row: asyncpg.Record) -> KeptOfCompany:
    kept = CompanyBinding(
        labels=tuple(row["labels"]),
        labels_removed=tuple(row["labels_removed"]),
        label_order=tuple(row["label_order"]),
        custom_fields=orjson.loads(row["custom_fields"]),
        notes=row["notes"],
    )
    return KeptOfCompany(row["company_id"], row["survivor_id"], kept)
