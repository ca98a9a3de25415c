"""One fault: feed a workload to a tenant of its own, break something, drain, and check it all."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

import asyncpg
import orjson

from kith.administration import create_tenant
from kith.stack import Fleet, Stack
from kith.stack.processes import find, kill, wait_until
from kith.stack.supervisor import Running
from services.resolver.settings import MatcherSettings
from services.resolver.store.matching import DRIFT, QUERIES
from shared.events import topics
from shared.events.envelope import header
from shared.kafka.batch import ConsumerRecord
from tests.chaos.feeder import Order
from tests.chaos.pipeline import PATIENCE_S, Offsets, Pipeline, none_left
from tests.chaos.truth import check_identity, check_ledger, check_statistics
from tests.chaos.workload import Place, Workload, make
from tests.support.invariants import Broken, Connection, check_tables, folded
from tests.support.published import check_dead_letters, check_events
from tests.support.read_models import check_graph, check_read_model, check_search, find_active

READ_MODEL: Final = ("projector",)
GRAPH: Final = "indexer-graph"
INDEXES: Final = ("indexer-search", GRAPH)
EVERYTHING: Final = (*READ_MODEL, *INDEXES, "enricher")
"""Who reads events."""
MATCHING: Final = "resolver-matching"
"""Who reads them too, where people are matched by name."""
MATCHED_AT_ONCE: Final[int] = MatcherSettings.model_fields["batch_max_records"].default
"""Events in one of its transactions."""

RAW: Final = topics.SIGNALS.name
SET_ASIDE: Final = topics.SIGNALS.dead_letters("ingest")
WATCHED: Final = (RAW, SET_ASIDE, topics.SIGNALS_NORMALIZED.name, topics.EVENTS.name)
"""Topics whose records of one run are counted or read."""
OTHER_DEAD_LETTERS: Final = [
    topic.dead_letters(group)
    for topic in topics.ALL
    for group in topic.consumers
    if topic.dead_letters(group) != SET_ASIDE
]
"""Nothing may ever lie here: all poison is ingest's to find."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a round of chaos is run."""

    signals: int
    rate: int
    """Signals a second."""
    seed: int
    away_s: float
    """How long Kafka is down in its longer fault, seconds."""
    graph_away_s: float
    """How long Neo4j is down, seconds."""
    graph: bool = True
    """Whether there is one."""
    named: bool = False
    """Whether people have names of their own, and are matched by them."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a fault did."""

    fault: str
    seed: int
    signals: int
    recovery_s: float
    kills: int
    repeated: int
    """Publications of an event that had been published before, which is allowed."""
    broken: list[str]

    @property
    def line(self) -> str:
        """Say it in one line."""
        verdict = "ok" if not self.broken else f"FAILED ({len(self.broken)} violations)"
        return (
            f"{self.fault:26}  seed {self.seed}  {self.signals} signals  kills {self.kills:2}"
            f"  lost {self._count('I1')}  doubled {self._count('I2')}"
            f"  recovery {self.recovery_s:4.1f} s  {verdict}"
        )

    def _count(self, invariant: str) -> int:
        return sum(line.startswith(f"{invariant}:") for line in self.broken)


class Run:
    """A fault's view of the system while its signals flow."""

    def __init__(
        self,
        fleet: Fleet,
        pipeline: Pipeline,
        plan: Plan,
        *,
        place: Place,
        tenant_id: int,
        starts: Mapping[str, Offsets],
    ) -> None:
        self.stack = pipeline.stack
        self.fleet = fleet
        self.pipeline = pipeline
        self.plan = plan
        self.place = place
        self.tenant_id = tenant_id
        self.starts = starts
        self.dice = random.Random(plan.seed)
        self.killed: Counter[str] = Counter()
        self.acknowledged = 0
        self.excused: set[str] = set()
        """Processes that may have ended of themselves: started anew while a server was away."""
        self.broken = Broken()
        self.beside: list[Beside] = []
        """Asked at the end what came of what was fed otherwise than by the feeder."""
        self._more = asyncio.Event()
        self._recovery = 0.0

    @property
    def recovery_s(self) -> float:
        """The longest recovery so far, seconds."""
        return self._recovery

    async def fed(self, share: float) -> None:
        """Wait until Kafka has this share of the signals."""
        while self.acknowledged < share * self.plan.signals:
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), PATIENCE_S)

    async def recovered(self, groups: tuple[str, ...] = READ_MODEL) -> None:
        """Wait until all that was fed until now, a fault's end, has come through; note how long."""
        since = time.monotonic()
        await self.pipeline.caught_up(tuple(filter(self._has, groups)))
        self._recovery = max(self._recovery, time.monotonic() - since)

    async def quiet(self) -> None:
        """Wait until everything has been read and decided, and nothing more has come of it."""
        groups = tuple(filter(self._has, (*EVERYTHING, MATCHING)))
        before = None
        while before != (before := await self.pipeline.ends(topics.EVENTS.name)):
            await self.pipeline.caught_up(groups)
            await none_left("settling", self.unsettled)

    def _has(self, group: str) -> bool:
        """Tell whether the system has these readers."""
        return {GRAPH: self.plan.graph, MATCHING: self.plan.named}.get(group, True)

    def started_at(self, topic: str) -> int:
        """Return how many records a topic had when this run began."""
        return sum(self.starts[topic].values())

    async def gained(self, topic: str) -> int:
        """Return how many records a topic has gained since."""
        return sum((await self.pipeline.ends(topic)).values()) - self.started_at(topic)

    def pick(self, service: str) -> Running:
        """Choose one of a service's processes."""
        return self.dice.choice(self.fleet.processes(service))

    async def shoot(self, running: Running) -> None:
        """SIGKILL a process and wait until the supervisor has started another."""
        self.killed[running.name] += 1
        before = running.process
        await asyncio.to_thread(kill, before)

        def is_back() -> bool:
            now = self.fleet.processes(running.name)[0].process
            return now is not None and now != before and find(now) is not None

        if not await asyncio.to_thread(wait_until, is_back, 30.0):
            self.broken.add("I8", f"{running.name}: was not started again")

    async def ready(self) -> None:
        """Wait until every process that was started again is at work."""
        late = await asyncio.to_thread(self.fleet.wait_ready, PATIENCE_S)
        if late:
            self.broken.add("I8", f"not ready after {PATIENCE_S:.0f} s: {', '.join(late)}")

    async def away(self, part: str, seconds: float) -> None:
        """SIGKILL a part of the stack and start it again later."""
        self.killed[part] += 1
        await asyncio.to_thread(self.stack.kill, part)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.stack.start, [part])

    async def unsettled(self) -> int:
        """Return how many contacts are to be decided again, as statistics have moved."""
        return int(await self.pipeline.value(QUERIES["count_drifted"], DRIFT, self.plan.signals))

    async def feed(self) -> None:
        """Run the feeder to its end."""
        plan, place = self.plan, self.place
        order = Order(
            self.stack.kafka_bootstrap,
            plan.seed,
            plan.signals,
            plan.rate,
            (place.tenant, place.workspace),
            plan.named,
        )
        feeder = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.chaos.feeder", orjson.dumps(asdict(order)).decode()),
            stdout=asyncio.subprocess.PIPE,
        )
        assert feeder.stdout
        try:
            async for line in feeder.stdout:
                self.acknowledged = int(line)
                self._more.set()
            if await feeder.wait():
                raise RuntimeError("the feeder failed")
        finally:
            if feeder.returncode is None:
                with suppress(ProcessLookupError):
                    feeder.kill()
                await feeder.wait()


Fault = Callable[[Run], Awaitable[None]]
Beside = Callable[[Connection, "Sequence[ConsumerRecord]"], Awaitable[None]]


async def run_fault(
    name: str, fault: Fault, pipeline: Pipeline, fleet: Fleet, plan: Plan
) -> Result:
    """Run one fault from a quiet system to a quiet system, and check."""
    place, tenant_id = await make_place(pipeline.stack, name)
    starts = {topic: await pipeline.ends(topic) for topic in WATCHED}
    run = Run(fleet, pipeline, plan, place=place, tenant_id=tenant_id, starts=starts)
    restarts = {one.name: one.restarts for one in fleet.processes()}
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run.feed())
            tasks.create_task(_as_coroutine(fault, run))
        await run.quiet()
    except* TimeoutError as late:
        run.broken.add("I1", f"not drained: {late.exceptions[0]}")
    repeated = await _check(run)
    _check_restarts(fleet, restarts, run)
    return Result(
        name,
        plan.seed,
        plan.signals,
        run.recovery_s,
        run.killed.total(),
        repeated,
        run.broken.lines,
    )


async def _as_coroutine(fault: Fault, run: Run) -> None:
    await fault(run)


async def make_place(stack: Stack, name: str) -> tuple[Place, int]:
    """Make a tenant of the fault's own: no other fault's signals can meet its contacts."""
    connection = await asyncpg.connect(stack.postgres_dsn("kith_cli"))
    try:
        made = await create_tenant(connection, name)
        tenant_id = await connection.fetchval(
            "SELECT id FROM app.tenant WHERE public_id = $1", made.tenant
        )
    finally:
        await connection.close()
    return Place(made.tenant, made.workspace), tenant_id


async def _check(run: Run) -> int:
    """Check every invariant; returns how many events were published again."""
    plan, broken, pipeline = run.plan, run.broken, run.pipeline
    workload = await asyncio.to_thread(make, plan.seed, plan.signals, run.place, named=plan.named)
    raw = await pipeline.read(RAW, run.starts[RAW])
    _check_raw(raw, workload, broken)
    letters = await pipeline.read(SET_ASIDE, run.starts[SET_ASIDE])
    check_dead_letters(letters, raw, workload.poison, broken)
    for place, end in (await pipeline.ends(*OTHER_DEAD_LETTERS)).items():
        if end:
            broken.add("I8", f"{place.topic}: holds {end} dead letters")
    events = await pipeline.read(topics.EVENTS.name, run.starts[topics.EVENTS.name])
    connection = await asyncpg.connect(run.stack.postgres_dsn("kith_migrator"))
    try:
        # After a crash the statistics are gone, and with them any good plan but this one.
        await connection.execute("SET enable_nestloop = off")
        await check_ledger(connection, run.tenant_id, workload, broken)
        await check_identity(connection, run.tenant_id, workload, broken)
        if plan.named:
            again = run.killed.total() * MATCHED_AT_ONCE
            await check_statistics(connection, run.tenant_id, workload, again, broken)
        repeated = await check_told(run, connection, (run.place, run.tenant_id), events)
        for check in run.beside:
            await check(connection, events)
        return repeated
    finally:
        await connection.close()


async def check_told(
    run: Run,
    connection: Connection,
    at: tuple[Place, int],
    events: Sequence[ConsumerRecord],
) -> int:
    """Hold tables, topic and read models of a tenant to its events; returns how many came again."""
    (place, tenant_id), broken = at, run.broken
    states = await folded(connection, tenant_id)
    await check_tables(connection, tenant_id, states, broken)
    await check_read_model(connection, tenant_id, states, broken)
    await check_search(connection, tenant_id, place.tenant, states, broken)
    if run.plan.graph:
        active = await find_active(connection, tenant_id)
        await check_graph(run.stack, place.tenant, states, broken, active)
    own = [one for one in events if header(one.headers, "ce_tenant") == place.tenant]
    return await check_events(connection, tenant_id, own, broken)


def _check_raw(raw: list[ConsumerRecord], workload: Workload, broken: Broken) -> None:
    """Hold Kafka to its acknowledgements, or what follows means nothing."""
    kept = {header(record.headers, "ce_id") for record in raw}
    for one in workload.fed:
        if header(one.message.headers, "ce_id") not in kept:
            broken.add("I1", f"{one.mark}: acknowledged, but not in {RAW}")


def _check_restarts(fleet: Fleet, before: dict[str, int], run: Run) -> None:
    """Hold every process to have ended only when it was killed here."""
    for one in fleet.processes():
        restarts = one.restarts - before[one.name]
        is_excused = one.name in run.excused and restarts > run.killed[one.name]
        if restarts != run.killed[one.name] and not is_excused:
            run.broken.add(
                "I8",
                f"{one.name}: started again {restarts} times, killed {run.killed[one.name]};"
                f" last exit {one.last_exit}",
            )
