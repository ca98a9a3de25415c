"""Read the contacts that a decision about who is whom concerns, with all they were merged with."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from services.resolver.domain.arrival import identifiers_of
from services.resolver.domain.cluster import BindingOf, Cluster, Kept
from services.resolver.domain.composition import Applied
from services.resolver.domain.homes import Merge
from services.resolver.domain.ledger import is_newer
from services.resolver.domain.model import Claim, Contact, Source
from services.resolver.domain.survivorship import groups_of
from services.resolver.store.queries import QUERIES
from shared.errors import TransientError
from shared.events.signal import Facts
from shared.events.structs import Reader
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

MERGES: Final = Queries.load("services.resolver.sql", "merges.sql")
"""The statements of `services/resolver/sql/merges.sql`, by name."""

_read_facts: Final = Reader(Facts).read


class ClusterLoader:
    """Reads for one decision, inside its transaction."""

    def __init__(
        self, connection: Connection, sources: Mapping[int, Source], tenant_id: int, tenant: str
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._cluster = Cluster(tenant_id, tenant)

    async def load(self, public_ids: Sequence[str]) -> tuple[Cluster, dict[str, int]]:
        """Lock and read the contacts of that name; returns them with who is meant by which name.

        A name that the tenant does not know is left out.
        """
        cluster = self._cluster
        rows = await self._connection.fetch(
            MERGES["find_roots"], cluster.tenant_id, list(public_ids)
        )
        named = {row["public_id"]: row["id"] for row in rows}
        await self.load_groups({row["root"] for row in rows})
        return cluster, named

    async def roots_of(self, contacts: Sequence[int]) -> set[int]:
        """Return who stands for contacts at present."""
        rows = await self._connection.fetch(MERGES["get_homes"], list(contacts))
        return {row["root"] for row in rows}

    async def load_groups(self, roots: set[int]) -> Cluster:
        """Lock and read contacts that stand for themselves, with whom they absorbed."""
        roots_in_order = sorted(roots)
        homes = await self._lock_homes(roots_in_order)
        if homes:
            await self._read_homes(homes, roots)
            await self._read_merges(homes)
            await self._read_deliveries(roots_in_order)
            await self._read_identifiers(roots_in_order)
            await self._read_bindings(homes)
            await self._read_judgements(homes)
            await self._read_names()
        return self._cluster

    async def _lock_homes(self, roots: list[int]) -> list[int]:
        rows = await self._connection.fetch(MERGES["find_homes"], roots)
        homes = sorted(row["id"] for row in rows)
        # A negative key is a contact, as for batches of signals: they lock the same way.
        await self._connection.fetchval(QUERIES["lock"], sorted(-home for home in homes))
        again = await self._connection.fetch(MERGES["find_homes"], roots)
        if sorted(row["id"] for row in again) != homes:
            raise TransientError("the contacts were merged or split meanwhile")
        return homes

    async def _read_homes(self, homes: list[int], roots: set[int]) -> None:
        cluster = self._cluster
        for row in await self._connection.fetch(MERGES["get_homes"], homes):
            if row["root"] not in roots:
                raise TransientError("the contacts were merged or split meanwhile")
            cluster.contacts[row["id"]] = Contact(
                row["id"], row["public_id"], cluster.tenant_id, row["version"], row["status"]
            )
            cluster.names[row["id"]] = row["public_id"]
            if row["absorbed_as"] is not None:
                cluster.absorbed_as[row["id"]] = row["absorbed_as"]

    async def _read_merges(self, homes: list[int]) -> None:
        self._cluster.merges = [
            Merge(
                row["merge_id"],
                row["named_into_id"],
                row["named_from_id"],
                row["by_person"],
                row["merged_at"],
            )
            for row in await self._connection.fetch(MERGES["find_merges"], homes)
        ]

    async def _read_deliveries(self, roots: list[int]) -> None:
        rows = await self._connection.fetch(MERGES["find_deliveries"], roots)
        late = _stale(rows)
        for row in rows:
            is_late = (row["record_key"], row["revision"]) in late
            into = self._cluster.late if is_late else self._cluster.applied
            into.setdefault(row["contact_id"], []).append(self._applied(row))

    def _applied(self, row: asyncpg.Record) -> Applied:
        facts = _read_facts(row["facts"])
        claim = Claim(
            record_key=row["record_key"],
            source=self._sources[row["source_id"]],
            workspace_id=row["workspace_id"],
            confidence=row["confidence"],
            asserted_at=row["occurred_at"],
            facts=facts,
            groups=groups_of(facts),
        )
        return Applied(
            claim=claim,
            revision=row["revision"],
            applied_at=row["applied_at"],
            import_source=row["import_source"],
            identifiers=identifiers_of(facts, self._cluster.tenant_id),
            home=row["home_id"],
            evidence=row["evidence"] or "none",
            place=row["place"],
            source_version=row["source_version"],
            import_id=row["import_id"],
        )

    async def _read_identifiers(self, roots: list[int]) -> None:
        for row in await self._connection.fetch(MERGES["find_held"], roots):
            key = (self._cluster.tenant_id, row["kind"], row["value"])
            self._cluster.held.setdefault(row["contact_id"], {})[key] = row["home_id"]

    async def _read_bindings(self, homes: list[int]) -> None:
        for row in await self._connection.fetch(MERGES["find_all_bindings"], homes):
            own = Kept(
                row["own_stage"], row["own_owner_id"], row["own_favorite"], row["own_data_owner"]
            )
            self._cluster.bindings[row["contact_id"], row["workspace_id"]] = BindingOf(
                id=row["id"],
                is_live=row["is_live"],
                shown=Kept(
                    row["stage"], row["contact_owner_id"], row["is_favorite"], row["data_owner"]
                ),
                own=own if row["has_own"] else None,
            )

    async def _read_judgements(self, homes: list[int]) -> None:
        cluster = self._cluster
        for row in await self._connection.fetch(
            MERGES["find_open_candidates"], cluster.tenant_id, homes
        ):
            pair = (row["contact_id_a"], row["contact_id_b"])
            cluster.candidates.add(pair)
            if row["reason"] == "phone_backup":
                cluster.waiting.add(pair)
            cluster.names.update(zip(pair, (row["name_a"], row["name_b"]), strict=True))
        rows = await self._connection.fetch(MERGES["find_apart"], cluster.tenant_id, homes)
        cluster.apart = {(row["entity_id_a"], row["entity_id_b"]) for row in rows}

    async def _read_names(self) -> None:
        cluster = self._cluster
        rows = await self._connection.fetch(MERGES["find_workspaces"], cluster.tenant_id)
        cluster.workspaces = {row["id"]: row["public_id"] for row in rows}
        companies = {
            job.company_id
            for applied in cluster.applied.values()
            for one in applied
            for job in one.claim.facts.employments
            if job.company_id
        }
        if companies:
            rows = await self._connection.fetch(QUERIES["get_company_ids"], sorted(companies))
            cluster.company_ids = {row["public_id"]: row["id"] for row in rows}


def _stale(rows: Sequence[asyncpg.Record]) -> set[tuple[bytes, int]]:
    """Find the deliveries that came too late to be applied: the ledger keeps them all the same."""
    late = set()
    current: dict[bytes, asyncpg.Record] = {}
    for row in sorted(rows, key=lambda row: row["revision"]):
        before = current.get(row["record_key"])
        if before is None or is_newer(
            row["occurred_at"],
            before["occurred_at"],
            versions=(row["source_version"], before["source_version"]),
        ):
            current[row["record_key"]] = row
        else:
            late.add((row["record_key"], row["revision"]))
    return late
