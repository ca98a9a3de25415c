"""Contacts into the graph: idempotent, guarded by version, rebuilt beside the live one."""

from typing import Any

import pytest

from services.indexer.settings import Neo4jSettings
from services.indexer.store import Graph, rebuild_graph
from shared.errors import TransientError
from shared.events.contact import CompanyCreated
from shared.events.signal import Employment
from tests.integration.indexer.conftest import Indexer
from tests.support.events import BEGIN, born, changed, public_id

JOBS = """
MATCH (g:Generation {name: 'live'})
MATCH (c:Contact {generation: g.number, id: $id})-[job:WORKS_AT]->(co:Company)
RETURN c.display_name AS name, c.version AS version, c.tenant AS tenant, job.role AS role,
    job.is_current AS current, co.name AS company, co.domain AS domain,
    co.generation = g.number AS live
"""


async def jobs(graph: Graph, contact: str) -> list[dict[str, Any]]:
    return await graph._run(JOBS, id=contact)


def a_company() -> CompanyCreated:
    return CompanyCreated(
        occurred_at=BEGIN,
        cause="test",
        company_id=public_id("cmp"),
        version=1,
        name="Engines",
        domain="engines.example",
        source="hubspot_crm",
    )


async def test_a_job_at_a_company_is_an_edge(indexer: Indexer, graph: Graph) -> None:
    log, company, contact = indexer.log, a_company(), public_id("con")
    job = Employment(title="Analyst", company_id=company.company_id)
    events = [born(contact, log.workspace, jobs=(job, Employment(title="Idle")))]
    await log.append([company, *events])
    batch = log.batch([*events, company], "indexer-graph")
    for _ in range(2):
        assert await indexer.handle(batch, graph) == []
    expected = {
        "name": "Ada Lovelace",
        "version": 1,
        "tenant": log.tenant,
        "role": "Analyst",
        "current": True,
        "company": "Engines",
        "domain": "engines.example",
        "live": True,
    }
    assert await jobs(graph, contact) == [expected]

    generation = await graph.live()
    settings = graph._settings
    assert await rebuild_graph(indexer.owner_dsn, settings, lambda _count: None) == 2
    assert await graph.live() == generation + 1
    assert await jobs(graph, contact) == [expected]
    later = changed(contact, 2, log.workspace, display_name="Ada King")
    await log.append([later])
    await indexer.handle(log.batch([later], "indexer-graph"), graph)
    assert [one["name"] for one in await jobs(graph, contact)] == ["Ada King"]
    nodes = await graph._run("MATCH (c:Contact {id: $id}) RETURN c.version AS version", id=contact)
    assert nodes == [{"version": 2}]


async def test_a_graph_that_is_away_is_waited_for(indexer: Indexer) -> None:
    away = Graph(Neo4jSettings.model_validate({"uri": "bolt://127.0.0.1:1"}))
    event = born(public_id("con"), indexer.log.workspace)
    await indexer.log.append([event])
    batch = indexer.log.batch([event], "indexer-graph")
    with pytest.raises(TransientError):
        await indexer.handle(batch, away)
    assert await indexer.store.load("indexer-graph", batch.records[0].topic) == {}
    await away.close()
