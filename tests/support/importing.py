"""Ingest and a resolver in one process, on real Kafka and PostgreSQL: for tests of imports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer
from fastapi import FastAPI
from pydantic import SecretStr
from ulid import ULID

from kith.administration import create_key, create_tenant
from services.ingest.app import create_http
from services.ingest.domain.mapping import Rules
from services.ingest.handlers.imports import Imports
from services.ingest.handlers.signals import Signals as IngestSignals
from services.ingest.handlers.tools import Tools
from services.ingest.routes.doorway import Doorway
from services.ingest.settings import Settings
from services.ingest.sources.survey import Survey
from services.ingest.store import Store
from services.ingest.store.connections import Connections
from services.ingest.store.copies import CopiedUploads
from services.ingest.store.imports import ImportStore
from services.ingest.store.resolver import Resolver
from services.ingest.store.sources import KnownSources
from services.ingest.store.uploads import DatabaseUploads
from services.ingest.store.vault import Vault
from services.resolver.handlers.signals import Signals
from services.resolver.routes import create_http as create_resolver
from services.resolver.store import Store as ResolverStore
from services.resolver.store.erasing import ErasureAnswer
from shared.auth import SCOPES, Directory, KeyRing, Place
from shared.entrance import Desk
from shared.events.command import EraseContact
from shared.events.topics import SIGNALS_NORMALIZED_BULK
from shared.idempotency import Answers
from shared.identifiers.settings import DigestSettings
from shared.kafka import KafkaSettings, Producer
from shared.kafka.batch import Batch, next_offsets
from shared.kafka.pace import Share
from shared.limits import Limiter
from shared.postgres.pool import Pool, connect
from shared.postgres.settings import PostgresSettings

SECRET = DigestSettings(digest_secret=SecretStr("a secret of the tests"))


class Caller:
    """Somebody of a tenant that nobody else uses."""

    def __init__(self, client: httpx.AsyncClient, tenant: str, workspace: str) -> None:
        self.http = client
        self.tenant = tenant
        self.workspace = workspace

    async def upload(self, data: bytes, **wishes: Any) -> dict[str, Any]:
        """Upload a file that must be recognised."""
        answer = await self.http.post("/v1/imports", params=wishes, content=data)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/imports/{found['import_id']}"
        return found

    async def get(self, import_id: str, part: str = "", **query: Any) -> dict[str, Any]:
        """Ask about an import."""
        answer = await self.http.get(f"/v1/imports/{import_id}{part}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until(self, import_id: str, *states: str) -> dict[str, Any]:
        """Wait until an import is in one of some states."""
        async with asyncio.timeout(30):
            while True:
                found = await self.get(import_id)
                if found["state"] in states:
                    return found
                await asyncio.sleep(0.05)

    async def preview(self, data: bytes, **wishes: Any) -> dict[str, Any]:
        """Upload a file and wait for the choice."""
        found = await self.upload(data, **wishes)
        return await self.until(found["import_id"], "ready", "failed")

    async def rows(self, import_id: str, **query: Any) -> list[dict[str, Any]]:
        """List an import's rows."""
        found: list[dict[str, Any]] = (await self.get(import_id, "/rows", limit=100, **query))[
            "rows"
        ]
        return found

    async def order(self, import_id: str, step: str) -> httpx.Response:
        """Execute or undo."""
        return await self.http.post(f"/v1/imports/{import_id}/{step}")

    async def choose(self, import_id: str, **choices: Any) -> httpx.Response:
        """Choose."""
        return await self.http.put(f"/v1/imports/{import_id}/choices", json=choices)

    async def run(self, import_id: str) -> dict[str, Any]:
        """Execute an import and wait until it is done."""
        answer = await self.order(import_id, "execute")
        assert answer.status_code == 202, answer.text
        return await self.until(import_id, "done")


class Importing:
    """Both services, and who calls."""

    def __init__(
        self, tools: Tools, transport: httpx.ASGITransport, dsns: dict[str, str], pool: Pool
    ) -> None:
        self.tools = tools
        self.dsns = dsns
        self._transport = transport
        self._pool = pool

    @property
    def http(self) -> FastAPI:
        """The routes of ingest."""
        app: FastAPI = self._transport.app  # type: ignore[assignment]
        return app

    @property
    def pool(self) -> Pool:
        """Connections of ingest's role."""
        return self._pool

    def signals(self) -> IngestSignals:
        """Return the handler of the topic of signals."""
        handler = IngestSignals(self.tools.rules, self.tools.producer, self.tools.share)
        handler.directory = Directory(self._pool)
        return handler

    @asynccontextmanager
    async def client(self, *scopes: str) -> AsyncIterator[httpx.AsyncClient]:
        """Call for the workspace that an install begins with."""
        admin = await asyncpg.connect(self.dsns["kith_cli"])
        first = await admin.fetchval("SELECT public_id FROM app.workspace ORDER BY id LIMIT 1")
        key = await create_key(admin, first, "test", list(scopes))
        await admin.close()
        async with self._calling(key.token) as client:
            yield client

    def _calling(self, token: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport,
            base_url="http://ingest",
            headers={"Authorization": f"Bearer {token}"},
        )

    @asynccontextmanager
    async def caller(self, *scopes: str) -> AsyncIterator[Caller]:
        """Let somebody of a new tenant call."""
        admin = await asyncpg.connect(self.dsns["kith_cli"])
        made = await create_tenant(admin, "a tenant")
        key = await create_key(admin, made.workspace, "test", list(scopes or SCOPES))
        await admin.close()
        async with self._calling(key.token) as client:
            yield Caller(client, made.tenant, made.workspace)

    async def erase_contact(self, caller: "Caller", contact: str) -> ErasureAnswer:
        """Erase one of the caller's contacts, as a person orders it."""
        [place] = await self.fetch(
            "SELECT t.id, w.id, t.public_id, w.public_id FROM app.workspace w"
            " JOIN app.tenant t ON t.id = w.tenant_id WHERE w.public_id = $1",
            caller.workspace,
        )
        order = {
            "command_id": f"cmd_{ULID()}",
            "tenant": caller.tenant,
            "workspace": caller.workspace,
            "contact_id": contact,
            "ground": "data_subject",
            "issued_at": datetime.now(UTC),
        }
        return await self.erase(EraseContact.model_validate(order), Place(*place))

    async def erase(self, command: EraseContact, place: Place) -> ErasureAnswer:
        """Erase a person, as the resolver's process does."""
        settings = PostgresSettings(dsn=SecretStr(self.dsns["kith_resolver"]))
        async with connect(settings, "test-resolver", lookups_only=True) as pool:
            store = ResolverStore(SECRET.digests())
            store.open(pool)
            return await store.erase(command, place)

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Look at the database as its owner."""
        connection = await asyncpg.connect(self.dsns["kith_migrator"])
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()


@asynccontextmanager
async def importing(kafka: KafkaSettings, dsns: dict[str, str]) -> AsyncIterator[Importing]:
    """Run both until the end of the context."""
    postgres = PostgresSettings(dsn=SecretStr(dsns["kith_ingest"]))
    settings = Settings(kafka=kafka, postgres=postgres, digest=SECRET)
    rules = Rules(SECRET.digests())
    async with (
        connect(postgres, "kith-ingest", lookups_only=True) as pool,
        _resolver(kafka, dsns["kith_resolver"]) as resolver,
        Producer(kafka) as producer,
    ):
        store = ImportStore(pool)
        kept = CopiedUploads(DatabaseUploads(store), Survey)
        share = Share(settings.file_share)
        vault = Vault(settings.remote.keys())
        asked = Resolver(resolver, store)
        tools = Tools(settings, rules, producer, store, kept, asked, share, vault)
        work = Imports(tools)
        http = create_http()
        keys, answers = KeyRing(pool), Answers(pool, settings.idempotency)
        entered = Store(pool)
        http.state.doorway = Doorway(
            settings,
            rules,
            producer,
            keys,
            entered,
            store,
            kept,
            work.wake,
            share,
            KnownSources(entered),
        )
        http.state.desk = Desk(keys, Limiter(None), settings.limits, answers)
        http.state.connections = Connections(pool, vault)
        async with work.running():
            yield Importing(tools, httpx.ASGITransport(http), dsns, pool)


@asynccontextmanager
async def _resolver(kafka: KafkaSettings, dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = PostgresSettings(dsn=SecretStr(dsn))
    async with connect(settings, "test-resolver", lookups_only=True) as pool:
        store = ResolverStore()
        store.open(pool)
        http = create_resolver()
        http.state.store, http.state.pool, http.state.keys = store, pool, KeyRing(pool)
        task = asyncio.create_task(_consume(kafka, store, pool))
        transport = httpx.ASGITransport(http)
        async with httpx.AsyncClient(transport=transport, base_url="http://resolver") as client:
            yield client
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _consume(kafka: KafkaSettings, store: ResolverStore, pool: Pool) -> None:
    """Decide what comes on the bulk topic, as the resolver's process does."""
    signals = Signals(store)
    consumer = AIOKafkaConsumer(
        SIGNALS_NORMALIZED_BULK.name, bootstrap_servers=kafka.bootstrap_servers
    )
    await consumer.start()
    try:
        while True:
            for records in (await consumer.getmany(timeout_ms=100, max_records=250)).values():
                batch = Batch(records, "resolver-bulk", next_offsets(records))
                # Other databases of this run send on the same topic.
                rejected = await signals.handle_bulk(batch)
                assert {one.error.reason for one in rejected} <= {"unknown_tenant"}
    finally:
        await consumer.stop()
