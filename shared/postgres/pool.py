"""One connection pool per process, with timeouts and a name that shows in pg_stat_activity."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from shared.postgres.settings import PostgresSettings

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.pool.PoolConnectionProxy

REPLAN_S: Final = 10.0
"""How old the plans of prepared statements may be, seconds."""

NO_LOOKUPS: Final = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material")
"""Ways to read much of a table."""


async def let_go(connection: Connection) -> None:
    """End the snapshot of a transaction's last statement: it is about to wait for something else.

    A statement with parameters leaves its portal open until the next one, and with it its snapshot,
    also at READ COMMITTED.  While one stands, nothing that is deleted is cleared away, and whoever
    reads a queue reads all that ever was in it.  A statement without parameters closes the portal.
    """
    await connection.execute("SELECT")


class Scans:
    """Which sessions of a pool use no bitmap scan: a batch that looks up by key wants none.

    A bitmap scan reads, each time, the index entries of all rows that are gone: others mark them,
    and pass over them from then on.  But GIN indexes and `OR` over two indexes have no other scan.
    Said to a session when that changes, since it costs a round trip.
    """

    def __init__(self) -> None:
        self._by_key: set[int] = set()

    async def settle(self, connection: Connection, *, by_key: bool) -> None:
        """Have the session's next transactions look up by key alone, or not."""
        session = connection.get_server_pid()
        if by_key == (session in self._by_key):
            return
        await connection.execute(f"SET enable_bitmapscan = {'off' if by_key else 'on'}")
        (self._by_key.add if by_key else self._by_key.discard)(session)


@asynccontextmanager
async def bitmap_scans(connection: Connection) -> AsyncIterator[None]:
    """Use them for what is inside, whatever the transaction does otherwise."""
    before = await connection.fetchval("SELECT current_setting('enable_bitmapscan')")
    await connection.execute("SET LOCAL enable_bitmapscan = on")
    yield
    await connection.execute(f"SET LOCAL enable_bitmapscan = {before}")


@asynccontextmanager
async def connect(
    settings: PostgresSettings,
    application_name: str,
    *,
    lookups_only: bool = False,
    by_key: bool = False,
    transactions_only: bool = False,
) -> AsyncIterator[Pool]:
    """Open a pool; it closes with the context.

    `lookups_only` is for services whose every statement finds rows by key: on a table that has no
    statistics yet, the planner would keep a plan that reads all of it for as long as the
    connection lives.

    `by_key` is for those of them that ask btree indexes alone: see `Scans`.

    `transactions_only` is for services that leave nothing in a session: no lock, no setting, no
    cursor outlives its transaction.  Then a connection that comes back need not be asked to forget.
    """
    pool = await asyncpg.create_pool(
        settings.dsn.get_secret_value(),
        min_size=settings.pool_min,
        max_size=settings.pool_max,
        command_timeout=120,
        setup=_replanning(),
        reset=_leave_as_it_is if transactions_only else None,
        server_settings={
            "application_name": application_name,
            "statement_timeout": str(settings.statement_timeout_ms),
            "lock_timeout": str(settings.lock_timeout_ms),
            "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
            "jit": "off",
            "timezone": "UTC",
            **(dict.fromkeys(NO_LOOKUPS, "off") if lookups_only else {}),
            **({"enable_bitmapscan": "off"} if by_key else {}),
        },
    )
    try:
        yield pool
    finally:
        await pool.close()


async def _leave_as_it_is(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Spare the round trip; asyncpg has ended an open transaction by then."""


def _replanning() -> Callable[[Connection], Coroutine[None, None, None]]:
    """Have each connection make its plans anew now and then, when it is taken from the pool.

    A prepared statement keeps the plan that was right for the rows of its first runs: on a table
    that was empty then, that is reading all of it for every row, until somebody analyses it.
    """
    planned_at: dict[int, float] = {}

    async def replan(connection: Connection) -> None:
        backend, now = connection.get_server_pid(), time.monotonic()
        if now - planned_at.setdefault(backend, now) > REPLAN_S:
            planned_at[backend] = now
            await connection.execute("DISCARD PLANS")

    return replan
