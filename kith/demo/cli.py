"""`kith demo`: start everything, feed it, and show what came of it."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from kith.demo.errors import ADVICE, DemoError
from kith.demo.people import SIZE
from kith.demo.report import lines
from kith.demo.run import tell
from kith.demo.screen import drawn_on
from kith.unforeseen import UNFORESEEN, in_words


def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; progress goes to stderr.")
    ] = False,
    signals: Annotated[
        int, typer.Option(min=10, max=SIZE, help="About how many CRM signals to feed.")
    ] = SIZE,
) -> None:
    """Start everything, feed it files and CRM signals with known truth, and report.

    Exit code 0 only when every signal is accounted for. What was fed before changes nothing.
    """
    try:
        with drawn_on(sys.stderr if as_json else sys.stdout) as screen:
            report = asyncio.run(tell(signals, screen))
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except UNFORESEEN as error:
        print(f"demo: {in_words(error, ADVICE)}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print("interrupted: everything is left running; `kith down` stops it", file=sys.stderr)
        os._exit(130)  # downloads run in threads that an ordinary exit would wait for
    print(report.model_dump_json(indent=2) if as_json else "\n".join(lines(report)))
    if not report.ok:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(demo)
