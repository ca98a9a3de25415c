"""One whole system for all of these tests: every process, on a stack of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kith.stack import Fleet, Stack
from tests.e2e.collector import Collector, collecting
from tests.e2e.running import Running, connected
from tests.support.system import HOMES, empty_stack, services

ENRICHER = {
    "ENRICHER_AUTO": "true",
    "ENRICHER_VENDOR_KEY": "e2e",
    "ENRICHER_POLL_SECONDS": "0.2",
    "ENRICHER_MAX_CALLS_PER_SECOND": "50",
}
"""Vendors are asked about new contacts at once."""


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture(scope="session")
def system(collector: Collector) -> Iterator[tuple[Stack, Fleet]]:
    """Run everything; traces are kept when their sender has sampled them, and only then."""
    everyone = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_TRACES_SAMPLER_ARG": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        # Whoever was killed holds its partitions for so long.
        "KAFKA_SESSION_TIMEOUT_MS": "10000",
    }
    with empty_stack(HOMES / "e2e") as stack:
        env = {
            "*": everyone,
            "enricher": ENRICHER,
            "vendor": {"SIMULATOR_MATCH_SHARE": "0"},  # who is not marked `match+` is not known
        }
        with services(stack, env=env, replicas={"vendor": 1}) as fleet:
            yield stack, fleet


@pytest.fixture(scope="session")
async def running(system: tuple[Stack, Fleet], collector: Collector) -> AsyncIterator[Running]:
    stack, fleet = system
    async with connected(stack, fleet, collector) as made:
        yield made
