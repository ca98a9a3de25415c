"""A service whose every batch takes a second: for tests of a process's life."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from faststream.asgi import AsgiFastStream
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.events.topics import SIGNALS
from shared.kafka import Batch, Delivery, KafkaSettings, Producer, Rejected, build_broker
from shared.probes import ASGIApp, probe_routes
from shared.process import serve, with_http


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SLOW_", frozen=True)

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    topic: str
    group: str
    journal: Path


def create_app(settings: Settings) -> ASGIApp:
    broker = build_broker(settings.kafka)
    producer = Producer(settings.kafka)
    topic = replace(SIGNALS, name=settings.topic, consumers=(settings.group,))
    delivery = Delivery(broker, producer, settings.kafka, settings.group)

    async def handle(batch: Batch) -> Sequence[Rejected]:
        with settings.journal.open("a") as journal:
            journal.write(f"begin {len(batch.records)}\n")
        await asyncio.sleep(1.0)
        with settings.journal.open("a") as journal:
            journal.write(f"end {len(batch.records)}\n")
        return []

    delivery.subscribe(topic, handle)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with producer:
            yield

    http = FastAPI()

    @http.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        return {"hello": name}

    app = AsgiFastStream(broker, lifespan=lifespan, asgi_routes=probe_routes(delivery))
    return with_http(app, http)


if __name__ == "__main__":
    serve(create_app, Settings, "slow")
