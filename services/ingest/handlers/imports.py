"""Work on imports: whoever has time takes the one that waits longest, and goes on where it stopped.

A worker that is killed is followed by another as soon as its lease ends; what it had done stays.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from ulid import ULID

from services.ingest.handlers.executing import execute
from services.ingest.handlers.reading import read_file
from services.ingest.handlers.reading_entries import read_entries
from services.ingest.handlers.tools import LostError, Tools, forget_read_file
from services.ingest.handlers.undoing import undo
from services.ingest.store.imports import LEASE_SECONDS, Job
from shared.auth import Place
from shared.errors import PoisonMessageError, ServiceError
from shared.observability.logs import get_logger

log = get_logger(__name__)

WORKERS: Final = 2
"""Imports that a process works on at once: a large one must not keep a small one waiting."""

LOOK_SECONDS: Final = 1.0
"""Between two looks for work that another process was given."""

VERDICT_SECONDS: Final = 0.3
"""Until verdicts are asked for again."""

BESIDE_SECONDS: Final = 2.0
"""The same while live signals flow: what is asked too early is asked again."""

RETRY_SECONDS: Final = 3.0
"""Until an import is tried again that a fault stopped."""

TIDY_SECONDS: Final = 60.0
"""Between two looks for imports whose time is up."""


class Imports:
    """Works on imports until it is told to stop."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is work."""
        self._woken.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work for as long as the context lasts."""
        tasks = [asyncio.create_task(self._work(f"wrk_{ULID()}")) for _ in range(WORKERS)]
        tasks.append(asyncio.create_task(self._tidy()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, worker: str) -> None:
        while True:
            try:
                job = await self._tools.store.claim(worker)
                if job is not None:
                    await self.go_on(job)
                else:
                    await self._rest()
            except Exception as error:  # noqa: BLE001  # who works on imports goes on working
                log.warning("imports cannot be looked for", error=error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._woken.wait()
        self._woken.clear()

    async def go_on(self, job: Job) -> None:
        """Bring one import as far as it goes, and let go of it."""
        store, wait = self._tools.store, 0.0
        beating = asyncio.create_task(self._beat(job))
        try:
            match job.state:
                case "reading":
                    read = read_entries if job.row["of_activities"] else read_file
                    await read(job, self._tools)
                case "executing":
                    if not await execute(job, self._tools):
                        flow = self._tools.share.is_wanted
                        wait = BESIDE_SECONDS if flow else VERDICT_SECONDS
                case _:
                    await undo(job, self._tools)
        except LostError:
            return
        except PoisonMessageError as error:
            failure = {"reason": error.reason, "detail": error.detail, "field": error.field}
            # Only a file that is read for its preview can be at fault; what was staged was judged.
            failed = await store.fail(job.place, job.id, failure, job.worker)
            log.info("an import failed", import_id=job.name, reason=error.reason)
            if failed and job.row["of_activities"]:
                with contextlib.suppress(ServiceError):  # it is found again by `tidy`
                    await forget_read_file(self._tools, job.place, job.id)
            wait = RETRY_SECONDS
        except Exception as error:  # noqa: BLE001  # one import must not end the work on others
            log.warning("an import was put off", import_id=job.name, state=job.state, error=error)
            wait = RETRY_SECONDS
        finally:
            beating.cancel()
            # Also where the process stops: another one goes on at once.
            with contextlib.suppress(ServiceError):
                await asyncio.shield(store.release(job, wait))

    async def _beat(self, job: Job) -> None:
        """Hold an import while a step of it takes its time."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(ServiceError):
                await self._tools.store.renew(job)

    async def _tidy(self) -> None:
        while True:
            try:
                await self.tidy()
            except Exception as error:  # noqa: BLE001  # those that are left are found again
                log.warning("old imports were not found", error=error)
            await asyncio.sleep(TIDY_SECONDS)

    async def tidy(self) -> None:
        """Forget imports whose time is up, and files that nobody needs any more."""
        store = self._tools.store
        for number, place in await store.find_expired(100):
            await self._forget(number, place)
        for number, place in await store.find_files_to_forget(100):
            await self._forget_file(number, place)

    async def _forget(self, number: int, place: Place) -> None:
        try:
            await self._tools.uploads.delete(place, number)
            await self._tools.store.forget(place, number)
        except Exception as error:  # noqa: BLE001  # one that cannot be forgotten keeps no other
            log.warning("an old import was not forgotten", error=error)

    async def _forget_file(self, number: int, place: Place) -> None:
        try:
            await self._tools.uploads.delete(place, number)
            await self._tools.store.fetchrow(place, "note_file_forgotten", number)
        except Exception as error:  # noqa: BLE001  # one that cannot be forgotten keeps no other
            log.warning("the file of an import was not forgotten", error=error)
