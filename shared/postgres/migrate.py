"""Apply migrations: plain SQL, forward only, one runner, one version table per schema.

`services/<s>/sql/migrations/NNNN_{pre|post}_<words>.sql`: `pre` is safe before the new code runs,
`post` only after the old code is gone. Each file is one transaction with a lock timeout, so that
a migration under load gives up and is retried instead of blocking everybody.
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
_LOCK_ID = 0x6B697468
"""Advisory lock that keeps two runners apart: "kith"."""
_ATTEMPTS = 10
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
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_ID)
        applied = 0
        for migration in load_migrations(packages):
            if migration.phase in phases and await _missing(connection, migration):
                report(f"{migration.schema}: {migration.name}")
                await _apply(connection, migration)
                applied += 1
        return applied
    finally:
        await connection.close()


async def _missing(connection: asyncpg.Connection, migration: Migration) -> bool:
    await connection.execute(
        f"CREATE SCHEMA IF NOT EXISTS {migration.schema};"
        f"CREATE TABLE IF NOT EXISTS {migration.schema}.schema_version ("
        " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz DEFAULT now())"
    )
    checksum = await connection.fetchval(
        f"SELECT checksum FROM {migration.schema}.schema_version WHERE name = $1",  # noqa: S608
        migration.name,
    )
    if checksum is not None and checksum != migration.checksum:
        msg = (
            f"{migration.schema}: {migration.name} was applied with another text; "
            "restore the file and put the change into a new migration"
        )
        raise MigrationError(msg)
    return checksum is None


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '900ms'")
                await connection.execute(migration.sql)
                await connection.execute(
                    f"INSERT INTO {migration.schema}.schema_version (name, checksum) "  # noqa: S608
                    "VALUES ($1, $2)",
                    migration.name,
                    migration.checksum,
                )
        except asyncpg.LockNotAvailableError:
            if attempt == _ATTEMPTS:
                msg = f"{migration.name} got no lock in {_ATTEMPTS} tries; run it at a quieter time"
                raise MigrationError(msg) from None
            await asyncio.sleep(0.5 * attempt)
        except asyncpg.PostgresError as error:
            msg = f"{migration.schema}: {migration.name}: {error}"
            raise MigrationError(msg) from error
        else:
            return
