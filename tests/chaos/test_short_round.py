"""A short round of chaos: several processes, Kafka and PostgreSQL die while signals flow."""

from collections.abc import Iterator

import pytest

from kith.stack import Fleet, Stack
from tests.chaos.faults import short_round
from tests.chaos.pipeline import Pipeline
from tests.chaos.run import Plan, run_fault
from tests.chaos.system import chaotic
from tests.support.system import HOMES


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[Stack, Fleet]]:
    """Run the system without the graph, which takes longest to start."""
    with chaotic(HOMES / "chaos-short", ("postgres", "kafka", "valkey")) as made:
        yield made


# Who stands still is given up by itself: how long all of it takes is the machine's affair.
@pytest.mark.timeout(600)
@pytest.mark.stack
async def test_nothing_is_lost_or_doubled_when_processes_die(
    system: tuple[Stack, Fleet],
) -> None:
    plan = Plan(signals=4_000, rate=300, seed=42, away_s=0.0, graph_away_s=0.0, graph=False)
    stack, fleet = system
    async with Pipeline(stack) as pipeline:
        result = await run_fault("short round", short_round, pipeline, fleet, plan)
    assert result.kills == 5
    assert result.broken == [], result.line
