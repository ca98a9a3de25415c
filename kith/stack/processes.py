"""Starting, recognising and stopping processes that outlive the command."""

import contextlib
import os
import pwd
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, Signals

import psutil
from pydantic import BaseModel, ConfigDict

SAME_START_SECONDS = 1.5
"""Two readings of one process's start time differ by less than this (the boot time they are
counted from is rounded); a recycled pid differs by the life of its first owner."""
YIELDING_TURN_S = 0.1
"""How long Linux lets whoever is not root wait between two changes of a session's share."""
YIELDING_TRIES = 5
"""After so many turns that others took, a process keeps its share: slower, not wrong."""
LOG_LIMIT_BYTES = 20_000_000
"""A log larger than this is put aside when its process is started."""


class Identity(BaseModel):
    """A process, such that a recycled pid is not taken for it."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float


@dataclass(frozen=True)
class Launch:
    """How to start one process."""

    argv: Sequence[str]
    cwd: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    """Another account to run as; only root may ask for it."""


def spawn(launch: Launch) -> Identity:
    """Start a process in a session of its own, its output appended to its log."""
    rotate(launch.log)
    identity = pwd.getpwnam(launch.account) if launch.account else None
    with launch.log.open("ab") as log:
        process = subprocess.Popen(
            launch.argv,
            cwd=launch.cwd,
            env=dict(launch.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=identity.pw_uid if identity else None,
            group=identity.pw_gid if identity else None,
            extra_groups=[] if identity else None,
        )
    # Reaped by a thread: a caller that lives on (a test run) must not collect zombies.
    threading.Thread(target=process.wait, daemon=True).start()
    try:
        return Identity(pid=process.pid, created=psutil.Process(process.pid).create_time())
    except psutil.NoSuchProcess:
        return Identity(pid=process.pid, created=0.0)


def give_way(identity: Identity, nice: int) -> None:
    """Lower the priority of a running process, all its threads: it leads a session.

    `nice` counts from this process's own priority. Said again it changes nothing.
    """
    process = find(identity)
    if process is None or not nice:
        return
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        for task in {process.pid, *(thread.id for thread in process.threads())}:
            # A thread may end meanwhile; those that start from now on take after their parents.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_PROCESS, task, os.nice(0) + nice)
    yield_to_sessions(process.pid, nice)


def yield_to_sessions(pid: int, nice: int) -> None:
    """Let a process that leads a session yield to other sessions, too, as `nice` counts it.

    Linux may share the processor among sessions as equals, so that `nice` counts within one alone
    (sched(7), "The autogroup feature"); elsewhere there is nothing to do. Whoever is not root may
    say so once in a tenth of a second, all processes together, and waits for the turn.
    """
    autogroup = Path(f"/proc/{pid}/autogroup")
    for _ in range(YIELDING_TRIES):
        try:
            autogroup.write_text(str(nice), "ascii")
        except BlockingIOError:
            time.sleep(YIELDING_TURN_S)
        except OSError:
            return
        else:
            return


def rotate(log: Path, limit: int = LOG_LIMIT_BYTES) -> None:
    """Put a log that has grown too large aside as `.1`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > limit:
            log.replace(log.with_name(f"{log.name}.1"))


def find(identity: Identity | None) -> psutil.Process | None:
    """Answer the live process, or None when it has ended or its pid belongs to another now."""
    if identity is None:
        return None
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.created) < SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def worked_seconds(identity: Identity) -> float:
    """Return how much of a processor a process and its children have used, seconds."""
    process, worked = find(identity), 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in [process, *process.children(recursive=True)] if process else []:
            times = member.cpu_times()
            worked += times.user + times.system
    return worked


def listens(identity: Identity | None, port: int) -> bool:
    """Whether a live process itself accepts connections on a port, and nobody else does."""
    process = find(identity)
    try:
        return process is not None and any(
            one.status == psutil.CONN_LISTEN and one.laddr.port == port
            for one in process.net_connections("tcp")
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def identify(process: psutil.Process) -> Identity:
    """Note a process found running."""
    return Identity(pid=process.pid, created=process.create_time())


def stop(identity: Identity | None, signal: Signals, seconds: float) -> bool:
    """Ask a process to end, and kill it and its children after the limit.

    Answers whether it had to be killed.
    """
    process = find(identity)
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal)
    if wait_until(lambda: find(identity) is None, seconds):
        return False
    kill(identity)
    return True


def kill(identity: Identity | None) -> None:
    """End a process and its children now, and wait until they are gone."""
    process = find(identity)
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [identify(member) for member in [process, *process.children(recursive=True)]]
        for member in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member.pid, SIGKILL)
        wait_until(lambda: not any(find(member) for member in family), 10)


def wait_until(done: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Poll until the condition holds or the time is over; answers whether it held."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def find_strays(program: str, marker: str) -> list[Identity]:
    """Find processes whose command line has the marker: forgotten with a lost state file."""
    strays = []
    for process in psutil.process_iter(["name", "cmdline", "status", "create_time"]):
        info = process.info
        if process.pid == os.getpid() or info["status"] == psutil.STATUS_ZOMBIE:
            continue
        words = " ".join(info["cmdline"] or ())
        if program in {info["name"], Path(words.split(" ")[0]).name} and marker in words:
            strays.append(Identity(pid=process.pid, created=info["create_time"]))
    return strays


@dataclass(frozen=True)
class LogEnd:
    """How far a log had been written, which may have been put aside since."""

    inode: int
    size: int


def end_of(path: Path) -> LogEnd | None:
    """Return how far a log has been written; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return LogEnd(found.st_ino, found.st_size)


def tail(path: Path, lines: int, since: LogEnd | None = None) -> list[str]:
    """Read the last lines of a log, those written `since`, without reading all of it."""
    try:
        with path.open("rb") as file:
            is_same = since is not None and os.fstat(file.fileno()).st_ino == since.inode
            first = since.size if since is not None and is_same else 0
            size = file.seek(0, os.SEEK_END)
            file.seek(max(first, size - 500 * lines))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
