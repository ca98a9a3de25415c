"""I7 of runtime 3.4: read model, search and graph equal the fold of the events."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final

from neo4j import AsyncGraphDatabase

from kith.stack import Stack
from services.indexer.domain.changes import Changes, Contact
from services.indexer.domain.graph import contact_node
from services.indexer.store.events import Transaction
from services.indexer.store.search import Search
from shared.events.fold import ContactState
from shared.postgres.generations import clone
from shared.postgres.offsets import OffsetStore
from tests.support.invariants import Broken, Connection

States = Mapping[str, ContactState]

SHOWN: Final = {
    "display_name": "display_name",
    "first_name": "first_name",
    "last_name": "last_name",
    "job_title": "job_title",
    "email_primary": "email_primary",
    "phone_primary": "phone_primary",
    "company_public_id": "company_id",
    "company_name": "company_name",
    "city": "city",
    "country": "country",
}
"""Column of the read model → field of the fold."""

EXPECTED: Final = "search.document_expected"
"""What search should hold, beside what it holds, for the length of a check."""


async def check_read_model(
    connection: Connection, tenant_id: int, states: States, broken: Broken
) -> None:
    """Compare `read.contact_view` with the fold."""
    expected = {
        (state.contact_id, workspace): (
            state.version,
            state.status,
            *(state.fields.get(name) for name in SHOWN.values()),
        )
        for state in states.values()
        for workspace in state.bindings
    }
    rows = await connection.fetch(
        "SELECT v.*, w.public_id AS workspace FROM read.contact_view v"
        " JOIN app.workspace w ON w.id = v.workspace_id WHERE v.tenant_id = $1",
        tenant_id,
    )
    shown = {
        (row["public_id"], row["workspace"]): (
            row["version"],
            row["status"],
            *(row[column] for column in SHOWN),
        )
        for row in rows
    }
    _compare(expected, shown, "the read model", broken)


async def find_active(connection: Connection, tenant_id: int) -> frozenset[str]:
    """Return the contacts that were told of activities: indexes need not have their last version.

    An activity changes nothing that is indexed, and is passed by there.
    """
    rows = await connection.fetch(
        "SELECT DISTINCT entity_public_id FROM contact.contact_event WHERE tenant_id = $1"
        " AND event_type IN ('ActivityRecorded', 'ActivityWithdrawn')",
        tenant_id,
    )
    return frozenset(row["entity_public_id"] for row in rows)


async def check_search(
    connection: Connection, tenant_id: int, tenant: str, states: States, broken: Broken
) -> None:
    """Compare `search.document`, words and all, with documents made from the fold."""
    active = await find_active(connection, tenant_id)
    await clone(connection, "search.document", EXPECTED)
    try:
        # The owner of the tables writes and reads here: no policy applies to it.
        database: Any = connection
        transaction = Transaction(database, OffsetStore(database, "search"), {})
        contacts = [Contact(tenant, state) for state in states.values()]
        for start in range(0, len(contacts), 1_000):
            changes = Changes(contacts[start : start + 1_000], [])
            await Search(EXPECTED).save(transaction, changes)
        version = "CASE WHEN public_id <> ALL($2) THEN version END"
        columns = f"workspace_id, public_id, {version}, name, haystack, words"
        for which, one, other in (
            ("lacks or has otherwise", EXPECTED, "search.document"),
            ("has beyond the fold", "search.document", EXPECTED),
        ):
            rows = await connection.fetch(
                f"SELECT public_id FROM ("
                f"SELECT {columns} FROM {one} WHERE tenant_id = $1 EXCEPT ALL"
                f" SELECT {columns} FROM {other} WHERE tenant_id = $1) d",
                tenant_id,
                active,
            )
            broken.none("I7", rows, f"search {which}")
    finally:
        await connection.execute(f"DROP TABLE {EXPECTED}")


async def check_graph(
    stack: Stack, tenant: str, states: States, broken: Broken, active: Collection[str] = ()
) -> None:
    """Compare a tenant's nodes and WORKS_AT edges with the fold.

    Of contacts that are `active` (see `find_active`) the version may be another.
    """
    nodes = [contact_node(Contact(tenant, state)) for state in states.values()]
    expected = {
        node["id"]: (
            None if node["id"] in active else node["version"],
            node["properties"]["status"],
            node["properties"]["display_name"],
            Counter((job["company"], job["role"]) for job in node["jobs"]),
        )
        for node in nodes
    }
    driver = AsyncGraphDatabase.driver(stack.neo4j_uri, auth=stack.neo4j_auth)
    async with driver:
        found = await driver.execute_query(
            "MATCH (g:Generation {name: 'live'}) MATCH (c:Contact {tenant: $tenant})"
            " WHERE c.generation = g.number OPTIONAL MATCH (c)-[job:WORKS_AT]->(co:Company)"
            " RETURN c.id AS id, c.version AS version, c.status AS status,"
            " c.display_name AS name,"
            " collect(CASE WHEN job IS NULL THEN NULL ELSE [co.id, job.role] END) AS jobs",
            tenant=tenant,
            database_="neo4j",
        )
    drawn = {
        record["id"]: (
            None if record["id"] in active else record["version"],
            record["status"],
            record["name"],
            Counter((company, role) for company, role in record["jobs"]),
        )
        for record in found.records
    }
    _compare(expected, drawn, "the graph", broken)


def _compare(
    expected: Mapping[Any, object], found: Mapping[Any, object], where: str, broken: Broken
) -> None:
    for name in expected.keys() - found.keys():
        broken.add("I1", f"{name}: missing in {where}")
    for name in found.keys() - expected.keys():
        broken.add("I7", f"{name}: in {where}, but without events")
    for name in expected.keys() & found.keys():
        if expected[name] != found[name]:
            broken.add("I7", f"{name}: {where} differs from the events")
