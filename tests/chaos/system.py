"""The system that chaos is let loose on."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kith.stack import PARTS, Fleet, Stack
from tests.support.system import empty_stack, services

ENVIRONMENT: Final = {
    # A killed consumer is noticed after this; 30 s, the default, would be most of the run.
    "*": {"KAFKA_SESSION_TIMEOUT_MS": "6000", "KAFKA_HEARTBEAT_INTERVAL_MS": "1000"},
    # The default keeps the indexer behind the hot path; here it should be in the line of fire.
    "indexer": {"INDEXER_DOCUMENTS_PER_SECOND": "5000"},
}


@contextmanager
def chaotic(
    home: Path, parts: Iterable[str] = tuple(PARTS), *, matching: bool = False
) -> Iterator[tuple[Stack, Fleet]]:
    """Run every service on a stack of its own.

    Matching only where it is asked for: elsewhere everybody is called alike, and the truth knows
    identifiers only, so that names would join more.
    """
    with (
        empty_stack(home, parts) as stack,
        services(stack, env=ENVIRONMENT, replicas={"matcher": int(matching)}) as fleet,
    ):
        yield stack, fleet
