"""The supervisor with processes of the test's own: restart, back-off, reload, no survivors."""

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from signal import SIGKILL

import psutil
import pytest
from typing_extensions import override

from kith.stack import Fleet, Service, Stack, StackError
from kith.stack.borrowing import running_stack
from kith.stack.processes import find, tail, wait_until
from kith.stack.supervisor import Running

pytestmark = [pytest.mark.stack]

SERVER = """
import http.server, os, signal, sys
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["WORD"].encode())
    def log_message(self, *words):
        pass
print("started", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["HTTP_PORT"])), Handler).serve_forever()
"""


class Stranger(BaseHTTPRequestHandler):
    """Finds everything in order, as another stack's service does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    @override
    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start the smallest stack: only the ports of the others are known."""
    stack = Stack.load(home=tmp_path_factory.mktemp("fleet"))
    try:
        stack.start(["valkey"])
        yield stack
    finally:
        stack.wipe()


@pytest.fixture
def fleet(stack: Stack, tmp_path: Path) -> Iterator[Fleet]:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    table = (
        Service("web", (str(script),), role="kith_resolver", replicas=2),
        Service("slow", (str(script),), nice=10, replicas=1),
        Service("broken", ("-c", "raise SystemExit(3)"), replicas=0),
    )
    fleet = Fleet(stack, table)
    try:
        yield fleet
    finally:
        fleet.stop()


def start(fleet: Fleet, word: str = "one", **replicas: int) -> None:
    fleet.start(replicas=replicas, env={"*": {"WORD": word}})
    if "broken" not in replicas:
        assert fleet.wait_ready(20) == []


def pid(running: Running) -> int:
    assert running.process is not None
    return running.process.pid


def pids(fleet: Fleet) -> dict[str, int]:
    return {running.name: pid(running) for running in fleet.processes()}


def the(fleet: Fleet, name: str) -> Running:
    (running,) = fleet.processes(name)
    return running


def test_every_process_runs_with_its_port_its_environment_and_its_priority(fleet: Fleet) -> None:
    start(fleet)
    assert set(pids(fleet)) == {"web-1", "web-2", "slow-1"}
    assert psutil.Process(pids(fleet)["slow-1"]).nice() == min(19, os.nice(0) + 10)
    autogroup = Path(f"/proc/{pids(fleet)['slow-1']}/autogroup")
    assert not autogroup.exists() or autogroup.read_text().endswith(" nice 10\n")
    with urllib.request.urlopen(fleet.url("web"), timeout=5) as answer:
        assert answer.read() == b"one"
    environ = psutil.Process(pids(fleet)["web-1"]).environ()
    assert "kith_resolver:" in environ["POSTGRES_DSN"]
    assert tail(fleet.stack.places.log("web-1"), 1) == ["started"]


def test_one_that_was_killed_comes_back_on_its_port(fleet: Fleet) -> None:
    start(fleet)
    before = the(fleet, "web-1")
    os.kill(pid(before), SIGKILL)
    assert wait_until(lambda: the(fleet, "web-1").restarts == 1, 5)
    assert fleet.wait_ready(10) == []
    after = the(fleet, "web-1")
    assert (after.port, after.last_exit) == (before.port, -SIGKILL)
    assert pid(after) != pid(before)


def test_one_whose_port_a_stranger_took_while_it_started_moves_away(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(fleet)
    port = the(fleet, "web-1").port
    fleet.stop()
    with ThreadingHTTPServer(("127.0.0.1", port), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        with monkeypatch.context() as patch:
            patch.setattr("kith.stack.fleet.is_free", lambda _port: True)
            fleet.start(env={"*": {"WORD": "one"}})
        assert fleet.wait_ready(20) == []
        assert the(fleet, "web-1").port != port
        with urllib.request.urlopen(fleet.url("web"), timeout=5) as answer:
            assert answer.read() == b"one"
        stranger.shutdown()


@pytest.mark.parametrize("hard", [True, False])
def test_a_service_is_restarted_process_by_process(fleet: Fleet, *, hard: bool) -> None:
    start(fleet)
    before = pids(fleet)
    fleet.restart("web", hard=hard)
    after = pids(fleet)
    assert {name for name in before if before[name] != after[name]} == {"web-1", "web-2"}


def test_one_that_keeps_failing_is_started_less_and_less_often(fleet: Fleet) -> None:
    start(fleet, broken=1)
    assert wait_until(lambda: the(fleet, "broken-1").restarts >= 3, 10)
    restarts = the(fleet, "broken-1").restarts
    assert the(fleet, "broken-1").last_exit == 3
    time.sleep(1)
    assert the(fleet, "broken-1").restarts <= restarts + 1, "at least 0.8 s between two by now"


def test_a_new_plan_touches_only_what_it_changes(fleet: Fleet) -> None:
    start(fleet)
    before = pids(fleet)
    start(fleet, web=3, slow=0)
    after = pids(fleet)
    assert set(after) == {"web-1", "web-2", "web-3"}
    assert (after["web-1"], after["web-2"]) != (before["web-1"], before["web-2"]), (
        "they were told of a service that is gone"
    )
    start(fleet, web=3, slow=0)
    assert pids(fleet) == after


def test_a_supervisor_that_cannot_write_keeps_what_runs_running(fleet: Fleet) -> None:
    """As on a full disk: what it says is late then, and nothing else is amiss."""
    start(fleet)
    before, file = the(fleet, "web-1"), fleet.stack.places.services_file
    said = file.read_bytes()
    file.unlink()
    (file / "in the way").mkdir(parents=True)
    os.kill(pid(before), SIGKILL)
    time.sleep(1)
    shutil.rmtree(file)
    file.write_bytes(said)
    assert wait_until(lambda: the(fleet, "web-1").restarts == 1, 10)
    assert fleet.wait_ready(10) == []
    after = the(fleet, "web-1")
    assert after.process != before.process


def test_a_stop_waits_for_whoever_starts(fleet: Fleet) -> None:
    """Also between two steps of theirs: what they start next would be left behind."""
    other = Fleet(Stack.load(home=fleet.stack.places.home))
    heard: list[str] = []
    stopping = threading.Thread(target=other.stop, args=[lambda _, words: heard.append(words)])
    with fleet.stack.held():
        stopping.start()
        assert wait_until(lambda: bool(heard), 5)
        start(fleet)
        assert "waiting for another command" in heard[0]
        assert all(find(running.process) for running in fleet.processes())
    stopping.join(30)
    assert not fleet.is_running()


def test_a_restart_holds_the_stack(fleet: Fleet) -> None:
    """A stop amid it would end what it waits for."""
    start(fleet)
    other, heard = Fleet(Stack.load(home=fleet.stack.places.home)), list[str]()
    stopping = threading.Thread(target=other.stop, args=[lambda _, words: heard.append(words)])

    def stop_meanwhile(name: str, words: str) -> None:
        if (name, words) == ("web-1", "stopping"):
            stopping.start()
            assert wait_until(lambda: bool(heard), 5)
            assert "waiting for another command" in heard[0]
            assert fleet.is_running()

    fleet.restart("web", progress=stop_meanwhile)
    stopping.join(30)
    assert not fleet.is_running()


def test_a_borrowed_stack_is_not_stopped_below_services_of_another_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are parts that another command started while the borrower waited for it."""
    monkeypatch.setenv("KITH_HOME", str(tmp_path / "home"))
    mine = Stack.load()
    fleet = Fleet(mine, (Service("idle", ("-c", "import time; time.sleep(60)"), replicas=1),))
    entered, leaving, after = threading.Event(), threading.Event(), list[bool]()

    def borrow() -> None:
        with running_stack(["valkey"]):
            entered.set()
            assert leaving.wait(60)
        after.append("valkey" in Stack.load().pids())

    def borrowing() -> threading.Thread:
        for event in (entered, leaving):
            event.clear()
        thread = threading.Thread(target=borrow)
        thread.start()
        return thread

    try:
        borrower = borrowing()
        assert entered.wait(60)
        fleet.start()
        leaving.set()
        borrower.join(60)
        fleet.stop()
        mine.stop()
        with mine.held():
            borrower = borrowing()
            time.sleep(0.3)
            mine.start(["valkey"])
        leaving.set()
        borrower.join(60)
        mine.refresh()
        mine.stop()
        borrower = borrowing()
        leaving.set()
        borrower.join(60)
        assert after == [True, True, False]
    finally:
        fleet.stop()
        mine.wipe()


def test_what_borrowers_started_is_stopped_by_the_last_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two evaluations at once: the first to end stopped PostgreSQL below the other."""
    monkeypatch.setenv("KITH_HOME", str(tmp_path / "home"))

    def is_running() -> bool:
        return "valkey" in Stack.load().pids()

    try:
        with ExitStack() as one, ExitStack() as other:
            one.enter_context(running_stack(["valkey"]))
            other.enter_context(running_stack(["valkey"]))
            one.close()
            assert is_running()
            one.enter_context(running_stack(["valkey"]))
            other.close()
            assert is_running()
            one.close()
            assert not is_running()
            one.enter_context(running_stack(["valkey"]))
            Stack.load().start(["valkey"])
            one.close()
            assert is_running(), "`kith up` said that it is to stay"
    finally:
        Stack.load().wipe()


KILLED = """
import os, signal, sys
from kith.stack.borrowing import running_stack
from kith.stack.valkey import Valkey
def end(*words):
    os.kill(os.getpid(), signal.SIGKILL)
if "starting" in sys.argv:
    Valkey.after_start = end
with running_stack(["valkey"]):
    end()
"""


@pytest.mark.parametrize("when", ["starting", "using"])
def test_what_a_killed_borrower_left_running_the_next_one_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Or the one that was there before."""
    monkeypatch.setenv("KITH_HOME", str(tmp_path / "home"))

    def borrow_and_die() -> None:
        subprocess.run([sys.executable, "-c", KILLED, when], check=False, timeout=60)
        assert "valkey" in Stack.load().pids()

    try:
        borrow_and_die()
        with running_stack(["valkey"]):
            pass
        assert "valkey" not in Stack.load().pids()
        with running_stack(["valkey"]):
            borrow_and_die()
        assert "valkey" not in Stack.load().pids()
    finally:
        Stack.load().wipe()


def test_no_service_outlives_a_killed_supervisor(fleet: Fleet) -> None:
    start(fleet)
    running = [each.process for each in fleet.processes()]
    supervisor = fleet.state().supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, SIGKILL)
    if sys.platform == "linux":
        assert wait_until(lambda: not any(find(process) for process in running), 5)
    assert not fleet.is_running()
    start(fleet)
    assert not any(find(process) for process in running)


def test_stop_kills_what_does_not_listen(fleet: Fleet, tmp_path: Path) -> None:
    deaf = Service("deaf", (str(tmp_path / "server.py"), "deaf"), stop_seconds=1)
    stubborn = Fleet(fleet.stack, (deaf,))
    start(stubborn)
    process = the(stubborn, "deaf-1").process
    began = time.monotonic()
    stubborn.stop()
    assert 1 <= time.monotonic() - began < 5
    assert find(process) is None


def test_an_unknown_service_is_named(fleet: Fleet) -> None:
    start(fleet)
    with pytest.raises(StackError, match="nothere"):
        fleet.restart("nothere")
    with pytest.raises(StackError, match="nothere"):
        fleet.start(replicas={"nothere": 1})
