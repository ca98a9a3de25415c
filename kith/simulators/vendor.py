"""`python -m kith.simulators.vendor`: answers like Apollo, misbehaves to order.

It remembers every call and charge, so that tests can hold the enricher to at most one.
See `docs/vendor-simulator.md`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kith.simulators.behaviour import Behaviour, Shares, behaviour_of
from kith.simulators.ledger import Ledger
from kith.simulators.people import invent_person

HANG_SECONDS: Final = 3_600
"""How long `hang` keeps a caller waiting."""

FLAKY_FAILURES: Final = 2
"""How often `flaky` fails before it answers."""


_FIXED: Final[dict[Behaviour, tuple[int, str]]] = {
    "none": (200, '{"person": null}'),
    "bad": (422, '{"error": "Parameters are invalid."}'),
    "flaky": (503, '{"error": "Internal error"}'),
    "down": (500, '{"error": "Internal error"}'),
    "gateway": (502, "<html>Bad gateway</html>"),
    "garbage": (200, '{"person": [1, 2'),
}
"""Behaviours whose answer is always the same."""


class SimulatorSettings(BaseSettings):
    """The simulator, from the environment variables `SIMULATOR_…`."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", frozen=True)

    match_share: float = Field(default=0.7, ge=0.0, le=1.0, description="Unmarked: a match.")
    slow_share: float = Field(default=0.0, ge=0.0, le=1.0, description="Unmarked: a late match.")
    limit_share: float = Field(default=0.0, ge=0.0, le=1.0, description="Unmarked: 429 first.")
    flaky_share: float = Field(default=0.0, ge=0.0, le=1.0, description="Unmarked: 5xx first.")
    garbage_share: float = Field(default=0.0, ge=0.0, le=1.0, description="Unmarked: nonsense.")
    latency_seconds: float = Field(default=0.05, ge=0.0, description="Before every answer.")
    slow_seconds: float = Field(default=3.0, ge=0.0, description="Before the answer of `slow`.")
    retry_after_seconds: int = Field(default=1, ge=0, description="What a 429 asks for.")

    @property
    def shares(self) -> Shares:
        """How often an unmarked person is met with what."""
        return {
            "match": self.match_share,
            "slow": self.slow_share,
            "limit": self.limit_share,
            "flaky": self.flaky_share,
            "garbage": self.garbage_share,
        }


class ServerSettings(BaseSettings):
    """Where the simulator listens, from `HTTP_…`."""

    model_config = SettingsConfigDict(env_prefix="HTTP_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8090, ge=0, le=65535)


def create_app(settings: SimulatorSettings) -> FastAPI:
    """Build the simulator with an empty memory."""
    app = FastAPI(title="Vendor simulator", docs_url=None, redoc_url=None)
    ledger = Ledger()

    @app.post("/api/v1/people/match")
    async def match(request: Request) -> Response:
        """Answer one question the way its e-mail address asks for."""
        key = request.headers.get("x-api-key", "")
        if not key or key.startswith("refused"):
            return JSONResponse({"error": "Invalid access credentials."}, status_code=401)
        asked = dict(request.query_params)
        subject = asked.get("email") or asked.get("linkedin_url") or asked.get("name", "")
        behaviour = behaviour_of(subject, settings.shares)
        call = ledger.begin(subject, behaviour)
        response = await _answer(behaviour, asked, ledger.calls_of(subject), settings)
        ledger.end(call, response.status_code, charged=response.headers.get("x-charged") == "1")
        return response

    @app.get("/_simulator/calls")
    async def calls(subject: str | None = None) -> dict[str, Any]:
        """Tell every call so far, or those about one person, with their sums."""
        return ledger.report(subject)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


async def _answer(
    behaviour: Behaviour, asked: dict[str, str], number: int, settings: SimulatorSettings
) -> Response:
    """Make the answer to call `number` about one person."""
    await asyncio.sleep(settings.slow_seconds if behaviour == "slow" else settings.latency_seconds)
    if behaviour == "hang":
        await asyncio.sleep(HANG_SECONDS)
    if behaviour == "drop":
        return StreamingResponse(_cut_short(), headers={"content-length": "1000"})
    if behaviour == "limit" and number == 1:
        headers = {"retry-after": str(settings.retry_after_seconds)}
        return JSONResponse({"message": "Rate limited"}, status_code=429, headers=headers)
    if behaviour in _FIXED and not (behaviour == "flaky" and number > FLAKY_FAILURES):
        status, body = _FIXED[behaviour]
        return Response(body, status_code=status, media_type="application/json")
    return JSONResponse({"person": invent_person(asked)}, headers={"x-charged": "1"})


async def _cut_short() -> AsyncIterator[bytes]:
    """Send the beginning of an answer; the server then has to break the connection."""
    yield b'{"person": {"id": "'


def main() -> None:
    """Serve until told to stop."""
    server = ServerSettings()
    uvicorn.run(
        create_app(SimulatorSettings()),
        host=server.host,
        port=server.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
