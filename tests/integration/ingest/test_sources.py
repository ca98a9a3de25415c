"""Which sources there are, asked of a database that stops in the middle."""

import os
import time
from signal import SIGCONT, SIGSTOP

from pydantic import SecretStr

from services.ingest.store import Store
from services.ingest.store.sources import PATIENCE_SECONDS, KnownSources
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.importing import Importing


async def test_nobody_waits_long_for_a_database_that_hangs(system: Importing) -> None:
    """Its process stands still, so that it does not hear either that nobody waits any more."""
    dsn = SecretStr(system.dsns["kith_ingest"])
    async with connect(PostgresSettings(dsn=dsn, pool_min=1, pool_max=1), "test") as pool:
        known = KnownSources(Store(pool))
        server = await pool.fetchval("SELECT pg_backend_pid()")
        os.kill(server, SIGSTOP)
        try:
            began = time.monotonic()
            assert await known.unknown({"hubspot"}) == frozenset()
            waited = time.monotonic() - began
            assert await known.unknown({"hubspot", "hubspott"}) == frozenset()
            again = time.monotonic() - began - waited
        finally:
            os.kill(server, SIGCONT)
        assert PATIENCE_SECONDS <= waited < PATIENCE_SECONDS + 1
        assert again < 1
        assert await KnownSources(Store(pool)).unknown({"hubspot", "hubspot_crm"}) == {"hubspot"}
