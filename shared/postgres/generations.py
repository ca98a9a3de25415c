"""Rebuilding tables from the event table while the old ones serve: read the log, clone, swap.

The projector and the indexer must agree on how the log is read: by (xid, entity, version), below
the oldest transaction that still runs, since a sequence or a timestamp alone would skip rows that
are committed late (runtime 2.1).
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import asyncpg

Log = asyncpg.Connection

PAGE: Final = 2_000
"""Events read at once."""

Cursor = tuple[int, int, int]
START: Final[Cursor] = (0, 0, 0)
"""Before the first event: (xid, entity, version)."""

_PAGE_SQL: Final = """
SELECT e.xid, e.entity_id, e.sequence_number, e.entity_public_id, e.event_type, e.payload,
    e.recorded_at, t.public_id AS tenant, w.public_id AS workspace
FROM contact.{table} AS e
JOIN app.tenant AS t ON t.id = e.tenant_id
LEFT JOIN app.workspace AS w ON w.id = e.workspace_id
WHERE (e.xid, e.entity_id, e.sequence_number) > ($1::xid8, $2::bigint, $3::integer)
    AND ($4::boolean OR e.xid < pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY e.xid, e.entity_id, e.sequence_number
LIMIT $5
"""


class EventLog:
    """A reader of one event table that knows where it is."""

    def __init__(self, connection: Log, table: str, cursor: Cursor = START) -> None:
        self._connection = connection
        self._sql = _PAGE_SQL.format(table=table)
        self.cursor = cursor

    async def pages(self, *, to_the_end: bool = False) -> AsyncIterator[Sequence[asyncpg.Record]]:
        """Yield what comes next until there is no more.

        `to_the_end` reads beyond transactions that still run; it is right only as the last step,
        while whoever else applies events is kept out: what becomes visible later reaches them.
        """
        while True:
            rows = await self._connection.fetch(self._sql, *self.cursor, to_the_end, PAGE)
            if not rows:
                return
            last = rows[-1]
            self.cursor = (last["xid"], last["entity_id"], last["sequence_number"])
            yield rows


async def clone(connection: Log, table: str, new: str) -> None:
    """Make an empty table like another: columns, indexes, storage, rights and policies."""
    schema, _, name = table.partition(".")
    new_name = new.partition(".")[2]
    await connection.execute(f"DROP TABLE IF EXISTS {new}")
    await connection.execute(f"CREATE TABLE {new} (LIKE {table} INCLUDING ALL)")
    options = await connection.fetchval(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = $1::text::regclass",
        table,
    )
    if options:
        await connection.execute(f"ALTER TABLE {new} SET ({options})")
    await connection.execute(f"ALTER TABLE {new} ENABLE ROW LEVEL SECURITY")
    for row in await connection.fetch(_POLICIES, schema, name, new_name):
        await connection.execute(row["statement"])
    for row in await connection.fetch(_GRANTS, table, new):
        await connection.execute(row["statement"])


async def swap(connection: Log, table: str, new: str) -> None:
    """Put the new table in the old one's place, in the caller's transaction."""
    name = table.partition(".")[2]
    await connection.execute(f"ALTER TABLE {table} RENAME TO {name}_old")
    await connection.execute(f"ALTER TABLE {new} RENAME TO {name}")
    await connection.execute(f"DROP TABLE {table}_old")


_POLICIES: Final = """
SELECT format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s', policyname, schemaname, $3::text,
        permissive, cmd, (SELECT string_agg(quote_ident(role), ', ') FROM unnest(roles) AS role))
    || COALESCE(' USING (' || qual || ')', '')
    || COALESCE(' WITH CHECK (' || with_check || ')', '') AS statement
FROM pg_policies WHERE schemaname = $1 AND tablename = $2
"""

_GRANTS: Final = """
SELECT format('GRANT %s ON %s TO %I', acl.privilege_type, $2::text, role.rolname) AS statement
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
JOIN pg_roles AS role ON role.oid = acl.grantee
WHERE c.oid = $1::text::regclass AND acl.grantee <> c.relowner
"""
