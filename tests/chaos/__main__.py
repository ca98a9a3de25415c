"""`make chaos`: kill everything while signals flow; one line per fault, exit code 1 on a violation.

python -m tests.chaos [--faults F1,F4.kill] [--signals 20000] [--rate 800] [--seed 42]
"""

import argparse
import asyncio
import logging
import random
import sys
import time
from collections import defaultdict
from dataclasses import replace
from typing import Final

from kith.stack import PARTS, Fleet, Stack
from services.projector.store import check
from tests.chaos.faults import FAULTS, MATCHED, chosen
from tests.chaos.pipeline import Pipeline
from tests.chaos.run import Plan, Result, run_fault
from tests.chaos.system import chaotic
from tests.support.system import HOMES

SHOWN: Final = 5
"""Violations of one invariant that are listed for a fault."""


def show(result: Result) -> None:
    """Print a fault's line, and what it broke."""
    print(result.line, flush=True)
    by_invariant = defaultdict(list)
    for line in result.broken:
        by_invariant[line.partition(":")[0]].append(line)
    for invariant, lines in by_invariant.items():
        for line in lines[:SHOWN]:
            print(f"    {line}")
        if len(lines) > SHOWN:
            print(f"    … and {len(lines) - SHOWN} more of {invariant}", flush=True)


async def run_all(names: list[str], stack: Stack, fleet: Fleet, plan: Plan) -> list[Result]:
    """Run faults one after the other, each on signals of its own."""
    results = []
    async with Pipeline(stack) as pipeline:
        for number, name in enumerate(names):
            words, fault = FAULTS[name]
            one = replace(plan, seed=plan.seed + number)
            results.append(await run_fault(words, fault, pipeline, fleet, one))
            show(results[-1])
    return results


def main() -> int:
    """Run the faults one after the other on one system."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--faults", default="", help=f"of {', '.join(FAULTS)}; default: all")
    parser.add_argument("--signals", type=int, default=20_000, help="for each fault")
    parser.add_argument("--rate", type=int, default=1_000, help="signals a second")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000))
    parser.add_argument("--graph-away", type=float, default=60.0, help="F9: seconds without Neo4j")
    parser.add_argument("--without-graph", action="store_true", help="no Neo4j, and so no F9")
    asked = parser.parse_args()
    try:
        names = chosen(asked.faults)
    except ValueError as error:
        parser.error(str(error))
    # Clients that lose their broker say so at length, which is the point here.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    plan = Plan(asked.signals, asked.rate, asked.seed, 20.0, asked.graph_away)
    if asked.without_graph:
        plan = replace(plan, graph=False)
        names = [name for name in names if name != "F9"]
    began = time.monotonic()
    failed = 0
    for matching in (False, True):
        some = [name for name in names if (name in MATCHED) == matching]
        if some:
            failed += run_system(some, replace(plan, named=matching))
    print(f"{len(names)} faults in {time.monotonic() - began:.0f} s, {failed} failed")
    return int(failed > 0)


def run_system(names: list[str], plan: Plan) -> int:
    """Run faults on one system; returns how many failed."""
    parts = tuple(name for name in PARTS if plan.graph or name != "neo4j")
    with chaotic(HOMES / "chaos", parts, matching=plan.named) as (stack, fleet):
        results = asyncio.run(run_all(names, stack, fleet, plan))
        different = asyncio.run(check(stack.postgres_dsn("kith_migrator"), lambda _: None))
    if different:
        print(f"I7: {len(different)} contacts of the read model differ from their events")
    return sum(bool(result.broken) for result in results) + bool(different)


if __name__ == "__main__":
    sys.exit(main())
