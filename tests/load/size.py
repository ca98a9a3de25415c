"""What identity costs in a large base: the gate and matching, beside a raw COPY and Splink.

    python -m tests.load.size [--base 100000] [--seconds 60] [--rate 1500] [--gate] [--bare]
                              [--before 20000]

Fills a database through the gate itself, then resolves signals of which half are of somebody new:
at a steady rate, then as fast as it goes, matching beside it all the while. With `--before` it goes
as fast as it goes in a base of so many first, and tells how much slower the large one is. Prints a
table and writes `.bench/size.json`.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import psutil

from kith.migrate import PACKAGES
from kith.stack import Stack
from services.resolver.domain.names.compare import compare_persons
from services.resolver.domain.names.person import parse_person
from services.resolver.store import questions
from services.resolver.store.review import reading
from shared.kafka import KafkaSettings
from shared.postgres.migrate import migrate
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.load import baselines
from tests.load.resolving import SEED, Answer
from tests.load.workload import a_person
from tests.support.system import HOMES, empty_stack, heed_signals

HOME: Final = HOMES / "size"
"""The bench's own stack lives here."""

LATEST: Final = Path(".bench/size.json")
"""Where the figures go, for whoever compares runs."""

PACED_WORKERS: Final = 2
"""Resolvers at the steady rate, as many as the local stack runs."""

FLAT_OUT: Final = 100
"""Signals of a batch when nothing paces them."""

MOST_FLAT_OUT_S: Final = 30.0
"""How long nothing paces them, at most, seconds: a base of 100,000 grows by half meanwhile."""

WHYS: Final = 300
"""Contacts that are asked why they are one."""

NAMES: Final = 20_000
"""Pairs of names compared."""


class Base:
    """A database that grows under the bench."""

    def __init__(self, stack: Stack, workers: int) -> None:
        self._workers = workers
        self._server = psutil.Process(stack.pids()["postgres"])
        self.resolver = stack.postgres_dsn("kith_resolver")
        self.relay = stack.postgres_dsn("kith_relay")
        self.owner = stack.postgres_dsn("kith_migrator")
        self.matching: subprocess.Popen[bytes] | None = None

    def start_matching(self) -> None:
        """Match what the gate tells of from now on."""
        self.matching = _child("matching", {"resolver": self.resolver, "relay": self.relay})

    async def end_matching(self) -> Answer | None:
        """Return what matching did, once it is level; without it, nothing."""
        one = self.matching
        return orjson.loads((await asyncio.to_thread(one.communicate))[0]) if one else None

    def stop_matching(self) -> None:
        """Leave no process behind."""
        if self.matching:
            self.matching.kill()
            self.matching.wait()

    async def matched(self) -> None:
        """Wait until matching is level with the gate; without it, forget what it would be told."""
        if not self.matching:
            await self.value("TRUNCATE contact.outbox")
        while await self.value("SELECT EXISTS (SELECT FROM contact.outbox)"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    async def flat_out(self, asked: argparse.Namespace, base: int, first: int) -> Answer:
        """Let half of the signals be of the base, for half as long as asked, as fast as it goes.

        What all processes spent is told of until matching is level again.
        """
        before = self._matching_s() + self._server_s()
        seconds = min(asked.seconds / 2, MOST_FLAT_OUT_S)
        run = await self.resolve(base=base, first=first, seconds=seconds, most=FLAT_OUT)
        await self.matched()
        spent = self._matching_s() + self._server_s() - before
        whole = run["cpu_us_per_signal"]["resolvers"] + 1e6 * spent / run["signals"]
        return {**run, "cpu_us_per_signal_whole": round(whole)}

    def _matching_s(self) -> float:
        """Return the processor time of matching, seconds."""
        if not self.matching:
            return 0.0
        times = psutil.Process(self.matching.pid).cpu_times()
        return float(times.user + times.system)

    async def resolve(self, workers: int | None = None, **settings: Any) -> Answer:
        """Let all workers resolve at once, or so many; returns what they did together."""
        before = self._server_s()
        of = workers or self._workers
        settings |= {"dsn": self.resolver, "of": of}
        children = [_child("signals", {**settings, "number": number}) for number in range(of)]
        try:
            answers = [orjson.loads(one.communicate()[0]) for one in children]
        finally:
            for one in children:
                one.kill()
        seconds = max(one["seconds"] for one in answers)
        took = sorted(ms for one in answers for ms in one["batch_ms"])
        signals = sum(one["signals"] for one in answers)
        cpu = {
            "resolvers": sum(one["cpu_s"] for one in answers),
            "postgres": self._server_s() - before,
        }
        return {
            "cpu_us_per_signal": {name: round(1e6 * s / signals) for name, s in cpu.items()},
            "signals": signals,
            "signals_per_second": round(signals / seconds),
            "batch_ms": {f"p{share}": round(_at(took, share), 1) for share in (50, 95, 99)},
            "batches": len(took),
            "largest_batch": max(one["largest_batch"] for one in answers),
            "tried_again": sum(one["tried_again"] for one in answers),
            "rss_mib": round(max(one["rss_mib"] for one in answers)),
        }

    def _server_s(self) -> float:
        """Return the processor time of the server and of all its backends, gone or not, seconds."""
        own = self._server.cpu_times()
        total = sum((own.user, own.system, own.children_user, own.children_system))
        for one in self._server.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
        return float(total)

    async def value(self, statement: str) -> Any:
        """Look at one value, as the owner."""
        connection = await asyncpg.connect(self.owner)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def settle(self) -> None:
        """Let statistics and the visibility map be as autovacuum would leave them."""
        connection = await asyncpg.connect(self.owner)
        try:
            await connection.execute("VACUUM (ANALYZE)")
        finally:
            await connection.close()

    async def why_ms(self) -> Answer:
        """Ask contacts chosen at random why their records are one; returns how long that takes."""
        settings = PostgresSettings.model_validate({"dsn": self.resolver})
        connection = await asyncpg.connect(self.owner)
        rows = await connection.fetch(
            "SELECT public_id FROM contact.contact ORDER BY md5(public_id) LIMIT $1", WHYS
        )
        await connection.close()
        took = []
        async with connect(settings, "bench-why", lookups_only=True) as pool:
            for row in rows:
                began = time.perf_counter()
                async with reading(pool, None) as store:
                    assert await questions.why(store, row["public_id"])
                took.append(1_000 * (time.perf_counter() - began))
        took.sort()
        return {f"p{share}": round(_at(took, share), 1) for share in (50, 95)}


def _at(values: Sequence[float], share: int) -> float:
    """Return a percentile of sorted values."""
    return values[min(len(values) - 1, len(values) * share // 100)] if values else 0.0


def _child(role: str, settings: Answer) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.load.resolving", role, orjson.dumps(settings).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def names_us() -> float:
    """Compare names of strangers and of the same, parsed each time; returns microseconds a pair."""
    people = [orjson.loads(a_person(SEED, person, "hubspot_crm")) for person in range(1_000)]
    names = [{name: one[name] for name in ("first_name", "last_name")} for one in people]
    dice = random.Random(SEED)
    pairs = [(dice.choice(names), dice.choice(names)) for _ in range(NAMES)]
    began = time.process_time()
    for one, other in pairs:
        compare_persons(parse_person(None, **one), parse_person(None, **other))
    return round(1e6 * (time.process_time() - began) / NAMES, 1)


async def measure(base: Base, asked: argparse.Namespace) -> Answer:
    """Fill the base, then run signals through it."""
    await migrate(base.owner, PACKAGES)
    if not asked.gate:
        base.start_matching()
    small = None
    try:
        if asked.before:
            print(f"filling the base with {asked.before:,} contacts ...", flush=True)
            await _fill(base, 0, asked.before)
            print("as fast as it goes ...", flush=True)
            # Whoever comes new now comes after all of the large base.
            small = await base.flat_out(asked, asked.before, asked.base)
        print(f"filling the base with {asked.base:,} contacts ...", flush=True)
        filled = await _fill(base, asked.before, asked.base)
        first = asked.base + (small["signals"] + asked.workers if small else 0)
        print(f"{asked.rate:,} signals/s for {asked.seconds} s ...", flush=True)
        paced = await base.resolve(
            PACED_WORKERS,
            base=asked.base,
            first=first,
            rate=asked.rate / PACED_WORKERS,
            seconds=asked.seconds,
            gather_ms=KafkaSettings.model_fields["gather_ms"].default,
        )
        behind = await base.value("SELECT count(*) FROM contact.outbox")
        await base.matched()
        first += paced["signals"] + asked.workers
        print("as fast as it goes ...", flush=True)
        flat_out = await base.flat_out(asked, asked.base, first)
        matched = await base.end_matching()
    finally:
        base.stop_matching()
    print("why, names, COPY ...", flush=True)
    return {
        "base": asked.base,
        "workers": asked.workers,
        "before": small and {"base": asked.before, **small},
        "fill": filled,
        "paced": {"offered_per_second": asked.rate, **paced, "events_behind": behind},
        "flat_out": flat_out,
        "matching": matched,
        "contacts": await base.value("SELECT count(*) FROM contact.contact"),
        "merged": await base.value("SELECT count(*) FROM contact.contact WHERE status = 'merged'"),
        "deadlocks": await base.value(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ),
        "why_ms": await base.why_ms(),
        "names_us_per_pair": names_us(),
        "copy": await baselines.copy(base.owner),
    }


async def _fill(base: Base, first: int, until: int) -> Answer:
    """Make people from `first` on contacts, and wait until all is as in the long run."""
    filled = await base.resolve(base=until, first=first, until=until)
    await base.matched()
    await base.settle()
    return filled


def growth(figures: Answer) -> dict[str, str]:
    """Say what the large base is beside the small one, by the clock and by processor time."""
    small, large = figures["before"], figures["flat_out"]
    sizes = f"at {figures['base']:,} against {small['base']:,}"
    told = {}
    for what, of in (
        ("signals/s", "signals_per_second"),
        ("CPU us, with matching", "cpu_us_per_signal_whole"),
    ):
        more = 100 * (large[of] / small[of] - 1)
        told[f"{what}, {sizes}"] = f"{large[of]:,}, {small[of]:,}: {more:+.0f} %"
    return told


def show(figures: Answer) -> None:
    """Print everything."""
    fill, paced, flat_out = figures["fill"], figures["paced"], figures["flat_out"]
    runs = [("filling", fill), ("paced", paced), ("flat out", flat_out)]
    if small := figures["before"]:
        runs.append((f"at {small['base']:,}", small))
    print(
        f"\n{'':10}{'signals/s':>12}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'batch <=':>10}",
        end="",
    )
    print(f"{'CPU us: resolver':>20}{'PostgreSQL':>12}")
    for name, run in runs:
        ms = run["batch_ms"]
        print(
            f"{name:10}{run['signals_per_second']:>12,}{ms['p50']:>10}{ms['p95']:>10}"
            f"{ms['p99']:>10}{run['largest_batch']:>10}"
            f"{run['cpu_us_per_signal']['resolvers']:>20}{run['cpu_us_per_signal']['postgres']:>12}"
        )
    matching, why = figures["matching"], figures["why_ms"]
    rows: dict[str, Any] = {
        "contacts, of them merged": f"{figures['contacts']:,}, {figures['merged']:,}",
        "events that matching was behind after the paced run": f"{paced['events_behind']:,}",
        "deadlocks": figures["deadlocks"],
        "batches tried again": sum(run["tried_again"] for _, run in runs),
        "memory of the largest resolver, MiB": flat_out["rss_mib"],
        "why, p50 and p95 ms": f"{why['p50']}, {why['p95']}",
        "names compared, us a pair": figures["names_us_per_pair"],
        "raw COPY of the same rows, contacts/s": f"{figures['copy']['contacts_per_second']:,}",
        "rows of a contact": figures["copy"]["rows_per_contact"],
    }
    if matching:
        rows["memory of matching, MiB"] = round(matching["rss_mib"])
        rows["CPU of matching, us an event"] = round(1e6 * matching["cpu_s"] / matching["events"])
        rows["batches of matching tried again"] = matching["tried_again"]
    if small:
        rows |= growth(figures)
    if found := figures.get("splink"):
        rows["Splink, new records linked with the base, records/s"] = found["records_per_second"]
    print()
    for name, value in rows.items():
        print(f"{name:54} {value:>18}")


def main() -> None:
    """Measure, beside what nobody can be faster than and what others do."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.size")
    parser.add_argument("--base", type=int, default=100_000)
    parser.add_argument("--before", type=int, default=0, help="a smaller base, to compare with")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=1_500)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--gate", action="store_true", help="without matching")
    parser.add_argument("--bare", action="store_true", help="without Splink")
    asked = parser.parse_args()
    if asked.before >= asked.base:
        parser.error(f"--before {asked.before} is no smaller base: --base is {asked.base}")
    heed_signals()
    with empty_stack(HOME, ["postgres"]) as stack:
        figures = asyncio.run(measure(Base(stack, asked.workers), asked))
    if not asked.bare:
        print("Splink ...", flush=True)
        bodies = (a_person(SEED, person, "hubspot_crm") for person in itertools.count())
        figures["splink"] = baselines.link(bodies, asked.base)
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    show(figures)


if __name__ == "__main__":
    main()
