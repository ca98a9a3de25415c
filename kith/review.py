"""`kith review list | show | approve | reject | merge | split | undo`: people decide who is whom.

A pair is named by its number, or by both contacts' ids with a dot between. What `list` prints,
`17@3.5`, also says which versions were seen: when one of the contacts has changed since, nothing
is done. A name without versions stands for what is there now.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import orjson
import typer

from kith.asking import AsJson, Asked, Workspace, ask, say
from kith.orders import Key, Url, open_orders, send_all
from kith.policies import failing
from kith.review_text import case_lines, foreseen_lines, pair_line, reference
from services.resolver.domain.reviewing import PAIR, Filters
from services.resolver.store.questions import list_pairs, show_pair
from services.resolver.store.review import ReviewStore

TIERS: Final = ("exact", "high", "medium", "low", "none")
STATUSES: Final = ("open", "approved", "rejected", "retired", "auto_merged")
MOST: Final = 1_000
"""Pairs that are decided in one go."""
MOST_PAIRS: Final = 2**63 - 1
"""A pair's number is PostgreSQL's bigint."""
MOST_VERSIONS: Final = 2**31 - 1
"""A contact's version is PostgreSQL's integer."""

app = typer.Typer(no_args_is_help=True, help=__doc__)

Pairs = Annotated[list[str] | None, typer.Argument(help="Pairs, as `list` prints them.")]
Tier = Annotated[list[str] | None, typer.Option(help=f"Of: {', '.join(TIERS)}; repeat for more.")]
Least = Annotated[float | None, typer.Option(min=0, max=1, help="Scored at least this.")]
Contact = Annotated[str | None, typer.Option(help="con_…: pairs of this contact.")]
Reason = Annotated[str | None, typer.Option("--why", help="For whoever asks later.")]
Every = Annotated[bool, typer.Option("--all", help="All that wait and match, with --yes.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be done.")]
Named = Annotated[str, typer.Argument(help="con_…, or con_…@3: as seen at this version.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="review")


@app.command("list")
def list_(
    *,
    tier: Tier = None,
    least: Least = None,
    contact: Contact = None,
    status: Annotated[str, typer.Option(help=f"One of: {', '.join(STATUSES)}.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many.")] = 20,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """List pairs that wait, those worth most first: how likely, times how much depends on it."""
    if status not in STATUSES:
        raise typer.BadParameter(f"one of {', '.join(STATUSES)}", param_hint="--status")
    filters = Filters((status,), _tiers(tier), least, (contact,) if contact else None)
    pairs = ask(lambda store: _list(store, filters, limit), workspace)
    for pair in pairs:
        typer.echo(orjson.dumps(pair).decode() if as_json else pair_line(pair))
    if not as_json:
        typer.echo(f"{len(pairs)} pairs" if pairs else "no pair waits")


@app.command()
def show(pair: str, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show a pair side by side, each value with its source, and what speaks for and against."""
    named, seen = parse_pair(pair)
    found = ask(lambda store: show_pair(store, named), workspace)
    if found is None:
        raise typer.BadParameter(f"no pair {pair}: see `kith review list`")
    if found["contacts"] != with_versions(found, named, seen)["contacts"]:
        typer.echo(f"changed since {pair} was seen: it is {reference(found)} now", err=True)
    say(found, case_lines, as_json=as_json)


@app.command()
def approve(
    pairs: Pairs = None,
    *,
    every: Every = False,
    tier: Tier = None,
    least: Least = None,
    yes: Yes = False,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that pairs are one person each: they are merged, the older contact survives."""
    chosen = _choose(pairs, Filters(("open",), _tiers(tier), least), every=every, yes=yes)
    _decide("approve_merge", chosen, why, (key, url), as_json=as_json)


@app.command()
def reject(
    pairs: Pairs = None,
    *,
    every: Every = False,
    tier: Tier = None,
    least: Least = None,
    yes: Yes = False,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that pairs are two people each: no machine merges them, whatever arrives."""
    chosen = _choose(pairs, Filters(("open",), _tiers(tier), least), every=every, yes=yes)
    _decide("reject_merge", chosen, why, (key, url), as_json=as_json)


@app.command()
def merge(
    survivor: Named,
    absorbed: Named,
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what it would come to (contacts:read).")
    ] = False,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Merge two contacts, whether they waited for it or not."""
    (kept, seen), (taken, seen_too) = _contact(survivor), _contact(absorbed)
    if preview:
        client, orders = open_orders(key, url)
        with client, failing():
            foreseen = orders.ask(f"/v1/contacts/{kept}/merge-preview/{taken}")
        lines = [orjson.dumps(foreseen).decode()] if as_json else foreseen_lines(foreseen)
        typer.echo("\n".join(lines))
        named = seen | seen_too
        versions = {one["id"]: one["version"] for one in foreseen["contacts"]}
        if any(versions.get(name, version) != version for name, version in named.items()):
            raise typer.BadParameter("a contact changed since the version that you named")
        return
    body = {"contact_id": kept, "absorbed_id": taken, "expected": seen | seen_too, "reason": why}
    send_all("merge_contacts", [(f"{kept} ← {taken}", body)], (key, url), as_json=as_json)


@app.command()
def split(
    contact: Named,
    *,
    record: Annotated[
        list[str] | None, typer.Option(help="Key of a record to take out, as `kith why` tells it.")
    ] = None,
    identifier: Annotated[
        list[str] | None, typer.Option(help="To take out, like email:ada@example.com.")
    ] = None,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take records or identifiers, and what they brought, out of a contact: somebody else's."""
    if not record and not identifier:
        raise typer.BadParameter("name records or identifiers; to undo a merge: kith review undo")
    name, seen = _contact(contact)
    body = {
        "contact_id": name,
        "records": record or [],
        "identifiers": [_identifier(one) for one in identifier or ()],
        "expected": seen,
        "reason": why,
    }
    send_all("split_contact", [(name, body)], (key, url), as_json=as_json)


@app.command()
def undo(
    contact: Named,
    *,
    merge_id: Annotated[
        str | None, typer.Option("--merge", help="mrg_…; default: the newest in force.")
    ] = None,
    why: Reason = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Undo a merge: everything is as if it had never been, later changes kept."""
    name, seen = _contact(contact)
    body = {"contact_id": name, "merge_id": merge_id, "expected": seen, "reason": why}
    send_all("split_contact", [(name, body)], (key, url), as_json=as_json)


def parse_pair(text: str) -> tuple[Filters, tuple[int, int] | None]:
    """Read a pair's name: whom it means, and which versions were seen."""
    name, at, versions = text.partition("@")
    seen = None
    if at:
        one, _, other = versions.partition(PAIR)
        if not (_is_count(one, MOST_VERSIONS) and _is_count(other, MOST_VERSIONS)):
            raise typer.BadParameter(f"{text}: write versions as @3.5")
        seen = (int(one), int(other))
    if _is_count(name, MOST_PAIRS):
        return Filters(statuses=None, numbers=(int(name),)), seen
    left, dot, right = name.partition(PAIR)
    if not dot or not left.startswith("con_") or not right.startswith("con_"):
        raise typer.BadParameter(f"{text}: a number, or con_….con_…")
    if left == right:
        raise typer.BadParameter(f"{text}: that is one contact; a pair is two, con_….con_…")
    return Filters(statuses=None, contacts=(left, right)), seen


def _is_count(text: str, most: int) -> bool:
    return text.isdecimal() and len(text) <= len(str(most)) and int(text) <= most


async def _list(store: ReviewStore, filters: Filters, limit: int) -> list[Asked]:
    """List pairs; of a contact that is unknown, or that another stands for, there can be none."""
    for name in filters.contacts or ():
        contact = (await store.find_contacts([name])).get(name)
        if contact is None:
            raise typer.BadParameter(f"no such contact here: {name}", param_hint="--contact")
        if contact.root_name != name:
            hint = f"{name} was merged: ask about {contact.root_name}"
            raise typer.BadParameter(hint, param_hint="--contact")
    return await list_pairs(store, filters, None, limit)


def _choose(
    pairs: Sequence[str] | None, filters: Filters, *, every: bool, yes: bool
) -> list[Asked]:
    """Find the pairs that are meant, each with the versions on which they are decided."""
    if bool(pairs) == every:
        raise typer.BadParameter("name pairs, or --all with --tier or --least and --yes")
    if not every:
        named = [parse_pair(text) for text in pairs or ()]
        found = ask(lambda store: _each(store, [one for one, _ in named]), None)
        missing = [text for text, one in zip(pairs or (), found, strict=True) if one is None]
        if missing:
            raise typer.BadParameter(f"no pair {', '.join(missing)}: see `kith review list`")
        return [with_versions(pair, *one) for pair, one in zip(found, named, strict=True) if pair]
    chosen = ask(lambda store: list_pairs(store, filters, None, MOST), None)
    if not yes:
        for pair in chosen:
            typer.echo(pair_line(pair))
        typer.echo(f"{len(chosen)} pairs; nothing is done without --yes")
        raise typer.Exit(0)
    return chosen


async def _each(store: ReviewStore, named: Iterable[Filters]) -> list[Asked | None]:
    found = [await list_pairs(store, one, None, 1) for one in named]
    return [one[0] if one else None for one in found]


def with_versions(pair: Asked, named: Filters, versions: tuple[int, int] | None) -> Asked:
    """Decide on the versions that were named, each with the contact that it was named with."""
    if versions is None:
        return pair
    names = named.contacts or [contact["id"] for contact in pair["contacts"]]
    seen = dict(zip(names, versions, strict=True))
    contacts = [{**contact, "version": seen[contact["id"]]} for contact in pair["contacts"]]
    return {**pair, "contacts": contacts}


def _decide(
    command: str,
    pairs: Iterable[Asked],
    why: str | None,
    reach: tuple[str | None, str | None],
    *,
    as_json: bool,
) -> None:
    orders = []
    for pair in pairs:
        left, right = pair["contacts"]
        body = {
            "contact_id": left["id"],
            "other_id": right["id"],
            "expected": {one["id"]: one["version"] for one in (left, right)},
            "reason": why,
        }
        orders.append((reference(pair), body))
    send_all(command, orders, reach, as_json=as_json)


def _contact(text: str) -> tuple[str, dict[str, int]]:
    name, at, version = text.partition("@")
    if at and not _is_count(version, MOST_VERSIONS):
        raise typer.BadParameter(f"{text}: write the version as @3")
    return name, {name: int(version)} if at else {}


def _identifier(text: str) -> dict[str, str]:
    kind, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter(f"{text}: write it as email:ada@example.com")
    return {"type": kind, "value": value}


def _tiers(tiers: Sequence[str] | None) -> Sequence[str] | None:
    unknown = set(tiers or ()) - set(TIERS)
    if unknown:
        raise typer.BadParameter(f"one of {', '.join(TIERS)}", param_hint="--tier")
    return tiers or None
