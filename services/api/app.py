"""The api, assembled: what gets built is built here, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import Lifespan

from services.api.domain.contacts import ROOT
from services.api.routes import (
    activities,
    companies,
    contacts,
    export,
    fields,
    history,
    marks,
    openapi,
    review,
)
from services.api.routes.answers import install_errors, refused
from services.api.routes.export import Exports
from services.api.routes.gate import Lag
from services.api.routes.resolver import SECONDS, Resolver
from services.api.settings import ExportSettings, Settings
from services.api.store import Store
from shared import cache
from shared.auth import KeyRing
from shared.entrance import Desk, Entrance, describe
from shared.idempotency import Answers
from shared.limits import Limiter
from shared.postgres.pool import Pool, connect
from shared.probes import ASGIApp, Receive, Scope, Send, probe_routes

TITLE = "kith API"
ABOUT = (
    "Contacts, resolved from many sources into one record per person. JSON:API 1.1 with cursor "
    "pagination; every request needs an API key: of scope `contacts:read`, to decide of scope "
    "`contacts:write`."
)


def create_app(settings: Settings) -> ASGIApp:
    """Wire settings to the store, and every path to its route.

    No FastStream here: it will not run without a broker, and the api has none.
    """

    @asynccontextmanager
    async def lifespan(http: FastAPI) -> AsyncIterator[None]:
        async with (
            connect(settings.postgres, "kith-api") as pool,
            cache.connect(settings.redis) as redis,
            httpx.AsyncClient(
                base_url=settings.resolver_url, timeout=SECONDS, trust_env=False
            ) as client,
        ):
            attach(http, pool, client, settings.export)
            answers = Answers(pool, settings.idempotency)
            http.state.desk = Desk(http.state.keys, Limiter(redis), settings.limits, answers)
            yield

    http = create_http(lifespan)

    async def database() -> object:
        return await http.state.store.get_lag()

    probes = dict(probe_routes(ready={"postgres": database}))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await probes.get(scope.get("path", ""), http)(scope, receive, send)

    return app


def create_http(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Build the HTTP side; `attach` gives it its database."""
    http = FastAPI(
        title=TITLE,
        openapi_url=f"{ROOT}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    # `export` is no contact's id.
    for part in (review, export, contacts, history, activities, companies, marks, fields, openapi):
        http.include_router(part.router)
    install_errors(http)
    http.add_middleware(Entrance, refuse=refused, once=creates)
    http.openapi = lambda: _describe(http)  # type: ignore[method-assign]
    return http


def creates(path: str) -> bool:
    """Tell whether a POST there changes anything."""
    return path != f"{ROOT}/contacts/export"


def attach(
    http: FastAPI, pool: Pool, client: httpx.AsyncClient, exports: ExportSettings | None = None
) -> None:
    """Give the HTTP side its database, and the resolver to pass questions and orders on to."""
    http.state.store = Store(pool)
    http.state.keys = KeyRing(pool)
    http.state.lag = Lag(http.state.store)
    http.state.exports = Exports(exports or ExportSettings())
    http.state.resolver = Resolver(client)


def _describe(http: FastAPI) -> dict[str, Any]:
    if http.openapi_schema is None:
        document = get_openapi(title=TITLE, version="1", description=ABOUT, routes=http.routes)
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)  # FastAPI's own; we answer 400
        describe(document, creates)
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["apiKey"] = {"type": "http", "scheme": "bearer", "bearerFormat": "kith_…"}
        http.openapi_schema = document
    return http.openapi_schema
