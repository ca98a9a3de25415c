"""Show 2 through the code that production runs: what shared identifiers cost, gate included.

Matching alone, in memory, is measured by `__main__`. Here the same sets go through ingest's
normalising, the gate, what it takes apart again, and matching, on PostgreSQL.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import asyncpg

from kith.evaluation.labelled import Labelled, read_labelled
from kith.evaluation.measures import Quality
from kith.evaluation.pipeline import open_pipeline
from kith.evaluation.run import Streamed, Wishes
from services.resolver.domain.matching.sharing import is_role_mailbox
from tests.accuracy.report import SHARING_COST
from tests.accuracy.sets import write_tables
from tests.support.database import Databases, databases
from tests.support.stack import running_stack

DIFFICULTIES: Final = ("light", "medium")


@dataclass(frozen=True, slots=True)
class Cost:
    """One set as it is, and with shared identifiers."""

    name: str
    plain: Quality
    shared: Quality
    parted: int
    """Contacts that came apart since a value turned out to be shared."""
    strangers: int
    """Pairs of two people in one contact that have a role mailbox in common, and did not before."""

    def failures(self) -> list[str]:
        """Return the goals that are missed."""
        fell = self.plain.precision - self.shared.precision
        checks = {
            f"{self.name}: precision fell by {fell:.4f}": fell <= SHARING_COST,
            f"{self.name}: {self.strangers} strangers by a role mailbox": not self.strangers,
        }
        return [name for name, is_met in checks.items() if not is_met]

    def line(self) -> str:
        """Return one line for the terminal."""
        return (
            f"{self.name:24}{self.plain.precision:8.4f} → {self.shared.precision:.4f}"
            f"   F1 {self.plain.f1:.4f} → {self.shared.f1:.4f}"
            f"   {self.parted} contacts parted, {self.strangers} strangers by a role mailbox"
        )


def measure_sharing(seed: int, size: int) -> list[Cost]:
    """Stream the CRM sets through the resolver, plain and with shared identifiers."""
    with tempfile.TemporaryDirectory() as folder, running_stack(["postgres"]) as stack:
        list(write_tables(Path(folder), seed, size))

        async def measure() -> list[Cost]:
            async with databases(stack) as made:
                return [
                    await _measure(made, Path(folder), f"crm_{difficulty}_{seed}")
                    for difficulty in DIFFICULTIES
                ]

        return asyncio.run(measure())


async def _measure(made: Databases, folder: Path, name: str) -> Cost:
    plain = read_labelled(folder / f"{name}.csv", "person")
    shared = read_labelled(folder / f"{name}_shared.csv", "person")
    found, _ = await _stream(made, plain)
    other, parted = await _stream(made, shared)
    before = _strangers(found, plain)
    return Cost(
        name,
        Quality.of(found, plain.people),
        Quality.of(other, shared.people),
        parted,
        len(_strangers(other, shared) - before),
    )


async def _stream(made: Databases, labelled: Labelled) -> tuple[dict[str, object], int]:
    """Return record → contact, and how many contacts came apart again."""
    name = await made.create()
    connection = await asyncpg.connect(made.dsn("kith_cli", name))
    try:
        dsns = (made.dsn("kith_resolver", name), made.dsn("kith_relay", name))
        async with open_pipeline(*dsns) as pipeline:
            streamed = Streamed(pipeline, connection, labelled.people)
            wishes = Wishes(seed=1, batch=100, region="US", is_oracle=False, is_spec=False)
            await streamed.admit(labelled.shuffled(1), wishes, lambda _done, _of: None)
            standing = await streamed.standing()
        parted = await connection.fetchval(_PARTED)
    finally:
        await connection.close()
    return standing.partition(labelled.people), parted


def _strangers(found: Mapping[str, object], labelled: Labelled) -> set[tuple[str, str]]:
    """Return pairs of records of two people, one contact and one role mailbox."""
    having = defaultdict(list)
    for row in labelled.rows:
        for email in row.record.get("emails", ()):
            if is_role_mailbox(email["value"].lower()):
                having[email["value"].lower(), found[row.record_id]].append(row.record_id)
    people = labelled.people
    return {
        (one, other)
        for records in having.values()
        for one, other in combinations(sorted(records), 2)
        if people[one] != people[other]
    }


_PARTED: Final = """
SELECT count(DISTINCT entity_id) FROM contact.contact_event
WHERE event_type = 'ContactsSplit' AND payload ->> 'original_id' = entity_public_id
    AND payload ->> 'decided_by' = 'machine'
"""
