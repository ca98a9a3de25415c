"""`kith up | status | logs | down | restart`: the local stack from the command line."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from kith.stack.errors import StackError
from kith.stack.report import HEADINGS, Lines, part_rows, print_logs, print_table
from kith.stack.stack import PARTS, Stack

Without = Annotated[list[str] | None, typer.Option("--without", help="A part to leave out.")]


@contextmanager
def failing() -> Iterator[None]:
    """Turn what went wrong into words and exit code 1."""
    try:
        yield
    except StackError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


def up(without: Without = None) -> None:
    """Start the local stack, or repair what of it has died."""
    began = time.monotonic()
    stack = Stack.load()
    with failing(), Lines() as lines:
        stack.start([name for name in PARTS if name not in set(without or ())], lines.say)
    print(f"up after {time.monotonic() - began:.1f} s")


def down(
    wipe: Annotated[bool, typer.Option(help="Remove all data, logs and state.")] = False,
) -> None:
    """Stop the local stack; its data stay unless wiped."""
    stack = Stack.load()
    with failing(), Lines() as lines:
        stack.stop(progress=lines.say)
        if wipe:
            stack.wipe()


def restart(
    part: str,
    hard: Annotated[bool, typer.Option(help="SIGKILL it instead of asking.")] = False,
) -> None:
    """Stop and start one part."""
    stack = Stack.load()
    with failing(), Lines() as lines:
        stack.restart(part, hard=hard, progress=lines.say)


def status() -> None:
    """Show every part: its process, memory, port, and whether it answers."""
    print_table(HEADINGS, part_rows(Stack.load()))


def logs(
    part: Annotated[str | None, typer.Argument(help="One part or service; all by default.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 40,
) -> None:
    """Show the last log lines."""
    with failing():
        print_logs(Stack.load().places.logs, part, lines=lines, follow=follow)


def register(app: typer.Typer) -> None:
    """Add the stack's commands to the command line."""
    for command in (up, status, logs, down, restart):
        app.command()(command)
