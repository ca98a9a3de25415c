"""The running system as people outside meet it: over HTTP, on Kafka, and by `kith`."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import orjson
from ulid import ULID

from kith import administration
from kith.stack import Fleet, Stack
from shared.auth import SCOPES
from shared.events import topics
from shared.kafka import KafkaSettings, Outgoing, Producer
from tests.e2e.collector import Collector

Found = TypeVar("Found")
Headers = list[tuple[str, bytes]]

KITH = str(Path(sys.executable).parent / "kith")
PATIENCE_S = 30.0
"""How long a test waits for what must come to pass, seconds."""
LONG_S = 40.0
"""How long for a position: just after the start, groups of consumers are still forming."""


@dataclass(frozen=True, slots=True)
class Home:
    """A workspace, and the key of somebody who works there."""

    tenant: str
    workspace: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header that says who calls."""
        return {"Authorization": f"Bearer {self.token}"}

    def headers(self, ce_type: str = "kith.signal.contact.v1") -> Headers:
        """Write the headers of a CloudEvent of a name of its own."""
        return [
            ("content-type", b"application/json"),
            ("ce_specversion", b"1.0"),
            ("ce_id", str(ULID()).encode()),
            ("ce_source", b"/tests/e2e"),
            ("ce_type", ce_type.encode()),
            ("ce_tenant", self.tenant.encode()),
            ("ce_workspace", self.workspace.encode()),
        ]


@dataclass
class Running:
    """All of it."""

    stack: Stack
    fleet: Fleet
    collector: Collector
    http: httpx.AsyncClient
    producer: Producer
    kafka: KafkaSettings

    # Who.

    async def home(self, *, beside: Home | None = None) -> Home:
        """Make a tenant nobody else uses, or a further workspace of one, and a key."""
        dsn = self.stack.postgres_dsn("kith_cli")
        async with administration.connected(dsn) as database:
            if beside is None:
                made = await administration.create_tenant(database, "e2e")
                tenant, workspace = made.tenant, made.workspace
            else:
                tenant = beside.tenant
                workspace = await administration.create_workspace(database, tenant, "beside")
            key = await administration.create_key(database, workspace, "e2e", list(SCOPES))
        return Home(tenant, workspace, key.token)

    # In.

    async def push(
        self, home: Home, body: object, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """`POST /v1/signals`; bytes go as they are."""
        return await self.http.post(
            f"{self.fleet.url('ingest')}/v1/signals",
            content=body if isinstance(body, bytes) else orjson.dumps(body),
            headers={**home.bearer, "content-type": "application/json", **(headers or {})},
        )

    async def push_one(self, home: Home, **signal: Any) -> str:
        """Push a signal that must be accepted; returns its position."""
        answer = await self.push(home, {"source": "hubspot_crm", **signal})
        assert answer.status_code == 202, answer.text
        verdict = answer.json()["signals"][0]
        assert verdict["status"] == "accepted", verdict
        return str(verdict["position"])

    async def publish(self, messages: Sequence[tuple[bytes | None, Headers]]) -> None:
        """Publish on `contact.signals.v1`."""
        await self.producer.send_batch(
            [
                Outgoing(topics.SIGNALS.name, b"%d" % number, value, headers)
                for number, (value, headers) in enumerate(messages)
            ]
        )

    # Out.

    async def get(
        self, home: Home, path: str, position: str | None = None, **parameters: str
    ) -> httpx.Response:
        """`GET /api/v1…`, waiting for a position where one is given, as long as it takes."""
        headers = {"Kith-Position": position, "Prefer": "wait=10"} if position else {}

        async def answered() -> httpx.Response | None:
            answer = await self.http.get(
                f"{self.fleet.url('api')}/api/v1{path}",
                params=parameters,
                headers={**home.bearer, **headers},
            )
            return None if "position_not_reached" in answer.text else answer

        return await until(answered, LONG_S)

    async def contact(self, home: Home, contact: str, position: str | None = None) -> Any:
        """Read a contact that must be there."""
        answer = await self.get(home, f"/contacts/{contact}", position)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def search(self, home: Home, text: str, position: str | None = None) -> list[str]:
        """Return the ids of the contacts that fit."""
        answer = await self.get(home, "/contacts/search", position, q=text)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["data"]]

    async def find_one(self, home: Home, text: str) -> str:
        """Return the one contact that fits, once the search index has it."""

        async def found() -> str | None:
            ids = await self.search(home, text)
            assert len(ids) < 2, ids
            return ids[0] if ids else None

        return await until(found)

    # `kith`.

    @property
    def environment(self) -> dict[str, str]:
        """What makes `kith` find this system."""
        own = {**os.environ, "KITH_HOME": str(self.stack.places.home)}
        return {name: value for name, value in own.items() if name != "POSTGRES_DSN"}

    async def kith(self, *words: str, code: int = 0, **more: str) -> str:
        """Run `kith` as an operator does; returns what it printed."""
        done = await asyncio.to_thread(
            subprocess.run,
            [KITH, *words],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return str(done.stdout)

    async def dead_letters(self, *words: str) -> list[dict[str, Any]]:
        """`kith dead list --json`."""
        return [
            orjson.loads(line)
            for line in (await self.kith("dead", "list", "--json", *words)).splitlines()
        ]


async def until(ask: Callable[[], Awaitable[Found | None]], seconds: float = PATIENCE_S) -> Found:
    """Ask until there is an answer that is not empty, or fail."""
    deadline = time.monotonic() + seconds
    while not (found := await ask()):
        assert time.monotonic() < deadline, f"{ask.__qualname__}: not in {seconds:.0f} s"
        await asyncio.sleep(0.1)
    return found


@asynccontextmanager
async def connected(stack: Stack, fleet: Fleet, collector: Collector) -> AsyncIterator[Running]:
    """Connect as clients do."""
    kafka = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap, client_id="e2e")
    async with httpx.AsyncClient(timeout=30) as http, Producer(kafka) as producer:
        yield Running(stack, fleet, collector, http, producer, kafka)
