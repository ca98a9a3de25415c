"""The table keeps its own law: legal steps, walls, grants; every statement is used and valid."""

import re
from itertools import product
from pathlib import Path
from typing import get_args
from uuid import uuid4

import asyncpg
import pytest
from ulid import ULID

from services.enricher import store as store_module
from services.enricher.domain.lifecycle import TRANSITIONS, Status
from services.enricher.store import Store
from shared.postgres.queries import Queries
from tests.integration.enricher.conftest import Bench, Database

USED = set(re.findall(r'_SQL\["(\w+)"\]', Path(store_module.__file__).read_text()))
STATUSES: tuple[Status, ...] = get_args(Status)


async def put(database: Database, status: Status, reason: str | None) -> int:
    """Place a request in a status."""
    running = status in {"pending", "processing"}
    async with database.connected() as owner:
        found: int = await owner.fetchval(
            "INSERT INTO enrichment.enrichment_requests (public_id, tenant_id, workspace_id,"
            " entity_type, entity_public_id, source, status, reason, idempotency_key, question,"
            " lease_until, completed_at) VALUES ($1, 1, 1, 'contact', 'con_x', 'apollo', $2, $3,"
            " $4, '{}', CASE WHEN $5 THEN now() END, CASE WHEN $6 THEN now() END) RETURNING id",
            f"req_{ULID()}",
            status,
            reason,
            uuid4().hex,
            status == "processing",
            not running,
        )
    return found


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in product(STATUSES, STATUSES) if pair[0] != pair[1]]
)
async def test_the_database_knows_the_same_steps_as_the_domain(
    store: Store, database: Database, before: Status, after: Status
) -> None:
    reason = "outcome_unknown" if before == "failed" else None
    request = await put(database, before, reason)
    async with database.connected("kith_enricher") as enricher:
        try:
            await enricher.execute(
                "UPDATE enrichment.enrichment_requests SET status = $2,"
                " lease_until = CASE WHEN $3 THEN now() END,"
                " completed_at = CASE WHEN $4 THEN now() END WHERE id = $1",
                request,
                after,
                after == "processing",
                after not in {"pending", "processing"},
            )
        except asyncpg.CheckViolationError:
            allowed = False
        else:
            allowed = True
    assert allowed == (after in TRANSITIONS[before])


async def test_another_failure_stays_a_failure(store: Store, database: Database) -> None:
    request = await put(database, "failed", "no_match")
    async with database.connected("kith_enricher") as enricher:
        with pytest.raises(asyncpg.CheckViolationError):
            await enricher.execute(
                "UPDATE enrichment.enrichment_requests SET status = 'success' WHERE id = $1",
                request,
            )


async def test_readers_see_their_workspace_and_no_personal_data(
    bench: Bench, database: Database
) -> None:
    await bench.add("match")
    count = "SELECT count(*) FROM enrichment.enrichment_requests"
    async with database.connected("kith_api") as api:
        assert await api.fetchval(count) == 0
        for tenant, workspace, visible in ((1, 1, 1), (2, 1, 0), (1, 2, 0)):
            async with api.transaction():
                await api.execute("SELECT set_config('kith.tenant_id', $1, true)", str(tenant))
                await api.execute(
                    "SELECT set_config('kith.workspace_id', $1, true)", str(workspace)
                )
                assert await api.fetchval(count) == visible
        for column in ("question", "signal"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await api.fetch(f"SELECT {column} FROM enrichment.enrichment_requests")


@pytest.mark.parametrize("role", ["kith_api", "kith_ingest", "kith_resolver", "kith_projector"])
async def test_nobody_else_writes(store: Store, database: Database, role: str) -> None:
    async with database.connected(role) as other:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await other.execute("UPDATE enrichment.enrichment_requests SET source = 'x'")


async def test_the_same_key_in_two_tenants_is_two_requests(bench: Bench, store: Store) -> None:
    first = bench.request("match", key="shared")
    second = bench.request("match", key="shared")
    other = type(second)(
        **{name: getattr(second, name) for name in second.__slots__} | {"tenant_id": 2}
    )
    assert len(await store.add([first, other], "enricher", {})) == 2


async def test_every_statement_is_valid_and_used(store: Store, database: Database) -> None:
    queries = Queries.load("services.enricher.sql")
    assert queries.names == USED
    async with database.connected("kith_enricher") as enricher:
        for name in queries.names:
            await enricher.prepare(queries[name])
