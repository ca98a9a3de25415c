"""One process after another that gives parsers inputs, watched from outside.

An input is made from a seed and its number.  A process tells which one it is at, so that it can be
named also when the process hangs or dies; the next one goes on behind it.
"""

import multiprocessing
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import psutil

from shared.errors import PoisonMessageError
from tests.fuzz.mutating import mutated
from tests.fuzz.parsers import PARSERS, Parser

CPU_S: Final = 2.0
"""Processor time that one input may take, seconds."""

MEMORY_MIB: Final = 128
"""What one input may add to the most memory that its process ever had: each has 128 kB at most."""

ROOM_MIB: Final = 4_096
"""Memory that a process is given at all: what would take more fails there, and harms nobody."""

TURN: Final = 2_000
"""Inputs of one process: memory that is not given back stays within bounds."""

LOOK_S: Final = 0.1
"""Between two looks at a process."""

_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """An input that a parser did not cope with."""

    parser: str
    number: int
    data: bytes
    what: str


def input_of(seed: int, number: int, parsers: Sequence[Parser]) -> tuple[Parser, bytes]:
    """Make an input; the parsers take turns."""
    parser = parsers[number % len(parsers)]
    dice = random.Random(f"{seed} {number} {parser.name}")
    return parser, mutated(_seeds(parser), dice)


_SEEDS: Final[dict[str, list[bytes]]] = {}


def _seeds(parser: Parser) -> list[bytes]:
    if parser.name not in _SEEDS:
        _SEEDS[parser.name] = list(parser.seeds())
    return _SEEDS[parser.name]


def run(parser: Parser, data: bytes) -> str:
    """Give a parser an input; returns what is wrong with how it took it, or nothing."""
    most, begun = _most_memory(), time.process_time()
    try:
        parser.run(data)
    except PoisonMessageError as error:
        if not error.detail:
            return "refused without saying why"
    except Exception:  # noqa: BLE001  # whatever it is, it is a fault
        return traceback.format_exc(limit=-6)
    took, grown = time.process_time() - begun, _most_memory() - most
    if took > CPU_S:
        return f"took {took:.1f} s"
    return f"took {grown} MiB" if grown > MEMORY_MIB else ""


def _most_memory() -> int:
    """Return the most memory that this process ever had, MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (_MIB if sys.platform == "darwin" else 1_024)


def _work(
    seed: int, numbers: range, names: Sequence[str], at: Any, told: "Connection[Any, Any]"
) -> None:
    """Give inputs to parsers, and tell of the faults."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this ends it
    resource.setrlimit(resource.RLIMIT_AS, (ROOM_MIB * _MIB,) * 2)
    parsers = [PARSERS[name] for name in names]
    for parser in parsers:
        for data in _seeds(parser):
            parser.run(data)  # what is remembered of tables and words is no input's memory
    for number in numbers:
        at.value = number
        parser, data = input_of(seed, number, parsers)
        if what := run(parser, data):
            told.send((number, what))
    told.send(None)


Work = Callable[[int, range, Sequence[str], Any, "Connection[Any, Any]"], None]
"""What a process does."""


class Lane:
    """Inputs one after another: every `step`-th from `first` on."""

    def __init__(
        self, seed: int, first: int, step: int, names: Sequence[str], work: Work = _work
    ) -> None:
        self._seed = seed
        self._work = work
        self._next = first
        self._step = step
        self._names = names
        self._parsers = [PARSERS[name] for name in names]
        self._context = multiprocessing.get_context("spawn")
        self.done = 0
        """Inputs that were given."""

    def turn(self, inputs: int, over: Callable[[], bool]) -> list[Fault]:
        """Give so many inputs in a process of its own, until the time is over."""
        numbers = range(self._next, self._next + inputs * self._step, self._step)
        at = self._context.Value("q", -1)
        listen, told = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=self._work, args=(self._seed, numbers, self._names, at, told), daemon=True
        )
        process.start()
        told.close()
        try:
            faults, last = self._watch(process, at, listen, over)
        finally:
            process.kill()
            process.join()
        given = (last - self._next) // self._step + 1 if last >= 0 else 0
        self.done += given
        self._next += given * self._step
        return faults

    def _watch(
        self, process: Any, at: Any, listen: "Connection[Any, Any]", over: Callable[[], bool]
    ) -> tuple[list[Fault], int]:
        """Listen to a process; returns its faults, and the last input that it was given."""
        faults: list[Fault] = []
        seen, since = -1, 0.0
        while not over():
            if listen.poll(LOOK_S):
                try:
                    said = listen.recv()
                except EOFError:
                    process.join()
                    faults.append(self._fault(at.value, f"ended by {process.exitcode}"))
                    break
                if said is None:
                    break
                faults.append(self._fault(*said))
                continue
            spent = _cpu_of(process.pid)
            if at.value != seen:
                seen, since = at.value, spent
            elif seen >= 0 and spent - since > CPU_S + LOOK_S:
                faults.append(self._fault(seen, f"did not end in {CPU_S} s"))
                break
        return faults, at.value

    def _fault(self, number: int, what: str) -> Fault:
        if number < 0:
            raise RuntimeError(f"no input was given: {what}")
        parser, data = input_of(self._seed, number, self._parsers)
        return Fault(parser.name, number, data, what)


def _cpu_of(pid: int) -> float:
    """Return the processor time of a process; a machine that others use is no fault."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
