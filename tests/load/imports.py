"""`make bench-imports`: large files from upload to report, as a client sees it, on the real system.

    python -m tests.load.imports [--rows 100000] [--cards 50000] [--mbox-mb 1000] [--parts table,…]

Parts: `cards` (vCards with photos, previewed), `table` (a Google CSV: upload, preview, execute),
`mail` (an mbox, previewed), `taken` (a tenth of it, carried out too), `live` (another CSV, while
live signals flow), `parsing` (parsers beside Python's own on the same bytes, as in `make bench`).
Figures go to `.bench/latest.json`.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, Self

import httpx
import orjson
import psutil

from kith import administration
from kith.administration import NewTenant
from kith.stack import Fleet, Stack
from shared.auth import SCOPES
from shared.events import topics
from shared.kafka import KafkaSettings, Producer
from tests.load import parsing
from tests.load.files import write_google_csv, write_mbox, write_vcards
from tests.load.meters import MIB, processor_time, spent
from tests.load.report import LATEST, show_imports
from tests.load.system import HOME, bench_stack, pids, system
from tests.load.workload import feed, messages
from tests.support.system import heed_signals

PARTS: Final = ("cards", "table", "mail", "taken", "live", "parsing")

TAKEN_SHARE: Final = 10
"""Which part of the mailbox is carried out too: the resolver takes longer than reading does."""

PIECE: Final = 1 << 20
"""Bytes that a client sends at once."""

LOOK_S: Final = 0.1
"""Between two looks at an import, seconds."""

WEIGH_S: Final = 0.5
"""Between two looks at the memory of our processes, seconds."""

LIMIT_S: Final = 900.0
"""What takes longer has failed, seconds."""

LIVE_RATE: Final = 200
"""Live signals a second beside an import."""

PROBES: Final = 10
"""Of which so many a second are watched until the read model has them."""

REST_CORES: Final = 0.5
"""Whoever uses less than so much of a core has caught up with what came before."""

REST_S: Final = 3.0
"""Over so long it is looked at, seconds."""

REST_LIMIT_S: Final = 60.0
"""How long the rest of what came before is waited for, seconds."""

LIVE_S: Final = 30
"""How long live signals flow before the import, for comparison, seconds."""

IMPORT_S: Final = 300
"""How long they flow beside each step of the import: one that takes longer is left alone, seconds.
"""

LATE_S: Final = 10
"""How long the last of them are waited for, seconds."""

Figures = dict[str, Any]


class Client:
    """Somebody with an API key."""

    def __init__(self, http: httpx.AsyncClient, fleet: Fleet, place: NewTenant) -> None:
        self.place = place
        self._http = http
        self._ingest = fleet.url("ingest")
        self._api = fleet.url("api")

    async def upload(self, file: Path, **wishes: str) -> tuple[str, float]:
        """Upload a file to be previewed; returns the import and when its last byte was sent."""
        sent = 0.0

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal sent
            with file.open("rb") as content:
                while piece := content.read(PIECE):
                    yield piece
            sent = time.perf_counter()

        answer = await self._http.post(
            f"{self._ingest}/v1/imports", params=wishes, content=pieces()
        )
        answer.raise_for_status()
        return answer.json()["import_id"], sent

    async def first_row(self, import_id: str) -> float:
        """Return when the first row is shown."""
        place = f"{self._ingest}/v1/imports/{import_id}/rows"
        async with asyncio.timeout(LIMIT_S):
            while True:
                answer = await self._http.get(place, params={"limit": 1})
                if answer.raise_for_status().json()["rows"]:
                    return time.perf_counter()
                await asyncio.sleep(LOOK_S / 4)

    async def rests(self, import_id: str, state: str) -> Figures:
        """Wait until an import is so far; returns what is said of it."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                found = await self.told(import_id)
                if found["state"] == state:
                    return found
                assert found["state"] not in ("failed", "discarded"), found["failure"]
                await asyncio.sleep(LOOK_S)

    async def told(self, import_id: str) -> Figures:
        """Say where an import stands."""
        answer = await self._http.get(f"{self._ingest}/v1/imports/{import_id}")
        found: Figures = answer.raise_for_status().json()
        return found

    async def previewed(self, import_id: str) -> Figures:
        """Wait until an import may be executed."""
        return await self.rests(import_id, "ready")

    async def run(self, import_id: str) -> Figures:
        """Execute an import and wait until it is done."""
        await self.execute(import_id)
        return await self.rests(import_id, "done")

    async def execute(self, import_id: str) -> None:
        """Say that it is to be imported."""
        place = f"{self._ingest}/v1/imports/{import_id}/execute"
        (await self._http.post(place)).raise_for_status()

    async def probe(self, number: int) -> float:
        """Push a signal and read its contact; returns how long that took, seconds."""
        signal = {
            "source": "hubspot_crm",
            "source_record_id": f"probe-{number}",
            "full_name": "Live Probe",
            "emails": [{"value": f"probe{number}@live.example"}],
        }
        begun = time.perf_counter()
        answer = await self._http.post(f"{self._ingest}/v1/signals", json=signal)
        position = answer.raise_for_status().json()["signals"][0]["position"]
        while True:
            answer = await self._http.get(
                f"{self._api}/api/v1/contacts",
                params={"page[size]": 1},
                headers={"Kith-Position": position, "Prefer": "wait=10"},
            )
            if "position_not_reached" not in answer.text:
                answer.raise_for_status()
                return time.perf_counter() - begun


@asynccontextmanager
async def client_of(stack: Stack, fleet: Fleet) -> AsyncIterator[Client]:
    """Make a tenant of its own, and somebody who works there."""
    async with administration.connected(stack.postgres_dsn("kith_cli")) as database:
        made = await administration.create_tenant(database, "bench")
        key = await administration.create_key(database, made.workspace, "bench", list(SCOPES))
    headers = {"Authorization": f"Bearer {key.token}"}
    async with httpx.AsyncClient(timeout=LIMIT_S, headers=headers, trust_env=False) as http:
        yield Client(http, fleet, made)


class Weighing:
    """The most memory that each process had, children included, MiB."""

    def __init__(self, fleet: Fleet) -> None:
        self._pids = pids_of(fleet)
        self.most: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._weigh())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _weigh(self) -> None:
        while True:
            for name, pid in self._pids.items():
                root = psutil.Process(pid)
                for place, one in enumerate([root, *root.children(recursive=True)]):
                    with suppress(psutil.NoSuchProcess):
                        part = f"{name}'s helpers" if place else name
                        size = round(one.memory_info().rss / MIB)
                        self.most[part] = max(size, self.most.get(part, 0))
            await asyncio.sleep(WEIGH_S)


def pids_of(fleet: Fleet) -> dict[str, int]:
    """List our own processes."""
    return {one.name: one.process.pid for one in fleet.processes() if one.process}


async def run_table(stack: Stack, fleet: Fleet, file: Path) -> Figures:
    """Upload, preview and execute a table, nothing else going on."""
    async with client_of(stack, fleet) as client, Weighing(fleet) as weighing:
        watched = pids(stack, fleet)
        begun, before = time.perf_counter(), processor_time(watched)
        import_id, sent = await client.upload(file)
        shown = await client.first_row(import_id)
        ready = await client.rests(import_id, "ready")
        previewed, between = time.perf_counter(), processor_time(watched)
        rows = ready["rows"]
        await client.execute(import_id)
        done = await client.rests(import_id, "done")
        ended, after = time.perf_counter(), processor_time(watched)
    assert sum(done["verdicts"].values()) == rows, done["verdicts"]
    return {
        "rows": rows,
        "classes": ready["classes"],
        "verdicts": done["verdicts"],
        "upload_s": round(sent - begun, 2),
        "first_rows_s": round(shown - sent, 2),
        "previewed_per_second": round(rows / (previewed - sent)),
        "executed_per_second": round(rows / (ended - previewed)),
        "upload_to_resolved_per_second": round(rows / (ended - begun)),
        "preview_cpu_us_per_row": spent(before, between, rows),
        "execute_cpu_us_per_row": spent(between, after, rows),
        "most_memory_mib": weighing.most,
    }


async def run_live(stack: Stack, fleet: Fleet, file: Path) -> Figures:
    """Watch live signals before and while a table is previewed and executed."""
    kafka = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)
    figures: Figures = {"live_per_second": LIVE_RATE}
    async with client_of(stack, fleet) as client, Producer(kafka) as producer:
        figures["before"] = await _watched(client, producer, 1, LIVE_S)
        import_id, _ = await client.upload(file)
        for seed, words in enumerate(("previewed", "executed"), start=2):
            step = client.run if words == "executed" else client.previewed
            going, begun = asyncio.create_task(step(import_id)), time.perf_counter()
            figures[f"while_{words}"] = await _watched(client, producer, seed, IMPORT_S, going)
            if not going.done():
                going.cancel()
                figures["import"] = f"not {words} within {IMPORT_S} s"
                break
            await going
            figures[f"{words}_s"] = round(time.perf_counter() - begun, 1)
        told = await client.told(import_id)
    figures["rows_previewed"] = sum(told["classes"].values())
    figures["rows_executed"] = sum(told["verdicts"].values())
    return figures


async def _watched(
    client: Client,
    producer: Producer,
    seed: int,
    seconds: float,
    until: "asyncio.Task[Figures] | None" = None,
) -> Figures:
    """Let live signals flow for so long, or until something ends; tells their ages when read, ms.

    Probes that are still out at the end count as `LATE_S`; those that were refused, or lost a
    connection, are counted by themselves.
    """
    place = (client.place.tenant, client.place.workspace)
    outgoing = messages(topics.SIGNALS.name, int(LIVE_RATE * seconds), 100 + seed, *place)
    flowing = asyncio.create_task(feed(producer, outgoing, LIVE_RATE - PROBES))
    probing: list[asyncio.Task[float]] = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends and not (until and until.done()):
        number = seed * 1_000_000 + len(probing)
        probing.append(asyncio.create_task(client.probe(number)))
        await asyncio.sleep(1 / PROBES)
    flowing.cancel()
    done, late = await asyncio.wait(probing, timeout=LATE_S)
    for one in late:
        one.cancel()
    with suppress(asyncio.CancelledError):
        await flowing
    seen = [1000 * one.result() for one in done if one.exception() is None]
    ages = sorted([*seen, *[1000.0 * LATE_S] * len(late)])
    shares = quantiles(ages if len(ages) > 1 else ages * 2, n=100)
    return {
        "probes": len(ages),
        "never_seen": len(late),
        "failed": len(done) - len(seen),
        **{f"p{share}_ms": round(shares[share - 1]) for share in (50, 95, 99)},
        "most_ms": round(ages[-1]),
    }


async def run_cards(stack: Stack, fleet: Fleet, file: Path) -> Figures:
    """Upload and preview vCards."""
    async with client_of(stack, fleet) as client, Weighing(fleet) as weighing:
        watched = pids(stack, fleet)
        begun, before = time.perf_counter(), processor_time(watched)
        import_id, sent = await client.upload(file)
        shown = await client.first_row(import_id)
        ready = await client.rests(import_id, "ready")
        previewed, after = time.perf_counter(), processor_time(watched)
    return {
        "cards": ready["rows"],
        "upload_s": round(sent - begun, 2),
        "first_rows_s": round(shown - sent, 2),
        "previewed_per_second": round(ready["rows"] / (previewed - sent)),
        "preview_cpu_us_per_row": spent(before, after, ready["rows"]),
        "most_memory_mib": weighing.most,
    }


async def run_mail(stack: Stack, fleet: Fleet, file: Path, count: int, *, look: bool) -> Figures:
    """Have a mailbox previewed, and carried out too; the end is when every message has its verdict.

    `look`: previewed alone.
    """
    async with client_of(stack, fleet) as client, Weighing(fleet) as weighing:
        watched = pids(stack, fleet)
        begun, before = time.perf_counter(), processor_time(watched)
        import_id, sent = await client.upload(file, kind="mail")
        told = await client.rests(import_id, "ready")
        previewed, between = time.perf_counter(), processor_time(watched)
        assert told["rows"] == told["classes"]["new"] == count, told
        figures = {
            "messages": count,
            "upload_s": round(sent - begun, 2),
            "previewed_per_second": round(count / (previewed - sent)),
            "preview_cpu_us_per_message": spent(before, between, count),
        }
        if not look:
            done = await client.run(import_id)
            ended, after = time.perf_counter(), processor_time(watched)
            assert done["verdicts"]["recorded"] == count, done["verdicts"]
            figures["executed_per_second"] = round(count / (ended - previewed))
            figures["execute_cpu_us_per_message"] = spent(between, after, count)
    return {**figures, "most_memory_mib": weighing.most}


def rest(stack: Stack, fleet: Fleet) -> None:
    """Wait until the indexes and matching are done with what came before."""
    deadline = time.monotonic() + REST_LIMIT_S
    while time.monotonic() < deadline:
        before = processor_time(pids(stack, fleet))
        time.sleep(REST_S)
        after = processor_time(pids(stack, fleet))
        if sum(after.values()) - sum(before.values()) < REST_CORES * REST_S:
            return


def run(parts: list[str], rows: int, cards: int, mbox_mb: int) -> Figures:
    """Measure the parts, one after another, on an empty stack."""
    figures: Figures = {}
    if "parsing" in parts:
        figures["parsing"] = parsing.figures()
        parts.remove("parsing")
    if not parts:
        return figures
    with bench_stack() as stack, system(stack) as fleet:
        folder = HOME.parent / "files"
        folder.mkdir(exist_ok=True)
        for part in parts:
            rest(stack, fleet)
            print(f"imports: {part} ...", flush=True)
            if part in ("table", "live"):
                file = write_google_csv(folder / "google.csv", rows)
                measure = run_table if part == "table" else run_live
                figures[part] = asyncio.run(measure(stack, fleet, file))
            elif part == "cards":
                file = write_vcards(folder / "cards.vcf", cards)
                figures[part] = asyncio.run(run_cards(stack, fleet, file))
            else:
                size = mbox_mb if part == "mail" else mbox_mb // TAKEN_SHARE
                file, count = write_mbox(folder / "mail.mbox", size * 1_000_000)
                look = part == "mail"
                figures[part] = asyncio.run(run_mail(stack, fleet, file, count, look=look))
            figures[part]["megabytes"] = round(file.stat().st_size / 1e6)
            file.unlink()
    return figures


def _parts(text: str) -> list[str]:
    """Read the parts that are to be measured, and refuse what is none."""
    parts = [part.strip() for part in text.split(",")]
    if unknown := [part for part in parts if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no part; say {', '.join(PARTS)}")
    return parts


def main() -> None:
    """Measure what is asked for, keep it beside the other figures, and print it."""
    parser = argparse.ArgumentParser(prog="make bench-imports")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--cards", type=int, default=50_000)
    parser.add_argument("--mbox-mb", type=int, default=1_000)
    parser.add_argument("--parts", type=_parts, default=PARTS)
    asked = parser.parse_args()
    heed_signals()
    figures = run(asked.parts, asked.rows, asked.cards, asked.mbox_mb)
    kept = orjson.loads(LATEST.read_bytes()) if LATEST.exists() else {}
    LATEST.parent.mkdir(exist_ok=True)
    kept["imports"] = kept.get("imports", {}) | figures
    LATEST.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2))
    show_imports(figures)


if __name__ == "__main__":
    main()
