"""Read models, search and graph are made anew while people read: nobody sees a gap."""

import asyncio
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase

from shared.events import topics
from tests.e2e.running import Home, Running, until
from tests.support.kafka import kafka_lab

pytestmark = pytest.mark.stack

PEOPLE = 90


@pytest.fixture(scope="module")
async def home(running: Running) -> Home:
    """Make a workspace with people in it, shown everywhere."""
    home = await running.home()
    answer = await running.push(
        home,
        [
            {
                "source": "hubspot_crm",
                "source_record_id": f"r{number}",
                "full_name": f"Hedy Lamarr{number:03d}",
                "emails": [{"value": f"hedy{number}@lamarr{number}.com"}],
                "employments": [
                    {
                        "company_name": f"Frequency {number}",
                        "company_domain": f"lamarr{number}.com",
                        "title": "Inventor",
                    }
                ],
            }
            for number in range(PEOPLE)
        ],
    )
    for verdict in answer.json()["signals"]:
        await running.get(home, "/contacts", verdict["position"])

    async def everywhere() -> bool:
        found, drawn = await searched(running, home), await graph(running, home)
        return len(found) == PEOPLE == len(drawn)

    await until(everywhere)
    return home


async def listed(running: Running, home: Home) -> list[Any]:
    parameters = {"page[size]": "100", "sort": "created_at"}
    answer = await running.get(home, "/contacts", **parameters)
    assert answer.status_code == 200, answer.text
    return sorted(
        (one["id"], sorted(one["attributes"].items(), key=str), str(one.get("relationships")))
        for one in answer.json()["data"]
    )


async def histories(running: Running, home: Home) -> list[Any]:
    """Read what is told of ten people.

    The order of an entry's changes means nothing: the event table keeps JSON without it.
    `recorded_at` is left out: live it is when the signal came in, rebuilt when its event was
    stored, a little later.
    """
    people = await listed(running, home)
    told = []
    for one in people[:10]:
        entries = (await running.get(home, f"/contacts/{one[0]}/history")).json()["data"]
        for entry in entries:
            del entry["attributes"]["recorded_at"]
            entry["attributes"]["changes"].sort(key=lambda change: change["field"])
        told.append(entries)
    return told


async def searched(running: Running, home: Home) -> list[str]:
    answer = await running.get(home, "/contacts/search", q="hedy", **{"page[size]": "100"})
    assert answer.status_code == 200, answer.text
    return sorted(one["id"] for one in answer.json()["data"])


async def graph(running: Running, home: Home) -> list[tuple[str, str, str]]:
    stack = running.stack
    async with AsyncGraphDatabase.driver(stack.neo4j_uri, auth=stack.neo4j_auth) as driver:
        found = await driver.execute_query(
            "MATCH (g:Generation {name: 'live'}) MATCH (c:Contact {tenant: $tenant})"
            " WHERE c.generation = g.number MATCH (c)-[job:WORKS_AT]->(co:Company)"
            " RETURN c.id AS id, c.display_name AS name, co.name AS company",
            tenant=home.tenant,
            database_="neo4j",
        )
    return sorted((one["id"], one["name"], one["company"]) for one in found.records)


async def test_the_projector_is_rebuilt_under_readers(running: Running, home: Home) -> None:
    """Every read during the rebuild shows all people as before; so do those after it."""
    before, told = await listed(running, home), await histories(running, home)
    assert len(before) == PEOPLE
    rebuild = asyncio.create_task(running.kith("rebuild", "projector"))
    reads = 0
    while not rebuild.done():
        assert await listed(running, home) == before
        reads += 1
    assert "read models rebuilt" in await rebuild
    assert reads > 3
    assert await listed(running, home) == before
    assert await histories(running, home) == told
    assert "0 contacts differ" in await running.kith("rebuild", "projector", "--check")
    position = await running.push_one(home, full_name="Hedy After", source_record_id="after")
    answer = await running.get(home, "/contacts", position, **{"page[size]": "100"})
    names = [one["attributes"]["display_name"] for one in answer.json()["data"]]
    assert "Hedy After" in names, "the new read model follows the events"


async def test_search_and_graph_are_rebuilt_under_readers(running: Running, home: Home) -> None:
    found, drawn = await searched(running, home), await graph(running, home)
    assert len(found) >= PEOPLE
    rebuild = asyncio.create_task(running.kith("rebuild", "indexer"))
    reads = 0
    while not rebuild.done():
        assert await searched(running, home) == found
        assert await graph(running, home) == drawn
        reads += 1
    said = await rebuild
    assert "search rebuilt" in said
    assert "graph rebuilt" in said
    assert reads > 3
    assert await searched(running, home) == found
    assert await graph(running, home) == drawn
    await running.push_one(home, full_name="Wilhelmine Later", source_record_id="later")
    assert await running.find_one(home, "Wilhelmine")


async def test_every_state_is_sent_again(running: Running, home: Home) -> None:
    """Whoever lost the topic, or never had it, gets everybody."""
    people = {one[0] for one in await listed(running, home)}
    async with kafka_lab(running.kafka) as lab:
        marks = await lab.marks(topics.STATE)
        assert "states sent" in await running.kith("rebuild", "state")
        sent = {record.key.decode() for record in await lab.read_since(marks)}
    assert people <= sent
