"""Percentiles of a Prometheus histogram, of what was observed between two readings of it."""

import math
from collections.abc import Iterable, Mapping

from prometheus_client.parser import text_string_to_metric_families

Buckets = Mapping[float, float]
"""Upper bound → observations up to it, cumulative."""


def read_buckets(text: str, metric: str, labels: Mapping[str, str]) -> Buckets:
    """Find a histogram in the text of `/metrics`; empty when it is not there."""
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == metric
        for sample in family.samples
        if sample.name == f"{metric}_bucket" and labels.items() <= sample.labels.items()
    }


def added(readings: Iterable[tuple[Buckets, Buckets]]) -> Buckets:
    """Sum what several processes have observed from one reading (the first) to the next.

    A process that was restarted in between began to count anew.
    """
    total: dict[float, float] = {}
    for before, after in readings:
        restarted = after.get(math.inf, 0) < before.get(math.inf, 0)
        for bound, count in after.items():
            total[bound] = total.get(bound, 0) + count - (0 if restarted else before.get(bound, 0))
    return total


def percentile(buckets: Buckets, share: float) -> float | None:
    """Estimate a percentile as Prometheus does, evenly within a bucket; None without any."""
    count = buckets.get(math.inf, 0)
    if count <= 0:
        return None
    wanted, below, lower = share * count, 0.0, 0.0
    for bound in sorted(buckets):
        reached = buckets[bound]
        if reached >= wanted:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (wanted - below) / (reached - below)
        below, lower = reached, bound
    return lower
