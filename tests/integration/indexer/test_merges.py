"""Merges and splits in search and graph: an absorbed contact is found nowhere, then again."""

from services.indexer.store import Graph, Search
from shared.events.contact import ContactEvent
from shared.events.signal import Employment
from tests.integration.indexer.conftest import Indexer
from tests.support.events import born, public_id
from tests.support.merges import a_shape, deleted, merged, split

NODES = """
MATCH (g:Generation {name: 'live'}) MATCH (c:Contact {generation: g.number})
WHERE c.id IN $ids OPTIONAL MATCH (c)-[job:WORKS_AT]->()
RETURN c.id AS id, count(job) AS jobs ORDER BY id
"""


async def test_search_finds_the_survivor_alone_and_both_after_a_split(indexer: Indexer) -> None:
    log, index = indexer.log, Search()
    here, there = log.workspaces
    ada, bob = public_id("con"), public_id("con")
    pair = (ada, bob)

    async def happen(*events: ContactEvent) -> None:
        await log.append(events)
        assert await indexer.handle(log.batch(events, "indexer-search"), index) == []

    await happen(born(ada, here), born(bob, here))
    await happen(merged(ada, 2, pair, a_shape("Ada", here, there)), merged(bob, 2, pair))
    documents = "SELECT public_id, workspace_id FROM search.document WHERE public_id = ANY($1)"
    found = await log.owner.fetch(documents, [ada, bob])
    assert {tuple(row) for row in found} == {(ada, number) for number in log.workspaces.values()}
    await happen(
        split(ada, 3, pair, a_shape("Ada", here)), split(bob, 3, pair, a_shape("Bob", here))
    )
    found = await log.owner.fetch(documents, [ada, bob])
    assert {tuple(row) for row in found} == {(one, log.workspaces[here]) for one in pair}
    assert await indexer.find("bob@example.org") == [bob]
    await happen(deleted(bob, 4))
    assert await indexer.find("bob@example.org") == []


async def test_the_graph_has_the_survivor_alone_and_both_after_a_split(
    indexer: Indexer, graph: Graph
) -> None:
    log = indexer.log
    here, _ = log.workspaces
    ada, bob = sorted((public_id("con"), public_id("con")))
    pair = (ada, bob)
    job = (Employment(title="CTO", company_id=public_id("cmp")),)

    async def happen(*events: ContactEvent) -> list[tuple[str, int]]:
        await log.append(events)
        assert await indexer.handle(log.batch(events, "indexer-graph"), graph) == []
        return [(row["id"], row["jobs"]) for row in await graph._run(NODES, ids=[ada, bob])]

    assert await happen(born(ada, here), born(bob, here, jobs=job)) == [(ada, 0), (bob, 1)]
    shape = a_shape("Ada", here, jobs=job)
    assert await happen(merged(ada, 2, pair, shape), merged(bob, 2, pair)) == [(ada, 1)]
    bobs = a_shape("Bob", here, jobs=job)
    apart = await happen(split(ada, 3, pair, a_shape("Ada", here)), split(bob, 3, pair, bobs))
    assert apart == [(ada, 0), (bob, 1)]
    assert await happen(deleted(bob, 4)) == [(ada, 0)]
