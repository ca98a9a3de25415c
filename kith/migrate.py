"""`kith migrate`: bring the database's schemas to this release."""

import asyncio
import os
from typing import Annotated, Final

import typer

from shared.postgres.migrate import MigrationError, Phase, migrate

PACKAGES: Final = (
    ("app", "services.api.sql"),
    ("contact", "services.resolver.sql"),
    ("read", "services.projector.sql"),
    ("search", "services.indexer.sql"),
    ("enrichment", "services.enricher.sql"),
    ("ingest", "services.ingest.sql"),
)
"""Schema → the package that owns it, in the order in which they refer to one another."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate_command)


def migrate_command(
    dsn: Annotated[
        str | None,
        typer.Option(help="DSN of the owner role; default: POSTGRES_DSN, else the local stack"),
    ] = None,
    phase: Annotated[
        str, typer.Option(help="pre (before the new code), post (after the old is gone), or all")
    ] = "all",
) -> None:
    """Apply missing migrations."""
    phases: tuple[Phase, ...]
    match phase:
        case "pre":
            phases = ("pre",)
        case "post":
            phases = ("post",)
        case "all":
            phases = ("pre", "post")
        case _:
            raise typer.BadParameter("must be pre, post or all", param_hint="--phase")
    try:
        applied = asyncio.run(
            migrate(dsn or _default_dsn(), PACKAGES, phases=phases, report=typer.echo)
        )
    except MigrationError as error:
        typer.echo(f"migrate: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{applied} applied" if applied else "nothing to do")


def _default_dsn() -> str:
    if dsn := os.environ.get("POSTGRES_DSN"):
        return dsn
    from kith.stack import Stack  # noqa: PLC0415 -- the local stack is an optional extra

    return Stack.load().postgres_dsn("kith_migrator")
