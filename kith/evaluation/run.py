"""Streams labelled records through the production path, scorer by scorer, and measures."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import asyncpg

from kith.evaluation.figures import Merges, Scored
from kith.evaluation.labelled import Labelled, LabelledRow, normalized
from kith.evaluation.measures import Quality, impure, left_over
from kith.evaluation.pipeline import Pipeline, open_pipeline
from kith.evaluation.scratch import Databases
from kith.evaluation.standing import QUERIES, Standing, Truth, read_standing
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.domain.outgoing import normalized_headers
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.weights import default_weights
from shared.errors import PoisonMessageError
from shared.events.envelope import rfc3339
from shared.identifiers.digests import Digests

DEFAULT_SCORER: Final = "evidence"
"""By which a tenant decides that never said anything else."""

MATCHERS: Final = {
    DEFAULT_SCORER: Matcher(EvidenceScorer(default_weights())),
    "spec": Matcher(SpecScorer()),
}
"""Scorer → how a tenant with nothing but that scorer chosen decides."""

ROUNDS: Final = 50
"""Times that the review queue is emptied: what people decide leads to new matches."""

QUEUE: Final = 1_000
"""Pairs decided in one go."""

Signal = tuple[list[tuple[str, bytes]], bytes]
Progress = Callable[[int, int], None]
"""Told how many records are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a file is to be streamed."""

    seed: int
    """Of the random order."""
    batch: int
    """Records handed to the gate at once."""
    region: str
    """Of national phone numbers."""
    is_oracle: bool
    is_spec: bool


class Streamed:
    """One scorer's base: a scratch database, and what has been sent through it."""

    def __init__(
        self,
        pipeline: Pipeline,
        connection: "asyncpg.Connection[asyncpg.Record]",
        truth: Truth,
        scorer: str = DEFAULT_SCORER,
    ) -> None:
        self._matcher = MATCHERS[scorer]
        self._pipeline = pipeline
        self._connection = connection
        self._truth = truth
        self.unreadable: Counter[str] = Counter()
        """Field → values that ingest left out, since they cannot be read."""
        self.refusals: Counter[str] = Counter()
        """Why ingest refused records → how many."""

    async def admit(self, rows: Sequence[LabelledRow], wishes: Wishes, progress: Progress) -> float:
        """Send records on their way, batch by batch; returns the seconds that it took.

        Afterwards nothing arrives: what statistics have moved meanwhile is decided again.
        """
        rules = Rules(Digests("kith eval"), wishes.region)
        started = time.perf_counter()
        for start in range(0, len(rows), wishes.batch):
            signals = self._normalize(rows[start : start + wishes.batch], rules)
            if signals:
                await self._pipeline.admit(signals)
            progress(min(start + wishes.batch, len(rows)), len(rows))
        await self._pipeline.settle()
        return time.perf_counter() - started

    def _normalize(self, rows: Sequence[LabelledRow], rules: Rules) -> list[Signal]:
        """Normalise rows as ingest does; what is refused there is left out here."""
        now = rfc3339(datetime.now(UTC))
        place = self._pipeline.place
        signals = []
        for row in rows:
            origin = Origin(f"/kith/eval#{row.line}", place.tenant, place.workspace, now, now)
            try:
                signal = normalized(row, origin, rules)
            except PoisonMessageError as error:
                where = f"{error.field}: " if error.field else ""
                self.refusals[f"{where}{error.detail}"] += 1
                continue
            self.unreadable.update(one["field"].partition(".")[0] for one in signal.rejected)
            signals.append((normalized_headers(origin), signal.body))
        return signals

    async def standing(self) -> Standing:
        """Read what came of everything so far."""
        return await read_standing(self._connection, self._matcher)

    async def review(self) -> None:
        """Decide every pair that waits as the truth says, until none waits."""
        for _ in range(ROUNDS):
            waiting = await self._connection.fetch(QUERIES["find_open"], QUEUE)
            people = (await self.standing()).residents(self._truth)
            for pair in waiting:
                one, other = people.get(pair["one"]), people.get(pair["other"])
                is_one = one is not None and one == other
                await self._pipeline.judge(pair["one_name"], pair["other_name"], is_one=is_one)
            await self._pipeline.match()
            if not waiting:
                return


async def evaluate(
    databases: Databases, labelled: Labelled, wishes: Wishes, scorer: str, progress: Progress
) -> Scored:
    """Send all records through one scorer in a database of its own, and measure."""
    database = await databases.create()
    if scorer != DEFAULT_SCORER:
        await _choose_scorer(databases.dsn("kith_resolver", database), scorer)
    connection = await asyncpg.connect(databases.dsn("kith_cli", database))
    try:
        async with open_pipeline(
            databases.dsn("kith_resolver", database), databases.dsn("kith_relay", database)
        ) as pipeline:
            streamed = Streamed(pipeline, connection, labelled.people, scorer)
            seconds = await streamed.admit(labelled.shuffled(wishes.seed), wishes, progress)
            automatic = await streamed.standing()
            reviewed = None
            if wishes.is_oracle:
                await streamed.review()
                reviewed = await streamed.standing()
    finally:
        await connection.close()
    await databases.drop(database)
    return replace(
        _figures(scorer, labelled, automatic, reviewed, seconds),
        unreadable=dict(streamed.unreadable),
        refusals=dict(streamed.refusals.most_common()),
    )


def _figures(
    scorer: str, labelled: Labelled, standing: Standing, reviewed: Standing | None, seconds: float
) -> Scored:
    truth = labelled.people
    found = standing.partition(truth)
    return Scored(
        scorer=scorer,
        seconds=seconds,
        records_per_second=len(standing.contacts) / seconds if seconds else 0.0,
        contacts=len(set(found.values())),
        gate=Quality.of(standing.at_the_gate(truth), truth),
        automatic=Quality.of(found, truth),
        unflagged=Quality.of(standing.unflagged(truth), truth),
        reviewed=Quality.of(reviewed.partition(truth), truth) if reviewed else None,
        joins=Merges(*standing.joined_right(truth, flagged=False)),
        flagged_joins=Merges(*standing.joined_right(truth, flagged=True)),
        merges=Merges(*standing.merged_right(truth, flagged=False)),
        flagged=Merges(*standing.merged_right(truth, flagged=True)),
        left_over=left_over(found, truth),
        impure=impure(found, truth),
        reviews=len(standing.reviews),
        reviews_per_record=len(standing.reviews) / len(labelled.rows),
        review_share=standing.review_share(),
        refused=len(labelled.rows) - len(standing.contacts),
        calibration=standing.calibration(truth),
    )


async def _choose_scorer(dsn: str, scorer: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(QUERIES["choose_scorer"], scorer)
    finally:
        await connection.close()
