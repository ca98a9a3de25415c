"""The floor of the outbox: whatever order transactions end in, no event is passed by."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.publishing import Floor

SHARDS = 2
ROUND = 3


class Database:
    """Transactions with ids, numbers given out on writing, rows that appear on commit."""

    def __init__(self) -> None:
        self.newest = 0
        self.number = 0
        self.open: dict[int, list[tuple[int, int]]] = {}
        self.rows: set[tuple[int, int]] = set()
        """Shard and number of what is committed and not yet published."""

    def write(self, xid: int | None, shard: int) -> int:
        if xid is None:
            self.newest += 1
            xid = self.newest
            self.open[xid] = []
        self.number += 1
        self.open[xid].append((shard, self.number))
        return xid

    def end(self, xid: int, *, commits: bool) -> None:
        written = self.open.pop(xid)
        if commits:
            self.rows.update(written)

    def look(self) -> tuple[int, int]:
        self.newest += 1
        return min(self.open, default=self.newest), self.newest

    def read(self, floor: int) -> list[tuple[int, int]]:
        found = []
        for shard in range(SHARDS):
            mine = sorted(row for row in self.rows if row[0] == shard and row[1] > floor)
            found += mine[:ROUND]
        return found


def a_round(database: Database, floor: Floor, *, looks: bool) -> None:
    if looks:
        floor.see(*database.look())
    rows = database.read(floor.seq)
    if rows:
        database.rows.difference_update(rows)
        counts = Counter(shard for shard, _ in rows)
        floor.publish(dict(rows), frozenset(one for one, n in counts.items() if n == ROUND))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 5), st.integers(0, SHARDS - 1)),
        st.tuples(st.just("told"), st.integers(1, 3 * ROUND), st.integers(0, SHARDS - 1)),
        st.tuples(st.just("commit"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("abort"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("round"), st.integers(0, 1), st.just(0)),
    ),
    max_size=80,
)


@settings(max_examples=500)
@given(steps)
def test_nothing_that_can_still_appear_is_below_the_floor(
    history: list[tuple[str, int, int]],
) -> None:
    database, floor = Database(), Floor()
    writers: dict[int, int] = {}
    for what, who, shard in history:
        if what == "write":
            writers[who] = database.write(writers.get(who), shard)
        elif what == "told":
            for _ in range(who):
                database.end(database.write(None, shard), commits=True)
        elif what == "round":
            a_round(database, floor, looks=bool(who))
        elif who in writers:
            database.end(writers.pop(who), commits=what == "commit")
        written = {number for rows in database.open.values() for _, number in rows}
        waiting = {number for _, number in database.rows}
        assert all(number > floor.seq for number in written | waiting)
    for xid in list(database.open):
        database.end(xid, commits=True)
    while database.rows:
        before = len(database.rows)
        a_round(database, floor, looks=True)
        assert len(database.rows) < before


def test_the_floor_follows_what_is_published() -> None:
    database, floor = Database(), Floor()
    for _ in range(4):
        database.end(database.write(None, 0), commits=True)
        a_round(database, floor, looks=True)
    assert floor.seq >= database.number - 2


def test_a_transaction_that_goes_on_holds_the_floor_down() -> None:
    database, floor = Database(), Floor()
    slow = database.write(None, 1)
    for _ in range(4):
        database.end(database.write(None, 0), commits=True)
        a_round(database, floor, looks=True)
    assert floor.seq < 1
    database.end(slow, commits=True)
    a_round(database, floor, looks=True)
    assert not database.rows
