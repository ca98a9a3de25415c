"""What several parts are doing now: redrawn on a terminal, else one line for each change."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table


class Board:
    """A line for each part; the picture stays, or goes where it `vanishes`."""

    def __init__(
        self, console: Console, *, pause_s: float, indent: int = 0, vanishes: bool = False
    ) -> None:
        """Draw on this console.

        Without a terminal, figures of one part come no more often than every `pause_s` seconds.
        """
        self._console = console
        self._pause_s = pause_s
        self._indent = indent
        self._live = Live(console=console, auto_refresh=False, transient=vanishes)
        self._words: dict[str, str] = {}
        self._said: dict[str, tuple[str, float]] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw no more."""
        if self._console.is_terminal:
            self._live.stop()

    def clear(self) -> None:
        """Begin with no part."""
        self._words.clear()
        self._said.clear()

    def say(self, part: str, words: str) -> None:
        """Show what a part is doing now."""
        self._words[part] = words
        if self._console.is_terminal:
            table = Table.grid(padding=(0, 2))
            for name, text in sorted(self._words.items()):
                table.add_row(name, text)
            self._live.update(Padding(table, (0, 0, 0, self._indent)), refresh=True)
        elif self._is_news(part, words):
            self._console.print(f"{'':{self._indent}}{part:<12} {words}", markup=False)

    def _is_news(self, part: str, words: str) -> bool:
        verb = words.split(" ", maxsplit=1)[0]
        last, when = self._said.get(part, ("", 0.0))
        if verb == last and time.monotonic() - when < self._pause_s:
            return False
        self._said[part] = (verb, time.monotonic())
        return True
