"""One connection pool per process, with timeouts and a name that shows in pg_stat_activity."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from shared.postgres.settings import PostgresSettings

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.pool.PoolConnectionProxy


@asynccontextmanager
async def connect(
    settings: PostgresSettings, application_name: str, *, lookups_only: bool = False
) -> AsyncIterator[Pool]:
    """Open a pool; it closes with the context.

    `lookups_only` is for services whose every statement finds rows by key: on a table that has no
    statistics yet, the planner would keep a plan that reads all of it for as long as the
    connection lives.
    """
    planner = dict.fromkeys(
        ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material"), "off"
    )
    pool = await asyncpg.create_pool(
        settings.dsn.get_secret_value(),
        min_size=settings.pool_min,
        max_size=settings.pool_max,
        command_timeout=120,
        server_settings={
            "application_name": application_name,
            "statement_timeout": str(settings.statement_timeout_ms),
            "lock_timeout": str(settings.lock_timeout_ms),
            "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
            "jit": "off",
            "timezone": "UTC",
            **(planner if lookups_only else {}),
        },
    )
    try:
        yield pool
    finally:
        await pool.close()
