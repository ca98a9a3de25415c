"""What sources say of companies: read for a batch that tells of some, and written."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

import orjson

from services.resolver.domain.company_ledger import (
    CompanyNews,
    CompanyRecordRow,
    CompanyRevision,
    CompanyWrites,
    KnownCompanies,
    KnownCompany,
    Told,
    record_lock,
)
from services.resolver.domain.company_profiles import Birth, CompanyClaim
from services.resolver.store.loading import lock_key
from services.resolver.store.queries import QUERIES
from shared.events.company import CompanyFacts
from shared.events.contact import CompanyRelation
from shared.events.structs import Reader, to_json
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

STATEMENTS: Final = Queries.load("services.resolver.sql", "companies.sql")
JUDGING: Final = Queries.load("services.resolver.sql", "company_merges.sql")

LOCKS: Final = 0x6B6A
"""Class of the advisory locks of tenants: decisions about companies take turns, and wait for who
tells of companies meanwhile."""

_read_facts: Final = Reader(CompanyFacts).read


class CompanyRecords:
    """Reads and writes inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(
        self, told: Sequence[Told], companies: Collection[int] = ()
    ) -> CompanyNews | None:
        """Lock and read the companies told of, with all that they are one with; these besides.

        Contacts are locked before companies, by everybody: nobody waits in a circle.
        """
        if not told:
            return None
        found = KnownCompanies()
        await self._share({one.delivery.tenant_id for one in told})
        records = sorted(
            {(*one.record, one.content_hash, one.delivery.signal.occurred_at) for one in told}
        )
        for row in await self._connection.fetch(
            STATEMENTS["find_company_revisions"], *_columns(records)
        ):
            found.records.setdefault((row["tenant_id"], row["record_key"]), []).append(
                CompanyRevision(
                    row["revision"],
                    row["content_hash"],
                    row["occurred_at"],
                    row["current"],
                    row["org_id"],
                    row["workspace_id"],
                    row["import_id"],
                    row["is_undone"],
                )
            )
        named = {key for one in told for key in (*one.keys, one.name) if key}
        if named:
            rows = await self._connection.fetch(
                STATEMENTS["find_company_holders"], *_columns(sorted(named))
            )
            for row in rows:
                found.holders[row["tenant_id"], row["kind"], row["value"]] = row["org_id"]
        homes = {one.org_id for each in found.records.values() for one in each if one.current}
        await self.read({*homes, *found.holders.values(), *companies}, found)
        return CompanyNews(told, found)

    async def lock_records(self, tenant: int, keys: Iterable[bytes]) -> None:
        """Let no batch tell of these records meanwhile: the locks that batches take, as they do."""
        names = sorted(lock_key(f"company\0{record_lock(tenant, key)}") for key in keys)
        await self._connection.fetchval(QUERIES["lock"], names)

    async def load_homes(self, tenant: int, homes: Collection[int]) -> KnownCompanies:
        """Lock and read companies, with all that they are one with."""
        found = KnownCompanies()
        await self._share({tenant})
        await self.read(homes, found)
        return found

    async def _share(self, tenants: Iterable[int]) -> None:
        await self._connection.execute(
            STATEMENTS["share_company_decisions"], LOCKS, sorted(tenants)
        )

    async def read(self, homes: Collection[int], found: KnownCompanies) -> None:
        """Lock and read who stands for homes, all that stand behind those, and what is said."""
        if not homes:
            return
        rows = await self._connection.fetch(STATEMENTS["find_standing"], sorted(homes))
        roots = sorted({row["root"] for row in rows})
        locks = sorted(lock_key(f"organisation\0{root}") for root in roots)
        await self._connection.fetchval(QUERIES["lock"], locks)
        for row in await self._connection.fetch(STATEMENTS["find_told_companies"], roots):
            found.companies[row["id"]] = KnownCompany(
                row["id"],
                row["public_id"],
                row["tenant_id"],
                row["tenant"],
                row["version"],
                row["primary_domain"],
                Birth(
                    row["born_name"],
                    row["primary_domain"],
                    row["source"],
                    row["priority"],
                    row["created_at"],
                ),
                row["merged_into_id"],
                row["updated_at"],
            )
        ids = sorted(found.companies)
        await self.read_claims(found)
        for row in await self._connection.fetch(JUDGING["find_company_relations"], ids):
            relation = CompanyRelation(
                kind=row["kind"],
                from_id=row["from_name"],
                to_id=row["to_name"],
                since=row["since"],
                until=row["until"],
            )
            for end in (row["from_org_id"], row["to_org_id"]):
                found.relations.setdefault(end, []).append(relation)

    async def read_claims(self, found: KnownCompanies) -> None:
        """Read what current records say of these companies, and forget what they said before."""
        for one in found.companies.values():
            one.claims.clear()
        for company, claim in await find_claims(self._connection, sorted(found.companies)):
            found.companies[company].claims[claim.record_key] = claim

    async def write(self, writes: CompanyWrites, now: datetime) -> None:
        """Write what a batch tells of companies; those that are new are written already."""
        run = self._connection.execute
        superseded = set(writes.superseded)
        if superseded:
            # First: a record never has two present versions.
            columns = _columns(sorted(superseded))
            await run(STATEMENTS["supersede_company_records"], *columns, now)
        if writes.records:
            told = {id(row.told.delivery): row for row in reversed(writes.records)}
            first = {id(row) for row in told.values()}
            rows = orjson.dumps(
                [_record(row, superseded, is_first=id(row) in first) for row in writes.records]
            ).decode()
            await run(STATEMENTS["insert_company_records"], rows, now)
        if writes.also_told:
            columns = _columns(sorted(writes.also_told))
            await run(STATEMENTS["note_company_also_told"], *columns)
        if writes.identifiers:
            known = sorted(
                (*key, company, told.delivery.source.id, told.delivery.signal.confidence)
                for key, company, told in writes.identifiers
            )
            await run(STATEMENTS["know_companies_by"], *_columns(known), now)
        if writes.proposed:
            pairs = [
                (
                    tenant,
                    *pair,
                    orjson.dumps([f"{kind}:{value}" for _, kind, value in keys]).decode(),
                )
                for pair, (tenant, keys) in sorted(writes.proposed.items())
            ]
            await run(STATEMENTS["propose_companies"], *_columns(pairs), now)
        if writes.profiles:
            await save_profiles(self._connection, writes.profiles, now)
        if writes.named:
            names = _columns(sorted(writes.named))
            await run(QUERIES["insert_company_candidates"], *names, now)


async def find_claims(
    connection: Connection, companies: Sequence[int]
) -> list[tuple[int, CompanyClaim]]:
    """Read what current records say of companies: (company, claim)."""
    rows = await connection.fetch(STATEMENTS["find_company_claims"], companies)
    return [
        (
            row["org_id"],
            CompanyClaim(
                row["record_key"],
                row["source"],
                row["priority"],
                row["confidence"],
                row["occurred_at"],
                _read_facts(row["facts"]),
            ),
        )
        for row in rows
    ]


async def save_profiles(
    connection: Connection, rows: Sequence[dict[str, object]], now: datetime
) -> None:
    """Write what companies show now: rows of `company_records.profile_row`."""
    await connection.execute(STATEMENTS["save_company_profiles"], orjson.dumps(rows).decode(), now)


def _record(
    row: CompanyRecordRow, superseded: Collection[tuple[int, bytes, int]], *, is_first: bool
) -> dict[str, object]:
    """Make a row of the ledger; the first of a signal about companies alone keeps its payload."""
    told, signal = row.told, row.told.delivery.signal
    raw = told.raw if is_first else None
    return {
        "tenant_id": told.delivery.tenant_id,
        "source_id": told.delivery.source.id,
        "record_key": told.record_key.hex(),
        "revision": row.revision,
        "content_hash": told.content_hash.hex(),
        "source_record_id": told.said.source_record_id,
        "signal_id": signal.signal_id,
        "occurred_at": signal.occurred_at.isoformat(),
        "received_at": signal.received_at.isoformat(),
        "superseded": row.superseded or (*told.record, row.revision) in superseded,
        "org_id": row.org_id,
        "applied_version": row.applied_version,
        "confidence": signal.confidence,
        "facts": orjson.Fragment(to_json(told.said.facts)),
        "workspace_id": told.delivery.workspace_id,
        "import_id": signal.import_id,
        "raw": orjson.Fragment(raw) if raw else None,
        "rejected": orjson.Fragment(to_json(signal.rejected)) if raw and signal.rejected else None,
    }


def _columns(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """Turn rows into columns: a statement takes an array each."""
    return [list(column) for column in zip(*rows, strict=True)]
