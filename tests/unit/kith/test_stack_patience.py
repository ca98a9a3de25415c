"""A part that works while it starts is waited for; one that stands still is not, or ends."""

import sys
from pathlib import Path

import pytest
from typing_extensions import override

from kith.stack import stack as stacks
from kith.stack.borrowing import running_stack
from kith.stack.errors import StackError
from kith.stack.part import Part, Say, Setting
from kith.stack.ports import is_listening
from kith.stack.processes import Launch, end_of, rotate, tail
from kith.stack.stack import Stack

SLOW = """
import socket, sys, time
if sys.argv[2] == "failing":
    sys.exit("ERROR of this run")
end = time.monotonic() + 3
while time.monotonic() < end:
    if sys.argv[2] == "idle":
        time.sleep(0.1)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


class Slow(Part):
    """Takes longer than its limit to listen."""

    name = "valkey"
    program = Path(sys.executable).name
    port_names = ("redis",)
    start_seconds = 1

    def __init__(self, manner: str) -> None:
        self._manner = manner

    @override
    def marker(self, setting: Setting) -> str:
        return str(setting.folder("slow"))

    @override
    def prepare(self, setting: Setting, say: Say) -> Launch:
        words = [str(setting.ports["redis"]), self._manner, self.marker(setting)]
        argv = [sys.executable, "-c", SLOW, *words]
        return Launch(argv, cwd=setting.places.home, log=setting.places.log("valkey"))

    @override
    def ping(self, setting: Setting) -> None:
        if not is_listening(setting.ports["redis"]):
            raise ConnectionError


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr(stacks, "WORKING_SECONDS", 0.02)
    return Stack.load(home=tmp_path)


@pytest.mark.parametrize("manner", ["busy", "idle"])
def test_a_part_that_starts_slowly(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, manner: str
) -> None:
    monkeypatch.setattr(stacks, "PARTS", {"valkey": Slow(manner)})
    try:
        if manner == "busy":
            stack.start(["valkey"])
            assert stack.is_ready("valkey")
        else:
            with pytest.raises(StackError, match=r"not ready after \d s"):
                stack.start(["valkey"])
    finally:
        stack.wipe()


def test_what_a_borrower_could_not_start_is_not_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "WORKING_SECONDS", 0.02)
    monkeypatch.setattr(stacks, "PARTS", {"valkey": Slow("idle")})
    monkeypatch.setenv("KITH_HOME", str(tmp_path))
    try:
        with pytest.raises(StackError, match="not ready after"), running_stack(["valkey"]):
            pytest.fail("it was taken for ready")
        assert Stack.load().pids() == {}
    finally:
        Stack.load().wipe()


def test_a_part_that_ends_tells_why_this_time(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not why it ended before, which may stand in the same log."""
    monkeypatch.setattr(stacks, "PARTS", {"valkey": Slow("failing")})
    log = stack.places.log("valkey")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("ERROR of another run\n" * 40)
    for _ in range(2):
        with pytest.raises(StackError) as caught:
            stack.start(["valkey"])
        assert str(caught.value).count("ERROR") == 1
        assert "  | ERROR of this run" in str(caught.value)


def test_a_log_that_was_put_aside_is_told_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    assert end_of(log) is None
    log.write_text("before\n" * 3)
    end = end_of(log)
    assert tail(log, 5, end) == []
    with log.open("a") as file:
        file.write("since\n")
    assert (tail(log, 5, end), tail(log, 2)) == (["since"], ["before", "since"])
    rotate(log, limit=1)
    log.write_text("anew\n" * 9)
    assert tail(log, 20, end) == ["anew"] * 9


def test_a_bug_in_a_part_stays_a_bug(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine lacks is said in words; what the code has wrong is not for its reader."""

    class Broken(Slow):
        @override
        def prepare(self, setting: Setting, say: Say) -> Launch:
            raise error

    monkeypatch.setattr(stacks, "PARTS", {"valkey": Broken("idle")})
    error: Exception = KeyError("a name that is wrong")
    with pytest.raises(KeyError, match="a name that is wrong"):
        stack.start(["valkey"])
    error = OSError(28, "No space left on device")
    with pytest.raises(StackError, match="valkey failed: OSError"):
        stack.start(["valkey"])
