"""One round of histories, lived twice in a database and compared."""

import asyncio
from dataclasses import dataclass, fields
from typing import Any, Final

import asyncpg
from aiokafka import ConsumerRecord
from typing_extensions import override

from services.resolver.handlers.signals import Signals
from services.resolver.store import Store
from shared.events import topics
from shared.events.codec import encode
from shared.events.signal import NormalizedSignal
from shared.kafka.batch import Batch, next_offsets
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.company_lives import live_companies
from tests.support.invariants import check_database
from tests.support.reliving import different, lives, scripts

LENGTH: Final = 16
"""Steps of one history."""


@dataclass
class Tally:
    """What was lived, and what came out otherwise."""

    histories: int = 0
    merges: int = 0
    wrong: int = 0
    separated: int = 0
    repeated: int = 0

    def add(self, other: "Tally") -> None:
        """Count another's too."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @override
    def __str__(self) -> str:
        return (
            f"{self.histories:6} histories, {self.merges} merges, {self.wrong} differences,"
            f" {self.separated} separated pairs tried, {self.repeated} records said again"
        )


async def _live(resolver: str, owner_dsn: str, first: int, count: int) -> Tally:
    """Live one round in a database."""
    settings = PostgresSettings.model_validate({"dsn": resolver})
    owner = await asyncpg.connect(owner_dsn)
    try:
        async with connect(settings, "soak", lookups_only=True) as pool:
            store = Store()
            store.open(pool)
            signals = Signals(store)

            async def resolve(*said: NormalizedSignal) -> None:
                records = [_record(encode(one), place) for place, one in enumerate(said)]
                batch = Batch(records, "resolver", next_offsets(records))
                assert not await signals.handle_signals(batch)

            return await _round(owner, store, resolve, first, count)
    finally:
        await owner.close()


async def _round(
    owner: "asyncpg.Connection[asyncpg.Record]", store: Store, resolve: Any, first: int, count: int
) -> Tally:
    stirred, plain = await lives(owner, store, resolve)
    written = scripts(first, count, LENGTH)
    for life in (stirred, plain):
        await life.live(written)
    found = await live_companies((stirred, plain), first)
    found |= different(await stirred.state(), await plain.state())
    for what, (one, other) in list(found.items())[:3]:
        print(f"{what}, from seed {first}:\n  {one}\n  {other}", flush=True)
    answers = await stirred.tempt()
    refused = answers.pop("kept_apart", 0)
    before = await owner.fetchval(_IN_FORCE, stirred.tenant_id)
    repeated = await stirred.repeat(written, again="again")
    again = await owner.fetchval(_IN_FORCE, stirred.tenant_id) - before
    broken = await check_database(owner, stirred.tenant_id)
    for line in broken[:3]:
        print(f"from seed {first}: {line}", flush=True)
    return Tally(
        histories=count,
        merges=sum(map(len, stirred.merges.values())),
        wrong=len(found) + answers.total() + again + len(broken),
        separated=refused,
        repeated=repeated,
    )


def live(resolver: str, owner: str, first: int, count: int) -> Tally:
    """Live one round, in a process of its own."""
    return asyncio.run(_live(resolver, owner, first, count))


def _record(value: bytes, offset: int) -> ConsumerRecord[Any, Any]:
    headers = (("ce_type", topics.TYPE_BY_MODEL[NormalizedSignal].encode()),)
    topic = topics.SIGNALS_NORMALIZED.name
    return ConsumerRecord(topic, 0, offset, 0, 0, None, value, None, 0, len(value), headers)


_IN_FORCE: Final = (
    "SELECT count(*) FROM contact.contact_merge_log WHERE tenant_id = $1 AND split_at IS NULL"
)
