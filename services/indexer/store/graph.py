"""The graph in Neo4j: contacts, companies, and who works where.

Community edition has one database, so that a rebuild writes a generation of its own beside the
live one and then switches: every node carries its `generation`, the node `(:Generation {name:
'live'})` says which one counts, and whoever reads the graph starts there.
"""

from typing import Any, Final

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, Neo4jError
from typing_extensions import override

from services.indexer.domain.changes import Changes
from services.indexer.domain.graph import COMPANY_EDGES, company_node, contact_node
from services.indexer.settings import Neo4jSettings
from services.indexer.store.events import Transaction
from services.indexer.store.index import Index
from shared.errors import SourceUnavailableError, TransientError

CHUNK: Final = 500
"""Contacts per transaction: the heap of a small server holds it easily."""

CONSTRAINTS: Final = (
    """CREATE CONSTRAINT contact_id IF NOT EXISTS
    FOR (c:Contact) REQUIRE (c.generation, c.id) IS UNIQUE""",
    """CREATE CONSTRAINT company_id IF NOT EXISTS
    FOR (c:Company) REQUIRE (c.generation, c.id) IS UNIQUE""",
    """CREATE CONSTRAINT generation_name IF NOT EXISTS
    FOR (g:Generation) REQUIRE g.name IS UNIQUE""",
)

LIVE: Final = (
    "MERGE (g:Generation {name: 'live'}) ON CREATE SET g.number = 1 RETURN g.number AS number"
)

# Setting the tenant, which never changes, locks the node: only then is its version read.
SAVE_COMPANIES: Final = """
UNWIND $rows AS row
MERGE (co:Company {generation: $generation, id: row.id})
SET co.tenant = row.tenant
WITH co, row WHERE coalesce(co.version, 0) < row.version
SET co.version = row.version, co += row.properties
RETURN co.id AS id
"""

DELETE_EDGES: Final = """
UNWIND $ids AS id
MATCH (:Company {generation: $generation, id: id})-[edge]->(:Company)
DELETE edge
"""

# A type of edge is no parameter: one statement each, of a closed list.
SAVE_EDGES: Final = {
    kind: f"""
UNWIND $rows AS row
MATCH (co:Company {{generation: $generation, id: row.id}})
MERGE (other:Company {{generation: $generation, id: row.company}})
ON CREATE SET other.tenant = row.tenant
CREATE (co)-[:{kind} {{since: row.since, until: row.until}}]->(other)
"""
    for kind in COMPANY_EDGES
}

SAVE_CONTACTS: Final = """
UNWIND $rows AS row
MERGE (c:Contact {generation: $generation, id: row.id})
SET c.tenant = row.tenant
WITH c, row WHERE coalesce(c.version, 0) < row.version
SET c.version = row.version, c += row.properties
RETURN c.id AS id
"""

DELETE_JOBS: Final = """
UNWIND $ids AS id
MATCH (:Contact {generation: $generation, id: id})-[job:WORKS_AT]->()
DELETE job
"""

DELETE_CONTACTS: Final = """
UNWIND $rows AS row
MATCH (c:Contact {generation: $generation, id: row.id})
WHERE coalesce(c.version, 0) <= row.version
DETACH DELETE c
"""

SAVE_JOBS: Final = """
UNWIND $rows AS row
MATCH (c:Contact {generation: $generation, id: row.id})
UNWIND row.jobs AS job
MERGE (co:Company {generation: $generation, id: job.company})
ON CREATE SET co.tenant = row.tenant
CREATE (c)-[:WORKS_AT {role: job.role, department: job.department, since: job.since,
    until: job.until, is_current: job.is_current, source: job.source}]->(co)
"""

SWITCH: Final = "MERGE (g:Generation {name: 'live'}) SET g.number = $generation"

DELETE_OTHERS: Final = """
MATCH (n:Contact|Company) WHERE n.generation <> $generation
WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS deleted
"""


class Graph(Index):
    """One server's graph; `generation` is the live one unless a rebuild names its own."""

    def __init__(self, settings: Neo4jSettings, generation: int | None = None) -> None:
        self._settings = settings
        self._generation = generation
        self._driver: AsyncDriver | None = None
        self._prepared = False

    async def close(self) -> None:
        """Disconnect."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    @override
    async def save(self, tx: Transaction, changes: Changes) -> None:
        gone = {"merged", "deleted"}
        standing = [one for one in changes.contacts if one.state.status not in gone]
        absorbed = [one for one in changes.contacts if one.state.status in gone]
        contacts = [contact_node(contact) for contact in standing]
        companies = [company_node(company) for company in changes.companies]
        generation = self._generation or await self.live()
        if companies:
            await self._write(_save_companies, generation, companies)
        for start in range(0, len(contacts), CHUNK):
            await self._write(_save_contacts, generation, contacts[start : start + CHUNK])
        if absorbed:
            names = [{"id": one.state.contact_id, "version": one.state.version} for one in absorbed]
            await self._write(_delete_contacts, generation, names)

    @override
    async def ping(self) -> None:
        await self._run("RETURN 1 AS one")

    async def live(self) -> int:
        """Return the generation that counts."""
        rows = await self._run(LIVE)
        return int(rows[0]["number"])

    async def switch(self, generation: int) -> None:
        """Let another generation count."""
        await self._run(SWITCH, generation=generation)

    async def delete_others(self, generation: int) -> int:
        """Remove every other generation, a piece at a time; returns how many nodes went."""
        total = 0
        while deleted := (await self._run(DELETE_OTHERS, generation=generation))[0]["deleted"]:
            total += deleted
        return total

    async def _write(self, work: Any, generation: int, rows: list[dict[str, Any]]) -> None:
        driver = await self._connected()
        try:
            async with driver.session(database=self._settings.database) as session:
                await session.execute_write(work, generation, rows)
        except (Neo4jError, DriverError, OSError) as error:
            raise _classified(error) from error

    async def _run(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        driver = await self._connected()
        try:
            result = await driver.execute_query(
                statement, parameters, database_=self._settings.database
            )
        except (Neo4jError, DriverError, OSError) as error:
            raise _classified(error) from error
        return [record.data() for record in result.records]

    async def _connected(self) -> AsyncDriver:
        """Return the driver; the first time the server answers, make the constraints."""
        if self._driver is None:
            self._driver = AsyncGraphDatabase.driver(
                self._settings.uri,
                auth=(self._settings.user, self._settings.password.get_secret_value()),
                connection_timeout=5.0,
                connection_acquisition_timeout=5.0,
                max_transaction_retry_time=5.0,
                user_agent="kith-indexer",
            )
        if not self._prepared:
            try:
                for constraint in CONSTRAINTS:
                    await self._driver.execute_query(constraint, database_=self._settings.database)
            except (Neo4jError, DriverError, OSError) as error:
                raise _classified(error) from error
            self._prepared = True
        return self._driver


async def _save_companies(
    tx: AsyncManagedTransaction, generation: int, rows: list[dict[str, Any]]
) -> None:
    """Write companies, and the edges of those that were not newer already."""
    newest = {row["id"]: row for row in sorted(rows, key=lambda row: row["version"])}
    nodes = list(newest.values())
    result = await tx.run(SAVE_COMPANIES, generation=generation, rows=nodes)
    ids = {record["id"] async for record in result}
    if any(newest[company]["version"] > 1 for company in ids):
        await (await tx.run(DELETE_EDGES, generation=generation, ids=list(ids))).consume()
    edges: dict[str, list[dict[str, Any]]] = {}
    for company in ids:
        row = newest[company]
        for edge in row["edges"]:
            one = {"id": company, "tenant": row["tenant"], **edge}
            edges.setdefault(edge["kind"], []).append(one)
    for kind, found in sorted(edges.items()):
        await (await tx.run(SAVE_EDGES[kind], generation=generation, rows=found)).consume()


async def _delete_contacts(
    tx: AsyncManagedTransaction, generation: int, rows: list[dict[str, Any]]
) -> None:
    """Take absorbed and deleted contacts out: what they had is their survivor's, or nobody's."""
    await (await tx.run(DELETE_CONTACTS, generation=generation, rows=rows)).consume()


async def _save_contacts(
    tx: AsyncManagedTransaction, generation: int, rows: list[dict[str, Any]]
) -> None:
    """Write contacts, and the jobs of those that were not newer already."""
    result = await tx.run(SAVE_CONTACTS, generation=generation, rows=rows)
    ids = {record["id"] async for record in result}
    await (await tx.run(DELETE_JOBS, generation=generation, ids=list(ids))).consume()
    jobs = [row for row in rows if row["id"] in ids and row["jobs"]]
    await (await tx.run(SAVE_JOBS, generation=generation, rows=jobs)).consume()


def _classified(error: Exception) -> SourceUnavailableError | TransientError:
    """Turn the driver's error into a delivery policy; its text may quote values and stays out."""
    if isinstance(error, AuthError | ConfigurationError):
        return SourceUnavailableError(f"Neo4j: {type(error).__name__}; check NEO4J_*")
    return TransientError(f"Neo4j: {type(error).__name__}")
