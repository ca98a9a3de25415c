"""Clocks and scales of the bench: CPU and memory per process, percentiles from histograms."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

import httpx
import psutil

_BUCKET: Final = re.compile(r"^pipeline_end_to_end_seconds_bucket\{(.*)\} (\S+)$", re.MULTILINE)
MIB: Final = 1024 * 1024
"""Bytes of a MiB."""


def processor_time(pids: Mapping[str, int]) -> dict[str, float]:
    """Read what every process has used, seconds, with its children: a PostgreSQL's are backends."""
    found: dict[str, float] = {}
    for name, family in _families(pids):
        found[name] = 0.0
        for one in family:
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                # Children that ended are counted by their parent.
                found[name] += times.user + times.system
    return found


def memory(pids: Mapping[str, int]) -> dict[str, float]:
    """Read every process's memory with its children, MiB.

    Not while anything is timed: the kernel walks all that each of them has mapped, and holds up
    who maps more meanwhile.
    """
    found: dict[str, float] = {}
    for name, family in _families(pids):
        found[name] = 0.0
        for one in family:
            with suppress(psutil.NoSuchProcess):
                whole = one.memory_full_info()
                # Pages that backends share count once, where the system tells.
                found[name] += getattr(whole, "pss", whole.rss) / MIB
    return found


def _families(pids: Mapping[str, int]) -> Iterator[tuple[str, list[psutil.Process]]]:
    for name, pid in pids.items():
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            yield name, [root, *root.children(recursive=True)]


def spent(
    before: Mapping[str, float], after: Mapping[str, float], signals: int
) -> dict[str, float]:
    """Return processor time per signal by process, microseconds, replicas added up."""
    found: dict[str, float] = {}
    for name, seconds in after.items():
        stage = name.rpartition("-")[0] if name[-1:].isdigit() else name
        used = (seconds - before.get(name, 0.0)) / signals * 1e6
        found[stage] = found.get(stage, 0.0) + used
    return {name: round(value, 1) for name, value in found.items()}


Buckets = dict[float, float]
"""Upper bound (seconds) → observations at or below it."""


def buckets(url: str, path: str) -> Buckets:
    """Read a process's end-to-end histogram."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    found: Buckets = {}
    for labels, value in _BUCKET.findall(text):
        named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if named["path"] == path:
            found[float(named["le"])] = float(value)
    return found


def quantile(before: Buckets, after: Buckets, share: float) -> float | None:
    """Interpolate a quantile of what was observed between two readings, as Prometheus does."""
    counts = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    total = max(counts.values(), default=0)
    if not total:
        return None
    wanted, low, below = share * total, 0.0, 0.0
    for bound, count in counts.items():
        if count >= wanted:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - below) / max(count - below, 1e-9)
        low, below = bound, count
    return low


def percentiles(before: Buckets, after: Buckets) -> dict[str, int]:
    """Return p50, p95 and p99 of what was observed between two readings, milliseconds."""
    return {
        f"p{round(share * 100)}": round(1000 * (quantile(before, after, share) or 0))
        for share in (0.5, 0.95, 0.99)
    }
