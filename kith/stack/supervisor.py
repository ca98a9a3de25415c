"""Keeps the service processes running: `python -m kith.stack.supervisor HOME CHECKOUT`.

Told by signals: SIGTERM stops everything, SIGHUP reads the plan again.  Says what runs in
`services.json`.  A service never outlives it: on Linux the kernel kills the services of a
supervisor that was killed, elsewhere the next `kith up --services` does.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from kith.stack.backoff import count_failures, delay_seconds
from kith.stack.places import Places
from kith.stack.processes import LOG_LIMIT_BYTES, Identity, identify, yield_to_sessions
from kith.stack.services import Plan, Planned
from kith.stack.state import write_private

ROTATE_SECONDS = 5.0
"""Between two looks at the sizes of the logs."""
PR_SET_PDEATHSIG = 1
"""Linux: the signal that a process gets when its parent dies (prctl(2))."""


class Running(BaseModel):
    """One supervised process, as `kith status` shows it."""

    model_config = ConfigDict(frozen=True)

    name: str
    service: str
    port: int
    probe: str = "/readyz"
    state: str = "starting"
    process: Identity | None = None
    restarts: int = 0
    last_exit: int | None = None


class FleetState(BaseModel):
    """What the supervisor is running."""

    model_config = ConfigDict(frozen=True)

    supervisor: Identity | None = None
    processes: tuple[Running, ...] = ()


def read_fleet(file: Path) -> FleetState:
    """Read the supervisor's last word; nothing when it never ran."""
    try:
        return FleetState.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return FleetState()


class Keeper:
    """Keeps one process running until told to stop."""

    def __init__(self, planned: Planned, log: Path, changed: Callable[[], None]) -> None:
        self.planned = planned
        self.running = Running(
            name=planned.name, service=planned.service, port=planned.port, probe=planned.probe
        )
        self._log = log
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = asyncio.Event()
        self._stopping = asyncio.Event()
        self.task = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        """Start, wait for the end, back off, start again."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            self._ended.clear()
            code = await self._run_once()
            failures = count_failures(failures, time.monotonic() - began)
            self._show(state="backing off", process=None, last_exit=code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_seconds(failures))
            if not self._stopping.is_set():
                self._show(restarts=self.running.restarts + 1)
        self._show(state="stopped", process=None)

    async def _run_once(self) -> int:
        """Run the process to its end; answers its exit code."""
        try:
            process = self._process = _spawn(self.planned, self._log)
        except OSError as error:
            with contextlib.suppress(OSError), self._log.open("a") as log:
                log.write(f"could not start: {error}\n")
            return 127
        with contextlib.suppress(psutil.NoSuchProcess):
            self._show(state="running", process=identify(psutil.Process(process.pid)))
        while not _has_ended(process.pid):
            await self._wait_for_child()
        _kill_group(process.pid)
        return process.wait()

    async def _wait_for_child(self) -> None:
        """Sleep until some child ended, or, should the signal be lost, for a second."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), 1)
        self._ended.clear()

    def look(self) -> None:
        """See whether the child that ended is this one."""
        self._ended.set()

    async def stop(self) -> None:
        """End the process: ask, wait for its limit, then kill."""
        self._stopping.set()
        process = self._process
        if process is not None and process.returncode is None:
            self._show(state="stopping")
            process.terminate()
        done, _ = await asyncio.wait([self.task], timeout=self.planned.stop_seconds)
        if not done and process is not None:
            _kill_group(process.pid)
            await self.task

    def _show(self, **values: object) -> None:
        self.running = self.running.model_copy(update=values)
        self._changed()


class Supervisor:
    """All keepers of one stack."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._keepers: dict[str, Keeper] = {}
        self._reload = asyncio.Event()
        self._stop = asyncio.Event()
        self._self = identify(psutil.Process())
        self._is_untold = False
        """What runs could not be written down."""

    async def run(self) -> None:
        """Follow the plan until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        loop.add_signal_handler(signal.SIGCHLD, self._child_ended)
        self._reload.set()
        stopped = asyncio.create_task(self._stop.wait())
        while not stopped.done():
            if self._reload.is_set():
                self._reload.clear()
                await self._follow(_read_plan(self._places.plan_file))
            changed = asyncio.create_task(self._reload.wait())
            await asyncio.wait(
                [stopped, changed], timeout=ROTATE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            changed.cancel()
            if self._is_untold:
                self._write()
            for keeper in self._keepers.values():
                rotate_in_place(self._places.log(keeper.planned.name))
        await self._follow(Plan())

    async def _follow(self, plan: Plan) -> None:
        """Stop what is no longer wanted or is wanted differently, then start what is missing."""
        wanted = {planned.name: planned for planned in plan.processes}
        leaving = [
            keeper for name, keeper in self._keepers.items() if wanted.get(name) != keeper.planned
        ]
        await asyncio.gather(*(keeper.stop() for keeper in leaving))
        kept = {name: keeper for name, keeper in self._keepers.items() if keeper not in leaving}
        self._keepers = {
            name: kept.get(name) or Keeper(planned, self._places.log(name), self._write)
            for name, planned in wanted.items()
        }
        self._write()

    def _child_ended(self) -> None:
        for keeper in self._keepers.values():
            keeper.look()

    def _write(self) -> None:
        state = FleetState(
            supervisor=self._self,
            processes=tuple(keeper.running for keeper in self._keepers.values()),
        )
        try:
            write_private(self._places.services_file, state.model_dump_json(indent=2))
            self._is_untold = False
        except OSError:  # a full disk ends nothing that runs
            self._is_untold = True


def rotate_in_place(log: Path, limit: int = LOG_LIMIT_BYTES) -> None:
    """Copy a log that has grown too large to `.1` and empty it; its writer appends on.

    Lines written between copy and truncation are lost; a pipe through this process would lose
    none, but would stall every service whenever this one is slow.
    """
    with contextlib.suppress(OSError):  # also of a full disk: the next look tries again
        if log.stat().st_size > limit:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


def _spawn(planned: Planned, log: Path) -> "subprocess.Popen[bytes]":
    """Start a process that dies with this one."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            planned.argv,
            cwd=planned.cwd,
            env={**os.environ, **planned.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_before_exec(planned.nice),  # noqa: PLW1509 - this process has one thread
        )
    if planned.nice:
        yield_to_sessions(process.pid, planned.nice)
    return process


def _before_exec(nice: int) -> Callable[[], None]:
    """Answer what a child does before exec: lower its priority, tie its life to ours."""
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if nice:
            os.nice(nice)
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _has_ended(pid: int) -> bool:
    """Whether a child has ended, leaving it unreaped: until then its pid stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _kill_group(leader: int) -> None:
    """Kill whatever is left of a process and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _read_plan(file: Path) -> Plan:
    return Plan.model_validate_json(file.read_bytes())


def main() -> None:
    """Run in the foreground, for the home and checkout named on the command line."""
    home, checkout = Path(sys.argv[1]), Path(sys.argv[2])
    asyncio.run(Supervisor(Places(checkout, home, home, home)).run())


if __name__ == "__main__":
    main()
