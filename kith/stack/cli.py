"""`kith up | status | logs | down | restart`: the local stack from the command line."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from kith.board import Board
from kith.migrate import PACKAGES
from kith.stack.errors import StackError, UnknownPartError
from kith.stack.fleet import Fleet
from kith.stack.report import HEADINGS, part_rows, print_logs, print_table, progress, service_rows
from kith.stack.stack import PARTS, Stack
from kith.topics import ensure_topics, specs
from shared.kafka import KafkaSettings
from shared.postgres.migrate import migrate

READY_SECONDS = 60
"""How long `kith up --services` waits for the services to say that they are ready."""

Without = Annotated[list[str] | None, typer.Option("--without", help="A part to leave out.")]
Services = Annotated[bool, typer.Option("--services", help="Run the services too.")]
Replicas = Annotated[
    list[str] | None, typer.Option("--replicas", help="How many of a service: resolver=3.")
]


@contextmanager
def interrupted() -> Iterator[None]:
    """Say at an interruption what was done so far; anything else is said in words by `kith`."""
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted: the same command goes on where this one stopped", file=sys.stderr)
        os._exit(130)  # downloads run in threads that an ordinary exit would wait for


def up(without: Without = None, services: Services = False, replicas: Replicas = None) -> None:
    """Start the local stack, or repair what of it has died."""
    began = time.monotonic()
    stack = Stack.load()
    left_out = set(without or ())
    with interrupted(), progress() as lines:
        if unknown := left_out - set(PARTS):
            raise UnknownPartError(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
        with stack.held(lines.say):
            stack.start([name for name in PARTS if name not in left_out], lines.say)
            if services:
                _start_services(Fleet(stack), parse_replicas(replicas or []), lines)
    print(f"up after {time.monotonic() - began:.1f} s")


def parse_replicas(words: Sequence[str]) -> dict[str, int]:
    """Read `resolver=3`."""
    counts = {}
    for word in words:
        name, _, count = word.partition("=")
        if not count.isdecimal():
            raise StackError(f"--replicas {word}: write it as resolver=3")
        counts[name] = int(count)
    return counts


def _start_services(fleet: Fleet, replicas: dict[str, int], lines: Board) -> None:
    lines.say("schemas", "bringing to this release")
    applied = asyncio.run(migrate(fleet.stack.postgres_dsn("kith_migrator"), PACKAGES))
    lines.say("schemas", f"{applied} migrations applied" if applied else "as they should be")
    kafka = KafkaSettings(bootstrap_servers=fleet.stack.kafka_bootstrap)
    changes = asyncio.run(ensure_topics(kafka, specs()))
    lines.say("topics", f"{len(changes)} created or changed" if changes else "as they should be")
    fleet.start(replicas=replicas, progress=lines.say)
    late = fleet.wait_ready(READY_SECONDS)
    for running in fleet.processes():
        lines.say(running.name, "not ready" if running.name in late else f"ready on {running.port}")
    if late:
        raise StackError(f"not ready after {READY_SECONDS} s: {', '.join(late)}: see `kith logs`")


def down(
    wipe: Annotated[bool, typer.Option(help="Remove all data, logs and state.")] = False,
) -> None:
    """Stop the local stack; its data stay unless wiped."""
    stack = Stack.load()
    with interrupted(), progress() as lines, stack.held(lines.say):
        Fleet(stack).stop(lines.say)
        stack.stop(progress=lines.say)
        if wipe:
            stack.wipe()


def restart(
    part: str,
    hard: Annotated[bool, typer.Option(help="SIGKILL it instead of asking.")] = False,
) -> None:
    """Stop and start one part, or the processes of one service."""
    stack = Stack.load()
    with interrupted(), progress() as lines:
        if part in PARTS:
            stack.restart(part, hard=hard, progress=lines.say)
        else:
            Fleet(stack).restart(part, hard=hard, progress=lines.say)


def status() -> None:
    """Show every part and service: its process, memory, port, and whether it answers."""
    stack = Stack.load()
    print_table(HEADINGS, [*part_rows(stack), *service_rows(Fleet(stack))])


def logs(
    part: Annotated[str | None, typer.Argument(help="One part or service; all by default.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 40,
) -> None:
    """Show the last log lines."""
    with interrupted():
        print_logs(Stack.load().places.logs, part, lines=lines, follow=follow)


def register(app: typer.Typer) -> None:
    """Add the stack's commands to the command line."""
    for command in (up, status, logs, down, restart):
        app.command()(command)
