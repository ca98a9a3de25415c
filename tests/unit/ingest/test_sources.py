"""Which sources there are, remembered for a while."""

from typing import cast

from services.ingest.store import Store
from services.ingest.store.sources import LOOK_SECONDS, KnownSources
from shared.errors import TransientError


class Table:
    """A table of sources that may be away."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)
        self.is_away = False
        self.looks = 0

    async def find_sources(self) -> frozenset[str]:
        self.looks += 1
        if self.is_away:
            raise TransientError("away")
        return self.names


async def test_it_looks_again_for_what_it_has_not_seen_and_not_too_often() -> None:
    table, now = Table("apollo"), 0.0
    known = KnownSources(cast("Store", table), lambda: now)
    assert await known.unknown({"apollo", "hubspot"}) == {"hubspot"}
    table.names |= {"hubspot"}
    assert await known.unknown({"hubspot"}) == {"hubspot"}
    now = LOOK_SECONDS
    assert await known.unknown({"hubspot"}) == frozenset()
    assert table.looks == 2


async def test_while_the_database_is_away_nothing_is_refused() -> None:
    table = Table("apollo")
    table.is_away = True
    known = KnownSources(cast("Store", table))
    assert await known.unknown({"hubspot"}) == frozenset()
    table.is_away = False
    assert await known.unknown({"hubspot"}) == {"hubspot"}
