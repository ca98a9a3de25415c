"""What the stack's commands print."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from rich.console import Console

from kith.board import Board
from kith.stack.errors import UnknownPartError
from kith.stack.fleet import Fleet
from kith.stack.processes import find, tail
from kith.stack.stack import PARTS, Stack

HEADINGS = ("NAME", "STATE", "PID", "RSS MB", "CPU s", "PORT", "RESTARTS", "READY")
"""Of the status table."""


def progress() -> Board:
    """Return a board with a line for each part, which is left standing."""
    return Board(Console(highlight=False, soft_wrap=True), pause_s=5)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be, on a terminal and in a file alike."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def part_rows(stack: Stack) -> list[list[str]]:
    """One row of the status table for each part."""
    rows = []
    for name, part in PARTS.items():
        process = find(stack.state.parts.get(name))
        port = str(stack.state.ports.get(part.port_names[0], "-"))
        ready = "yes" if process and stack.is_ready(name) else "no"
        state = "running" if process else "stopped"
        rows.append([name, state, *usage(process), port, "-", ready])
    return rows


def service_rows(fleet: Fleet) -> list[list[str]]:
    """One row for the supervisor, and one for each service process."""
    state = fleet.state()
    keeper = find(state.supervisor)
    if not state.processes and keeper is None:
        return []
    rows = [
        [
            "supervisor",
            "running" if keeper else "stopped",
            *usage(keeper, family=False),
            "-",
            "-",
            "-",
        ]
    ]
    for running in state.processes:
        process = find(running.process)
        word = running.state if keeper else "stopped"
        ready = "yes" if process and fleet.is_ready(running) else "no"
        restarts = str(running.restarts)
        rows.append([running.name, word, *usage(process), str(running.port), restarts, ready])
    return rows


def usage(process: psutil.Process | None, *, family: bool = True) -> tuple[str, str, str]:
    """Pid, memory in MB and processor seconds of a process, with its children if asked.

    Children of PostgreSQL share its buffers: what they share is counted once.
    """
    if process is None:
        return "-", "-", "-"
    rss, cpu = 0, 0.0
    members = [process, *(process.children(recursive=True) if family else ())]
    for number, member in enumerate(members):
        with suppress(psutil.Error):
            memory, times = member.memory_info(), member.cpu_times()
            rss += memory.rss - (getattr(memory, "shared", 0) if number else 0)
            cpu += times.user + times.system
    return str(process.pid), f"{rss / 1e6:.0f}", f"{cpu:.1f}"


def print_logs(folder: Path, name: str | None, *, lines: int, follow: bool) -> None:
    """Print the last lines of one log or of all, then what is added to them."""
    files = find_logs(folder, name)
    if not files:
        raise UnknownPartError(f"no log of {name or 'anything'} in {folder}")
    offsets = {file: file.stat().st_size for file in files}
    for file in files:
        found = tail(file, lines)
        if found and len(files) > 1:
            print(f"==> {file.relative_to(folder)} <==")
        for line in found:
            print(line)
    while follow:
        for file in find_logs(folder, name):
            offsets[file] = _print_since(file, offsets.get(file, 0))
        time.sleep(0.3)


def find_logs(folder: Path, name: str | None) -> list[Path]:
    """List the logs of a part, a service or one process; `kafka` has two, `resolver` one each."""
    files = sorted([*folder.glob("*.log"), *folder.glob("neo4j/neo4j.log")])
    return [file for file in files if name is None or name in _names(file)]


def _names(file: Path) -> set[str]:
    stem = file.name.removesuffix(".log")
    return {stem, stem.removesuffix(".out"), stem.rpartition("-")[0]}


def _print_since(file: Path, offset: int) -> int:
    """Print what a log gained; one that shrank was put aside, and is read from its start."""
    with suppress(FileNotFoundError), file.open("rb") as log:
        size = log.seek(0, 2)
        log.seek(offset if offset <= size else 0)
        sys.stdout.write(log.read().decode(errors="replace"))
        sys.stdout.flush()
        return log.tell()
    return 0
