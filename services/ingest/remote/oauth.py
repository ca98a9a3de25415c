"""Access tokens from a lasting permission (RFC 6749, 6), renewed before they end."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import orjson

from services.ingest.remote.page import RemoteError

EARLY: Final = timedelta(minutes=2)
"""A token is renewed so long before it ends: a request under way must not outlive it."""

MAX_ANSWER_BYTES: Final = 256 * 1024
"""Of the token endpoint's answer so much is read."""

_WITHDRAWN: Final = frozenset({"invalid_grant", "interaction_required", "consent_required"})
"""Only the account's owner can mend these: the permission ended, or was taken back."""

Keep = Callable[[dict[str, Any]], Awaitable[None]]
"""Stores credentials that changed: Microsoft renews the lasting one with every token."""


class Tokens:
    """The access token of one account."""

    def __init__(
        self, client: httpx.AsyncClient, endpoint: str, credentials: dict[str, Any], keep: Keep
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._credentials = credentials
        self._keep = keep
        self._access = ""
        self._ends = datetime.fromtimestamp(0, UTC)

    async def token(self, renew: bool = False) -> str:  # `http.Token`
        """Return an access token that is valid for a while; with `renew`, another one."""
        if renew or datetime.now(UTC) >= self._ends - EARLY:
            await self._renew()
        return self._access

    async def _renew(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._credentials["client_id"],
            "refresh_token": self._credentials["refresh_token"],
        }
        if self._credentials.get("client_secret"):
            form["client_secret"] = self._credentials["client_secret"]
        try:
            answer = await self._client.post(self._endpoint, data=form, timeout=30.0)
        except httpx.HTTPError:
            raise RemoteError("unavailable") from None
        document = _parsed(answer.content)
        if answer.status_code in (400, 401):
            code = document.get("error")
            raise RemoteError("consent_withdrawn" if code in _WITHDRAWN else "refused")
        if answer.status_code != 200:
            raise RemoteError("rate_limited" if answer.status_code == 429 else "unavailable")
        access, seconds = document.get("access_token"), document.get("expires_in", 3_600)
        if not isinstance(access, str) or not isinstance(seconds, int | float):
            raise RemoteError("bad_answer")
        self._access = access
        self._ends = datetime.now(UTC) + timedelta(seconds=float(seconds))
        renewed = document.get("refresh_token")
        if isinstance(renewed, str) and renewed != self._credentials["refresh_token"]:
            self._credentials = {**self._credentials, "refresh_token": renewed}
            await self._keep(self._credentials)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body[:MAX_ANSWER_BYTES])
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
