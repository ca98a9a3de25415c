"""With whose key `kith import` calls: one that is given, or one made for as long as it runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import typer

from kith import administration
from kith.administration import AdministrationError
from kith.imports_client import SECONDS
from kith.reach import postgres_settings
from shared.auth import SCOPES, NewKey
from shared.errors import ServiceError

HOURS: Final = 12
"""How long a key of its own would last were it not revoked."""


@contextmanager
def calling(key: str | None, workspace: str | None, url: str) -> Iterator[httpx.Client]:
    """Call ingest with a key; without one, with a key made for the workspace, and ended after."""
    if key and workspace:
        raise typer.BadParameter("an API key names its workspace", param_hint="--workspace")
    made = None if key else _make(workspace)
    token = key or (made.token if made else "")
    try:
        with httpx.Client(
            base_url=url, timeout=SECONDS, headers={"Authorization": f"Bearer {token}"}
        ) as client:
            yield client
    finally:
        if made:
            asyncio.run(_revoke(made.public_id))


def _make(workspace: str | None) -> NewKey:
    try:
        return asyncio.run(_create(workspace))
    except (AdministrationError, ServiceError, OSError) as error:
        raise typer.BadParameter(
            f"{error}; or give an API key: --key, KITH_API_KEY", param_hint="--workspace"
        ) from None


async def _create(workspace: str | None) -> NewKey:
    until = datetime.now(UTC) + timedelta(hours=HOURS)
    async with administration.connected(postgres_settings().dsn.get_secret_value()) as database:
        return await administration.create_key(
            database, workspace, "kith import", list(SCOPES), until
        )


async def _revoke(key: str) -> None:
    async with administration.connected(postgres_settings().dsn.get_secret_value()) as database:
        await administration.revoke_key(database, key)
