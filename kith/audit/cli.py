"""`kith audit`: look through a whole base for duplicates with Splink; what it finds is reviewed."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import orjson
import typer

from kith.asking import AsJson
from kith.audit.linking import AuditError, Backend, Pair, find_pairs
from kith.audit.people import People
from kith.orders import Key, Url, need_key, open_orders
from kith.policies import Tenant, failing, in_base
from services.resolver.store.audits import read_base
from shared.postgres.pool import Connection

AT_ONCE: Final = 500
"""Findings sent in one go."""

SHOWN: Final = 20
"""Findings that are printed; `--json` has all."""

WORDS: Final = {
    "put_up": "wait in the review queue now",
    "known": "were in the queue before",
    "kept_apart": "are kept apart by a person",
    "one_contact": "are one contact by now",
    "unknown": "name a contact that is gone",
    "nothing_to_compare": "have no record to compare",
}
"""What became of findings → in words."""

Least = Annotated[float, typer.Option(min=0, max=1, help="Probability from which pairs count.")]
Most = Annotated[int, typer.Option(min=1, help="Contacts that are looked at, the oldest first.")]
By = Annotated[
    str, typer.Option(envvar="KITH_AUDIT_BACKEND", help="duckdb, in this process; or spark.")
]
Look = Annotated[bool, typer.Option("--look", help="Only say what it finds.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("audit")(audit)


def audit(
    *,
    least: Least = 0.95,
    most: Most = 2_000_000,
    backend: By = "duckdb",
    look: Look = False,
    tenant: Tenant = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Look through all contacts of a tenant for duplicates, with another tool than matching.

    Splink estimates from the base how often strangers agree, and scores pairs that share a key.
    What it finds waits for people, with the tenant's own evidence beside; nothing is merged.
    """
    if not look:
        need_key(key)
    with failing():
        by = _backend(backend)
        people = in_base(lambda connection, number: _gather(connection, number, most), tenant)
        pairs = find_pairs(people, by, least)
    if as_json:
        for pair in pairs:
            typer.echo(orjson.dumps(pair._asdict()).decode())
    else:
        typer.echo(f"{len(people):,} contacts looked at, {len(pairs):,} pairs from {least:.2f} on")
        for pair in pairs[:SHOWN]:
            typer.echo(f"  {pair.one} / {pair.other}  {pair.probability:.4f}")
    if look or not pairs:
        return
    for words in _send(pairs, (key, url)):
        typer.echo(words, err=as_json)


def _backend(name: str) -> Backend:
    match name:
        case "duckdb" | "spark":
            return name
        case _:
            raise AuditError(f"no backend {name}: say duckdb or spark")


async def _gather(connection: Connection, tenant: int, most: int) -> People:
    people = People()
    async for page in read_base(connection, tenant, most):
        for contact in page:
            people.add(contact.contact, contact.profiles)
    return people


def _send(pairs: Sequence[Pair], reach: tuple[str | None, str | None]) -> Iterator[str]:
    """Order the resolver to put findings up for review, and say what became of them."""
    client, orders = open_orders(*reach)
    sums: dict[str, int] = {}
    with client, failing():
        for start in range(0, len(pairs), AT_ONCE):
            findings = [
                {"contacts": [pair.one, pair.other], "score": pair.probability}
                for pair in pairs[start : start + AT_ONCE]
            ]
            for name, count in orders.change("POST", "/v1/audits", {"findings": findings}).items():
                sums[name] = sums.get(name, 0) + count
    for name, words in WORDS.items():
        if sums.get(name):
            yield f"{sums[name]:,} {words}"
