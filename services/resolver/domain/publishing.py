"""From where the relay reads the outbox: below it no event can appear any more.

What is deleted stays in the table until no transaction sees it, be that one that analyses another
table for seconds; a read from the beginning passes over all of it, again and again.  A later number
may be published before an earlier one, though: numbers are given out when rows are written, and
rows appear when their transaction ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Mark:
    """Whoever was given a number up to `seq` has a transaction id below `xid`."""

    seq: int
    xid: int


@dataclass(slots=True)
class Floor:
    """The number up to which all that the shards of one session will ever hold is published.

    Whoever takes a number has a transaction id by then (`publish_events` sees to it), so that a
    number seen at some moment, and any below it, belongs to an id given out before that moment.
    When all of those transactions have ended, and what they left is published, nothing can appear.
    """

    seq: int = 0
    """Events up to this number need not be looked for."""
    _highest: int = 0
    _settled: int = 0
    _mark: _Mark | None = None

    def see(self, oldest: int, newest: int) -> None:
        """Learn before a round which transaction id is the oldest in use, and which the newest."""
        if self._mark is None or oldest >= self._mark.xid:
            self._settled = self._mark.seq if self._mark else 0
            self._mark = _Mark(self._highest, newest)

    def publish(self, last: Mapping[int, int], cut: frozenset[int]) -> None:
        """Learn after a round the last number of each shard, and which of them had more to read."""
        self._highest = max(self._highest, *last.values())
        self.seq = max(self.seq, min([self._settled, *(last[shard] for shard in cut)]))
