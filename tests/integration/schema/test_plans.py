"""How statements are planned on tables that were empty, and what outlives a statement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from services.ingest.store.imports import QUERIES as IMPORTS
from services.resolver.store.labels import MARKS
from services.resolver.store.queries import QUERIES
from shared.postgres import pool as module
from shared.postgres.pool import Connection, Pool, Scans, bitmap_scans, connect, let_go
from shared.postgres.settings import PostgresSettings
from tests.support.database import Databases

ROWS = 20_000
OFTEN = 8
"""Runs after which PostgreSQL has settled on one plan for all parameters."""

TOUCH = """
UPDATE public.grown AS g SET n = u.n FROM unnest($1::bigint[], $2::int[]) AS u (id, n)
WHERE g.id = u.id
"""


@asynccontextmanager
async def one_connection(dsn: str) -> AsyncIterator[Pool]:
    settings = PostgresSettings.model_validate({"dsn": dsn, "pool_min": 1, "pool_max": 1})
    async with connect(settings, "test-plans", lookups_only=True) as pool:
        yield pool


async def tuples_read(connection: Connection, table: str, statement: str, *values: object) -> int:
    """Run a statement; returns how many rows of the table it looked at."""
    async with connection.transaction():
        await connection.execute(statement, *values)
        read: int = await connection.fetchval(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
            " FROM pg_stat_xact_all_tables WHERE relid = $1::text::regclass",
            table,
        )
    return read


@pytest.mark.parametrize(("replan_s", "fresh"), [(-1.0, True), (3600.0, False)])
async def test_plans_are_made_anew(
    dsn: str,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    *,
    replan_s: float,
    fresh: bool,
) -> None:
    """Only who plans anew stops reading all of a table that has grown meanwhile."""
    monkeypatch.setattr(module, "REPLAN_S", replan_s)
    await owner.execute(
        "CREATE TABLE public.grown (id bigint PRIMARY KEY, n int) WITH (autovacuum_enabled = off)"
    )
    await owner.execute("ANALYZE public.grown")
    async with one_connection(dsn) as pool:
        for _ in range(OFTEN):
            async with pool.acquire() as connection:
                await connection.execute(TOUCH, [0], [0])
        await owner.execute(
            "INSERT INTO public.grown SELECT id, 0 FROM generate_series(1, $1::int) AS id", ROWS
        )
        async with pool.acquire() as connection:
            read = await tuples_read(connection, "public.grown", TOUCH, [1], [1])
    assert (read < OFTEN) == fresh, read


async def test_deleting_reads_no_more_than_it_deletes(made: Databases) -> None:
    """The outbox looks empty for ever, and is long when the relay is behind."""
    database = await made.create()
    owner = await asyncpg.connect(made.dsn("kith_migrator", database))
    await owner.execute("ANALYZE contact.outbox")
    async with one_connection(made.dsn("kith_relay", database)) as pool:
        async with pool.acquire() as connection:
            for _ in range(OFTEN):
                await connection.execute(QUERIES["delete_published"], [0], [0])
            await owner.execute(
                "INSERT INTO contact.outbox (shard, key, headers, value)"
                " SELECT 0, 'con', '', '' FROM generate_series(1, $1::int)",
                ROWS,
            )
            rows = await connection.fetch(QUERIES["read_outbox"], [0], 10, 0)
            read = await tuples_read(
                connection,
                "contact.outbox",
                QUERIES["delete_published"],
                [row["shard"] for row in rows],
                [row["seq"] for row in rows],
            )
        assert await owner.fetchval("SELECT count(*) FROM contact.outbox") == ROWS - len(rows)
    await owner.close()
    assert read <= 2 * len(rows)


async def test_words_that_records_say_are_found_by_their_index(made: Databases) -> None:
    """Such as those that only a GIN index has: a batch that looks up by key asks for it."""
    database = await made.create()
    owner = await asyncpg.connect(made.dsn("kith_migrator", database))
    await owner.execute(
        "INSERT INTO contact.source_record (tenant_id, workspace_id, source_id, record_key,"
        " revision, content_hash, signal_id, occurred_at, received_at, applied_at, contact_id,"
        " applied_version, confidence, facts, raw)"
        " SELECT 1, 1, 1, decode(md5(n::text), 'hex'), 1, decode(md5(n::text), 'hex'), n::text,"
        "  now(), now(), now(), n, 1, 1, CASE WHEN n > $1 - 3 THEN $2::json ELSE '{}' END, '{}'"
        " FROM generate_series(1, $1::int) AS n",
        ROWS,
        '{"labels": ["VIP"]}',
    )
    await owner.execute("ANALYZE contact.source_record")
    asked = (1, 1, ["VIP"])
    pools = one_connection(made.dsn("kith_resolver", database))
    async with pools as pool, pool.acquire() as connection:
        await Scans().settle(connection, by_key=True)
        async with connection.transaction():
            async with bitmap_scans(connection):
                read = await tuples_read(
                    connection,
                    "contact.source_record",
                    MARKS["find_marked"],
                    *asked,
                    ["labels"],
                    10,
                )
            assert await connection.fetchval("SHOW enable_bitmapscan") == "off"
    await owner.close()
    assert read == 6  # each once as what said it, once as what is present


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("retire_identifiers", [[(1, "email", "a1@acme.test")]]),
        ("say_identifiers", [[1], ["email"], ["a1@acme.test"], [None], [None], [None]]),
    ],
)
async def test_identifiers_are_looked_up_one_by_one(
    made: Databases, statement: str, values: list[object]
) -> None:
    """Also by a plan that was made while nobody was there."""
    database = await made.create()
    owner = await asyncpg.connect(made.dsn("kith_migrator", database))
    await owner.execute("ANALYZE contact.contact_identifier")
    pools = one_connection(made.dsn("kith_resolver", database))
    async with pools as pool, pool.acquire() as connection:
        await connection.execute("SELECT set_config('kith.tenant_id', '1', false)")
        for _ in range(OFTEN):
            await connection.execute(QUERIES[statement], *values, datetime.now(UTC))
        await owner.execute(
            "INSERT INTO contact.contact_identifier (tenant_id, identifier_type,"
            " normalized_value, contact_id, source_id, created_at)"
            " SELECT 1, 'email', format('a%s@acme.test', n), n, 1, now()"
            " FROM generate_series(1, $1::int) AS n",
            ROWS,
        )
        read = await tuples_read(
            connection,
            "contact.contact_identifier",
            QUERIES[statement],
            *values,
            datetime.now(UTC),
        )
    changed = await owner.fetchval(
        "SELECT count(*) FROM contact.contact_identifier"
        " WHERE deleted_at IS NOT NULL OR status = 'inactive'"
    )
    await owner.close()
    assert changed == 1
    assert read <= 2


async def test_verdicts_read_no_rows_but_their_own(made: Databases) -> None:
    """To give one reads no row; a look for those without one reads what it begins behind."""
    database = await made.create()
    owner = await asyncpg.connect(made.dsn("kith_migrator", database))
    await owner.execute("ANALYZE ingest.import_row, ingest.import_verdict")
    await owner.close()
    settle, find = IMPORTS["settle_rows"], IMPORTS["find_open"]
    rows, verdicts = "ingest.import_row", "ingest.import_verdict"
    async with one_connection(made.dsn("kith_ingest", database)) as pool, pool.acquire() as ingest:
        await ingest.execute(
            "SELECT set_config('kith.tenant_id', '1', false),"
            " set_config('kith.workspace_id', '1', false)"
        )
        for _ in range(OFTEN):
            await ingest.execute(settle, 1, 1, 1, [1], ["created"], [None], [""], [1], [True])
            await ingest.fetch(find, 1, 0, 5)
        await ingest.execute(
            "INSERT INTO ingest.import_row"
            " (import_id, number, tenant_id, workspace_id, line, class)"
            " SELECT 1, n, 1, 1, n, 'new' FROM generate_series(1, $1::int) AS n",
            ROWS,
        )
        numbers = list(range(1, ROWS - 10))
        told = [[one] * len(numbers) for one in ("created", None, "", 1, True)]
        given = await tuples_read(ingest, rows, settle, 1, 1, 1, numbers, *told)
        looked = [
            await tuples_read(ingest, table, find, 1, ROWS - 20, 5) for table in (rows, verdicts)
        ]
        found = await ingest.fetch(find, 1, ROWS - 20, 5)
    assert [row["number"] for row in found] == list(range(ROWS - 10, ROWS - 5))
    assert given == 0
    assert max(looked) < 50


async def test_rejected_rows_are_found_without_reading_all(made: Databases) -> None:
    """However they were rejected: by the preview, before they were sent, or by the resolver."""
    database = await made.create()
    owner = await asyncpg.connect(made.dsn("kith_migrator", database))
    await owner.execute("ANALYZE ingest.import_row, ingest.import_verdict")
    await owner.close()
    find = IMPORTS["find_rejects"]
    async with one_connection(made.dsn("kith_ingest", database)) as pool, pool.acquire() as ingest:
        await ingest.execute(
            "SELECT set_config('kith.tenant_id', '1', false),"
            " set_config('kith.workspace_id', '1', false)"
        )
        for _ in range(OFTEN):
            await ingest.fetch(find, 1, 0, 3)
        await ingest.execute(
            "INSERT INTO ingest.import_row"
            " (import_id, number, tenant_id, workspace_id, line, class, verdict, reason)"
            " SELECT 1, n, 1, 1, 2 * n, CASE n WHEN 10 THEN 'rejected' ELSE 'new' END"
            "::ingest.row_class, CASE WHEN n IN (10, 100, 200) THEN 'rejected' END"
            "::ingest.row_verdict, 'row' FROM generate_series(1, $1::int) AS n",
            ROWS,
        )
        await ingest.execute(
            "INSERT INTO ingest.import_verdict"
            " (import_id, number, tenant_id, workspace_id, verdict, reason)"
            " SELECT 1, n, 1, 1, CASE WHEN n IN (100, $1::int) THEN 'rejected' ELSE 'created' END"
            "::ingest.row_verdict, 'verdict' FROM generate_series(100, $1::int) AS n",
            ROWS,
        )
        read = [
            await tuples_read(ingest, table, find, 1, above, 3)
            for table in ("ingest.import_row", "ingest.import_verdict")
            for above in (0, 100)
        ]
        found = await ingest.fetch(find, 1, 0, 3)
        rest = await ingest.fetch(find, 1, 10, 1)
    # What was said later stands before what the row has: 200 was taken after all.
    assert [tuple(one) for one in found] == [
        (10, 20, "", "row", 22),
        (100, 200, "", "verdict", 202),
        (ROWS, 2 * ROWS, "", "verdict", None),
    ]
    assert [one["number"] for one in rest] == [100]
    assert max(read) < 50


async def test_a_snapshot_outlives_its_statement_until_it_is_let_go(
    dsn: str, owner: asyncpg.Connection
) -> None:
    """Also at READ COMMITTED: else a transaction that waits keeps all that is deleted meanwhile."""
    holds = "SELECT backend_xmin IS NOT NULL FROM pg_stat_activity WHERE pid = $1"
    async with one_connection(dsn) as pool, pool.acquire() as connection, connection.transaction():
        assert await connection.fetchval("SELECT $1::int", 1) == 1
        assert await owner.fetchval(holds, connection.get_server_pid())
        await let_go(connection)
        assert not await owner.fetchval(holds, connection.get_server_pid())
