"""`kith company list | merge | undo | reject | relate | unrelate`: people decide about companies.

Companies are named by their ids, cmp_…. A merge moves nothing and can be undone at any time; an
absorbed id stands for its survivor. A name alone never merges two companies: it puts them up here.
"""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final, get_args

import orjson
import typer

from kith.asking import AsJson
from kith.orders import Key, Url, send_all
from kith.reach import postgres_settings
from shared.events.contact import CompanyRelationKind
from shared.postgres.pool import connect
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("kith.sql")
KINDS: Final = get_args(CompanyRelationKind)
MOST: Final = 1_000
"""Pairs listed at once."""

app = typer.Typer(no_args_is_help=True, help=__doc__)

Company = Annotated[str, typer.Argument(help="cmp_…")]
Kind = Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")]
Reason = Annotated[str | None, typer.Option("--why", help="For whoever asks later.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="company")


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List pairs of companies that wait for a decision."""
    pairs = _ask(limit)
    for pair in pairs:
        if as_json:
            typer.echo(orjson.dumps(pair).decode())
        else:
            typer.echo(f"{_named(pair, 'one')}   {_named(pair, 'other')}   {pair['reason']}")
    if not as_json:
        typer.echo(f"{len(pairs)} pairs" if pairs else "no pair waits")


@app.command()
def merge(
    survivor: Company,
    absorbed: Company,
    *,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make two companies one; the first survives."""
    body = {"company_id": survivor, "absorbed_id": absorbed, "reason": why}
    send_all("merge_companies", [(f"{survivor} ← {absorbed}", body)], (key, url), as_json=as_json)


@app.command()
def undo(
    company: Company,
    *,
    merge_id: Annotated[
        str | None, typer.Option("--merge", help="mrg_…; default: the newest in force.")
    ] = None,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Undo a merge of companies: everything is as if it had never been."""
    body = {"company_id": company, "merge_id": merge_id, "reason": why}
    send_all("split_company", [(company, body)], (key, url), as_json=as_json)


@app.command()
def reject(
    company: Company,
    other: Company,
    *,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that two companies are two."""
    body = {"company_id": company, "other_id": other, "reason": why}
    send_all("reject_company_merge", [(f"{company} ≠ {other}", body)], (key, url), as_json=as_json)


@app.command()
def relate(
    company: Company,
    kind: Kind,
    other: Company,
    *,
    since: Day = None,
    until: Day = None,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that a company is a subsidiary, a vendor, a partner … of another."""
    body = {
        "company_id": company,
        "kind": _kind(kind),
        "other_id": other,
        "since": since and since.date().isoformat(),
        "until": until and until.date().isoformat(),
        "reason": why,
    }
    name = f"{company} is {kind} of {other}"
    send_all("relate_companies", [(name, body)], (key, url), as_json=as_json)


@app.command()
def unrelate(
    company: Company,
    kind: Kind,
    other: Company,
    *,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take back what was said of how two companies are related."""
    body = {"company_id": company, "kind": _kind(kind), "other_id": other, "reason": why}
    name = f"{company} is no {kind} of {other}"
    send_all("unrelate_companies", [(name, body)], (key, url), as_json=as_json)


def _kind(text: str) -> str:
    if text not in KINDS:
        raise typer.BadParameter(f"one of {', '.join(KINDS)}", param_hint="KIND")
    return text


def _named(pair: dict[str, Any], end: str) -> str:
    domain = pair[f"{end}_domain"]
    return f"{pair[end]} {pair[f'{end}_name']}{f' ({domain})' if domain else ''}"


def _ask(limit: int) -> list[dict[str, Any]]:
    async def main() -> list[dict[str, Any]]:
        async with connect(postgres_settings(), "kith-company") as pool:
            return [dict(row) for row in await pool.fetch(QUERIES["find_company_pairs"], limit)]

    return asyncio.run(main())
