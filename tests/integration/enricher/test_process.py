"""The enricher as a process: killed between call and answer, stopped, wrongly configured."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from kith.stack import Stack
from services.enricher.store import Store
from tests.integration.enricher.conftest import (
    VENDOR_KEY,
    Bench,
    Database,
    Vendor,
    answering,
    free_port,
    process,
)


def environment(stack: Stack, database: Database, vendor: Vendor, **more: str) -> dict[str, Any]:
    """Give the variables of one enricher process."""
    port = free_port()
    return {
        **stack.environment("kith_enricher"),
        "POSTGRES_DSN": database.dsn("kith_enricher"),
        "KITH_DIGEST_SECRET": "a secret of tests",
        "ENRICHER_VENDOR_URL": vendor.url,
        "ENRICHER_VENDOR_KEY": VENDOR_KEY,
        "ENRICHER_POLL_SECONDS": "0.05",
        "ENRICHER_LEASE_SECONDS": "3",
        "ENRICHER_CALL_TIMEOUT_SECONDS": "2.5",
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
        "KAFKA_HEARTBEAT_INTERVAL_MS": "1000",
        "HTTP_PORT": str(port),
        **more,
    }


pytestmark = pytest.mark.usefixtures("declared_topics")


@asynccontextmanager
async def ready(env: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Wait until an enricher has its partitions; gives a client to ask it more."""
    base = f"http://127.0.0.1:{env['HTTP_PORT']}"
    await answering(f"{base}/healthz")
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
        async with asyncio.timeout(40):
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110  # over HTTP
                await asyncio.sleep(0.1)
        yield client


async def test_killed_during_a_call_its_outcome_is_unknown_and_it_is_never_repeated(
    stack: Stack, database: Database, store: Store, bench: Bench, vendor: Vendor
) -> None:
    """SIGKILL between call and answer: one call seen, one charge, no second call after restart."""
    [request] = await bench.add("slow")
    email = bench.sent[request.public_id]
    env = environment(stack, database, vendor)
    async with process("services.enricher", **env) as enricher:
        async with asyncio.timeout(30):
            while await vendor.count(email) == 0:  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.02)
        enricher.send_signal(signal.SIGKILL)
        await enricher.wait()
    assert (await bench.row(request.public_id))["status"] == "processing"
    async with process("services.enricher", **env) as enricher:
        row = await bench.settled(request.public_id)
        assert (row["status"], row["reason"]) == ("failed", "outcome_unknown")
        [other] = await bench.add("none")
        await bench.settled(other.public_id)
        async with ready(env):
            pass
        enricher.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(enricher.wait(), 20) == 0
    report = await vendor.report(email)
    assert (report["count"], report["charged"]) == (1, 1)


async def test_a_stop_waits_for_the_call_in_flight(
    stack: Stack, database: Database, store: Store, bench: Bench, vendor: Vendor
) -> None:
    [request] = await bench.add("slow")
    email = bench.sent[request.public_id]
    env = environment(stack, database, vendor)
    async with process("services.enricher", **env) as enricher:
        async with asyncio.timeout(30):
            while await vendor.count(email) == 0:  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.02)
        enricher.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(enricher.wait(), 20) == 0
    row = await bench.row(request.public_id)
    assert (row["status"], row["credits_charged"]) == ("success", 1)


async def test_it_answers_its_probes(
    stack: Stack, database: Database, store: Store, vendor: Vendor
) -> None:
    env = environment(stack, database, vendor)
    async with process("services.enricher", **env), ready(env) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert "vendor_requests_total" in (await client.get("/metrics")).text


async def test_nothing_personal_is_logged(
    stack: Stack, database: Database, store: Store, bench: Bench, vendor: Vendor
) -> None:
    """Not even what libraries say at their most talkative."""
    requests = await bench.add("match", "none", "bad", "limit", "garbage", "drop", "down")
    env = environment(stack, database, vendor, LOG_LEVEL="DEBUG")
    async with process("services.enricher", **env) as enricher:
        assert enricher.stderr is not None
        for request in requests[:-1]:
            await bench.settled(request.public_id)
        enricher.kill()
        said = (await enricher.stderr.read()).decode()
    assert "started" in said
    for email in bench.sent.values():
        assert email not in said
        assert email.partition("@")[0].partition("+")[2] not in said
    assert "Lovelace" not in said
    assert VENDOR_KEY not in said


async def test_wrong_settings_are_named(
    stack: Stack, database: Database, store: Store, vendor: Vendor
) -> None:
    env = environment(stack, database, vendor, ENRICHER_LEASE_SECONDS="2")
    async with process("services.enricher", **env) as enricher:
        assert enricher.stderr is not None
        assert await asyncio.wait_for(enricher.wait(), 20) == 2
        assert "ENRICHER_LEASE_SECONDS" in (await enricher.stderr.read()).decode()
