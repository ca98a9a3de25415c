"""Contacts into the graph: idempotent, guarded by version, rebuilt beside the live one."""

from typing import Any

import pytest

from services.indexer.settings import Neo4jSettings
from services.indexer.store import Graph, rebuild_graph
from shared.errors import TransientError
from shared.events.contact import (
    CompaniesMerged,
    CompaniesSplit,
    CompanyCreated,
    CompanyEvent,
    CompanyRelation,
    CompanyShape,
    ContactEvent,
)
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


COLLEAGUES = """
MATCH (g:Generation {name: 'live'})
MATCH (c:Contact {generation: g.number})-[:WORKS_AT]->(:Company)-[:MERGED_INTO*0..1]->
    (:Company {generation: g.number, id: $id})
RETURN c.id AS id
"""


async def edges(graph: Graph, company: str) -> list[str]:
    found = await graph._run(
        "MATCH (g:Generation {name: 'live'})"
        " MATCH (:Company {generation: g.number, id: $id})-[edge]->(:Company)"
        " RETURN type(edge) AS kind ORDER BY kind",
        id=company,
    )
    return [one["kind"] for one in found]


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


async def test_companies_are_related_and_stand_behind_one_another(
    indexer: Indexer, graph: Graph
) -> None:
    """Edges follow what was told last, also after a rebuild; who works at the one is found."""
    log, company, contact = indexer.log, a_company(), public_id("con")
    survivor = a_company()
    told = company.company_id, survivor.company_id
    job = Employment(title="Analyst", company_id=company.company_id)
    merged = CompaniesMerged(
        occurred_at=BEGIN,
        cause="test",
        company_id=company.company_id,
        version=2,
        merge_id="mrg_" + "0" * 26,
        survivor_id=survivor.company_id,
        absorbed_id=company.company_id,
        decided_by="person",
        reason="test",
        shape=CompanyShape(
            name="Engines",
            source="hubspot_crm",
            created_at=BEGIN,
            survivor_id=survivor.company_id,
            relations=(CompanyRelation(kind="subsidiary", from_id=told[0], to_id=told[1]),),
        ),
    )
    split = CompaniesSplit(
        occurred_at=BEGIN,
        cause="test",
        company_id=company.company_id,
        version=3,
        merge_id=merged.merge_id,
        original_id=survivor.company_id,
        new_id=company.company_id,
        shape=merged.shape.model_copy(update={"survivor_id": None}),
    )
    first: list[ContactEvent | CompanyEvent] = [
        company,
        survivor,
        born(contact, log.workspace, jobs=(job,)),
        merged,
    ]
    await log.append(first)
    for _ in range(2):
        await indexer.handle(log.batch(first, "indexer-graph"), graph)
    assert await edges(graph, company.company_id) == ["MERGED_INTO", "SUBSIDIARY_OF"]
    found = await graph._run(COLLEAGUES, id=survivor.company_id)
    assert [one["id"] for one in found] == [contact]
    await log.append([split])
    await indexer.handle(log.batch([split], "indexer-graph"), graph)
    await indexer.handle(log.batch([merged], "indexer-graph"), graph)
    assert await edges(graph, company.company_id) == ["SUBSIDIARY_OF"]
    await rebuild_graph(indexer.owner_dsn, graph._settings, lambda _count: None)
    assert await edges(graph, company.company_id) == ["SUBSIDIARY_OF"]


async def test_a_graph_that_is_away_is_waited_for(indexer: Indexer) -> None:
    away = Graph(Neo4jSettings.model_validate({"uri": "bolt://127.0.0.1:1"}))
    event = born(public_id("con"), indexer.log.workspace)
    await indexer.log.append([event])
    batch = indexer.log.batch([event], "indexer-graph")
    with pytest.raises(TransientError):
        await indexer.handle(batch, away)
    assert await indexer.store.load("indexer-graph", batch.records[0].topic) == {}
    await away.close()
