"""The life of a real process: start, probes, SIGTERM, a wrong setting, a Kafka that is away."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from shared.events.topics import Topic
from tests.support.kafka import KafkaLab, eventually

pytestmark = pytest.mark.stack


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def service(
    lab: KafkaLab, topic: Topic, journal: Path, **environment: str
) -> AsyncIterator[tuple[Process, str]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.slow_service",
        env={
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": lab.settings.bootstrap_servers,
            "SLOW_TOPIC": topic.name,
            "SLOW_GROUP": topic.consumers[0],
            "SLOW_JOURNAL": str(journal),
            "HTTP_PORT": str(port),
            **environment,
        },
        stderr=PIPE,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answers(url: str, status: int = 200) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(url)).status_code == status
        except httpx.TransportError:
            return False


async def test_sigterm_finishes_the_batch_commits_and_ends_with_0(
    lab: KafkaLab, tmp_path: Path
) -> None:
    topic = await lab.topic()
    journal = tmp_path / "journal"
    async with service(lab, topic, journal) as (process, url):
        await eventually(lambda: answers(f"{url}/readyz"))
        assert await answers(f"{url}/healthz")
        assert await answers(f"{url}/hello/ada@example.org")
        await lab.publish(topic, [b"a", b"b", b"c"])
        await eventually(journal.exists)
        process.send_signal(signal.SIGTERM)
        before = time.monotonic()
        _, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    assert time.monotonic() - before < 15
    assert journal.read_text().splitlines()[0].replace("begin", "end") in journal.read_text()
    begun = [line for line in journal.read_text().splitlines() if line.startswith("begin")]
    ended = [line for line in journal.read_text().splitlines() if line.startswith("end")]
    assert len(begun) == len(ended)
    applied = sum(int(line.split()[1]) for line in ended)
    assert await lab.committed(topic) == {0: applied}
    for line in errors.decode().splitlines():
        assert json.loads(line)["service"] == "slow"
    assert "ada@" not in errors.decode()


async def test_a_killed_process_leaves_its_batch_to_the_next(lab: KafkaLab, tmp_path: Path) -> None:
    topic = await lab.topic()
    journal = tmp_path / "journal"
    await lab.publish(topic, [b"a", b"b"])
    fast = {"KAFKA_SESSION_TIMEOUT_MS": "6000", "KAFKA_HEARTBEAT_INTERVAL_MS": "500"}
    async with service(lab, topic, journal, **fast) as (process, _):
        await eventually(journal.exists)
        process.kill()
        await process.wait()
    assert await lab.committed(topic) == {}
    assert "end" not in journal.read_text()

    async with service(lab, topic, journal, **fast):
        await eventually(lambda: "end 2" in journal.read_text(), seconds=30)


async def test_metrics_name_routes_not_paths(lab: KafkaLab, tmp_path: Path) -> None:
    topic = await lab.topic()
    await lab.publish(topic, [b"a"])
    async with service(lab, topic, tmp_path / "journal") as (_, url):
        await eventually(lambda: answers(f"{url}/readyz"))
        assert await answers(f"{url}/hello/lovelace")
        place = f'group="{topic.consumers[0]}",partition="0",topic="{topic.name}"'
        async with httpx.AsyncClient() as client:

            async def applied() -> bool:
                text = (await client.get(f"{url}/metrics")).text
                done = f'pipeline_messages_total{{outcome="ok",stage="{topic.consumers[0]}"}} 1.0'
                return done in text and f"consumer_lag_records{{{place}}} 0.0" in text

            await eventually(applied)
            text = (await client.get(f"{url}/metrics")).text
    assert 'http_requests_total{route="/hello/{name}",status="2xx"} 1.0' in text
    assert "process_cpu_seconds_total" in text
    assert "lovelace" not in text


async def test_a_wrong_setting_is_named(lab: KafkaLab, tmp_path: Path) -> None:
    topic = await lab.topic()
    wrong = {"KAFKA_SESSION_TIMEOUT_MS": "soon", "KAFKA_SASL_PASSWORD": "hunter2"}
    async with service(lab, topic, tmp_path / "journal", **wrong) as (process, _):
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"KAFKA_SESSION_TIMEOUT_MS" in errors
    assert b"hunter2" not in errors


async def test_without_kafka_at_the_start_the_process_ends(lab: KafkaLab, tmp_path: Path) -> None:
    """So that a supervisor starts it anew, instead of a process that serves and never consumes."""
    topic = await lab.topic()
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    async with service(lab, topic, tmp_path / "journal", **away) as (process, _):
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1, errors.decode()
