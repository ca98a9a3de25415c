"""`kith rebuild`: make read models, search and graph anew from the events, while the old serve."""

import asyncio
import os
import time
from typing import Annotated, NoReturn

import typer

from kith.reach import kafka_settings
from kith.unforeseen import in_words
from services.indexer.settings import Neo4jSettings
from services.indexer.store import rebuild_graph, rebuild_search, rebuild_state
from services.projector.store import check, derive, rebuild
from shared.errors import ServiceError

Dsn = Annotated[
    str | None,
    typer.Option(help="DSN of the owner role; default: POSTGRES_DSN, else the local stack"),
]

REPORT_EVERY_S = 1.0
"""Between two lines of progress, seconds."""

SHOWN_IDS = 20
"""Differing contacts that are listed by id."""

rebuilds = typer.Typer(
    no_args_is_help=True, help="Make read models, search or graph anew from the events."
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(rebuilds, name="rebuild")


@rebuilds.command("projector")
def rebuild_projector(
    dsn: Dsn = None,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only compare the read models with the events.")
    ] = False,
) -> None:
    """Rebuild the read models; readers see the old ones until the new ones are complete."""
    place = dsn or _default_dsn()
    try:
        if not check_only:
            count = asyncio.run(rebuild(place, _Progress("events folded")))
            typer.echo(f"read models rebuilt from {count} events")
            return
        different = asyncio.run(check(place, _Progress("contacts compared")))
    except ServiceError as error:
        _fail(error)
    for contact in different[:SHOWN_IDS]:
        typer.echo(f"differs: {contact}")
    typer.echo(f"{len(different)} contacts differ from their events")
    raise typer.Exit(1 if different else 0)


@rebuilds.command("derived")
def rebuild_derived(dsn: Dsn = None) -> None:
    """Derive seniority, departments and time zones anew, page by page, while all else goes on."""
    try:
        count = asyncio.run(derive(dsn or _default_dsn(), _Progress("rows looked through")))
    except ServiceError as error:
        _fail(error)
    typer.echo(f"{count} rows derived anew")


@rebuilds.command("indexer")
def rebuild_indexer(
    dsn: Dsn = None,
    search_only: Annotated[bool, typer.Option("--search-only", help="Leave the graph.")] = False,
    neo4j_only: Annotated[bool, typer.Option("--neo4j-only", help="Leave search.")] = False,
) -> None:
    """Rebuild search and graph, each as a new generation that takes the old one's place."""
    place = dsn or _default_dsn()
    try:
        if not neo4j_only:
            count = asyncio.run(rebuild_search(place, _Progress("events indexed")))
            typer.echo(f"search rebuilt from {count} events")
        if not search_only:
            count = asyncio.run(rebuild_graph(place, _neo4j(), _Progress("events drawn")))
            typer.echo(f"graph rebuilt from {count} events")
    except ServiceError as error:
        _fail(error)


@rebuilds.command("state")
def rebuild_states(dsn: Dsn = None) -> None:
    """Send the state of every contact to `contact.state.v1` again."""
    try:
        count = asyncio.run(
            rebuild_state(dsn or _default_dsn(), kafka_settings(), _Progress("events read"))
        )
    except ServiceError as error:
        _fail(error)
    typer.echo(f"states sent, from {count} events")


class _Progress:
    """Says how many are done, about once a second."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._said = time.monotonic()

    def __call__(self, count: int) -> None:
        if time.monotonic() - self._said >= REPORT_EVERY_S:
            self._said = time.monotonic()
            typer.echo(f"{count} {self._words}")


def _fail(error: ServiceError) -> NoReturn:
    typer.echo(f"rebuild: {in_words(error)}; what served before still serves", err=True)
    raise typer.Exit(1) from error


def _default_dsn() -> str:
    if dsn := os.environ.get("POSTGRES_DSN"):
        return dsn
    from kith.stack import Stack  # noqa: PLC0415 -- the local stack is an optional extra

    return Stack.load().postgres_dsn("kith_migrator")


def _neo4j() -> Neo4jSettings:
    if os.environ.get("NEO4J_URI"):
        return Neo4jSettings()
    from kith.stack import Stack  # noqa: PLC0415 -- the local stack is an optional extra

    stack = Stack.load()
    user, password = stack.neo4j_auth
    return Neo4jSettings.model_validate(
        {"uri": stack.neo4j_uri, "user": user, "password": password}
    )
