"""What a tenant decides by: read as the operator, changed by the resolver; for several commands."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final, TypeVar

import typer

from kith.administration import QUERIES, AdministrationError
from kith.orders import RefusedError, open_orders
from kith.reach import postgres_settings
from services.resolver.domain.hindsight import Hindsight
from services.resolver.domain.matching.tiers import Thresholds
from services.resolver.domain.matching.weights import Weights
from services.resolver.store.policies import PolicyStore
from shared.errors import PoisonMessageError
from shared.postgres.pool import Connection, Pool, connect

Result = TypeVar("Result")

Tenant = Annotated[str | None, typer.Option(help="ten_…; may be left out where there is but one.")]
Limit = Annotated[int, typer.Option(min=1, help="The newest decisions that are looked at.")]
Samples = Annotated[int, typer.Option(min=0, max=100, help="Pairs shown of each change.")]

LIMIT: Final = 100_000
"""Decisions that a dry run looks at, unless told otherwise: some ten seconds."""


def ask(question: Callable[[PolicyStore], Awaitable[Result]], tenant: str | None) -> Result:
    """Ask one question about a tenant's policy; exits with 1 when it cannot be answered."""
    return in_base(lambda connection, number: question(PolicyStore(connection, number)), tenant)


def in_base(question: Callable[[Connection, int], Awaitable[Result]], tenant: str | None) -> Result:
    """Ask one question in one read-only transaction, as the operator; told the tenant's number."""

    async def main() -> Result:
        async with connect(postgres_settings(), "kith-policies") as pool:
            number = await _number_of(pool, tenant)
            async with (
                pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await question(connection, number)

    with failing():
        return asyncio.run(main())


def change(
    method: str, path: str, body: Mapping[str, Any], reach: tuple[str | None, str | None]
) -> Mapping[str, Any]:
    """Order the resolver to change something; exits with 1 when it does not."""
    client, orders = open_orders(*reach)
    with client, failing():
        return orders.change(method, path, body)


async def look_back(
    store: PolicyStore, thresholds: Thresholds, weights: Weights | None, limit: int, samples: int
) -> Hindsight:
    """Decide the newest decisions again, by other thresholds or weights."""
    hindsight = Hindsight(thresholds, weights, samples)
    async for page in store.find_history(limit):
        for one in page:
            hindsight.look_at(one.pair, one.contacts, one.explained, is_settled=one.is_settled)
    return hindsight


@contextmanager
def failing() -> Iterator[None]:
    """Say of what was asked what is wrong with it, without the name of the reason."""
    try:
        yield
    except (PoisonMessageError, RefusedError) as error:
        said = error.detail if isinstance(error, PoisonMessageError) else error
        print(f"kith: {said}", file=sys.stderr)
        raise typer.Exit(1) from None


async def _number_of(pool: Pool, tenant: str | None) -> int:
    rows = await pool.fetch(QUERIES["find_workspaces"])
    numbers = {row["tenant"]: row["tenant_id"] for row in rows if row["tenant_id"] is not None}
    if tenant is None and len(numbers) == 1:
        return int(next(iter(numbers.values())))
    if tenant not in numbers:
        raise AdministrationError("name the tenant: --tenant ten_… (see `kith tenants list`)")
    return int(numbers[tenant])
