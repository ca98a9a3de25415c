"""What every HTTP way in does before its routes: counts requests, and carries out each once.

Middleware between a service's own answers to errors and its routes. Whoever has no valid key is
passed on: the routes refuse them in their own words.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from shared.auth import Caller, KeyRing, bearer_token
from shared.errors import ServiceError
from shared.idempotency import MAX_ANSWER, Answers, Asker, Begun, Kept, fingerprint, read_name
from shared.limits import DAY, MINUTE, Limit, Limiter, LimitSettings, Standing
from shared.observability import metrics
from shared.observability.logs import get_logger
from shared.probes import ASGIApp, Receive, Scope, Send

log = get_logger(__name__)

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
"""Says of an answer that it was given before."""

MAX_BODY: Final = 16 << 20
"""Bytes of a body with an `Idempotency-Key`: it is held until it is told apart from others."""

QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The problem type of a 429 (draft-ietf-httpapi-ratelimit-headers)."""

RUNNING_SECONDS: Final = "2"
"""What a client is told to wait while its first attempt is still worked on."""

_PASSING: Final = frozenset({401, 403, 408, 425, 429})
"""Answers that say nothing of the request itself: the next attempt may fare better."""

_OWN_HEADERS: Final = frozenset({"date", "server", "content-length", "connection", "ratelimit"})
"""Headers of the moment, which are not given again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request does not reach its route; `detail` says what would be right."""

    status: HTTPStatus
    code: str
    detail: str
    header: str | None = None
    """The request header that is wrong."""
    type: str | None = None
    policies: Sequence[str] = ()
    """The limits that were exceeded."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the entrance works with; a service puts it into its app's `state.desk`."""

    keys: KeyRing
    limiter: Limiter
    limits: LimitSettings
    answers: Answers


class Entrance:
    """The middleware. `refuse` words a refusal as the service words its own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        refuse: Callable[[Refusal], Response],
        once: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._once = once
        """Which paths a `POST` to is carried out once: others change nothing, or see to it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        desk: Desk | None = getattr(scope["app"].state, "desk", None) if "app" in scope else None
        caller = await _caller(desk, scope) if scope["type"] == "http" else None
        if desk is None or caller is None:
            await self._app(scope, receive, send)
            return
        standings = await desk.limiter.take(limits_of(caller, desk.limits))
        told = limit_headers(standings)

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in told.items():
                    headers[name] = value
            await send(message)

        if any(standing.wait > 0 for standing in standings):
            await self._refuse(_too_many(standings))(scope, receive, tell)
        elif scope["method"] == "POST" and self._once(scope["path"]):
            await self._do_once(desk, caller, scope, receive, tell)
        else:
            await self._app(scope, receive, tell)

    async def _do_once(
        self, desk: Desk, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = Headers(scope=scope)
        if KEY_HEADER not in headers:
            await self._app(scope, receive, send)
            return
        name = read_name(headers[KEY_HEADER])
        if name is None:
            await self._refuse(_BAD_NAME)(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        if len(body) > MAX_BODY:
            await self._refuse(_TOO_LARGE)(scope, receive, send)
            return
        asker = Asker(caller.tenant_id, caller.workspace_id, caller.key_id)
        asked = fingerprint(
            scope["method"],
            scope["path"],
            scope.get("query_string", b""),
            headers.get("content-type", ""),
            body,
        )
        try:
            begun = await desk.answers.begin(asker, name, asked)
        except ServiceError as error:
            log.warning("an idempotency key could not be looked up", error=error)
            await self._refuse(_AWAY)(scope, receive, send)
            return
        metrics.IDEMPOTENT_REQUESTS.labels(begun.outcome).inc()
        if begun.outcome == "new":
            attempt = _Attempt(desk.answers, asker, name, begun.claim, send)
            await attempt.carry_out(self._app, scope, _again(body, receive))
        else:
            await self._known(begun)(scope, receive, send)

    def _known(self, begun: Begun) -> Response:
        """Answer a name that was used before."""
        if begun.outcome == "differs":
            return self._refuse(_DIFFERS)
        if begun.kept is None:
            return self._refuse(_RUNNING)
        if begun.kept.body is None:
            return self._refuse(_NOT_KEPT)
        answer = Response(begun.kept.body, begun.kept.status)
        del answer.headers["content-length"]
        for key, value in begun.kept.headers:
            answer.headers.append(key, value)
        answer.headers["content-length"] = str(len(begun.kept.body))
        answer.headers[REPLAYED_HEADER] = "true"
        return answer


class _Attempt:
    """One attempt at a request: its answer is kept before anybody hears of it."""

    def __init__(self, answers: Answers, asker: Asker, name: str, claim: str, send: Send) -> None:
        self._answers = answers
        self._named = (asker, name, claim)
        self._send = send
        self._start: Any = None
        self._held: list[Any] = []
        self._size = 0
        self._is_over = False
        self._ended = False

    async def carry_out(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Let the routes answer; without an answer to keep, the name is free again."""
        try:
            await app(scope, receive, self._note)
        finally:
            if not self._ended:
                await self._end(None)

    async def _note(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and not self._is_over:
            self._size += len(message.get("body", b""))
            if message.get("more_body") and self._size <= MAX_ANSWER:
                self._held.append(message)
                return
            self._is_over = True
            await self._end(self._answer(message))
            for held in (self._start, *self._held, message):
                await self._send(held)
            self._held.clear()
            return
        else:
            await self._send(message)

    def _answer(self, last: Any) -> Kept | None:
        status: int = self._start["status"]
        if status >= 500 or status in _PASSING:
            return None
        headers = Headers(raw=self._start["headers"])
        kept = [(key, value) for key, value in headers.items() if key not in _OWN_HEADERS]
        if self._size > MAX_ANSWER:
            return Kept(status, kept, None)
        pieces = [held.get("body", b"") for held in (*self._held, last)]
        return Kept(status, kept, b"".join(pieces))

    async def _end(self, answer: Kept | None) -> None:
        self._ended = True
        try:
            await self._answers.end(*self._named, answer)
        except ServiceError as error:
            # Whoever asks again waits until the claim ends, and then it is tried anew.
            log.warning("an answer could not be kept", error=error)


def describe(document: dict[str, Any], once: Callable[[str], bool]) -> None:
    """Tell an OpenAPI document of the header that every `POST` takes that is carried out once."""
    for path, operations in document["paths"].items():
        if "post" in operations and once(path):
            parameters = operations["post"].setdefault("parameters", [])
            parameters.append(
                {
                    "in": "header",
                    "name": KEY_HEADER,
                    "description": "A name of your own for this request: sent again under it, it "
                    "is carried out once, and answered the same, for a day. At most "
                    f"{MAX_BODY >> 20} MiB then.",
                    "required": False,
                    "schema": {"type": "string", "maxLength": 255},
                }
            )


def limits_of(caller: Caller, settings: LimitSettings) -> list[Limit]:
    """Say what a caller's requests count against."""
    shard = f"{{{caller.workspace}}}"
    key = f"{shard}:{caller.key_id}"
    limits = [
        Limit("key", key, caller.per_minute or settings.key_per_minute, MINUTE),
        Limit("key-day", key, caller.per_day or 0, DAY),
        Limit("workspace", shard, settings.workspace_per_minute, MINUTE),
    ]
    if caller.user_id is not None:
        # By a digest: people are named as their makers please, also by their addresses.
        user = f"{shard}:{hashlib.sha256(caller.user_id.encode()).hexdigest()[:32]}"
        limits.append(Limit("user", user, settings.user_per_minute, MINUTE))
    return [limit for limit in limits if limit.most]


def limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """Write how the limits stand (draft-ietf-httpapi-ratelimit-headers)."""
    if not standings:
        return {}
    policies = [f'"{one.limit.name}";q={one.limit.most};w={one.limit.seconds}' for one in standings]
    lefts = [f'"{one.limit.name}";r={one.left};t={math.ceil(one.resets)}' for one in standings]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(lefts)}


def _too_many(standings: Sequence[Standing]) -> Refusal:
    refusing = [one for one in standings if one.wait > 0]
    seconds = max(1, math.ceil(max(one.wait for one in refusing)))
    said = " and ".join(
        f"{one.limit.most} requests in {one.limit.seconds} seconds ({one.limit.name})"
        for one in refusing
    )
    return Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        f"At most {said}; nothing was done. Send this again in {seconds} seconds.",
        type=QUOTA_EXCEEDED,
        policies=tuple(one.limit.name for one in refusing),
        headers={"Retry-After": str(seconds)},
    )


_BAD_NAME: Final = Refusal(
    HTTPStatus.BAD_REQUEST,
    "invalid_idempotency_key",
    'Give 1 to 255 visible ASCII characters, like "8e03978e-40d5-43dd-bc93-6894a57f9324".',
    header=KEY_HEADER,
)
_TOO_LARGE: Final = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_large",
    f"A request with an Idempotency-Key may have at most {MAX_BODY} bytes; send it in several.",
    header=KEY_HEADER,
    headers={"Connection": "close"},
)
_DIFFERS: Final = Refusal(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency_key_reused",
    "This Idempotency-Key was used for another request; give every request its own.",
    header=KEY_HEADER,
)
_RUNNING: Final = Refusal(
    HTTPStatus.CONFLICT,
    "idempotency_key_in_use",
    "The first request with this Idempotency-Key is still worked on; ask again for its answer.",
    header=KEY_HEADER,
    headers={"Retry-After": RUNNING_SECONDS},
)
_NOT_KEPT: Final = Refusal(
    HTTPStatus.CONFLICT,
    "answer_not_kept",
    "This request was carried out; its answer was too large to be given again.",
    header=KEY_HEADER,
)
_AWAY: Final = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable",
    "Something that this needs is away; nothing was done. Send the same again later.",
    headers={"Retry-After": RUNNING_SECONDS},
)


async def _caller(desk: Desk | None, scope: Scope) -> Caller | None:
    """Tell who calls; None where nobody does, or nobody can tell: the routes will say so."""
    token = bearer_token(Headers(scope=scope).get("authorization"))
    if desk is None or token is None:
        return None
    try:
        return await desk.keys.check(token)
    except ServiceError:
        return None


async def _body(receive: Receive) -> bytes | None:
    """Take the body, no more of it than tells that it is too large; None: nobody sends it."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY or not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the routes the body that was taken."""
    messages: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def take() -> Any:
        return messages.pop() if messages else await receive()

    return take
