"""`kith keys` and `kith tenants`: who may call, and for whom."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar

import asyncpg
import typer

from kith import administration
from kith.administration import QUERIES, AdministrationError, Database, Terms, connected
from shared.auth import SCOPES

Dsn = Annotated[
    str | None,
    typer.Option(help="DSN of role kith_cli; default: POSTGRES_DSN, else the local stack"),
]
Days = Annotated[int | None, typer.Option(min=1, help="Days until it ends; else never.")]
PerMinute = Annotated[
    int | None, typer.Option(min=1, help="Requests a minute; else as LIMIT_KEY_PER_MINUTE says.")
]
PerDay = Annotated[
    int | None, typer.Option(min=1, help="Requests in any 24 hours; else not counted.")
]
Result = TypeVar("Result")

ROTATION_HOURS: Final = 24
"""How long a rotated key still works, unless said otherwise."""

keys = typer.Typer(no_args_is_help=True, help="API keys.")
tenants = typer.Typer(no_args_is_help=True, help="Tenants and their workspaces.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")
    app.add_typer(tenants, name="tenants")


@keys.command("create")
def create_key(
    *,
    name: Annotated[str, typer.Option(help="What it is for.")],
    workspace: Annotated[
        str | None, typer.Option(help="wsp_…; may be left out where there is but one.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help=f"Repeat for several of: {', '.join(SCOPES)}.")
    ] = None,
    days: Days = None,
    user: Annotated[
        str | None, typer.Option(help="Whose it is: keys of one user share a limit.")
    ] = None,
    per_minute: PerMinute = None,
    per_day: PerDay = None,
    dsn: Dsn = None,
) -> None:
    """Make an API key and print its token, this once."""
    scopes, terms = scope or ["contacts:read"], Terms(user, per_minute, per_day)
    made = _run(
        dsn,
        lambda db: administration.create_key(db, workspace, name, scopes, _end(days), terms=terms),
    )
    typer.echo(f"{made.public_id}: keep the token, it is shown only now", err=True)
    typer.echo(made.token)


@keys.command("list")
def list_keys(dsn: Dsn = None) -> None:
    """List API keys."""
    for row in _run(dsn, lambda db: db.fetch(QUERIES["find_keys"])):
        used = f"used {row['last_used_at']:%Y-%m-%d %H:%M}" if row["last_used_at"] else "never used"
        state = _state(row)
        scopes = " ".join(row["scopes"])
        more = [row["workspace"], scopes, used, *_terms(row), row["name"]]
        typer.echo(f"{row['public_id']}  {state}  {'  '.join(more)}")


@keys.command("limit")
def limit_key(
    key: Annotated[str, typer.Argument(help="key_…")],
    per_minute: PerMinute = None,
    per_day: PerDay = None,
    dsn: Dsn = None,
) -> None:
    """Change what a key may spend; what is left out is as for all keys."""
    _run(dsn, lambda db: administration.limit_key(db, key, Terms(None, per_minute, per_day)))
    typer.echo(f"{key}: {', '.join(_quotas(per_minute, per_day)) or 'as for all keys'}")


@keys.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="key_…")], dsn: Dsn = None) -> None:
    """End an API key; services forget it within half a minute."""
    _run(dsn, lambda db: administration.revoke_key(db, key))
    typer.echo(f"{key} revoked")


@keys.command("rotate")
def rotate_key(
    key: Annotated[str, typer.Argument(help="key_…")],
    hours: Annotated[
        int, typer.Option(min=0, help="Hours that the old one still works.")
    ] = ROTATION_HOURS,
    days: Days = None,
    dsn: Dsn = None,
) -> None:
    """Make a key like this one and print its token; this one ends a little later."""
    until = datetime.now(UTC) + timedelta(hours=hours)
    made = _run(dsn, lambda db: administration.rotate_key(db, key, until, _end(days)))
    typer.echo(
        f"{made.public_id} follows {key}, which ends at {until:%Y-%m-%d %H:%M} UTC", err=True
    )
    typer.echo(made.token)


@tenants.command("create")
def create_tenant(
    name: Annotated[str, typer.Argument(help="Its name.")],
    workspace_of: Annotated[
        str | None,
        typer.Option("--workspace-of", help="ten_…: make a further workspace of this tenant."),
    ] = None,
    dsn: Dsn = None,
) -> None:
    """Make a tenant with one workspace, or a further workspace of a tenant."""
    if workspace_of is not None:
        made = _run(dsn, lambda db: administration.create_workspace(db, workspace_of, name))
        typer.echo(made)
        return
    tenant = _run(dsn, lambda db: administration.create_tenant(db, name))
    typer.echo(f"{tenant.tenant} {tenant.workspace}")


@tenants.command("list")
def list_tenants(dsn: Dsn = None) -> None:
    """List tenants and their workspaces."""
    for row in _run(dsn, lambda db: db.fetch(QUERIES["find_workspaces"])):
        workspace = f"{row['workspace']}  {row['workspace_name']}" if row["workspace"] else "-"
        typer.echo(f"{row['tenant']}  {row['tenant_name']}  {workspace}")


def _end(days: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(days=days) if days else None


def _terms(row: asyncpg.Record) -> list[str]:
    """Say what of a key is not as for all keys."""
    ends = [f"ends {row['expires_at']:%Y-%m-%d %H:%M}"] if row["expires_at"] else []
    user = [f"of {row['user_id']}"] if row["user_id"] else []
    return [*ends, *_quotas(row["per_minute"], row["per_day"]), *user]


def _quotas(per_minute: int | None, per_day: int | None) -> list[str]:
    quotas = ((per_minute, "a minute"), (per_day, "a day"))
    return [f"{most:,} {length}" for most, length in quotas if most]


def _state(row: asyncpg.Record) -> str:
    if row["valid"]:
        return "valid  "
    return "revoked" if row["revoked_at"] else "expired"


def _run(dsn: str | None, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Do one thing in one transaction, or say what is wrong and exit with 1."""

    async def main() -> Result:
        async with connected(dsn or _default_dsn()) as connection, connection.transaction():
            return await work(connection)

    try:
        return asyncio.run(main())
    except AdministrationError as error:
        typer.echo(f"kith: {error}", err=True)
        raise typer.Exit(1) from None


def _default_dsn() -> str:
    if dsn := os.environ.get("POSTGRES_DSN"):
        return dsn
    from kith.stack import Stack  # noqa: PLC0415 -- the local stack is an optional extra

    return Stack.load().postgres_dsn("kith_cli")
