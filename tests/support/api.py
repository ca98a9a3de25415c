"""The api on a real database: two tenants, three workspaces, and events folded by the projector."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
from fastapi import FastAPI
from pydantic import SecretStr
from ulid import ULID

from kith.administration import create_key, create_tenant, create_workspace
from services.api.app import attach, create_http
from services.projector.handlers import handle_events
from services.projector.store import Store as ReadModel
from services.resolver.routes import create_http as create_resolver
from services.resolver.store import Store as Resolver
from shared.auth import Directory, KeyRing, Place
from shared.events import topics
from shared.events.codec import Attributes, encode, event_headers
from shared.events.contact import (
    ActivityRecorded,
    ActivityWithdrawn,
    BindingChanged,
    CompanyCreated,
    CompanyEvent,
    ContactCreated,
    ContactEvent,
)
from shared.kafka.batch import Batch, ConsumerRecord
from shared.postgres.pool import Pool, connect
from shared.postgres.settings import PostgresSettings
from tests.support.database import Databases

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""When kith learned of the first event of a test; each further one is a minute later."""


@dataclass
class World:
    """A database with tenants, and the api in front of it."""

    admin: asyncpg.Connection
    http: FastAPI
    read_model: ReadModel
    projector: Pool
    dsn_of: Callable[[str], str]
    here: Place
    """Where most tests happen."""
    beside: Place
    """Another workspace of the same tenant."""
    elsewhere: Place
    """Another tenant."""
    tokens: dict[str, str]
    """Workspace → a token that may read it."""
    known: int = 0

    def client(
        self, place: Place | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.AsyncClient:
        """Return a client with a key of a place."""
        token = self.tokens[(place or self.here).workspace]
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.http, raise_app_exceptions=False),
            base_url="http://kith.test",
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        )

    def settings(self, role: str) -> PostgresSettings:
        """Return how one of the roles connects."""
        return PostgresSettings(dsn=SecretStr(self.dsn_of(role)), pool_max=4)

    async def index(self, contact: ContactCreated, text: str, emails: Sequence[str] = ()) -> None:
        """Make a contact of the default workspace searchable."""
        await self.admin.execute(
            "INSERT INTO search.document (tenant_id, workspace_id, public_id, version, name,"
            " haystack, words) VALUES ($1, $2, $3, 1, $4, $4,"
            " search.words_of($4, '', '', $5::text[], '{}'))",
            self.here.tenant_id,
            self.here.workspace_id,
            contact.contact_id,
            text,
            list(emails),
        )

    async def happen(
        self, *events: ContactEvent, place: Place | None = None, project: bool = True
    ) -> None:
        """Let events happen: into the event table, and into the read model as messages."""
        place = place or self.here
        for event in events:
            await self._store(event, place, START + timedelta(minutes=self.known))
            if project:
                await self.project(event, place)
            self.known += 1

    async def happen_to_companies(self, *events: CompanyEvent, place: Place | None = None) -> None:
        """Let something happen to companies, in the same way."""
        place = place or self.here
        for event in events:
            recorded_at = START + timedelta(minutes=self.known)
            entity = await self.admin.fetchval(
                "INSERT INTO contact.organisation AS o (tenant_id, public_id, name, source_id,"
                " version, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $5, $5)"
                " ON CONFLICT (public_id) DO UPDATE SET version = excluded.version,"
                " name = excluded.name RETURNING id",
                place.tenant_id,
                event.company_id,
                event.name if isinstance(event, CompanyCreated) else event.shape.name,
                event.version,
                event.occurred_at,
            )
            await self.admin.execute(
                "INSERT INTO contact.organisation_event (tenant_id, entity_id, entity_public_id,"
                " sequence_number, event_id, event_type, payload, cause, occurred_at, recorded_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                place.tenant_id,
                entity,
                event.company_id,
                event.version,
                f"evt_{ULID()}",
                type(event).__name__,
                encode(event).decode(),
                event.cause,
                event.occurred_at,
                recorded_at,
            )
            attributes = Attributes(
                event_id=f"evt_{ULID()}",
                tenant=place.tenant,
                workspace=None,
                recorded_at=recorded_at,
            )
            headers = event_headers(event, attributes)
            record = _record(0, event.company_id, headers, encode(event))
            assert not await handle_events(Batch([record], "projector", {}), self.read_model)
            self.known += 1

    async def project(self, event: ContactEvent, place: Place | None = None) -> None:
        """Let the projector have the message of an event."""
        place = place or self.here
        headers = event_headers(
            event,
            Attributes(
                event_id=f"evt_{ULID()}",
                tenant=place.tenant,
                workspace=_private_to(event),
                recorded_at=START + timedelta(minutes=self.known),
            ),
        )
        record = _record(0, event.contact_id, headers, encode(event))
        assert not await handle_events(Batch([record], "projector", {}), self.read_model)

    async def _store(self, event: ContactEvent, place: Place, recorded_at: datetime) -> None:
        entity = await self.admin.fetchval(
            "INSERT INTO contact.contact AS c (tenant_id, public_id, status, source_id, version,"
            " created_at, updated_at) VALUES ($1, $2, 'active', 1, $3, $4, $4)"
            " ON CONFLICT (public_id) DO UPDATE SET version = excluded.version RETURNING id",
            place.tenant_id,
            event.contact_id,
            event.version,
            event.occurred_at,
        )
        places = (self.here, self.beside, self.elsewhere)
        numbers = {one.workspace: one.workspace_id for one in places}
        await self.admin.execute(
            "INSERT INTO contact.contact_event (tenant_id, entity_id, entity_public_id,"
            " sequence_number, event_id, event_type, payload, workspace_id, cause, occurred_at,"
            " recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            place.tenant_id,
            entity,
            event.contact_id,
            event.version,
            f"evt_{ULID()}",
            type(event).__name__,
            encode(event).decode(),
            numbers.get(_private_to(event) or ""),
            event.cause,
            event.occurred_at,
            recorded_at,
        )


def _private_to(event: ContactEvent) -> str | None:
    own = (BindingChanged, ActivityRecorded, ActivityWithdrawn)
    return event.workspace if isinstance(event, own) else None


def _record(
    offset: int, key: str, headers: Sequence[tuple[str, bytes]], value: bytes
) -> ConsumerRecord:
    return ConsumerRecord(
        topic=topics.EVENTS.name,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key.encode(),
        value=value,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(value),
        headers=tuple(headers),
    )


@asynccontextmanager
async def a_world(scratch: Databases, name: str) -> AsyncIterator[World]:
    """Put the api in front of a database, with tenants and keys nobody else uses."""

    def dsn_of(role: str) -> str:
        return scratch.dsn(role, name)

    def settings(role: str) -> PostgresSettings:
        return PostgresSettings(dsn=SecretStr(dsn_of(role)), pool_max=4)

    async with (
        connect(settings("kith_cli"), "test") as cli,
        connect(settings("kith_projector"), "test") as projector,
        connect(settings("kith_api"), "test") as api,
        connect(settings("kith_resolver"), "test", lookups_only=True) as resolver,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(_resolver(resolver)), base_url="http://resolver.test"
        ) as client,
    ):
        one, other = await create_tenant(cli, "one"), await create_tenant(cli, "other")
        directory = Directory(projector)
        here = await directory.resolve(one.tenant, one.workspace)
        second = await create_workspace(cli, one.tenant, "beside")
        beside = await Directory(projector).resolve(one.tenant, second)
        elsewhere = await directory.resolve(other.tenant, other.workspace)
        tokens = {
            place.workspace: (await create_key(cli, place.workspace, "t", ["contacts:read"])).token
            for place in (here, beside, elsewhere)
        }
        read_model = ReadModel()
        read_model.open(projector)
        http = create_http()
        attach(http, api, client)
        admin = await asyncpg.connect(dsn_of("postgres"))
        try:
            yield World(admin, http, read_model, projector, dsn_of, here, beside, elsewhere, tokens)
        finally:
            await admin.close()


def _resolver(pool: Pool) -> FastAPI:
    """Build the resolver's HTTP side, to which the api passes questions and orders on."""
    http = create_resolver()
    http.state.store = Resolver()
    http.state.store.open(pool)
    http.state.pool = pool
    http.state.keys = KeyRing(pool)
    return http


def body(response: httpx.Response) -> dict[str, Any]:
    """Read a JSON:API document, and check what every one of them must be."""
    assert response.headers["content-type"].startswith("application/vnd.api+json")
    document: dict[str, Any] = orjson.loads(response.content)
    assert ("data" in document) != ("errors" in document)
    return document
