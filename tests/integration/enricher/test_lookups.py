"""Requests carried out against every behaviour of the vendor."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson
import pytest

from services.enricher.handlers.lookups import Lookups
from services.enricher.handlers.loop import Watch, running
from services.enricher.providers.apollo import Apollo
from services.enricher.store import Store
from shared.cache import RateLimit
from shared.identifiers.digests import Digests
from tests.integration.enricher.conftest import (
    VENDOR_KEY,
    Bench,
    Database,
    Vendor,
    free_port,
)

Working = Callable[..., AbstractAsyncContextManager[Lookups]]


@pytest.fixture
def working(store: Store, vendor: Vendor) -> Working:
    """Run the enricher's lookups while a block lasts."""

    @asynccontextmanager
    async def working(
        url: str = vendor.url, key: str = VENDOR_KEY, patience: float = 1.0, **limits: Any
    ) -> AsyncIterator[Lookups]:
        limit = limits.get("limit") or RateLimit(None, "apollo", 200.0)
        async with Apollo.connect(url, key, patience) as apollo:
            work = Lookups(
                store,
                apollo,
                limit,
                Digests("a secret of tests"),
                concurrency=limits.get("concurrency", 4),
                lease_seconds=limits.get("lease_seconds", 30.0),
            )
            async with running(work.loops(0.02), Watch(), work.drain):
                yield work

    return working


async def test_a_match_ends_in_success_with_a_signal(
    bench: Bench, vendor: Vendor, working: Working
) -> None:
    [request] = await bench.add("match")
    async with working():
        row = await bench.settled(request.public_id)
    assert (row["status"], row["reason"]) == ("success", None)
    assert row["credits_charged"] == 1
    assert row["question"] is None
    assert orjson.loads(row["response_summary"])["employments"] == 2
    signal = orjson.loads(row["signal"])
    assert signal["source"] == "apollo"
    assert signal["about"] == request.contact_id
    assert (signal["tenant"], signal["workspace"]) == (bench.tenant, bench.workspace)
    assert signal["facts"]["emails"][0]["value"] == bench.sent[request.public_id]
    assert await vendor.count(bench.sent[request.public_id]) == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("none", "no_match"),
        ("bad", "vendor_rejected"),
        ("garbage", "bad_response"),
        ("hang", "outcome_unknown"),
        ("drop", "outcome_unknown"),
        ("gateway", "outcome_unknown"),
    ],
)
async def test_an_answer_that_is_final_is_never_asked_for_again(
    bench: Bench, vendor: Vendor, working: Working, behaviour: str, reason: str
) -> None:
    [request] = await bench.add(behaviour)
    async with working():
        row = await bench.settled(request.public_id)
        await asyncio.sleep(0.3)
    assert (row["status"], row["reason"]) == ("failed", reason)
    assert row["credits_charged"] == 0
    assert row["signal"] is None
    assert row["question"] is None
    assert await vendor.count(bench.sent[request.public_id]) == 1


async def test_a_late_answer_within_the_limit_is_a_match(bench: Bench, working: Working) -> None:
    [request] = await bench.add("slow")
    async with working(patience=5.0):
        row = await bench.settled(request.public_id)
    assert row["status"] == "success"


async def test_retry_after_is_obeyed_and_not_charged(
    bench: Bench, vendor: Vendor, working: Working
) -> None:
    [request] = await bench.add("limit")
    async with working():
        row = await bench.settled(request.public_id)
    assert row["status"] == "success"
    assert (row["attempts"], row["faults"]) == (2, 0)
    report = await vendor.report(bench.sent[request.public_id])
    assert [call["status"] for call in report["calls"]] == [429, 200]
    assert report["charged"] == 1
    first = row["created_at"]
    assert (row["started_at"] - first).total_seconds() >= 1.0


async def test_a_429_silences_the_whole_source(
    bench: Bench, vendor: Vendor, working: Working
) -> None:
    [limited] = await bench.add("limit")
    async with working(concurrency=1):
        await bench.until(limited.public_id, lambda row: row["reason"] == "rate_limited")
        [other] = await bench.add("match")
        await asyncio.sleep(0.5)
        assert await vendor.count(bench.sent[other.public_id]) == 0
        assert (await bench.settled(other.public_id))["status"] == "success"


async def test_a_vendors_own_errors_are_retried(
    bench: Bench, vendor: Vendor, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.enricher.domain.backoff.BASE_SECONDS", 0.05)
    flaky, down = await bench.add("flaky", "down")
    async with working():
        row = await bench.settled(flaky.public_id)
        broken = await bench.settled(down.public_id)
    assert (row["status"], row["attempts"], row["faults"]) == ("success", 3, 2)
    assert (await vendor.report(bench.sent[flaky.public_id]))["charged"] == 1
    assert (broken["status"], broken["reason"], broken["attempts"]) == ("failed", "vendor_error", 5)


async def test_a_question_that_was_never_sent_waits(
    bench: Bench, vendor: Vendor, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.enricher.domain.backoff.BASE_SECONDS", 0.05)
    monkeypatch.setattr("services.enricher.domain.backoff.CAP_SECONDS", 0.05)
    [request] = await bench.add("match")
    async with working(url=f"http://127.0.0.1:{free_port()}"):
        await bench.until(request.public_id, lambda row: row["attempts"] >= 8)
    waiting = await bench.row(request.public_id)
    assert (waiting["status"], waiting["reason"]) == ("pending", "vendor_unreachable")
    async with working():
        assert (await bench.settled(request.public_id))["status"] == "success"


async def test_refused_credentials_pause_the_source(
    bench: Bench, vendor: Vendor, working: Working
) -> None:
    [first] = await bench.add("match")
    [second] = await bench.add("match")
    async with working(key="refused", concurrency=1):
        await bench.until(first.public_id, lambda row: row["reason"] == "source_paused")
        await asyncio.sleep(0.3)
    row = await bench.row(second.public_id)
    assert (row["status"], row["attempts"]) == ("pending", 0)
    paused = await bench.row(first.public_id)
    assert paused["status"] == "pending"
    assert (paused["not_before"] - paused["started_at"]).total_seconds() > 290


async def test_a_call_whose_lease_is_over_is_unknown_and_its_late_answer_completes_it(
    bench: Bench, store: Store, working: Working, vendor: Vendor
) -> None:
    """A stalled process comes back with an answer that was given up: it was paid for."""
    [request] = await bench.add("slow")
    async with working(patience=5.0, lease_seconds=0.2):
        await bench.until(request.public_id, lambda row: row["status"] != "pending")
        await asyncio.sleep(0.4)
        assert await store.give_up_lost_calls() == ["apollo"]
        row = await bench.row(request.public_id)
        assert (row["status"], row["reason"]) == ("failed", "outcome_unknown")
        await bench.until(request.public_id, lambda row: row["status"] != "failed")
    row = await bench.row(request.public_id)
    assert (row["status"], row["reason"], row["credits_charged"]) == ("success", None, 1)
    assert await vendor.count(bench.sent[request.public_id]) == 1


async def test_the_same_key_is_asked_once(bench: Bench, vendor: Vendor, working: Working) -> None:
    first = bench.request("match", key="the same")
    second = bench.request("match", key="the same")
    added = await bench.store.add([first, second], "enricher", {})
    assert added == {first.public_id}
    assert await bench.store.add([second], "enricher", {}) == frozenset()
    async with working():
        await bench.settled(first.public_id)
        await asyncio.sleep(0.2)
    assert await vendor.count(bench.sent[first.public_id]) == 1
    assert await vendor.count(bench.sent[second.public_id]) == 0


async def test_replicas_never_take_the_same_request(
    bench: Bench, vendor: Vendor, working: Working
) -> None:
    requests = await bench.add(*["match"] * 40)
    async with working(), working(), working():
        for request in requests:
            assert (await bench.settled(request.public_id))["status"] == "success"
    for request in requests:
        assert await vendor.count(bench.sent[request.public_id]) == 1


async def test_an_answer_outlives_a_database_that_refuses_it(
    bench: Bench, database: Database, vendor: Vendor, working: Working
) -> None:
    """It was paid for and is nowhere else: it is kept until the database takes it."""
    [request] = await bench.add("slow")
    async with working(patience=5.0), database.connected() as owner:
        await bench.until(request.public_id, lambda row: row["status"] == "processing")
        await owner.execute("REVOKE UPDATE ON enrichment.enrichment_requests FROM kith_enricher")
        try:
            await asyncio.sleep(3.0)
            assert (await vendor.report(bench.sent[request.public_id]))["charged"] == 1
            assert (await bench.row(request.public_id))["status"] == "processing"
        finally:
            await owner.execute("GRANT UPDATE ON enrichment.enrichment_requests TO kith_enricher")
        row = await bench.settled(request.public_id)
    assert (row["status"], row["attempts"]) == ("success", 1)
