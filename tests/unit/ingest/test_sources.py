"""Which sources there are, remembered for a while."""

import asyncio
from typing import cast

import pytest

from services.ingest.store import Store, sources
from services.ingest.store.sources import LOOK_SECONDS, KnownSources
from shared.errors import TransientError


class Table:
    """A table of sources that may be away."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)
        self.manner = "answering"
        self.looks = 0

    async def find_sources(self) -> frozenset[str]:
        self.looks += 1
        if self.manner == "away":
            raise TransientError("away")
        if self.manner == "hanging":
            await asyncio.Event().wait()
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


@pytest.mark.parametrize("manner", ["away", "hanging"])
async def test_while_the_database_does_not_answer_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, manner: str
) -> None:
    """And it is asked no more often than otherwise: each look may take its time."""
    monkeypatch.setattr(sources, "PATIENCE_SECONDS", 0.01)
    table, now = Table("apollo"), 0.0
    known = KnownSources(cast("Store", table), lambda: now)
    for was_there in (False, True):
        table.manner, table.looks = manner, 0
        assert await known.unknown({"hubspot"}) == frozenset()
        assert await known.unknown({"hubspot", "hubspott"}) == frozenset()
        assert table.looks == 1
        table.manner, now = "answering", now + LOOK_SECONDS
        assert await known.unknown({"apollo", "hubspot"}) == {"hubspot"}, was_there
        now += LOOK_SECONDS
