"""Catch a stage just between two commits (F2), or amid a transaction (F13).

For the first, its processes are stopped (SIGSTOP) at a random moment, and what they have done is
compared with what they have noted as done. When the two differ, and still do after anything in
flight has arrived, they are in the window and are killed there. Otherwise they go on (SIGCONT), and
another moment is tried. For the second, a table that it writes to is locked until it stands there.
So the services need no hooks for tests: the code that is killed is the code that runs.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import asyncpg

from kith.stack.supervisor import Running
from shared.events import topics
from tests.chaos.run import MATCHING, SET_ASIDE, Run

PATIENCE_S: Final = 90.0
"""How long one stage is aimed at, seconds: it may have been started anew just before."""
LOOK_S: Final = 0.2
"""Between two looks whether a process waits for a table, seconds."""
HELD_LOOKS: Final = 25
"""After so many the table is let go once, so that nobody waits for long."""
SETTLED_S: Final = 0.03
"""Within which requests that left before the stop have been carried out, seconds."""

InWindow = Callable[[Run], Awaitable[bool]]


async def kill_in(run: Run, stage: str, window: InWindow) -> None:
    """Kill a stage in a window; the fault fails if it never was there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        processes = [one for one in run.fleet.processes(stage) if one.process]
        stopped = time.monotonic()
        _signal(processes, signal.SIGSTOP)
        await asyncio.sleep(SETTLED_S)
        if await window(run):
            for running in processes:
                await run.shoot(running)
            return
        _signal(processes, signal.SIGCONT)
        # As long as it stood, at least: on a busy machine it would come no further.
        await asyncio.sleep(max(time.monotonic() - stopped, run.dice.uniform(0.01, 0.1)))
    run.broken.add("aim", f"{stage}: was never caught in its window")


async def kill_before_write(run: Run, stage: str, table: str) -> None:
    """Kill a process amid a transaction, where it is about to write to a table.

    The table is locked until then, so the process stands there with all that it wrote before.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        connection = await asyncpg.connect(run.stack.postgres_dsn("kith_migrator"))
        try:
            await connection.execute(f"BEGIN; LOCK TABLE {table} IN SHARE MODE")
            # Somebody else who waits for the table may be whom the process waits for.
            for _ in range(HELD_LOOKS):
                await asyncio.sleep(LOOK_S)
                if await connection.fetchval(_WAITING, f"kith-{stage}", table):
                    await run.shoot(run.pick(stage))
                    return
        finally:
            await connection.close()
        await asyncio.sleep(LOOK_S)
    run.broken.add("aim", f"{stage}: never wrote to {table}")


_WAITING: Final = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND application_name = $1 AND relation = $2::text::regclass
"""


def _signal(processes: list[Running], number: signal.Signals) -> None:
    for one in processes:
        if one.process:
            os.kill(one.process.pid, number)


async def _stored_not_committed(run: Run, *, group: str, schema: str, topic: str) -> bool:
    """After the database's commit and before Kafka's."""
    done = await run.pipeline.done(group)
    committed = sum(offset for place, offset in done.items() if place.topic == topic)
    stored = await run.pipeline.value(
        f"SELECT coalesce(sum(next_offset), 0) FROM {schema}.kafka_offset"
        " WHERE consumer_group = $1 AND topic = $2",
        group,
        topic,
    )
    return int(stored) > committed


async def _passed_on_not_committed(run: Run) -> bool:
    """After ingest's signals are in Kafka and before their offsets are committed."""
    passed_on = await run.gained(topics.SIGNALS_NORMALIZED.name) + await run.gained(SET_ASIDE)
    done = await run.pipeline.done("ingest")
    return passed_on > sum(done.values()) - run.started_at(topics.SIGNALS.name)


async def _published_not_deleted(run: Run) -> bool:
    """After events are in Kafka and before they leave the outbox."""
    published = await run.gained(topics.EVENTS.name)
    deleted = await run.pipeline.value(
        "SELECT (SELECT count(*) FROM contact.contact_event WHERE tenant_id = $1)"
        " + (SELECT count(*) FROM contact.organisation_event WHERE tenant_id = $1)"
        " - (SELECT count(*) FROM contact.outbox)",
        run.tenant_id,
    )
    return published > int(deleted)


matched_not_committed: Final[InWindow] = partial(
    _stored_not_committed, group=MATCHING, schema="contact", topic=topics.EVENTS.name
)

BETWEEN_COMMITS: Final[dict[str, InWindow]] = {
    "ingest": _passed_on_not_committed,
    "relay": _published_not_deleted,
    "resolver": partial(
        _stored_not_committed,
        group="resolver",
        schema="contact",
        topic=topics.SIGNALS_NORMALIZED.name,
    ),
    "projector": partial(
        _stored_not_committed, group="projector", schema="read", topic=topics.EVENTS.name
    ),
}
"""Stage of F2 → whether it is in its window, in the order of aiming: ingest and the relay are hit
once only, as what they then send again would count as done."""
