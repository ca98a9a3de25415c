"""Requests to the APIs of others: bounded answers, patience with a limit, one renewed permission.

Tried again: 429, 5xx, Google's 403 for quotas (its `errors[].reason`), lost connections.  A wait
that the other side asks for is kept to; where it is longer than a run may take, the run ends.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import orjson

from services.ingest.remote.page import AnswerError, RemoteError
from services.ingest.sources.api.parts import dicts

ATTEMPTS: Final = 6
"""How often one request is sent at most."""

FIRST_WAIT_S: Final = 1.0
"""Before the second attempt, seconds; it doubles, and a random part is taken off."""

LONGEST_WAIT_S: Final = 60.0
"""A run does not wait for longer than this, seconds: it ends, and a later one goes on."""

TIMEOUT_S: Final = 30.0
"""For a connection, and between two parts of an answer, seconds."""

MAX_ANSWER_BYTES: Final = 12 * 1024 * 1024
"""Of an answer so much is read."""

_QUOTA: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
"""Reasons of Google's 403 that pass by themselves within a minute."""

_QUOTA_OF_DAY: Final = frozenset({"dailyLimitExceeded", "quotaExceeded", "REQUEST_LIMIT_EXCEEDED"})
_DAY_WAIT_S: Final = 3_600.0

Sleep = Callable[[float], Awaitable[None]]
Token = Callable[[bool], Awaitable[str]]
"""Returns the access token; asked with True, a new one."""


class TooLargeError(RemoteError):
    """An answer has more bytes than are read."""

    def __init__(self) -> None:
        super().__init__("bad_answer")


class RemoteHttp:
    """Asks one API on behalf of one account."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        base: str,
        token: Token,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client = client
        self._base = httpx.URL(base)
        self._token = token
        self._sleep = sleep

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return an answer's JSON object; a whole address must be of the same API.

        Raises `AnswerError` for other statuses, `RemoteError` when it is of no use to go on.
        """
        url = self._address(path)
        renewed = renew = False
        wait = FIRST_WAIT_S
        for attempt in range(1, ATTEMPTS + 1):
            token = await self._token(renew)
            renew = False
            try:
                status, answered, body = await self._send(url, params, headers, token)
            except httpx.HTTPError:
                status, answered, body = 0, httpx.Headers(), b""
            if status == 200:
                return _parsed(body)
            reasons = _reasons(body)
            if status == 401 and not renewed:
                renewed = renew = True
                continue
            if reasons & _QUOTA_OF_DAY:
                raise RemoteError("rate_limited", retry_after=_DAY_WAIT_S)
            is_limited = status == 429 or (status == 403 and bool(reasons & _QUOTA))
            if not (is_limited or status == 0 or status >= 500):
                raise AnswerError(status, reasons)
            asked = seconds_of(answered.get("retry-after"))
            pause = asked if asked is not None else wait * random.uniform(0.5, 1.0)  # noqa: S311
            if attempt == ATTEMPTS or pause > LONGEST_WAIT_S:
                raise RemoteError(
                    "rate_limited" if is_limited else "unavailable", retry_after=asked
                )
            await self._sleep(pause)
            wait = min(wait * 2, LONGEST_WAIT_S)
        raise RemoteError("unavailable")

    def _address(self, path: str) -> httpx.URL:
        """Return where to ask: a link that an answer gave must not lead our token elsewhere."""
        if "://" not in path:
            return self._base.copy_with(path=self._base.path.rstrip("/") + path)
        url = httpx.URL(path)
        if (url.scheme, url.host, url.port) != (
            self._base.scheme,
            self._base.host,
            self._base.port,
        ):
            raise RemoteError("bad_answer")
        return url

    async def _send(
        self,
        url: httpx.URL,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        token: str,
    ) -> tuple[int, httpx.Headers, bytes]:
        # The client has no base address here, and parameters given as None would drop the link's.
        request = self._client.build_request(
            "GET",
            url.copy_merge_params(dict(params)) if params else url,
            headers={**(headers or {}), "Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
        )
        answer = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise TooLargeError
            return answer.status_code, answer.headers, bytes(body)
        finally:
            await answer.aclose()


def seconds_of(value: str | None, now: datetime | None = None) -> float | None:
    """Read `Retry-After`: seconds, or a date (RFC 9110, 10.2.3); None when it says neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RemoteError("bad_answer") from None
    if not isinstance(document, dict):
        raise RemoteError("bad_answer")
    return document


def _reasons(body: bytes) -> frozenset[str]:
    """Return an error's codes: Google's `errors[].reason`, Microsoft's `code`, Salesforce's."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return frozenset()
    if isinstance(document, list):
        found = (one.get("errorCode") for one in dicts(document))
        return frozenset(code for code in found if isinstance(code, str))
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        return frozenset({error})
    if not isinstance(error, dict):
        return frozenset()
    listed = [error, *dicts(error.get("errors")), *dicts(error.get("details"))]
    inner = error.get("innerError")
    listed += [inner] if isinstance(inner, dict) else []
    codes = (one.get(name) for one in listed for name in ("reason", "code"))
    return frozenset(code for code in codes if isinstance(code, str))
