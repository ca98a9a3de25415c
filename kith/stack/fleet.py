"""The service processes of a stack: start them under the supervisor, find, restart, stop them."""

import http.client
import os
import sys
import time
from collections.abc import Iterable, Mapping
from signal import SIGHUP, SIGTERM
from zlib import crc32

from pydantic import ValidationError

from kith.stack.errors import PartFailedError, StackError, UnknownPartError
from kith.stack.ports import choose_port, is_free, is_listening
from kith.stack.processes import Launch, find, kill, listens, spawn, stop, tail, wait_until
from kith.stack.services import SERVICES, STOP_SECONDS, Plan, Service, make_plan, name_processes
from kith.stack.stack import PARTS, Progress, Stack, silent
from kith.stack.state import write_private
from kith.stack.supervisor import FleetState, Running, read_fleet

SUPERVISOR = "supervisor"
"""The name of its log."""
UP_SECONDS = 15
"""Within which the supervisor has started every process once."""


class Fleet:
    """Every service process of one stack."""

    def __init__(self, stack: Stack, services: Iterable[Service] = SERVICES) -> None:
        self.stack = stack
        self._places = stack.places
        self._services = tuple(services)
        self._asked: tuple[Mapping[str, int], Mapping[str, Mapping[str, str]]] | None = None

    # What runs.

    def state(self) -> FleetState:
        """Read what the supervisor says; what it said last, when it is dead."""
        return read_fleet(self._places.services_file)

    def is_running(self) -> bool:
        """Whether a supervisor is alive."""
        return find(self.state().supervisor) is not None

    def processes(self, name: str | None = None) -> list[Running]:
        """List the processes of a service, the process of that name, or all."""
        found = [
            running
            for running in self.state().processes
            if name in {None, running.name, running.service}
        ]
        if name is not None and not found:
            raise UnknownPartError(f"no service {name!r} is running here")
        return found

    def url(self, name: str) -> str:
        """Where the first process of a service answers HTTP."""
        return f"http://127.0.0.1:{self.processes(name)[0].port}"

    def is_ready(self, running: Running) -> bool:
        """Whether a process says so itself, and no stranger that has its port."""
        if not listens(running.process, running.port):
            return False
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=1)
        try:
            connection.request("GET", running.probe)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    # Orders.

    def start(
        self,
        *,
        replicas: Mapping[str, int] | None = None,
        env: Mapping[str, Mapping[str, str]] | None = None,
        progress: Progress = silent,
    ) -> None:
        """Run the services, or bring those that run in line with what is asked now.

        `replicas` overrides the number of processes of a service (0 leaves it out); `env` adds
        variables for a service, or under `*` for all.
        """
        unknown = set(replicas or ()) - {service.name for service in self._services}
        if unknown:
            raise UnknownPartError(f"no service {', '.join(sorted(unknown))}")
        self._asked = (replicas or {}, env or {})
        with self.stack.held(progress):
            self.stack.refresh()
            plan = self._plan(replicas or {}, env or {})
            write_private(self._places.plan_file, plan.model_dump_json(indent=2))
            supervisor = find(self.state().supervisor)
            if supervisor:
                supervisor.send_signal(SIGHUP)
            else:
                self._stop_orphans(progress)
                self._start_supervisor()
            names = {planned.name for planned in plan.processes}
            if not wait_until(lambda: self._follows(names), UP_SECONDS + STOP_SECONDS):
                log = self._places.log(SUPERVISOR)
                raise PartFailedError(
                    SUPERVISOR,
                    "it did not start every process",
                    tail=tail(log, 15),
                    log=str(log),
                    advice="`kith status`, `kith logs`, then `kith up --services` again",
                )
        for name in sorted(names):
            progress(name, "started")

    def stop(self, progress: Progress = silent) -> None:
        """Stop every service and the supervisor, and whatever a killed one has left behind."""
        with self.stack.held(progress):
            supervisor = self.state().supervisor
            if find(supervisor):
                progress(SUPERVISOR, "stopping the services")
                stop(supervisor, SIGTERM, 2 * STOP_SECONDS + 5)
            self._stop_orphans(progress)

    def restart(self, name: str, *, hard: bool = False, progress: Progress = silent) -> None:
        """Stop (or SIGKILL) a service's processes one after the other; the supervisor starts them.

        The next one is stopped when the one before runs again.
        """
        known = {service.name for service in self._services}
        if name not in known | {running.name for running in self.state().processes}:
            parts = ", ".join([*PARTS, *sorted(known)])
            raise UnknownPartError(f"no part or service {name!r}: there are {parts}")
        with self.stack.held(progress):
            if not self.is_running():
                raise StackError("no services are running: `kith up --services`")
            for running in self.processes(name):
                self._restart_one(running, hard=hard, progress=progress)

    def wait_ready(self, seconds: float) -> list[str]:
        """Wait until all are ready; answers the names of those that are not after the time.

        What this fleet has started moves to another port when a stranger took its own meanwhile.
        """
        deadline = time.monotonic() + seconds
        while True:
            waiting = [running for running in self.processes() if not self.is_ready(running)]
            if not waiting or time.monotonic() >= deadline:
                return [running.name for running in waiting]
            if self._asked and any(map(_is_robbed, waiting)):
                replicas, env = self._asked
                self.start(replicas=replicas, env=env)
            time.sleep(0.1)

    # Steps.

    def _restart_one(self, running: Running, *, hard: bool, progress: Progress) -> None:
        progress(running.name, "killing" if hard else "stopping")
        if hard:
            kill(running.process)
        else:
            stop(running.process, SIGTERM, STOP_SECONDS)
        if not wait_until(lambda: self._is_up(running.name), UP_SECONDS):
            raise StackError(f"{running.name} did not come back: `kith logs {running.name}`")
        progress(running.name, "running again")

    def _plan(self, replicas: Mapping[str, int], env: Mapping[str, Mapping[str, str]]) -> Plan:
        named = name_processes(self._services, replicas)
        return make_plan(
            named,
            checkout=self._places.checkout,
            ports=self._settle_ports([name for name, _ in named]),
            environments={
                service.role: self.stack.environment(service.role) for service in self._services
            },
            extra=env,
        )

    def _settle_ports(self, names: Iterable[str]) -> dict[str, int]:
        """Keep the ports of the plan before, unless a stranger has taken one meanwhile."""
        own = {running.name for running in self.state().processes if find(running.process)}
        before = self._remembered_ports()
        taken = {*before.values(), *self.stack.state.ports.values()}
        ports = {}
        for name in names:
            port = before.get(name)
            if port is None or not (name in own or is_free(port)):
                port = choose_port(crc32(f"{self._places.home}:{name}".encode()), taken, is_free)
            taken.add(port)
            ports[name] = port
        return ports

    def _remembered_ports(self) -> dict[str, int]:
        try:
            plan = Plan.model_validate_json(self._places.plan_file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return {}
        if any(planned.cwd != self._places.checkout for planned in plan.processes):
            return {}  # copied along with the checkout: those are the original's
        return {planned.name: planned.port for planned in plan.processes}

    def _start_supervisor(self) -> None:
        spawn(
            Launch(
                argv=[
                    sys.executable,
                    *("-m", "kith.stack.supervisor"),
                    str(self._places.home),
                    str(self._places.checkout),
                ],
                cwd=self._places.checkout,
                log=self._places.log(SUPERVISOR),
                env=os.environ,
            )
        )

    def _follows(self, names: set[str]) -> bool:
        """Whether the supervisor runs exactly these, each started at least once."""
        state = self.state()
        started = {
            running.name
            for running in state.processes
            if running.process is not None or running.last_exit is not None
        }
        return find(state.supervisor) is not None and started == names

    def _is_up(self, name: str) -> bool:
        return any(
            find(running.process) for running in self.state().processes if running.name == name
        )

    def _stop_orphans(self, progress: Progress) -> None:
        """End services whose supervisor was killed where the kernel did not."""
        for running in self.state().processes:
            if find(running.process):
                progress(running.name, "stopping it: its supervisor is gone")
                stop(running.process, SIGTERM, STOP_SECONDS)


def _is_robbed(running: Running) -> bool:
    """Whether a process has ended and somebody else listens where it would."""
    return (
        running.last_exit is not None
        and find(running.process) is None
        and is_listening(running.port)
    )
