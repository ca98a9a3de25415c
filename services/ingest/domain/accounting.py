"""What came of signals, by source: what operators count."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

ACCEPTED: Final = "accepted"
UNREAD: Final = "unread"
"""The source of a signal that is refused before its source is known."""

OTHER: Final = "other"
"""Every source beyond the first `MOST_SOURCES`: senders name them, and labels must be bounded."""

MOST_SOURCES: Final = 50


class Sources:
    """The sources that are counted by name, as they came up."""

    def __init__(self) -> None:
        self._named: set[str] = {UNREAD, OTHER}

    def label(self, source: str) -> str:
        """Return what a source is counted as."""
        if source in self._named:
            return source
        if len(self._named) >= MOST_SOURCES:
            return OTHER
        self._named.add(source)
        return source

    def named(self, source: object) -> str:
        """Return a source that is counted by name already; what was refused names no other."""
        return source if isinstance(source, str) and source in self._named else UNREAD


class Account:
    """Verdicts of one batch or request."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._oldest: dict[str, int] = {}

    def accept(self, source: str, received_ms: int | None = None) -> None:
        """Count a signal that goes on; it was received then, milliseconds since 1970."""
        label = self._sources.label(source)
        self._verdicts[label, ACCEPTED] += 1
        if received_ms is not None:
            self._oldest[label] = min(received_ms, self._oldest.get(label, received_ms))

    def refuse(self, source: object, reason: str) -> None:
        """Count a signal that does not."""
        self._verdicts[self._sources.named(source), reason] += 1

    def verdicts(self) -> Iterator[tuple[str, str, int]]:
        """Yield (source, verdict, how many)."""
        for (source, verdict), count in self._verdicts.items():
            yield source, verdict, count

    def ages(self, now_ms: float) -> Iterator[tuple[str, float]]:
        """Yield (source, seconds that its oldest signal has waited)."""
        for source, received in self._oldest.items():
            yield source, max(0.0, (now_ms - received) / 1000)
