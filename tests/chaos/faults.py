"""The faults (runtime 3.3), each injected after measured progress."""

import asyncio
import shutil
import time
from functools import partial
from typing import Final

from tests.chaos.aim import BETWEEN_COMMITS, kill_before_write, kill_in, matched_not_committed
from tests.chaos.files import Files
from tests.chaos.pushes import SLOWEST_S, pushing
from tests.chaos.run import EVERYTHING, INDEXES, MATCHING, READ_MODEL, Fault, Run

MOMENTS: Final = (0.2, 0.45, 0.7)
"""Shares of the signals after which something is killed."""

SHARES_OF_FILES: Final = (0.3, 1.05, 1.5)
"""How far a file is when something is killed: while it is read (up to 1), and carried out."""

STAGES: Final = ("ingest", "resolver", "relay", "projector", "indexer", "enricher")

SINKS: Final = {"indexer": INDEXES, "enricher": ("enricher",)}
"""Who has to have caught up after a stage was killed; for the others the read model has."""


async def no_fault(run: Run) -> None:
    """Break nothing: the reference."""
    await run.fed(0.5)
    await run.recovered()


async def kill_stage(run: Run, stage: str) -> None:
    """F1: kill -9 of a random process of a stage, three times."""
    for moment in MOMENTS:
        await run.fed(moment)
        await run.shoot(run.pick(stage))
        await run.recovered(SINKS.get(stage, READ_MODEL))


async def kill_between_commits(run: Run) -> None:
    """F2: kill -9 just where work is done and not yet noted as done, in four stages."""
    for number, (stage, window) in enumerate(BETWEEN_COMMITS.items()):
        await run.fed(0.1 + 0.1 * number)
        await kill_in(run, stage, window)
    await run.recovered()


async def kill_kafka(run: Run) -> None:
    """F4: kill -9 of the broker, started again at once on the same files, twice."""
    for moment in (0.2, 0.6):
        await run.fed(moment)
        await run.away("kafka", 0.0)
        await run.recovered()


async def kafka_away(run: Run) -> None:
    """F4: the broker is down for a while."""
    await run.fed(0.3)
    await run.away("kafka", run.plan.away_s)
    await run.recovered()


async def crash_postgres(run: Run) -> None:
    """F6: the database server and all its processes die at once, twice."""
    for moment in (0.2, 0.6):
        await run.fed(moment)
        await run.away("postgres", 0.0)
        await run.recovered()


async def lose_valkey(run: Run) -> None:
    """F8: Valkey dies and comes back empty, twice, while limits are asked of it."""
    async with pushing(run) as pushes:
        for moment in (0.2, 0.6):
            await run.fed(moment)
            await pushes.refused_again()
            run.killed["valkey"] += 1
            await asyncio.to_thread(run.stack.kill, "valkey")
            shutil.rmtree(run.stack.places.data / "valkey", ignore_errors=True)
            await pushes.go_on()
            await asyncio.to_thread(run.stack.start, ["valkey"])
            await run.recovered()
        await pushes.refused_again()
        if pushes.slowest_s > SLOWEST_S:
            run.broken.add(
                "F8", f"an answer took {pushes.slowest_s:.1f} s, though no truth was away"
            )


async def kill_amid_pushes(run: Run) -> None:
    """F12: kill -9 of ingest, and a crash of PostgreSQL, while signals are pushed over HTTP."""
    async with pushing(run) as pushes:
        for moment in (0.2, 0.4, 0.6):
            await run.fed(moment)
            await run.shoot(run.pick("ingest"))
            await pushes.go_on()
        await run.away("postgres", 0.0)
        await pushes.go_on()
        await run.recovered()


async def neo4j_away(run: Run) -> None:
    """F9: the graph is down; its own group waits, and nobody else notices."""
    await run.fed(0.2)
    run.killed["neo4j"] += 1
    await asyncio.to_thread(run.stack.kill, "neo4j")
    until = time.monotonic() + run.plan.graph_away_s
    others = tuple(group for group in EVERYTHING if group != "indexer-graph")
    while time.monotonic() < until:
        await run.pipeline.caught_up(others)
        await asyncio.sleep(1.0)
    if not await run.pipeline.is_behind("indexer-graph", "contact.events.v1"):
        run.broken.add("F9", "the graph's group has no lag, though the graph was down")
    await asyncio.to_thread(run.stack.start, ["neo4j"])
    await run.recovered(("indexer-graph",))


async def kill_amid_files(run: Run, stage: str) -> None:
    """F10: kill -9 of a process while files are read, sent, and decided about."""
    await run.fed(0.1)
    files = await Files.uploaded(run)
    for share in SHARES_OF_FILES:
        await files.come(share)
        await run.shoot(run.pick(stage))
    await files.done()
    await run.recovered(INDEXES)


async def crash_postgres_amid_files(run: Run) -> None:
    """F10: the database dies while files are read, sent, and decided about."""
    await run.fed(0.1)
    files = await Files.uploaded(run)
    for share in SHARES_OF_FILES:
        await files.come(share)
        await run.away("postgres", 0.0)
    await files.done()
    await run.recovered(INDEXES)


async def no_fault_amid_files(run: Run) -> None:
    """F10 without a fault: the reference."""
    await run.fed(0.1)
    await (await Files.uploaded(run)).done()
    await run.recovered(INDEXES)


async def two_at_once(run: Run) -> None:
    """F11: the relay and the database die at once, then Kafka and a resolver."""
    for share, part, stage in ((0.2, "postgres", "relay"), (0.6, "kafka", "resolver")):
        await run.fed(share)
        shot = run.pick(stage)
        run.excused.add(shot.name)
        await asyncio.gather(run.away(part, 0.0), run.shoot(shot))
        await run.recovered()


async def kill_matcher(run: Run) -> None:
    """F13: kill -9 of the matcher, wherever it is in its work, and of PostgreSQL, as it settles."""
    await run.fed(0.2)
    await run.shoot(run.pick("matcher"))
    await run.fed(0.4)
    await kill_in(run, "matcher", matched_not_committed)
    await run.fed(0.6)
    await kill_before_write(run, "matcher", "contact.outbox")
    await run.fed(1.0)
    await run.recovered((*INDEXES, MATCHING))
    await kill_before_write(run, "matcher", "contact.last_matched")
    if not await run.unsettled():
        run.broken.add("aim", "nothing was left to be decided again")
    await run.away("postgres", 0.0)
    await run.recovered((*INDEXES, MATCHING))


async def short_round(run: Run) -> None:
    """F1 of three stages, F4 and F6 in one run: what `make test` can afford."""
    for moment, stage in ((0.1, "resolver"), (0.2, "relay"), (0.3, "projector")):
        await run.fed(moment)
        await run.shoot(run.pick(stage))
    await run.fed(0.5)
    # Who starts anew while a server is away ends, which is not what is looked for here (F11).
    await run.ready()
    await run.away("kafka", 0.0)
    await run.fed(0.8)
    await run.away("postgres", 0.0)
    await run.recovered()


FAULTS: Final[dict[str, tuple[str, Fault]]] = {
    "F0": ("F0 none", no_fault),
    **{
        f"F1.{stage}": (f"F1 kill -9 {stage}", partial(kill_stage, stage=stage)) for stage in STAGES
    },
    "F2": ("F2 kill between commits", kill_between_commits),
    "F4.kill": ("F4 broker kill", kill_kafka),
    "F4.away": ("F4 broker down", kafka_away),
    "F6": ("F6 PostgreSQL crash", crash_postgres),
    "F8": ("F8 Valkey lost, empty", lose_valkey),
    "F9": ("F9 Neo4j down", neo4j_away),
    "F10.none": ("F10 files, none", no_fault_amid_files),
    "F10.ingest": ("F10 files, kill -9 ingest", partial(kill_amid_files, stage="ingest")),
    "F10.resolver": ("F10 files, kill resolver", partial(kill_amid_files, stage="resolver")),
    "F10.postgres": ("F10 files, PostgreSQL crash", crash_postgres_amid_files),
    "F11": ("F11 two at once", two_at_once),
    "F12": ("F12 pushes, kill ingest", kill_amid_pushes),
    "F13": ("F13 kill -9 matcher", kill_matcher),
}
"""Name on the command line → name in the report, and the fault."""

MATCHED: Final = frozenset({"F13"})
"""Faults of a system that matches people by name, which the others do without."""


def chosen(names: str) -> list[str]:
    """Return the faults of a list like `F1,F4.away`; `F1` stands for all that begin so."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if not any(_is(fault, name) for fault in FAULTS)]
    if unknown:
        message = f"no fault {', '.join(unknown)}: there are {', '.join(FAULTS)}"
        raise ValueError(message)
    return [fault for fault in FAULTS if not wanted or any(_is(fault, name) for name in wanted)]


def _is(fault: str, name: str) -> bool:
    return fault == name or fault.startswith(f"{name}.")
