"""F2: catch a stage just between two commits.

Its processes are stopped (SIGSTOP) at a random moment, and what they have done is compared with
what they have noted as done. When the two differ, and still do after anything in flight has
arrived, they are in the window and are killed there. Otherwise they go on (SIGCONT), and another
moment is tried. So the services need no hooks for tests: the code that is killed is the code that
runs.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from kith.stack.supervisor import Running
from shared.events import topics
from tests.chaos.run import SET_ASIDE, Run

PATIENCE_S: Final = 20.0
"""How long one stage is aimed at, seconds."""
SETTLED_S: Final = 0.03
"""Within which requests that left before the stop have been carried out, seconds."""

InWindow = Callable[[Run], Awaitable[bool]]


async def catch(run: Run, stage: str) -> list[Running]:
    """Stop a stage in its window; its processes are left stopped. Empty when it never was there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        processes = [one for one in run.fleet.processes(stage) if one.process]
        _signal(processes, signal.SIGSTOP)
        await asyncio.sleep(SETTLED_S)
        if await WINDOWS[stage](run):
            return processes
        _signal(processes, signal.SIGCONT)
        await asyncio.sleep(run.dice.uniform(0.01, 0.1))
    return []


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


WINDOWS: Final[dict[str, InWindow]] = {
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
"""Stage → whether it is in its window, in the order of aiming: ingest and the relay are hit once
only, as what they then send again would count as done."""
