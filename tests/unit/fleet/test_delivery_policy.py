"""No subscriber of any service acknowledges by itself: FastStream's default loses messages."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pydantic import ValidationError

from services.resolver.app import create_app
from services.resolver.settings import Settings
from shared.events import topics
from shared.kafka.pace import Share
from shared.kafka.subscription import Subscription

SERVICES = Path(__file__).parents[3] / "services"
APPS = sorted(path.parent.name for path in SERVICES.glob("*/app.py"))

ENVIRONMENT = {
    "POSTGRES_DSN": "postgresql://nobody@localhost/nothing",
    "KITH_DIGEST_SECRET": "0123456789abcdef0123456789abcdef",
    "REDIS_URL": "redis://localhost:1",
    "NEO4J_URI": "bolt://localhost:1",
    "NEO4J_USER": "neo4j",
    "NEO4J_PASSWORD": "secret",
}
"""Enough for every service to be built; nothing is connected to."""


def test_files_in_hand_of_the_resolver_are_known_to_live(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shares: list[Share] = []
    build = Share.__init__

    def remember(self: Share, *args: Any) -> None:
        build(self, *args)
        shares.append(self)

    monkeypatch.setattr(Share, "__init__", remember)
    create_app(Settings())
    [share] = shares
    assert isinstance(share.consuming, Subscription)
    assert share.consuming.topic == topics.SIGNALS_NORMALIZED_BULK.name


@pytest.mark.parametrize("name", ["RESOLVER_BULK_SHARE", "RESOLVER_BULK_LEAST_SHARE"])
def test_files_have_a_share_with_which_they_end(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for known, value in {**ENVIRONMENT, name: "0.001"}.items():
        monkeypatch.setenv(known, value)
    with pytest.raises(ValidationError, match=r"greater than or equal to 0\.01"):
        Settings()


@pytest.mark.parametrize("service", APPS)
async def test_every_subscriber_is_committed_by_delivery_alone(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    brokers: list[KafkaBroker] = []
    build = KafkaBroker.__init__

    def remember(self: KafkaBroker, *args: Any, **options: Any) -> None:
        build(self, *args, **options)
        brokers.append(self)

    monkeypatch.setattr(KafkaBroker, "__init__", remember)
    settings = importlib.import_module(f"services.{service}.settings").Settings()
    importlib.import_module(f"services.{service}.app").create_app(settings)

    subscribers: list[Any] = [subscriber for broker in brokers for subscriber in broker.subscribers]
    assert bool(subscribers) == (service != "api")
    for subscriber in subscribers:
        assert subscriber.ack_policy is AckPolicy.MANUAL
        assert subscriber._connection_args["enable_auto_commit"] is False
        assert subscriber._connection_args["auto_offset_reset"] == "earliest"
        assert subscriber._no_reply
