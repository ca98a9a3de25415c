"""What tenants and API keys the operator makes and ends; `kith tenants` and `kith keys` show it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg
from ulid import ULID

from shared.auth import SCOPES, NewKey, new_key
from shared.errors import ServiceError
from shared.postgres.queries import Queries

if TYPE_CHECKING:
    from shared.postgres.pool import Pool

    Database = Pool | asyncpg.Connection[asyncpg.Record]
else:
    Database = object

QUERIES: Final = Queries.load("services.api.sql", "administration.sql")
"""The statements of schema `app`."""


class AdministrationError(ServiceError):
    """What was asked cannot be done; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant just made, with its first workspace."""

    tenant: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a key may spend, and whose it is; None: as by default, and nobody's in particular."""

    user: str | None = None
    per_minute: int | None = None
    per_day: int | None = None


@asynccontextmanager
async def connected(dsn: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Open one connection for one command."""
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        msg = f"PostgreSQL does not answer ({type(error).__name__}); is it up (`kith status`)?"
        raise AdministrationError(msg) from None
    try:
        yield connection
    finally:
        await connection.close()


async def create_tenant(database: Database, name: str) -> NewTenant:
    """Make a tenant with one workspace."""
    made = NewTenant(f"ten_{ULID()}", f"wsp_{ULID()}")
    await database.execute(QUERIES["create_tenant"], made.tenant, name)
    await database.execute(QUERIES["create_workspace"], made.workspace, "default", made.tenant)
    return made


async def create_workspace(database: Database, tenant: str, name: str) -> str:
    """Make a further workspace of a tenant; returns its public id."""
    workspace = f"wsp_{ULID()}"
    if await database.fetchval(QUERIES["create_workspace"], workspace, name, tenant) is None:
        msg = f"there is no tenant {tenant}; `kith tenants list` shows them"
        raise AdministrationError(msg)
    return workspace


async def create_key(
    database: Database,
    workspace: str | None,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    *,
    terms: Terms = Terms(),
) -> NewKey:
    """Make an API key of a workspace; its token is nowhere but in the answer.

    The workspace may be left out where there is but one.
    """
    if unknown := set(scopes) - set(SCOPES):
        msg = f"no such scope: {', '.join(sorted(unknown))}; there are {', '.join(SCOPES)}"
        raise AdministrationError(msg)
    places = [
        (row["tenant_id"], row["workspace_id"])
        for row in await database.fetch(QUERIES["find_workspaces"])
        if row["workspace"] is not None and workspace in (None, row["workspace"])
    ]
    if len(places) != 1:
        msg = "say which workspace: `kith tenants list` shows them"
        raise AdministrationError(msg)
    return await _insert_key(database, places[0], name, list(scopes), expires_at, terms=terms)


async def rotate_key(
    database: Database, key: str, until: datetime, expires_at: datetime | None = None
) -> NewKey:
    """Make a key like another one, which ends at `until`: both work in between."""
    row = await database.fetchrow(QUERIES["retire_key"], key, until)
    if row is None:
        raise _no_such_key(key)
    place = (row["tenant_id"], row["workspace_id"])
    terms = Terms(row["user_id"], row["per_minute"], row["per_day"])
    return await _insert_key(database, place, row["name"], row["scopes"], expires_at, terms=terms)


async def limit_key(database: Database, key: str, terms: Terms) -> None:
    """Let a key spend what the terms say; services that have just seen it need half a minute."""
    limits = (terms.per_minute, terms.per_day)
    if await database.fetchval(QUERIES["limit_key"], key, *limits) is None:
        raise _no_such_key(key)


async def revoke_key(database: Database, key: str) -> None:
    """End a key; services that have just seen it notice within half a minute."""
    if await database.fetchval(QUERIES["revoke_key"], key) is None:
        raise _no_such_key(key)


async def _insert_key(
    database: Database,
    place: tuple[int, int],
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    *,
    terms: Terms,
) -> NewKey:
    key = new_key()
    await database.execute(
        QUERIES["create_key"],
        key.public_id,
        *place,
        name,
        key.hash,
        scopes,
        expires_at,
        terms.user,
        terms.per_minute,
        terms.per_day,
    )
    return key


def _no_such_key(key: str) -> AdministrationError:
    return AdministrationError(f"there is no valid key {key}; `kith keys list` shows them")
