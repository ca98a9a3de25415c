"""What the demo shows while it works: a live picture on a terminal, else plain lines."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console

from kith.board import Board


@dataclass(frozen=True, slots=True)
class Figures:
    """How far the stream is."""

    to_feed: int
    fed: int
    resolved: int
    contacts_readable: int
    dead_letters: int
    seconds: float
    """Since the first signal was fed."""

    @property
    def per_second(self) -> float:
        """Signals resolved per second so far."""
        return self.resolved / self.seconds if self.seconds > 0 else 0.0

    @property
    def words(self) -> str:
        """Say it on one line."""
        return (
            f"fed {self.fed:,} of {self.to_feed:,}, resolved {self.resolved:,} "
            f"({self.per_second:,.0f}/s), contacts to read {self.contacts_readable:,}, "
            f"dead letters {self.dead_letters:,}"
        )


class Screen:
    """Steps one after the other; below a step what its parts are doing now."""

    def __init__(self, console: Console, board: Board) -> None:
        self._console = console
        self._board = board
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def step(self, words: str) -> None:
        """Begin a step."""
        with self._lock:
            self._board.clear()
            seconds = time.monotonic() - self._began
            self._console.print(f"{seconds:6.1f} s  {words}", markup=False)

    def part(self, name: str, words: str) -> None:
        """Show what a part is doing now."""
        with self._lock:
            self._board.say(name, words)

    def figures(self, figures: Figures) -> None:
        """Show how far the stream is."""
        self.part("stream", figures.words)


@contextmanager
def drawn_on(output: TextIO) -> Iterator[Screen]:
    """Draw until the work is done; the live picture goes then, and the steps remain."""
    console = Console(file=output, highlight=False, soft_wrap=True)
    with Board(console, pause_s=2, indent=10, vanishes=True) as board:
        yield Screen(console, board)
