"""Which service processes one machine runs, and what each is told."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

STOP_SECONDS = 20.0
"""A process that has not drained and ended by then is killed (issue 3, section 1)."""


@dataclass(frozen=True)
class Service:
    """One kind of process."""

    name: str
    words: Sequence[str]
    """What follows the Python interpreter."""
    role: str = "kith_cli"
    """Its PostgreSQL role."""
    replicas: int = 1
    nice: int = 0
    stop_seconds: float = STOP_SECONDS
    probe: str = "/readyz"
    """The path that answers 200 when the process is ready."""
    module: str | None = None
    """Left out of the plan while this module does not exist."""


SERVICES: tuple[Service, ...] = (
    Service(
        "vendor",
        ("-m", "kith.simulators.vendor"),
        probe="/healthz",
        module="kith.simulators.vendor",
    ),
    Service("ingest", ("-m", "services.ingest"), role="kith_ingest"),
    Service("resolver", ("-m", "services.resolver"), role="kith_resolver", replicas=2),
    Service("relay", ("-m", "services.resolver.relay"), role="kith_relay"),
    # Matching, the search index and the graph may lag; what a person waits for may not.
    Service("matcher", ("-m", "services.resolver.matcher"), role="kith_resolver", nice=10),
    Service("projector", ("-m", "services.projector"), role="kith_projector"),
    Service("indexer", ("-m", "services.indexer"), role="kith_indexer", nice=10),
    Service("enricher", ("-m", "services.enricher"), role="kith_enricher"),
    Service("api", ("-m", "services.api"), role="kith_api"),
)
"""Every process of the system, in the order in which `kith status` lists them."""


class Planned(BaseModel):
    """One process that the supervisor has to keep running."""

    model_config = ConfigDict(frozen=True)

    name: str
    service: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """Added to the environment that the supervisor itself was started with."""
    cwd: Path
    port: int
    probe: str = "/readyz"
    nice: int = 0
    stop_seconds: float = STOP_SECONDS


class Plan(BaseModel):
    """Everything that the supervisor has to keep running."""

    model_config = ConfigDict(frozen=True)

    processes: tuple[Planned, ...] = ()


def name_processes(
    services: Iterable[Service], replicas: Mapping[str, int]
) -> list[tuple[str, Service]]:
    """Name every process after its service and its number: `resolver-1`, `resolver-2`."""
    named = []
    for service in services:
        count = replicas.get(service.name, service.replicas)
        if service.module and importlib.util.find_spec(service.module) is None:
            continue
        named += [(f"{service.name}-{number + 1}", service) for number in range(count)]
    return named


def make_plan(
    named: Sequence[tuple[str, Service]],
    *,
    checkout: Path,
    ports: Mapping[str, int],
    environments: Mapping[str, Mapping[str, str]],
    extra: Mapping[str, Mapping[str, str]],
) -> Plan:
    """Say for every process what to run and with which environment.

    `environments` holds one environment for each role, `extra` what the caller adds for a
    service (or, under `*`, for all).  Every process also learns the URL of the first process of
    each service.
    """
    urls = {
        f"{service.name.upper()}_URL": f"http://127.0.0.1:{ports[name]}"
        for name, service in reversed(named)
    }
    if "VENDOR_URL" in urls:
        urls["ENRICHER_VENDOR_URL"] = urls.pop("VENDOR_URL")
    return Plan(
        processes=tuple(
            Planned(
                name=name,
                service=service.name,
                argv=(sys.executable, *service.words),
                env={
                    **environments[service.role],
                    **urls,
                    "HTTP_HOST": "127.0.0.1",
                    "HTTP_PORT": str(ports[name]),
                    f"{service.name.upper()}_PORT": str(ports[name]),
                    "PYTHONUNBUFFERED": "1",
                    **extra.get("*", {}),
                    **extra.get(service.name, {}),
                },
                cwd=checkout,
                port=ports[name],
                probe=service.probe,
                nice=service.nice,
                stop_seconds=service.stop_seconds,
            )
            for name, service in named
        )
    )
