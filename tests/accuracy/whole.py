"""The whole path: ingest's normalising, the gate, matching and merges, on PostgreSQL.

`__main__` streams the same sets through matching alone, in memory. What the gate joins by an
identifier it joins at once, before anything is compared: only here is that measured.
"""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg

from kith.evaluation.labelled import Labelled, read_labelled
from kith.evaluation.measures import Quality, left_over
from kith.evaluation.pipeline import open_pipeline
from kith.evaluation.run import Streamed, Wishes
from kith.evaluation.standing import Standing
from kith.stack import Stack
from tests.accuracy.report import (
    DUPLICATES_LEFT,
    FLAGGED_PRECISION,
    GOALS,
    MERGED_RIGHT,
    UNFLAGGED_PRECISION,
    UNFLAGGED_RECALL,
    mean_of,
)
from tests.support.database import Databases, databases
from tests.support.stack import running_stack

SAME_ORDER: Final = 0.999
"""Least pairwise F1 between two orders of arrival (docs/accuracy.md)."""

HEAD: Final = (
    f"{'through the whole path':24}{'P':>8}{'R':>8}{'F1':>8}{'sure P':>9}{'sure R':>8}"
    f"{'flagged':>8}{'right':>8}{'merged':>8}{'left':>8}{'review':>8}{'order':>8}"
)


@dataclass(frozen=True, slots=True)
class Whole:
    """What the whole path made of one set."""

    name: str
    automatic: Quality
    """Of all that the gate joined and matching merged, flagged or not."""
    unflagged: Quality
    flagged: int
    """Matching's merges that are marked for a look."""
    flagged_right: float
    """Share of them that united one person."""
    merged_right: float
    """Share of the gate's joins and matching's merges, flagged or not, that united one person."""
    left_over: float
    """Share of the contacts that are one too many: the duplicates left."""
    review: float
    """Pairs that were put up for review, per record."""
    same_order: float
    """Pairwise F1 between the partitions of two orders of arrival."""

    @property
    def family(self) -> str:
        """The set without its seed."""
        return self.name.partition("/")[0]

    def failures(self) -> list[str]:
        """Return the goals that are missed."""
        checks = {
            f"order {self.same_order:.4f}": self.same_order >= SAME_ORDER,
            f"merged P {self.merged_right:.4f}": self.merged_right >= MERGED_RIGHT,
        }
        least = UNFLAGGED_RECALL.get(self.family)
        if least is not None:
            precision, recall = self.unflagged.precision, self.unflagged.recall
            checks[f"unflagged P {precision:.4f}"] = precision >= UNFLAGGED_PRECISION
            checks[f"unflagged R {recall:.4f}"] = recall >= least
            checks[f"duplicates left {self.left_over:.4f}"] = self.left_over < DUPLICATES_LEFT
        if self.family.startswith("crm"):
            checks[f"flagged P {self.flagged_right:.4f}"] = self.flagged_right >= FLAGGED_PRECISION
        return [f"whole path: {name}" for name, is_met in checks.items() if not is_met]

    def line(self) -> str:
        """Return one line for the terminal."""
        missed = self.failures()
        return (
            f"{self.name:24}{self.automatic.precision:8.4f}{self.automatic.recall:8.4f}"
            f"{self.automatic.f1:8.4f}{self.unflagged.precision:9.4f}{self.unflagged.recall:8.4f}"
            f"{self.flagged:8}{self.flagged_right:8.4f}{self.merged_right:8.4f}"
            f"{self.left_over:8.4f}{self.review:8.3f}"
            f"{self.same_order:8.4f}  {'missed: ' + ', '.join(missed) if missed else 'ok'}"
        )


def measure_whole(pool: ProcessPoolExecutor, tables: Iterable[Path]) -> Iterator[Whole]:
    """Stream each table through the resolver in two orders; yields what came of it."""
    with running_stack(["postgres"]):
        yield from pool.map(_measure, tables)


def _measure(path: Path) -> Whole:
    """Measure one table, in a process of its own."""
    labelled = read_labelled(path, "person")

    async def measure() -> tuple[Standing, Standing]:
        async with databases(Stack.load()) as made:
            return await _stream(made, labelled, 1), await _stream(made, labelled, 2)

    return _whole(path.stem, labelled, asyncio.run(measure()))


def _whole(table: str, labelled: Labelled, standings: tuple[Standing, Standing]) -> Whole:
    one, other = standings
    truth = labelled.people
    found = one.partition(truth)
    flagged, flagged_right = one.merged_right(truth, flagged=True)
    family, _, seed = table.rpartition("_")
    return Whole(
        name=f"{family}/{seed}" if family else table,
        automatic=Quality.of(found, truth),
        unflagged=Quality.of(one.unflagged(truth), truth),
        flagged=flagged,
        flagged_right=1.0 if flagged_right is None else flagged_right,
        merged_right=_share(
            count(truth, flagged=is_flagged)
            for count in (one.joined_right, one.merged_right)
            for is_flagged in (False, True)
        ),
        left_over=left_over(found, truth),
        review=len(one.reviews) / len(labelled.rows),
        same_order=Quality.of(other.partition(truth), found).f1,
    )


def _share(counted: Iterable[tuple[int, float | None]]) -> float:
    """Return the share of all that is right, of (how many, share that is right) each."""
    counted = list(counted)
    number = sum(many for many, _ in counted)
    return sum(many * (right or 0.0) for many, right in counted) / number if number else 1.0


def to_markdown(found: Iterable[Whole]) -> str:
    """Return the table of the page: the mean over seeds, the worst in brackets."""
    groups: dict[str, list[Whole]] = {}
    for one in found:
        groups.setdefault(one.family, []).append(one)
    lines = [
        (
            "| set | seeds | P / R | F1 (worst) | goal | unflagged P / R (worst) "
            "| flagged right (worst) | merged right | duplicates left (worst) "
            "| review per record | order |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, group in groups.items():
        mean = partial(mean_of, group)
        lines.append(
            f"| {name} | {len(group)} "
            f"| {mean('automatic.precision'):.4f} / {mean('automatic.recall'):.4f} "
            f"| **{mean('automatic.f1'):.4f}** ({min(one.automatic.f1 for one in group):.4f}) "
            f"| {GOALS[name]} "
            f"| {mean('unflagged.precision'):.4f} / {mean('unflagged.recall'):.4f} "
            f"({min(one.unflagged.precision for one in group):.4f} / "
            f"{min(one.unflagged.recall for one in group):.4f}) "
            f"| {mean('flagged_right'):.2f} ({min(one.flagged_right for one in group):.2f}) "
            f"| {mean('merged_right'):.3f} "
            f"| {mean('left_over'):.4f} ({max(one.left_over for one in group):.4f}) "
            f"| {mean('review'):.3f} | {min(one.same_order for one in group):.4f} |"
        )
    return "\n".join(lines)


async def _stream(made: Databases, labelled: Labelled, order: int) -> Standing:
    name = await made.create()
    connection = await asyncpg.connect(made.dsn("kith_cli", name))
    try:
        dsns = (made.dsn("kith_resolver", name), made.dsn("kith_relay", name))
        async with open_pipeline(*dsns) as pipeline:
            streamed = Streamed(pipeline, connection, labelled.people)
            wishes = Wishes(seed=order, batch=100, region="US", is_oracle=False, is_spec=False)
            await streamed.admit(labelled.shuffled(order), wishes, lambda _done, _of: None)
            return await streamed.standing()
    finally:
        await connection.close()
