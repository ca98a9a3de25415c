"""`kith eval` on the local stack: through the gate and matching, and nothing is left behind."""

import asyncio
import csv
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import orjson
import pytest

from kith.evaluation.figures import Merges, scored_lines
from kith.evaluation.labelled import read_labelled
from kith.evaluation.run import Wishes, evaluate
from kith.stack import Stack
from tests.support.database import Databases, databases
from tests.support.stack import running_stack

HEADER = ("first_name", "last_name", "email", "company", "job_title", "city", "who")
PEOPLE = (
    ("Adalbert", "Lovelace", "Analytical Engines", "Chief Mathematician", "Marylebone"),
    ("Ottoline", "Hopperfield", "Harbour Compilers", "Rear Admiral", "Arlington"),
    ("Ignatius", "Turingham", "Bletchley Machines", "Cryptanalyst", "Wilmslow"),
)
KITH = (sys.executable, "-m", "kith")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres"]) as stack:
        yield stack


@pytest.fixture(scope="module")
async def made(stack: Stack) -> AsyncIterator[Databases]:
    async with databases(stack) as made:
        yield made


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people: one seen twice by e-mail, one twice by everything else, one by name alone.

    Ingest refuses two records: one names nobody, one has a NUL.
    """
    (ada, grace, alan) = PEOPLE
    rows = [
        (*ada[:2], "adalbert@engines.example", *ada[2:], "ada"),
        (ada[0], ada[1], "adalbert@engines.example", "", "", "", "ada"),
        (*grace[:2], "o.hopperfield@harbour.example", *grace[2:], "grace"),
        (*grace[:2], "ottoline@home.example", *grace[2:], "grace"),
        (*alan[:2], "ignatius@bletchley.example", "", "", alan[4], "alan"),
        (*alan[:2], "turingham77@post.example", "", "", alan[4], "alan"),
        ("", "", "", "Nobody Ltd", "", "", "alan"),
        ("Ni\0l", "Nowhere", "nil@nowhere.example", "", "", "", ""),
    ]
    path = tmp_path_factory.mktemp("eval") / "people.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


async def test_every_reading_of_one_file(made: Databases, table: Path) -> None:
    labelled = read_labelled(table, "who")
    wishes = Wishes(seed=1, batch=2, region="US", is_oracle=True, is_spec=False)
    told: list[tuple[int, int]] = []
    scored = await evaluate(
        made, labelled, wishes, "evidence", lambda done, total: told.append((done, total))
    )
    assert told == [(2, 8), (4, 8), (6, 8), (8, 8)]
    assert scored.automatic.precision == 1.0
    assert scored.automatic.recall == pytest.approx(2 / 5)
    assert scored.gate.recall == pytest.approx(1 / 5)
    assert scored.unflagged.recall == 0.0, "a name and a mailbox alone are marked for a look"
    assert (scored.joins.count, scored.flagged_joins) == (0, Merges(1, 1.0))
    assert scored.reviewed is not None
    assert scored.reviewed.recall == pytest.approx(3 / 5)
    assert (scored.flagged.count, scored.flagged.right) == (1, 1.0)
    assert (scored.reviews, scored.refused) == (1, 2)
    assert scored.refusals == {
        "has neither a name nor an identifier; give at least one of them": 1,
        "first_name: contains a NUL character; leave it out": 1,
    }
    said = "\n".join(scored_lines(scored))
    assert "2 records are refused: each stands alone" in said
    assert "    1: first_name: contains a NUL character; leave it out" in said
    assert scored.calibration["high"].right == 1.0


async def test_the_customers_formula_decides_in_a_base_of_its_own(
    made: Databases, table: Path
) -> None:
    wishes = Wishes(seed=1, batch=100, region="US", is_oracle=False, is_spec=True)
    scored = await evaluate(made, read_labelled(table, "who"), wishes, "spec", lambda *_: None)
    assert scored.scorer == "spec"
    assert scored.automatic.recall == pytest.approx(1 / 5)
    assert scored.reviews == 2


def on_server(stack: Stack, statement: str) -> list[asyncpg.Record]:
    """Ask the server of the scratch databases, as their owner."""

    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(stack.postgres_dsn("kith_migrator"))
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return asyncio.run(ask())


def left_over(stack: Stack) -> set[str]:
    """Return the databases of evaluations, also of others that run on this server meanwhile."""
    found = "SELECT datname FROM pg_database WHERE starts_with(datname, 'kith_eval_')"
    return {row["datname"] for row in on_server(stack, found)}


DEAD = "kith_eval_999999999_dead"


def test_it_is_interrupted_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    before = left_over(stack)
    path = tmp_path / "many.csv"
    with path.open("w", newline="") as file:
        rows = ((f"Name{n}", f"Family{n % 50}", f"n{n}@x.example", n) for n in range(5_000))
        csv.writer(file).writerows([("first_name", "last_name", "email", "who"), *rows])
    # Children of a shell's background job would ignore interruptions, as it does itself.
    before_it = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*KITH, "eval", str(path), "--truth", "who"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "KITH_HOME": str(stack.places.home)},
        )
    finally:
        signal.signal(signal.SIGINT, before_it)
    try:
        assert process.stderr is not None
        assert b"records" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.communicate()
    assert left_over(stack) <= before


def test_the_command_answers_in_json_and_sweeps_up_after_the_killed(
    stack: Stack, table: Path
) -> None:
    before = left_over(stack)
    on_server(stack, f"CREATE DATABASE {DEAD}")
    done = subprocess.run(
        [*KITH, "eval", str(table), "--truth", "who", "--no-spec", "--json"],
        capture_output=True,
        check=False,
        env={**os.environ, "KITH_HOME": str(stack.places.home)},
    )
    assert done.returncode == 0, done.stderr
    document = orjson.loads(done.stdout)
    assert document["columns"]["job_title"] == "job.title"
    assert document["scored"][0]["automatic"]["f1"] == pytest.approx(4 / 7)
    assert left_over(stack) <= before
