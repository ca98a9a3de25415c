"""`kith erase` and `kith erased`: forget people for good, and say who was forgotten."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import orjson
import typer

from kith.asking import AsJson
from kith.orders import Key, Url, send_all
from kith.reach import postgres_settings
from services.resolver.store.erasing import ERASING
from shared.events.command import ErasureGround
from shared.postgres.errors import translated
from shared.postgres.pool import connect

GROUNDS: Final = get_args(ErasureGround)

Contacts = Annotated[list[str] | None, typer.Argument(help="con_…, or con_…@3: as seen then.")]
Ground = Annotated[str, typer.Option(help=f"One of: {', '.join(GROUNDS)}.")]
Source = Annotated[
    Path | None,
    typer.Option("--from", help="A list that `kith erased --json` printed: erase them again."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be done.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command("erase")(erase)
    root.command("erased")(erased)


def erase(
    contacts: Contacts = None,
    *,
    ground: Ground = "data_subject",
    source: Source = None,
    yes: Yes = False,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Erase people everywhere, with whoever their contacts absorbed. It cannot be undone."""
    if ground not in GROUNDS:
        raise typer.BadParameter(f"one of {', '.join(GROUNDS)}", param_hint="--ground")
    orders = [_order(one, ground) for one in contacts or ()]
    if source is not None:
        orders += _listed(source)
    if not orders:
        raise typer.BadParameter("name contacts, or give a list with --from")
    if not yes:
        for name, body in orders:
            typer.echo(f"{name}  would be erased for good ({body['ground']})")
        typer.echo(f"{len(orders)} contacts; say --yes to do it: it cannot be undone")
        return
    send_all("erase_contact", orders, (key, url), as_json=as_json)


def erased(*, as_json: AsJson = False) -> None:
    """List who was erased: ids that say nothing of anybody. Keep it where backups are kept."""
    for row in _erasures():
        typer.echo(
            orjson.dumps(row).decode()
            if as_json
            else f"{row['contact_id']}  {row['ground']:<12}  {row['erased_at']}"
        )


def _order(name: str, ground: str) -> tuple[str, dict[str, Any]]:
    contact, _, version = name.partition("@")
    if version and not version.isdecimal():
        raise typer.BadParameter(f"{name}: the version after @ must be a number")
    expected = {contact: int(version)} if version else {}
    return contact, {"contact_id": contact, "ground": ground, "expected": expected}


def _listed(source: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    try:
        lines = source.read_text().splitlines()
        rows = [orjson.loads(line) for line in lines if line.strip()]
        return [_order(row["contact_id"], row["ground"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "must have lines that `kith erased --json` printed"
        raise typer.BadParameter(f"{source}: {hint} ({type(error).__name__})") from None


def _erasures() -> list[dict[str, Any]]:
    async def main() -> list[dict[str, Any]]:
        async with connect(postgres_settings(), "kith-erased") as pool:
            with translated():
                rows = await pool.fetch(ERASING["list_erasures"])
        return [{**dict(row), "erased_rows": orjson.loads(row["erased_rows"])} for row in rows]

    return asyncio.run(main())
