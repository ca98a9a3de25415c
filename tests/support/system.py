"""The whole system, real processes on a stack of its own: what the bench and chaos run."""

import asyncio
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from kith.migrate import PACKAGES
from kith.stack import PARTS, Fleet, Stack
from kith.topics import ensure_topics, specs
from shared.kafka import KafkaSettings
from shared.postgres.migrate import migrate

HOMES: Final = Path(__file__).parents[2] / ".bench"
"""Where such stacks live, each made anew for every run."""

READY_S: Final = 300.0
"""How long the services may take to be ready, seconds: the machine may have other work to do."""


def heed_signals() -> None:
    """Take SIGTERM for an interruption, as SIGINT is, so that no process is left behind.

    Also where a background shell has SIGINT ignored; who is already clearing up is left alone.
    """

    def stop(told: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        sys.exit(128 + told)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


@contextmanager
def empty_stack(home: Path, parts: Iterable[str] = tuple(PARTS)) -> Iterator[Stack]:
    """Start an empty stack in a home of its own, and leave nothing behind."""
    stack = Stack.load(home=home)
    Fleet(stack).stop()  # of a run that was killed
    stack.wipe()
    stack = Stack.load(home=home)
    names = tuple(parts)
    print(f"starting {', '.join(names)} ...", flush=True)
    try:
        stack.start(names)
        yield stack
    finally:
        stack.wipe()


@contextmanager
def services(
    stack: Stack,
    *,
    env: Mapping[str, Mapping[str, str]] | None = None,
    replicas: Mapping[str, int] | None = None,
) -> Iterator[Fleet]:
    """Run every service on the newest schema; automatic enrichment is off unless `env` says so."""
    settings = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)
    asyncio.run(migrate(stack.postgres_dsn("kith_migrator"), PACKAGES))
    asyncio.run(ensure_topics(settings, specs()))
    fleet = Fleet(stack)
    print("starting the services ...", flush=True)
    fleet.start(
        env={"enricher": {"ENRICHER_AUTO": "false"}, **(env or {})},
        replicas={"vendor": 0, **(replicas or {})},
    )
    try:
        late = fleet.wait_ready(READY_S)
        if late:
            message = f"not ready after {READY_S:.0f} s: {', '.join(late)}; see {stack.places.logs}"
            raise RuntimeError(message)
        yield fleet
    finally:
        fleet.stop()
