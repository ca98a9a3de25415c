"""Accounts elsewhere: what their credentials are sealed with, and what ingest says of one."""

from base64 import urlsafe_b64encode
from typing import Any

from tests.support.importing import Caller

KEYS = [urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2)]
"""For a vault."""

CREDENTIALS = {"client_id": "client", "client_secret": "s", "refresh_token": "refresh-1"}


async def told(caller: Caller) -> dict[str, Any]:
    """Return what is said of the one account that a caller has connected."""
    (one,) = (await caller.http.get("/v1/connections")).json()["connections"]
    found: dict[str, Any] = one
    return found
