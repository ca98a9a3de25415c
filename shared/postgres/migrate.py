"""Apply migrations: plain SQL, forward only, one runner, one version table per schema.

`services/<s>/sql/migrations/NNNN_{pre|post}_<words>.sql`: `pre` is safe before the new code runs,
`post` only after the old code is gone. Each file is one transaction with a lock timeout, so that
a migration under load gives up and is retried instead of blocking everybody.

A file with lines `-- step: <words>` is one transaction per step instead: for changes of tables
that are written all the time, so that never more than one of them is locked, and for indexes
built `CONCURRENTLY`, which stand alone in their step and run outside of a transaction. What is
done is noted step by step; a run that was broken off goes on where it stopped.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import asyncpg

from shared.errors import ServiceError

Phase = Literal["pre", "post"]
_FILE = re.compile(r"^(\d{4})_(pre|post)_[a-z0-9_]+\.sql$")
_STEP = re.compile(r"^-- step: .+\n", re.MULTILINE)
_CONCURRENTLY = re.compile(
    r"^(?P<what>CREATE (?:UNIQUE )?|DROP )INDEX CONCURRENTLY IF (?:NOT )?EXISTS\s+(?P<index>[\w.]+)"
)
"""How a step begins that builds or drops an index while the table is written."""
_LOCK_ID = 0x6B697468
"""Advisory lock that keeps two runners apart: "kith"."""
_PATIENCE_SECONDS = 0.2
"""Between two tries for that lock."""
_ATTEMPTS = 20
"""How often a migration is tried when it cannot get its locks in time."""


class MigrationError(ServiceError):
    """A migration cannot be applied: the message says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    schema: str
    version: int
    phase: Phase
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Digest of the text: an applied migration must never be edited."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def steps(self) -> tuple[str, ...]:
        """Its transactions, in order: one, unless the file says where each begins."""
        head, *steps = _STEP.split(self.sql)
        return tuple(steps) if steps else (head,)


def load_migrations(packages: Sequence[tuple[str, str]]) -> list[Migration]:
    """Read the migrations of (schema, package) pairs in the order given."""
    found = []
    for schema, package in packages:
        folder = files(package) / "migrations"
        entries = sorted(
            entry.name
            for entry in (folder.iterdir() if folder.is_dir() else ())
            if entry.name.endswith(".sql")
        )
        for name in entries:
            match = _FILE.match(name)
            if match is None:
                msg = f"{package}/migrations/{name}: name it NNNN_{{pre,post}}_words.sql"
                raise MigrationError(msg)
            sql = (files(package) / "migrations" / name).read_text()
            phase: Phase = "pre" if match[2] == "pre" else "post"
            found.append(Migration(schema, int(match[1]), phase, name, sql))
    return found


async def migrate(
    dsn: str,
    packages: Sequence[tuple[str, str]],
    *,
    phases: Sequence[Phase] = ("pre", "post"),
    report: Callable[[str], None] = lambda _line: None,
) -> int:
    """Apply what is missing, safely also by several at once; returns how many were applied."""
    connection = await asyncpg.connect(dsn)
    try:
        await _take_turn(connection)
        applied = 0
        for migration in load_migrations(packages):
            if migration.phase in phases and await _missing(connection, migration):
                report(f"{migration.schema}: {migration.name}")
                await _apply(connection, migration)
                applied += 1
        return applied
    finally:
        await connection.close()


async def _take_turn(connection: asyncpg.Connection) -> None:
    """Wait until no other runner is at work.

    By asking again and again: a session that waited inside the database would hold a snapshot, an
    index built concurrently waits for all snapshots, and the two would wait for each other.
    """
    while True:
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_ID):
            return
        await asyncio.sleep(_PATIENCE_SECONDS)


async def _missing(connection: asyncpg.Connection, migration: Migration) -> bool:
    await connection.execute(
        f"CREATE SCHEMA IF NOT EXISTS {migration.schema};"
        f"CREATE TABLE IF NOT EXISTS {migration.schema}.schema_version ("
        " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz DEFAULT now())"
    )
    return not await _is_noted(connection, migration, migration.name)


async def _is_noted(connection: asyncpg.Connection, migration: Migration, name: str) -> bool:
    checksum = await connection.fetchval(
        f"SELECT checksum FROM {migration.schema}.schema_version WHERE name = $1",  # noqa: S608
        name,
    )
    if checksum is not None and checksum != migration.checksum:
        msg = (
            f"{migration.schema}: {name} was applied with another text; "
            "restore the file and put the change into a new migration"
        )
        raise MigrationError(msg)
    return checksum is not None


async def _note(connection: asyncpg.Connection, migration: Migration, name: str) -> None:
    await connection.execute(
        f"INSERT INTO {migration.schema}.schema_version (name, checksum) VALUES ($1, $2)",  # noqa: S608
        name,
        migration.checksum,
    )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    """Apply step by step; the note of the last one says that the whole file is applied."""
    *earlier, _ = names = [
        *(f"{migration.name} step {number}" for number in range(1, len(migration.steps))),
        migration.name,
    ]
    for name, step in zip(names, migration.steps, strict=True):
        if name in earlier and await _is_noted(connection, migration, name):
            continue
        try:
            if concurrent := _CONCURRENTLY.match(_without_comments(step)):
                await _build(connection, migration, step, concurrent)
                await _note(connection, migration, name)
            else:
                await _run(connection, migration, step, name)
        except asyncpg.PostgresError as error:
            msg = f"{migration.schema}: {name}: {error}"
            raise MigrationError(msg) from error


async def _run(connection: asyncpg.Connection, migration: Migration, step: str, name: str) -> None:
    """Run one transaction; when it gets no lock in time, let others pass and try again."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '500ms'")
                await connection.execute(step)
                await _note(connection, migration, name)
        except asyncpg.LockNotAvailableError:
            if attempt == _ATTEMPTS:
                msg = f"{name} got no lock in {_ATTEMPTS} tries; run it at a quieter time"
                raise MigrationError(msg) from None
            await asyncio.sleep(0.5 * attempt)
        else:
            return


async def _build(
    connection: asyncpg.Connection, migration: Migration, step: str, concurrent: re.Match[str]
) -> None:
    """Build or drop an index without a lock that writers feel, however long that takes.

    A build that was broken off leaves an index that is not valid, yet exists: it goes first.
    """
    if concurrent["what"] != "DROP ":
        index = f"{migration.schema}.{concurrent['index']}"
        valid = await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", index
        )
        if valid is False:
            await connection.execute(f"DROP INDEX CONCURRENTLY {index}")
    await connection.execute(step)


def _without_comments(step: str) -> str:
    return "\n".join(
        line for line in step.splitlines() if line.strip() and not line.startswith("--")
    )
