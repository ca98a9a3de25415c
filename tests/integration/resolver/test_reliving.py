"""A merge that was undone has never been: in tables, events, read model, search and graph."""

import asyncpg

from tests.integration.resolver.conftest import Home, Resolver
from tests.support.company_lives import live_companies
from tests.support.invariants import check_database
from tests.support.reliving import different, lives, scripts

HISTORIES = 300
"""Lived twice, each with merges, edits, tags, groups, custom fields, answers of vendors, splits and
imports taken back; `make soak` lives 10,000."""


async def test_what_was_undone_has_never_been(home: Home, resolver: Resolver) -> None:
    owner = await asyncpg.connect(home.dsn("kith_migrator"))
    try:
        stirred, plain = await lives(owner, resolver.store, resolver.resolve)
        written = scripts(0, HISTORIES, length=10)
        for life in (stirred, plain):
            await life.live(written)
        assert sum(map(len, stirred.merges.values())) > HISTORIES / 2
        assert await live_companies((stirred, plain), 0) == {}
        assert different(await stirred.state(), await plain.state()) == {}
        assert (await stirred.tempt()).keys() == {"kept_apart"}
        merged = await owner.fetchval(_IN_FORCE)
        assert await stirred.repeat(written, again="again") > HISTORIES
        assert await owner.fetchval(_IN_FORCE) == merged
        assert await check_database(owner) == []
    finally:
        await owner.close()


_IN_FORCE = "SELECT count(*) FROM contact.contact_merge_log WHERE split_at IS NULL"
