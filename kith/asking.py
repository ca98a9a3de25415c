"""How the command line asks about decisions: straight from the database, as the operator's role."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, TypeVar

import orjson
import typer

from kith.reach import postgres_settings
from services.resolver.store.review import ReviewStore, reading
from shared.auth import Directory
from shared.postgres.pool import connect

Asked = dict[str, Any]
"""An answer, as it would be said over HTTP."""

Result = TypeVar("Result")

Workspace = Annotated[
    str | None, typer.Option(help="wsp_…: only what this workspace may know; default: everything.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line.")]


def ask(question: Callable[[ReviewStore], Awaitable[Result]], workspace: str | None) -> Result:
    """Ask one question in one read-only transaction."""

    async def main() -> Result:
        async with connect(postgres_settings(), "kith-review") as pool:
            place = await Directory(pool).resolve(None, workspace) if workspace else None
            async with reading(pool, place) as store:
                return await question(store)

    return asyncio.run(main())


def say(answer: Asked, lines: Callable[[Asked], Iterable[str]], *, as_json: bool) -> None:
    """Print an answer for people, or as JSON."""
    typer.echo(orjson.dumps(answer).decode() if as_json else "\n".join(lines(answer)))
