"""What has to exist in PostgreSQL before any migration: roles, the database, extensions."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from kith.stack.part import Say
from kith.stack.state import ROLES

DATABASE = "kith"
"""The database of the system itself; tests make scratch databases beside it."""
OWNER = "kith_migrator"
"""Owns the database and every table; makes the services' grants; is no superuser."""
EXTENSIONS = ("pg_trgm", "unaccent", "fuzzystrmatch", "btree_gin", "citext", "pg_stat_statements")
"""Made by the superuser in `kith` and in `template1`, so that scratch databases have them."""


async def provision(port: int, secrets: Mapping[str, str], folder: Path, say: Say) -> None:
    """Make what is missing and give every role its password.

    A stamp beside the data says what was made: nothing is asked again while nothing changed.
    """
    wanted = json.dumps([ROLES, EXTENSIONS, [secrets[role] for role in ROLES]])
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    stamp = folder / "kith.provisioned"
    if stamp.exists() and stamp.read_text() == digest:
        return
    say("making roles and database")
    admin = await _connect(port, secrets, "postgres")
    try:
        await _make_roles(admin, secrets)
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await admin.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await admin.close()
    for database in ("template1", DATABASE):
        connection = await _connect(port, secrets, database)
        try:
            for extension in EXTENSIONS:
                await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        finally:
            await connection.close()
    stamp.write_text(digest)


async def _make_roles(
    admin: "asyncpg.Connection[asyncpg.Record]", secrets: Mapping[str, str]
) -> None:
    """One login role for each process; the owner may grant and act as each of them."""
    known = {row["rolname"] for row in await admin.fetch("SELECT rolname FROM pg_roles")}
    for role in ROLES:
        if role not in known:
            await admin.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS")
        await admin.execute(f"ALTER ROLE {role} PASSWORD '{secrets[role]}'")
        if role != OWNER:
            await admin.execute(f"GRANT {role} TO {OWNER} WITH ADMIN TRUE, INHERIT FALSE, SET TRUE")
    await admin.execute(f"ALTER ROLE {OWNER} CREATEDB CREATEROLE")
    await admin.execute(f"GRANT pg_monitor, pg_signal_backend TO {OWNER}")


async def _connect(
    port: int, secrets: Mapping[str, str], database: str
) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        host="127.0.0.1",
        port=port,
        user="postgres",
        password=secrets["postgres"],
        database=database,
        timeout=10,
    )
