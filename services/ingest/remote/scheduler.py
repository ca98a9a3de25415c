"""Which account is read when: the one that is longest due, by whichever process is free."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from services.ingest.remote.runs import Runs
from shared.errors import ServiceError
from shared.observability.logs import get_logger

log = get_logger(__name__)

LOOK_SECONDS: Final = 2.0
"""How often a process that is free looks for an account that is due."""

AWAY_SECONDS: Final = 10.0
"""How long it waits after Kafka or the database was away."""


@asynccontextmanager
async def scheduled(runs: Runs, at_once: int) -> AsyncIterator[None]:
    """Read accounts in the background; a run under way is broken off at the end of this."""
    if not runs.connections.vault.is_open:
        yield
        return
    tasks = [asyncio.create_task(_work(runs)) for _ in range(at_once)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _work(runs: Runs) -> None:
    while True:
        try:
            claim = await runs.connections.claim(uuid4())
            if claim is None:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                await runs.run(claim)
        except ServiceError as error:
            log.warning("remote_work_waits", error=type(error).__name__)
            await asyncio.sleep(AWAY_SECONDS)
