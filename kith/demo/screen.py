"""What the demo shows while it works: a live picture on a terminal, else plain lines."""

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table


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

    PAUSE_SECONDS = 2.0
    """Without a terminal, figures come no more often than this."""

    def __init__(self, output: TextIO) -> None:
        self._console = Console(file=output, highlight=False, soft_wrap=True)
        self._terminal = self._console.is_terminal
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._lock = threading.Lock()
        self._words: dict[str, str] = {}
        self._said: dict[str, tuple[str, float]] = {}
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the live picture away; the steps remain."""
        if self._terminal:
            self._live.stop()

    def step(self, words: str) -> None:
        """Begin a step."""
        with self._lock:
            self._words.clear()
            self._said.clear()
            seconds = time.monotonic() - self._began
            self._console.print(f"{seconds:6.1f} s  {words}", markup=False)

    def part(self, name: str, words: str) -> None:
        """Show what a part is doing now."""
        with self._lock:
            self._words[name] = words
            if self._terminal:
                self._draw()
            elif self._is_news(name, words):
                self._console.print(f"          {name:<12} {words}", markup=False)

    def figures(self, figures: Figures) -> None:
        """Show how far the stream is."""
        self.part("stream", figures.words)

    def _is_news(self, name: str, words: str) -> bool:
        verb = words.split(" ", maxsplit=1)[0]
        last, when = self._said.get(name, ("", 0.0))
        if verb == last and time.monotonic() - when < self.PAUSE_SECONDS:
            return False
        self._said[name] = (verb, time.monotonic())
        return True

    def _draw(self) -> None:
        table = Table.grid(padding=(0, 2))
        for name, words in sorted(self._words.items()):
            table.add_row("         ", name, words)
        self._live.update(table, refresh=True)
