"""A part that works while it starts is waited for; one that stands still is not."""

import sys
from pathlib import Path

import pytest
from typing_extensions import override

from kith.stack import stack as stacks
from kith.stack.errors import StackError
from kith.stack.part import Part, Say, Setting
from kith.stack.ports import is_listening
from kith.stack.processes import Launch
from kith.stack.stack import Stack

SLOW = """
import socket, sys, time
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
