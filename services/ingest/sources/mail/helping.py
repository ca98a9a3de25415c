"""Large mailboxes are parsed by processes beside this one, in the order of their messages.

A helper is a plain child process that reads portions of messages and answers with what it made of
them.  It ends when its input does, however this process ends; where it dies, this process goes on.
"""

import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from os import nice
from types import TracebackType
from typing import IO, Final, Self

from services.ingest.sources.mail.boxes import Stored
from services.ingest.sources.mail.parsing import Parsed, parse

MESSAGES: Final = 64
"""Messages of a portion, at most: few enough that nobody waits long for the last."""

BYTES: Final = 2 << 20
"""Bytes of a portion after which it is full; one more message is at most as large again."""

NICENESS: Final = 5
"""Helpers leave the processor to whoever answers somebody."""

_PATIENCE_S: Final = 5.0
_LENGTH: Final = 8

Portion = list[tuple[bytes, str]]
"""Messages as they lie in the mailbox, each with its folder."""


class Helpers:
    """So many processes that parse mail, for as long as the context lasts; none: this one does."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._helpers: list[_Helper] = []

    def __enter__(self) -> Self:
        """Start them."""
        self._helpers = [_Helper() for _ in range(self._count)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them, whatever they are doing."""
        for helper in self._helpers:
            helper.end()

    def running(self) -> list[int]:
        """Return the ids of the processes."""
        return [helper.pid for helper in self._helpers]

    def parse(self, messages: Iterable[Stored], now: datetime) -> Iterator[tuple[int, Parsed]]:
        """Yield the line and the parts of every message, in their order."""
        if not self._helpers:
            for one in messages:
                yield one.line, parse(one.raw, one.folder, now)
            return
        portions = _portions(messages)
        busy: deque[tuple[_Helper, list[Stored]]] = deque()
        for helper, portion in zip(self._helpers, portions, strict=False):
            helper.ask([(one.raw, one.folder) for one in portion], now)
            busy.append((helper, portion))
        while busy:
            helper, portion = busy.popleft()
            found = helper.answer()
            following = next(portions, None)
            if following is not None:
                helper.ask([(one.raw, one.folder) for one in following], now)
                busy.append((helper, following))
            for one, parts in zip(portion, found, strict=True):
                yield one.line, parts


class _Helper:
    """One child process, and what it was asked last."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # this very module
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self._process.pid
        self._asked: tuple[Portion, datetime]

    def ask(self, portion: Portion, now: datetime) -> None:
        """Hand a portion over; the one before was answered."""
        assert self._process.stdin
        self._asked = portion, now
        with suppress(OSError, ValueError):  # it is gone: the answer is made here
            _send(self._process.stdin, pickle.dumps(self._asked))

    def answer(self) -> list[Parsed]:
        """Return what became of the portion."""
        assert self._process.stdout
        try:
            answer = _receive(self._process.stdout)
        except (OSError, ValueError):
            answer = None
        if answer is None:
            return _parse_all(*self._asked)
        found: list[Parsed] = pickle.loads(answer)  # noqa: S301  # of our own child
        return found

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _portions(messages: Iterable[Stored]) -> Iterator[list[Stored]]:
    portion: list[Stored] = []
    size = 0
    for one in messages:
        portion.append(one)
        size += len(one.raw)
        if len(portion) == MESSAGES or size > BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _parse_all(portion: Portion, now: datetime) -> list[Parsed]:
    return [parse(raw, folder, now) for raw, folder in portion]


def _send(pipe: IO[bytes], body: bytes) -> None:
    pipe.write(len(body).to_bytes(_LENGTH, "big"))
    pipe.write(body)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message of a pipe; None: it ended."""
    size = int.from_bytes(pipe.read(_LENGTH), "big")
    body = pipe.read(size)
    return body if size and len(body) == size else None


def help_out(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Parse portions until there are no more."""
    while (question := _receive(asked)) is not None:
        portion, now = pickle.loads(question)  # noqa: S301  # of our own parent
        _send(answers, pickle.dumps(_parse_all(portion, now)))


if __name__ == "__main__":
    # Whoever ends the service by a key ends it alone: it sees to its helpers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nice(NICENESS)
    with suppress(BrokenPipeError):
        help_out(sys.stdin.buffer, sys.stdout.buffer)
