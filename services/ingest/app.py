"""Ingest, assembled: what gets built is built here, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from faststream.asgi import AsgiFastStream

from services.ingest.domain.mapping import Rules
from services.ingest.handlers.imports import Imports
from services.ingest.handlers.signals import Signals
from services.ingest.handlers.tools import Tools
from services.ingest.remote.runs import Runs
from services.ingest.remote.scheduler import scheduled
from services.ingest.routes import (
    captures,
    connections,
    happenings,
    imports,
    mappings,
    resumable,
    rows,
    signals,
)
from services.ingest.routes.doorway import Doorway
from services.ingest.routes.problems import install_problems, refused
from services.ingest.settings import Settings
from services.ingest.sources.survey import Survey
from services.ingest.store import Store
from services.ingest.store.connections import Connections
from services.ingest.store.copies import CopiedUploads
from services.ingest.store.imports import ImportStore
from services.ingest.store.resolver import SECONDS, Resolver
from services.ingest.store.sources import KnownSources
from services.ingest.store.uploads import (
    DatabaseUploads,
    DirectoryUploads,
    SealedUploads,
    Uploads,
)
from services.ingest.store.vault import Vault
from shared import cache
from shared.auth import Directory, KeyRing
from shared.entrance import Desk, Entrance, describe
from shared.events import topics
from shared.idempotency import Answers
from shared.kafka.broker import build_broker
from shared.kafka.delivery import Delivery
from shared.kafka.pace import Share
from shared.kafka.producer import Producer
from shared.limits import Limiter
from shared.postgres.pool import connect
from shared.probes import ASGIApp, probe_routes
from shared.process import with_http

TITLE = "kith ingest"
ABOUT = (
    "Ways in for contact and activity signals: push them as JSON or upload a file. Every request "
    "needs an API key of scope `signals:write`, which decides the tenant and the workspace."
)


def create_app(settings: Settings) -> ASGIApp:
    """Wire settings to the topic's handler, and every path to its route."""
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    rules = Rules(settings.digest.digests(), settings.default_phone_region)
    share = Share(settings.file_share)
    handler = Signals(rules, producer, share)
    delivery = Delivery(broker, producer, settings.kafka, "ingest")
    delivery.subscribe(topics.SIGNALS, handler.handle_signals, steady=True)
    http = create_http()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with (
            connect(settings.postgres, "kith-ingest", lookups_only=True) as pool,
            cache.connect(settings.redis) as redis,
            httpx.AsyncClient(base_url=settings.resolver_url, timeout=SECONDS) as client,
            httpx.AsyncClient() as outside,
            producer,
        ):
            handler.directory = Directory(pool)
            keys, answers = KeyRing(pool), Answers(pool, settings.idempotency)
            kept = ImportStore(pool)
            vault = Vault(settings.remote.keys())
            uploads = uploads_of(settings, kept, vault)
            resolver = Resolver(client, kept)
            work = Imports(Tools(settings, rules, producer, kept, uploads, resolver, share, vault))
            store = Store(pool)
            http.state.doorway = Doorway(
                settings,
                rules,
                producer,
                keys,
                store,
                kept,
                uploads,
                work.wake,
                share,
                KnownSources(store),
            )
            http.state.desk = Desk(keys, Limiter(redis), settings.limits, answers)
            accounts = Connections(pool, vault)
            http.state.connections = accounts
            runs = Runs(accounts, producer, rules, settings.remote, outside)
            async with work.running(), scheduled(runs, settings.remote.accounts_at_once):
                yield

    async def database() -> None:
        await http.state.doorway.store.ping()

    probes = probe_routes(delivery, ready={"postgres": database})
    return with_http(AsgiFastStream(broker, lifespan=lifespan, asgi_routes=probes), http)


def uploads_of(settings: Settings, store: ImportStore, vault: Vault) -> CopiedUploads[Survey]:
    """Choose where uploaded files are kept, and how."""
    uploads: Uploads
    if settings.s3.bucket:
        from services.ingest.store.object_uploads import ObjectUploads  # noqa: PLC0415  # extra `s3`

        uploads = ObjectUploads(settings.s3, store)
    elif settings.upload_dir:
        uploads = DirectoryUploads(settings.upload_dir, store)
    else:
        uploads = DatabaseUploads(store)
    return CopiedUploads(SealedUploads(uploads, vault), Survey)


def create_http() -> FastAPI:
    """Build the HTTP side; its `state.doorway` is set when the process starts."""
    http = FastAPI(title=TITLE, openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None)
    for part in (signals, happenings, captures, mappings, connections):
        http.include_router(part.router)
    for prefix in imports.IMPORTS:
        for part in (resumable, imports, rows):
            http.include_router(part.router, prefix=prefix)
    install_problems(http)
    http.add_middleware(Entrance, refuse=refused, once=creates)
    http.openapi = lambda: _describe(http)  # type: ignore[method-assign]
    return http


def creates(path: str) -> bool:
    """Tell whether a POST there keeps anything."""
    return not path.endswith("/reading")


def _describe(http: FastAPI) -> dict[str, Any]:
    if http.openapi_schema is None:
        document = get_openapi(title=TITLE, version="1", description=ABOUT, routes=http.routes)
        describe(document, creates)
        parts = document.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        for name, body in signals.BODY_SCHEMAS.items():
            schema = dict(body)
            schemas.update({**schema.pop("$defs"), name: schema})
        schemas.update(captures.SCHEMAS)
        parts["securitySchemes"] = {
            "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "kith_…"}
        }
        document["security"] = [{"apiKey": []}]
        http.openapi_schema = document
    return http.openapi_schema
