"""One local stack: start, find, stop, kill its parts, and say where they listen."""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from subprocess import SubprocessError
from typing import Self
from zlib import crc32

import psutil

from kith.stack.addresses import Addresses
from kith.stack.errors import PartFailedError, StackError, UnknownPartError
from kith.stack.fetch import open_folder
from kith.stack.kafka import Kafka
from kith.stack.neo4j import Neo4j
from kith.stack.part import Part, Setting
from kith.stack.places import Places, find_places
from kith.stack.ports import choose_port, is_free
from kith.stack.postgres import Postgres
from kith.stack.processes import (
    Identity,
    LogEnd,
    end_of,
    find,
    find_strays,
    give_way,
    kill,
    spawn,
    stop,
    tail,
    wait_until,
    worked_seconds,
)
from kith.stack.settings import StackSettings
from kith.stack.state import StackState, held, load_state, write_private
from kith.stack.valkey import Valkey
from shared.postgres.errors import DRIVER_ERRORS

PARTS: Mapping[str, Part] = {part.name: part for part in (Postgres(), Kafka(), Valkey(), Neo4j())}
"""Every part by its name."""
PING_PAUSE_SECONDS = 0.1
"""Between two questions whether a part is ready."""
PORT_PATIENCE_SECONDS = 3
"""For a remembered port to become free before another is chosen."""
WORKING_SECONDS = 4
"""A part that used no more of a processor within its limit does not work: twice what idle servers
use."""
LONGEST_START_SECONDS = 600
"""After which a part that is at it all the time is given up too."""
SERIOUS = re.compile(r"\b(ERROR|FATAL|PANIC)\b")
"""What marks the lines of a log that say why a part ends."""

FROM_OUTSIDE = (*DRIVER_ERRORS, OSError, SubprocessError, psutil.Error)
"""What is raised where the disk, a program or a part is not as it should be; all else is a bug."""

Progress = Callable[[str, str], None]
"""Told a part's name and what it is doing."""


def silent(part: str, words: str) -> None:
    """Report progress to nobody."""


class Stack(Addresses):
    """A stack of one home folder."""

    def __init__(self, places: Places, state: StackState) -> None:
        self.places = places
        self.state = state
        self._memory = threading.Lock()
        self._turn = threading.RLock()
        self._is_held = False
        self._written: dict[Path, LogEnd | None] = {}
        """Log → how far it was written before this command started the part."""

    @classmethod
    def load(cls, checkout: Path | None = None, *, home: Path | None = None) -> Self:
        """Find the stack of a checkout (this one by default), running or not.

        `home` (or `KITH_HOME`) puts state, logs and data elsewhere, for a stack of a test's own.
        """
        settings = StackSettings() if home is None else StackSettings(home=home)
        places = find_places(settings, checkout)
        return cls(places, load_state(places.state_file, places.secrets_file))

    @property
    def setting(self) -> Setting:
        """What parts are given."""
        return Setting(self.places, self.state.ports, self.state.secrets)

    # What runs.

    def pids(self) -> dict[str, int]:
        """List the parts that are alive."""
        return {name: pid.pid for name, pid in self.state.parts.items() if find(pid)}

    def identity(self, name: str) -> Identity | None:
        """Answer the process of a part, when it is alive."""
        identity = self.state.parts.get(name)
        return identity if find(identity) else None

    @property
    def lent(self) -> set[str]:
        """The parts that run for borrowers alone; one that was restarted since does not."""
        return {name for name, pid in self.state.lent.items() if self.identity(name) == pid}

    def is_ready(self, name: str) -> bool:
        """Whether a part answers a client."""
        return self._why_not_ready(name) is None

    # Orders.

    @contextmanager
    def held(self, progress: Progress = silent) -> Iterator[None]:
        """Let no other command change this stack; whoever holds it may give any order."""
        with self._turn, ExitStack() as leaving:
            if not self._is_held:
                leaving.enter_context(held(self.places.lock_file, partial(progress, "stack")))
                self._is_held = True
                leaving.callback(setattr, self, "_is_held", False)
            yield

    def start(
        self,
        parts: Iterable[str] | None = None,
        progress: Progress = silent,
        *,
        lend: bool = False,
    ) -> None:
        """Bring parts (all by default) up, side by side; those that answer are left alone.

        `lend` notes those that did not run as running for borrowers alone, each as it is started.
        Otherwise what borrowers had started stays from now on.
        """
        names = [_part(name).name for name in (PARTS if parts is None else parts)]
        with self.held(progress):
            self.refresh()
            self._settle_ports(names)
            kept = self.lent if lend else self.lent.difference(names)
            lent = set(names) - (self.pids().keys() - kept) if lend else set[str]()
            self.lend(kept)
            pool = ThreadPoolExecutor(len(PARTS))
            jobs = [
                pool.submit(self._start_one, PARTS[name], progress, lent=name in lent)
                for name in names
            ]
            try:
                failures = [error for job in jobs if (error := job.exception())]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        for bug in failures:
            if not isinstance(bug, StackError):
                raise bug
        if failures:
            raise StackError("\n\n".join(map(str, failures)))

    def stop(self, parts: Iterable[str] | None = None, progress: Progress = silent) -> None:
        """Stop parts (all by default) cleanly, side by side; their data stay."""
        names = [_part(name).name for name in (PARTS if parts is None else parts)]
        with self.held(progress):
            self._reload()
            with ThreadPoolExecutor(len(names) or 1) as pool:
                jobs = [pool.submit(self._stop_one, PARTS[name], progress) for name in names]
            for job in jobs:
                job.result()

    def lend(self, names: Iterable[str]) -> None:
        """Note which parts run for borrowers alone, and no others: the last of them stops those."""
        lent = {name: self.state.parts[name] for name in names}
        self.state = self.state.model_copy(update={"lent": lent})
        self._save()

    def kill(self, name: str) -> None:
        """SIGKILL a part, as a fault would, and leave it dead."""
        part = _part(name)
        with self.held():
            self._reload()
            kill(self.state.parts.get(name))
            wait_until(lambda: part.has_ended(self.setting), 10)
            self._forget(name)

    def restart(self, name: str, *, hard: bool = False, progress: Progress = silent) -> None:
        """Stop (or SIGKILL) one part and start it again."""
        with self.held(progress):
            if hard:
                self.kill(name)
            else:
                self.stop([name], progress)
            self.start([name], progress)

    def wipe(self) -> None:
        """Stop everything and remove data, logs and state."""
        places = self.places
        with self.held():
            self.stop()
            shutil.rmtree(places.data, ignore_errors=True)
            shutil.rmtree(places.logs, ignore_errors=True)
            for file in (places.state_file, places.plan_file, places.services_file):
                file.unlink(missing_ok=True)
            self._reload()

    # One part.

    def _start_one(self, part: Part, progress: Progress, *, lent: bool) -> None:
        try:
            self._bring_up(part, partial(progress, part.name), lent=lent)
        except FROM_OUTSIDE as error:
            raise self._failure(part, f"{type(error).__name__}: {error}") from error

    def _bring_up(self, part: Part, say: Callable[[str], None], *, lent: bool) -> None:
        began = time.monotonic()
        running = self.identity(part.name)
        if running and self._why_not_ready(part.name) is None:
            give_way(running, part.nice)
            part.after_start(self.setting, say)
            say("already running")
            return
        self._clear_away(part, say)
        launch = part.prepare(self.setting, say)
        say("starting")
        self._written |= {log: end_of(log) for log in part.logs(self.setting)}
        identity = spawn(launch)
        self._remember(part.name, identity, lent=lent)
        self._wait_ready(part, identity)
        # Not before: on a machine with other work it would hardly ever get to start.
        give_way(identity, part.nice)
        part.after_start(self.setting, say)
        say(f"ready after {time.monotonic() - began:.1f} s")

    def _clear_away(self, part: Part, say: Callable[[str], None]) -> None:
        """End whatever is left of the part: hung, dying, or forgotten with a lost state file."""
        left = {self.state.parts.get(part.name), *self._strays(part)}
        for identity in left:
            if find(identity):
                say("stopping what was left of it")
                stop(identity, part.stop_signal, part.stop_seconds)
        if not wait_until(lambda: part.has_ended(self.setting), 20):
            raise self._failure(part, "processes of the one that died are still running")

    def _strays(self, part: Part) -> list[Identity]:
        return find_strays(part.program, part.marker(self.setting))

    def _wait_ready(self, part: Part, identity: Identity) -> None:
        """Wait for as long as it works or writes to its log: a busy machine takes what it takes."""
        began = looked = time.monotonic()
        worked, told = 0.0, self._told(part)
        while why := self._why_not_ready(part.name):
            if not find(identity):
                raise self._failure(part, "its process ended while it was starting")
            if time.monotonic() - looked > part.start_seconds:
                looked = time.monotonic()
                before, worked = (worked, told), worked_seconds(identity)
                told = self._told(part)
                is_at_it = worked - before[0] > WORKING_SECONDS or told != before[1]
                if not is_at_it or looked - began > LONGEST_START_SECONDS:
                    raise self._failure(part, f"not ready after {looked - began:.0f} s: {why}")
            time.sleep(PING_PAUSE_SECONDS)

    def _told(self, part: Part) -> int:
        """Return how much a part's logs hold, bytes."""
        return sum(log.stat().st_size for log in part.logs(self.setting) if log.exists())

    def _why_not_ready(self, name: str) -> str | None:
        part = _part(name)
        if is_free(self.state.ports.get(part.port_names[0], 0)):
            return "nothing listens on its port"
        try:
            part.ping(self.setting)
        except Exception as error:  # noqa: BLE001 - whatever a client raises means: not yet
            return f"{type(error).__name__}: {error}"
        return None

    def _stop_one(self, part: Part, progress: Progress) -> None:
        left = {self.state.parts.get(part.name), *self._strays(part)}
        for identity in left:
            if find(identity):
                progress(part.name, "stopping")
                forced = stop(identity, part.stop_signal, part.stop_seconds)
                progress(part.name, "killed, as it did not stop" if forced else "stopped")
        wait_until(lambda: part.has_ended(self.setting), part.stop_seconds)
        self._forget(part.name)

    def _failure(self, part: Part, why: str) -> PartFailedError:
        """Say why a part failed, with what its logs say of it: not what ended a run before."""
        *others, log = part.logs(self.setting)
        lines = [line for other in others for line in tail(other, 5, self._written.get(other))]
        told = tail(log, 500, self._written.get(log))
        # What it ends with may be pages of settings.
        lines += [line for line in told[:-15] if SERIOUS.search(line)][-5:] + told[-15:]
        return PartFailedError(
            part.name, why, tail=lines, log=str(log), advice=part.fix(self.setting)
        )

    # Memory.

    def refresh(self) -> None:
        """See what other commands have done, and keep what only this version of kith knows.

        A secret that an older state lacks has just been made up: it must be the same from now on.
        """
        self._reload()
        self._make_folders()
        self._save()

    def _make_folders(self) -> None:
        self.places.home.mkdir(parents=True, exist_ok=True)
        self.places.logs.mkdir(parents=True, exist_ok=True)
        open_folder(self.places.cache)
        open_folder(self.places.data)
        write_private(self.places.secrets_file, json.dumps(dict(self.state.secrets)))

    def _settle_ports(self, starting: Iterable[str]) -> None:
        """Give every part its ports, also those that are left out: services are told of all.

        Remembered ports stay, unless a stranger has taken one of a part that is to start.
        """
        ports = dict(self.state.ports)
        deadline = time.monotonic() + PORT_PATIENCE_SECONDS
        movable = {name for name in starting if not self.identity(name)}
        for name, part in PARTS.items():
            for port_name in part.port_names:
                known = ports.get(port_name)
                if known and (name not in movable or self._may_keep(part, known, deadline)):
                    continue
                seed = crc32(f"{self.places.home}:{port_name}".encode())
                ports[port_name] = choose_port(seed, ports.values(), is_free)
        self.state = self.state.model_copy(update={"ports": ports})

    def _may_keep(self, part: Part, port: int, deadline: float) -> bool:
        """Whether a remembered port is free, or held by what will be cleared away.

        A killed JVM gives its ports back a moment after it counts as dead.
        """
        return (
            is_free(port)
            or bool(self._strays(part))
            or wait_until(lambda: is_free(port), deadline - time.monotonic())
        )

    def _remember(self, name: str, identity: Identity, *, lent: bool) -> None:
        """Note a part and for whom it runs in one step: whoever starts it may be killed."""
        with self._memory:
            known = {"parts": {**self.state.parts, name: identity}}
            if lent:
                known["lent"] = {**self.state.lent, name: identity}
            self.state = self.state.model_copy(update=known)
            self._save()

    def _forget(self, name: str) -> None:
        """Note that a part has ended; on a full disk it is seen to have, and may be wiped."""
        with self._memory, suppress(OSError):
            parts = {part: pid for part, pid in self.state.parts.items() if part != name}
            self.state = self.state.model_copy(update={"parts": parts})
            self._save()

    def _reload(self) -> None:
        """See what other commands have done since this stack was loaded."""
        self.state = load_state(self.places.state_file, self.places.secrets_file)

    def _save(self) -> None:
        write_private(self.places.state_file, self.state.model_dump_json(indent=2))


def _part(name: str) -> Part:
    """Look a part up."""
    try:
        return PARTS[name]
    except KeyError:
        raise UnknownPartError(f"no part {name!r}: there are {', '.join(PARTS)}") from None
