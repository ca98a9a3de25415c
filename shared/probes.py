"""The three paths every process answers: alive, ready, measured.

`/healthz` looks at progress only: a dependency that is away must not get the process killed.
`/readyz` asks the dependencies.  `/metrics` is for Prometheus.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.kafka.delivery import Delivery

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Check = Callable[[], Awaitable[object]]
"""Asks a dependency something cheap; raises when it does not answer."""

CHECK_TIMEOUT_S: Final = 2.0
"""A dependency that takes longer counts as away, seconds."""


def probe_routes(
    delivery: Delivery | None = None,
    ready: Mapping[str, Check] | None = None,
    alive: Mapping[str, Check] | None = None,
    measure: Sequence[Check] = (),
) -> list[tuple[str, ASGIApp]]:
    """Return `/healthz`, `/readyz` and `/metrics`.

    `ready` names dependencies; `alive` is for loops that are not consumers, such as the relay's;
    `measure` runs before each scrape, for gauges that someone must look up.
    """

    async def healthz(_scope: Scope, _receive: Receive, send: Send) -> None:
        problems = await _failures(alive or {})
        if delivery is not None:
            problems += [f"{name}: no progress" for name in await delivery.progress.stuck()]
        await _report(send, problems)

    async def readyz(_scope: Scope, _receive: Receive, send: Send) -> None:
        problems = await _failures(ready or {})
        if delivery is not None and not delivery.progress.assigned:
            problems.append("kafka: no assignment yet")
        await _report(send, problems)

    async def exposition(_scope: Scope, _receive: Receive, send: Send) -> None:
        if delivery is not None:
            await delivery.progress.measure()
        await asyncio.gather(*(look() for look in measure), return_exceptions=True)
        await _respond(send, 200, generate_latest(), CONTENT_TYPE_LATEST)

    return [("/healthz", healthz), ("/readyz", readyz), ("/metrics", exposition)]


async def _failures(checks: Mapping[str, Check]) -> list[str]:
    async def ask(name: str, check: Check) -> str | None:
        try:
            await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001  # whatever it says, it is not ready
            return f"{name}: {type(error).__name__}"
        return None

    answers = await asyncio.gather(*(ask(name, check) for name, check in checks.items()))
    return [answer for answer in answers if answer is not None]


async def _report(send: Send, problems: Sequence[str]) -> None:
    body = {"status": "failing" if problems else "ok", "problems": list(problems)}
    await _respond(send, 503 if problems else 200, orjson.dumps(body), "application/json")


async def _respond(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
