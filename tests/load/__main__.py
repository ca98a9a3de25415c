"""`make bench`: rates, ages, CPU and memory of the real system, beside a bare skeleton.

    python -m tests.load [--signals 200000] [--skeleton-signals 100000] [--rates 1000,2000]
                         [--paced-seconds 30]

Prints a table and writes `.bench/latest.json`.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from typing import Any, Final

import asyncpg
import orjson
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kith.stack import Fleet, Stack
from shared.events import topics
from shared.kafka import KafkaSettings, Producer
from tests.load import parsing, skeleton
from tests.load.meters import buckets, memory, percentiles, processor_time, spent
from tests.load.report import LATEST, show
from tests.load.system import Drain, bench_stack, pids, system
from tests.load.workload import feed, messages
from tests.support.system import heed_signals

LIMIT_S: Final = 600.0
"""A run that takes longer has failed, seconds."""

ONSET_S: Final = 5
"""The beginning of a rate, whose ages are told by themselves, seconds."""

Figures = dict[str, Any]


async def run_skeleton(stack: Stack, signals: int) -> Figures:
    """Drain the same messages through the bare skeleton."""
    owner = stack.postgres_dsn("kith_migrator")
    dsn = stack.postgres_dsn("kith_migrator", "skeleton")
    connection = await asyncpg.connect(owner)
    await connection.execute("CREATE DATABASE skeleton")
    await connection.close()
    connection = await asyncpg.connect(dsn)
    await connection.execute(skeleton.TABLES)
    await connection.close()
    bootstrap = stack.kafka_bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics(
        [NewTopic(name, 12, 1) for name in (skeleton.SIGNALS, skeleton.EVENTS)]
    )
    outgoing = messages(skeleton.SIGNALS, signals, seed=1)
    writes = {"bootstrap": bootstrap, "dsn": dsn}
    children = {
        "writer-1": child("writer", writes),
        "writer-2": child("writer", writes),
        "relay": child("relay", writes),
        "checker": child("checker", {"bootstrap": bootstrap, "expected": signals}),
    }
    try:
        checker = children["checker"].stdout
        assert checker
        await asyncio.to_thread(checker.readline)
        await asyncio.sleep(6)  # the writers have joined their group by then
        watched = stack.pids() | {name: one.pid for name, one in children.items()}
        before = processor_time(watched)
        async with Producer(KafkaSettings(bootstrap_servers=bootstrap)) as producer:
            started = time.time()
            await feed(producer, outgoing, None)
            ended = float(await asyncio.to_thread(checker.readline))
        after = processor_time(watched)
    finally:
        for one in children.values():
            one.kill()
            one.wait()
        await admin.delete_topics([skeleton.SIGNALS, skeleton.EVENTS])
        await admin.close()
    connection = await asyncpg.connect(owner)
    await connection.execute("DROP DATABASE skeleton WITH (FORCE)")
    await connection.close()
    return {
        "signals_per_second": round(signals / (ended - started)),
        "cpu_us_per_signal": spent(before, after, signals),
    }


def child(role: str, settings: dict[str, Any]) -> "subprocess.Popen[bytes]":
    """Start one stage of the skeleton."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.load.skeleton", role, orjson.dumps(settings).decode()],
        stdout=subprocess.PIPE,
    )


async def run_drain(stack: Stack, fleet: Fleet, signals: int) -> Figures:
    """Feed everything at once; the end is when the last event is in the read model."""
    outgoing = messages(topics.SIGNALS.name, signals, seed=2)
    async with (
        Drain(stack) as drain,
        Producer(KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)) as producer,
    ):
        done = await drain.resolved()
        before = processor_time(pids(stack, fleet))
        started = time.perf_counter()
        await feed(producer, outgoing, None)
        ended = await drain.wait("projector", "read", done + signals, LIMIT_S)
        after = processor_time(pids(stack, fleet))
        indexed = {}
        for group in ("indexer-search", "indexer-graph"):
            at = await drain.wait(group, "search", done + signals, LIMIT_S)
            indexed[group] = round(at - ended, 1)
    return {
        "signals": signals,
        "signals_per_second": round(signals / (ended - started)),
        "cpu_us_per_signal": spent(before, after, signals),
        "indexes_behind_s": indexed,
    }


async def run_paced(stack: Stack, fleet: Fleet, rate: int, seconds: int) -> Figures:
    """Feed at a steady rate; ages come from the projector's own histogram.

    The onset is told apart: for some seconds after a rate begins, indexes and matching still take
    what was theirs until then, and PostgreSQL analyses what the run before wrote.
    """
    outgoing = messages(topics.SIGNALS.name, rate * (ONSET_S + seconds), seed=rate)
    url = fleet.url("projector")
    async with (
        Drain(stack) as drain,
        Producer(KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)) as producer,
    ):
        done = await drain.resolved()
        begun = buckets(url, "read_model")
        feeding = asyncio.create_task(feed(producer, outgoing, rate))
        await asyncio.sleep(ONSET_S)
        before, cpu = buckets(url, "read_model"), processor_time(pids(stack, fleet))
        took = await feeding
        await drain.wait("projector", "read", done + len(outgoing), LIMIT_S)
        after, cpu_after = buckets(url, "read_model"), processor_time(pids(stack, fleet))
    return {
        "offered_per_second": rate,
        "fed_per_second": round(len(outgoing) / took),
        "onset_ms": percentiles(begun, before),
        "age_ms": percentiles(before, after),
        "cpu_us_per_signal": spent(cpu, cpu_after, rate * seconds),
    }


def main() -> None:
    """Run the skeleton, then the system, and report."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--signals", type=int, default=200_000)
    parser.add_argument("--skeleton-signals", type=int, default=100_000)
    parser.add_argument("--rates", default="1000,2000")
    parser.add_argument("--paced-seconds", type=int, default=30)
    asked = parser.parse_args()
    heed_signals()
    with bench_stack() as stack:
        print(f"bare skeleton: {asked.skeleton_signals:,} signals ...", flush=True)
        bare = asyncio.run(run_skeleton(stack, asked.skeleton_signals))
        with system(stack) as fleet:
            print(f"kith: {asked.signals:,} signals, everything on ...", flush=True)
            at_rest = memory(pids(stack, fleet))
            asyncio.run(run_drain(stack, fleet, asked.signals // 20))
            drain = asyncio.run(run_drain(stack, fleet, asked.signals))
            paced = {}
            for rate in map(int, filter(None, asked.rates.split(","))):
                print(f"kith: {rate:,} signals/s for {asked.paced_seconds} s ...", flush=True)
                paced[str(rate)] = asyncio.run(run_paced(stack, fleet, rate, asked.paced_seconds))
            loaded = memory(pids(stack, fleet))
    ratio = drain["signals_per_second"] / bare["signals_per_second"]
    figures = {
        "pipeline": {**drain, "ratio_to_skeleton": round(ratio, 2)},
        "skeleton": bare,
        "paced": paced,
        "age_ms": {rate: run["age_ms"] for rate, run in paced.items()},
        "cpu_us_per_signal": drain["cpu_us_per_signal"],
        "memory_mib": {
            name: {"at_rest": round(at_rest.get(name, 0)), "loaded": round(value)}
            for name, value in loaded.items()
        },
    }
    figures["parsed_per_second"] = parsing.figures()
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    show(figures)


if __name__ == "__main__":
    main()
