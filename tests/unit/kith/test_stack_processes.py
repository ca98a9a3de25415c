"""Processes: recognised by pid and start time, never by pid alone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM

import psutil
import pytest

from kith.stack.processes import (
    Identity,
    Launch,
    find,
    find_strays,
    give_way,
    identify,
    kill,
    rotate,
    spawn,
    stop,
    tail,
    wait_until,
)
from kith.stack.supervisor import rotate_in_place


@pytest.fixture
def sleeper() -> Iterator[Identity]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield identify(psutil.Process(process.pid))
    process.kill()
    process.wait()


def test_a_recycled_pid_is_neither_found_nor_killed(sleeper: Identity) -> None:
    stranger = Identity(pid=sleeper.pid, created=sleeper.created - 60)
    assert find(stranger) is None
    kill(stranger)
    assert stop(stranger, SIGTERM, 1) is False
    assert find(sleeper) is not None


def test_a_zombie_counts_as_dead(sleeper: Identity) -> None:
    os.kill(sleeper.pid, 9)
    assert wait_until(lambda: find(sleeper) is None, 5)
    assert psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE


def test_a_spawned_process_has_its_own_session_and_its_log(tmp_path: Path) -> None:
    code = "import os, time; print(os.getsid(0) == os.getpid(), flush=True); time.sleep(60)"
    log = tmp_path / "logs" / "x.log"
    identity = spawn(Launch(argv=[sys.executable, "-c", code], cwd=tmp_path, log=log))
    assert wait_until(lambda: bool(tail(log, 1)), 5)
    assert tail(log, 1) == ["True"]
    assert stop(identity, SIGTERM, 5) is False
    assert find(identity) is None


def test_one_that_does_not_listen_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    log = tmp_path / "x.log"
    identity = spawn(Launch(argv=[sys.executable, "-c", code], cwd=tmp_path, log=log))
    assert wait_until(lambda: bool(tail(log, 1)), 5)
    child = identify(psutil.Process(int(tail(log, 1)[0])))
    assert stop(identity, SIGTERM, 0.2) is True
    assert find(child) is None


def test_strays_are_found_by_program_and_marker(tmp_path: Path) -> None:
    marker = f"marker-{time.monotonic_ns()}"
    launch = Launch(
        argv=[sys.executable, "-c", "import time; time.sleep(60)", marker],
        cwd=tmp_path,
        log=tmp_path / "x.log",
    )
    identity = spawn(launch)
    program = Path(sys.executable).name
    assert [stray.pid for stray in find_strays(program, marker)] == [identity.pid]
    assert find_strays("java", marker) == [], "somebody only reading its files"
    kill(identity)


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("old")
    rotate(log, limit=2)
    assert not log.exists()
    assert (tmp_path / "x.log.1").read_text() == "old"


def test_a_log_in_use_is_emptied_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"before\n")
        rotate_in_place(log, limit=3)
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "x.log.1").read_bytes() == b"before\n"


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")
def test_who_gives_way_does_so_with_all_threads(tmp_path: Path) -> None:
    code = (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "print(flush=True)\n"
        "time.sleep(60)"
    )
    log = tmp_path / "x.log"
    identity = spawn(Launch([sys.executable, "-c", code], Path("/"), log))
    try:
        assert wait_until(lambda: log.read_bytes() != b"", 10)
        give_way(identity, 7)
        give_way(identity, 7)
        threads = [one.id for one in psutil.Process(identity.pid).threads()]
        assert [os.getpriority(os.PRIO_PROCESS, one) for one in threads] == [
            min(os.nice(0) + 7, 19)
        ] * 2
    finally:
        kill(identity)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="sessions are no equals here")
def test_who_gives_way_does_so_to_other_sessions_too_one_right_after_another(
    tmp_path: Path,
) -> None:
    launch = Launch(["sleep", "60"], Path("/"), tmp_path / "x.log")
    identities = [spawn(launch), spawn(launch)]
    try:
        for identity in identities:
            give_way(identity, 7)
        for identity in identities:
            autogroup = Path(f"/proc/{identity.pid}/autogroup")
            assert autogroup.read_text().endswith(" nice 7\n")
    finally:
        for identity in identities:
            kill(identity)


def test_whose_pid_is_a_strangers_now_does_not_make_the_stranger_give_way() -> None:
    before = os.nice(0)
    give_way(Identity(pid=os.getpid(), created=0.0), 7)
    assert os.nice(0) == before
