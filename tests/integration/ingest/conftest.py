"""Ingest on real Kafka and PostgreSQL, its HTTP side called without a socket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from kith.administration import create_key
from kith.topics import ensure_topics, specs
from services.ingest.app import create_http
from services.ingest.domain.mapping import Rules
from services.ingest.handlers.signals import Signals
from services.ingest.routes.doorway import Doorway
from services.ingest.settings import Settings
from services.ingest.store import Store
from shared.auth import Directory, KeyRing
from shared.identifiers.settings import DigestSettings
from shared.kafka import KafkaSettings, Producer
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.database import databases
from tests.support.kafka import KafkaLab, kafka_lab
from tests.support.stack import running_stack


@dataclass
class Ingest:
    """What the tests call, and what they look at afterwards."""

    handler: Signals
    client: httpx.AsyncClient
    reader: httpx.AsyncClient
    """A caller whose key lacks the scope."""
    kafka: KafkaLab


@pytest.fixture(scope="session")
async def ingest() -> AsyncIterator[Ingest]:
    with running_stack(["postgres", "kafka"]) as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)
        await ensure_topics(kafka, specs())
        async with databases(stack) as made, kafka_lab(kafka) as lab:
            name = await made.create()
            admin = await asyncpg.connect(made.dsn("kith_cli", name))
            tokens = [
                (await create_key(admin, None, scope, [scope])).token
                for scope in ("signals:write", "contacts:read")
            ]
            await admin.close()
            postgres = PostgresSettings(dsn=SecretStr(made.dsn("kith_ingest", name)))
            digest = DigestSettings(digest_secret=SecretStr("a secret of the tests"))
            settings = Settings(kafka=kafka, postgres=postgres, digest=digest)
            rules = Rules(digest.digests())
            async with connect(postgres, "kith-ingest") as pool, Producer(kafka) as producer:
                handler = Signals(rules, producer)
                handler.directory = Directory(pool)
                http = create_http()
                http.state.doorway = Doorway(settings, rules, producer, KeyRing(pool), Store(pool))
                transport = httpx.ASGITransport(http)
                client, reader = [
                    httpx.AsyncClient(
                        transport=transport,
                        base_url="http://ingest",
                        headers={"Authorization": f"Bearer {token}"},
                    )
                    for token in tokens
                ]
                yield Ingest(handler, client, reader, lab)
                await client.aclose()
                await reader.aclose()
