"""The demo's story: start, feed, wait, count, report."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from kith.demo import truth
from kith.demo.accounts import settle_account
from kith.demo.ages import Buckets, added, percentile
from kith.demo.errors import DemoError
from kith.demo.examples import choose_examples
from kith.demo.feeding import Fed, FedFile, Found, feed_file, find_all
from kith.demo.ledger import Home, Ledger, open_ledger
from kith.demo.people import DATASET, CrmRecord, load_people
from kith.demo.report import Ages, FileReport, Quality, Report
from kith.demo.screen import Screen
from kith.demo.start import start_everything
from kith.demo.stream import Stream, open_stream
from kith.demo.watch import Watch
from kith.demo.web import find_token, read_ages
from kith.stack import Fleet, Stack
from shared.events import topics
from shared.kafka import KafkaSettings

SAMPLES: Final = (
    "google_contacts.csv",
    "icloud_contacts.vcf",
    "linkedin_connections.csv",
    "phone_backup.csv",
)
"""Files of the folder `samples`, in the order in which they are imported."""
VENDOR_PATIENCE_SECONDS: Final = 5.0
"""How long the demo waits for the vendor simulator's answers about the people of the files."""
UNSETTLED: Final = frozenset({"pending", "processing"})
"""States of a question to a vendor that is not answered yet."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the steps of one run work with."""

    fleet: Fleet
    screen: Screen
    ledger: Ledger
    stream: Stream
    watch: Watch
    client: httpx.AsyncClient
    home: Home
    token: str
    since: datetime
    """The database's clock when this run began."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of one run, seconds."""

    to_start: float
    to_read_model: float


async def tell(wanted: int, screen: Screen) -> Report:
    """Run the demo and answer its report; raises `DemoError` or `StackError` when it cannot."""
    began = time.monotonic()
    stack = Stack.load()
    fleet = Fleet(stack)
    files = find_samples(stack.places.checkout)
    loading = asyncio.create_task(asyncio.to_thread(load_people, wanted))
    kafka = await start_everything(stack, fleet, screen)
    to_start = time.monotonic() - began
    async with _open_run(stack, fleet, kafka, screen) as run:
        fed, ages, to_read_model = await _feed(run, await loading, files)
        times = Times(to_start, to_read_model)
        enrichment = await _wait_for_vendor(run)
        screen.step("counting")
        found = await find_all(fed, run.ledger, run.stream, run.home)
        report = await _report(run, fed, found, ages, times)
    return report.model_copy(
        update={
            "enrichment": dict(enrichment),
            "seconds_in_all": round(time.monotonic() - began, 1),
        }
    )


def find_samples(checkout: Path) -> list[Path]:
    """Find the sample files of a checkout."""
    files = [checkout / "samples" / name for name in SAMPLES]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise DemoError(f"not there: {', '.join(missing)}; run this in a checkout of kith")
    return files


@asynccontextmanager
async def _open_run(
    stack: Stack, fleet: Fleet, kafka: KafkaSettings, screen: Screen
) -> AsyncIterator[Run]:
    async with AsyncExitStack() as closing:
        client = await closing.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False))
        stream = await closing.enter_async_context(open_stream(kafka))
        dsn = stack.postgres_dsn("kith_cli")
        ledger = await closing.enter_async_context(open_ledger(dsn))
        home = await ledger.home()
        token = await find_token(client, fleet, home, dsn, stack.places.home / "demo-key.json")
        watch = Watch(fleet, ledger, stream, screen)
        moment = await ledger.moment()
        yield Run(fleet, screen, ledger, stream, watch, client, home, token, moment)


async def _feed(
    run: Run, records: Sequence[CrmRecord], files: Sequence[Path]
) -> tuple[Fed, Buckets, float]:
    """Feed everything and wait until it can be read.

    Answers what was fed, how old the stream's signals were when they could be read, and the
    seconds that the stream took.
    """
    run.screen.step(f"importing {len(files)} files of contacts: preview, import, report")
    fed_files = [await _feed_file(run, file) for file in files]
    await run.watch.settle()
    known = frozenset(await run.ledger.find_records(run.home, f"{DATASET}/"))
    run.screen.step(f"publishing {len(records):,} CRM records to {topics.SIGNALS.name}")
    before = await read_ages(run.client, run.fleet)
    await run.watch.begin(len(records))
    await run.stream.publish(records, run.home, run.watch.room)
    seconds = await run.watch.finish()
    after = await read_ages(run.client, run.fleet)
    return Fed(records, known, fed_files), added(zip(before, after, strict=True)), seconds


async def _feed_file(run: Run, file: Path) -> FedFile:
    fed = await feed_file(
        file,
        fleet=run.fleet,
        token=run.token,
        ledger=run.ledger,
        stream=run.stream,
        home=run.home,
        since=run.since,
    )
    run.screen.part(fed.upload.file, fed.upload.words)
    return fed


async def _wait_for_vendor(run: Run) -> Mapping[str, int]:
    """Give the vendor's answers a little time, then let what they said arrive."""
    run.screen.step("waiting for the vendor's answers about the people of the files")
    deadline = time.monotonic() + VENDOR_PATIENCE_SECONDS
    counts = await run.ledger.count_enrichments(run.home, run.since)
    while UNSETTLED & counts.keys() and time.monotonic() < deadline:
        words = ", ".join(f"{number} {status}" for status, number in counts.items())
        run.screen.part("vendor", words)
        await asyncio.sleep(0.5)
        counts = await run.ledger.count_enrichments(run.home, run.since)
    await run.watch.settle()
    return counts


async def _report(run: Run, fed: Fed, found: Found, ages: Buckets, times: Times) -> Report:
    ledger, home = run.ledger, run.home
    account = settle_account(found.fates(fed))
    contacts = await ledger.count_contacts(home, run.since)
    candidates = await ledger.find_open_candidates(home)
    differences = await _differences(run)
    entities = {one.record_id: one.entity for one in fed.records}
    joined = truth.join(found.records, candidates)
    problems = tell_problems(account.lost, differences)
    urls = tell_urls(run.fleet)
    return Report(
        ok=not problems,
        problems=problems,
        seconds_to_start=round(times.to_start, 1),
        seconds_to_read_model=round(times.to_read_model, 1),
        seconds_in_all=0.0,
        **{
            name: getattr(account, name)
            for name in ("fed", "new", "already_known", "dead_letters", "lost", "merged")
        },
        signals_per_second=round(len(fed.records) / times.to_read_model, 1),
        age_ms=tell_ages(ages),
        contacts=contacts.living,
        new_contacts=contacts.born,
        in_review=len(candidates),
        not_in_read_model=differences,
        quality=Quality(**asdict(truth.compare(entities, found.records))),
        quality_with_candidates=Quality(**asdict(truth.compare(entities, joined))),
        enrichment={},
        files=tuple(_tell_file(file, found) for file in fed.files),
        conflict=next((file.upload.conflict for file in fed.files if file.upload.conflict), ()),
        examples=await choose_examples(run.client, run.fleet, run.token, ledger, home),
        case=await ledger.choose_case(home),
        urls=urls,
        curl=f"curl -gs -H 'Authorization: Bearer {run.token}' '{urls['contacts']}?page[size]=3'",
        stop="kith down",
    )


async def _differences(run: Run) -> int:
    """Count contacts that read otherwise than they are, once what is under way has arrived."""
    differences = await run.ledger.count_differences(run.home)
    if differences:
        await run.watch.settle()
        differences = await run.ledger.count_differences(run.home)
    return differences


def tell_problems(lost: int, differences: int) -> tuple[str, ...]:
    """Say why the run is no success."""
    found = []
    if lost:
        found.append(f"{lost} signals are neither in the ledger nor among the dead letters")
    if differences:
        found.append(f"{differences} contacts read otherwise than the ledger has them")
    return tuple(found)


def tell_ages(ages: Buckets) -> Ages | None:
    """Say how old signals were when they could be read; None when nothing changed."""
    p50, p99 = percentile(ages, 0.5), percentile(ages, 0.99)
    if p50 is None or p99 is None:
        return None
    return Ages(p50=round(p50 * 1_000, 1), p99=round(p99 * 1_000, 1))


def tell_urls(fleet: Fleet) -> dict[str, str]:
    """Say what there is to open."""
    api, ingest = fleet.url("api"), fleet.url("ingest")
    return {
        "contacts": f"{api}/api/v1/contacts",
        "api description": f"{api}/api/v1/openapi.json",
        "ways in": f"{ingest}/v1/openapi.json",
        "health": f"{api}/healthz",
        "metrics": f"{fleet.url('projector')}/metrics",
    }


def _tell_file(file: FedFile, found: Found) -> FileReport:
    said = file.upload
    new = {key for key in file.keys.values() if key in found.rows and key not in file.known}
    return FileReport(
        file=said.file,
        source=said.source,
        rows=said.rows,
        verdicts=dict(said.verdicts),
        new=len(new),
    )
