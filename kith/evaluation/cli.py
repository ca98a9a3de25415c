"""`kith eval`: how right matching is on a labelled table, streamed through the production path."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
import uvloop

from kith.evaluation.figures import Scored, describe, reading_lines, scored_lines, to_document
from kith.evaluation.labelled import Labelled, read_labelled
from kith.evaluation.run import Wishes, evaluate
from kith.evaluation.scratch import EVAL, databases
from kith.regions import Region
from kith.stack import Stack
from kith.stack.borrowing import running_stack
from kith.stack.errors import StackError
from kith.unforeseen import in_words
from shared.errors import ServiceError

QUIET_S: Final = 2.0
"""Between two lines of progress, seconds; what takes less says nothing."""

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A labelled table: CSV or .xlsx.")
]
Truth = Annotated[str, typer.Option(help="The column that says who a row is about.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="field=column: what a column is; repeat for more."),
]
Seed = Annotated[int, typer.Option(help="Of the random order in which records arrive.")]
Batch = Annotated[int, typer.Option(min=1, max=2_000, help="Records handed to the gate at once.")]
Oracle = Annotated[
    bool,
    typer.Option(
        "--oracle", help="Decide the pairs in review by the truth, and say what it gives."
    ),
]
Spec = Annotated[
    bool, typer.Option("--spec/--no-spec", help="Whether the customer's formula is run beside it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluate_file)


def evaluate_file(
    file: File,
    *,
    truth: Truth,
    maps: Map = None,
    seed: Seed = 1,
    batch: Batch = 100,
    oracle: Oracle = False,
    spec: Spec = True,
    region: Region = "US",
    as_json: AsJson = False,
) -> None:
    """Measure matching on a labelled table.

    Records are streamed in random order through the code that production runs, on PostgreSQL of
    the local stack, in a scratch database that is dropped afterwards.
    """
    wishes = Wishes(seed=seed, batch=batch, region=region, is_oracle=oracle, is_spec=spec)
    say = _unheard if as_json else typer.echo
    try:
        labelled = read_labelled(file, truth, maps or ())
        reading = describe(file.name, labelled, seed, batch)
        say("\n".join(reading_lines(reading)))
        with (
            running_stack(["postgres"]) as stack,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            scored = runner.run(_measure(stack, labelled, wishes, say))
    except (ServiceError, StackError, OSError) as error:
        print(f"kith eval: {file.name}: {in_words(error)}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("kith eval: interrupted; its scratch databases are dropped", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(orjson.dumps(to_document(reading, scored)).decode())


async def _measure(
    stack: Stack, labelled: Labelled, wishes: Wishes, say: Callable[[str], object]
) -> list[Scored]:
    """Measure one scorer after the other, and say what each found as soon as it is known."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    scored = []
    async with databases(stack, EVAL) as made:
        await made.drop_left_over()
        for scorer in ("evidence", "spec") if wishes.is_spec else ("evidence",):
            scored.append(await evaluate(made, labelled, wishes, scorer, _Progress(scorer)))
            say("\n".join(scored_lines(scored[-1])))
    return scored


class _Progress:
    """Says how far it is, every two seconds, to those who look and not into what they keep."""

    def __init__(self, scorer: str) -> None:
        self._scorer = scorer
        self._began = self._said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said < QUIET_S:
            return
        self._said = now
        rate = done / (now - self._began)
        left = (total - done) / rate if rate else 0.0
        print(
            f"  {self._scorer}: {done:,} of {total:,} records, {rate:,.0f}/s, {left:,.0f} s left",
            file=sys.stderr,
            flush=True,
        )


def _unheard(_words: str) -> None:
    """Say nothing: the figures are printed as JSON at the end."""
