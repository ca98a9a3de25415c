"""The indexer's one handler, once per index.

Each index has a consumer group of its own: while Neo4j is away its group backs off and its lag
grows, and search goes on. The price, reading the topic twice, is small at the indexer's pace.
"""

import time
from collections.abc import Sequence
from typing import Final

from services.indexer.domain.changes import Changes, Mention, read_mention
from services.indexer.store import Index, Store
from shared.errors import PoisonMessageError
from shared.kafka.batch import Batch, Rejected
from shared.kafka.pace import Resting
from shared.observability import metrics

OBSERVED: Final = 8
"""One event in so many is timed: a share of them tells the ages, and each costs a microsecond."""


async def handle_events(
    batch: Batch, store: Store, index: Index, rest: Resting, path: str
) -> Sequence[Rejected]:
    """Bring an index up to the contacts that a batch names, then rest a while."""
    started = time.monotonic()
    mentions, rejected = _read(batch)
    ids = sorted({mention.contact_id for mention in mentions if mention.contact_id is not None})
    companies = [mention.company for mention in mentions if mention.company is not None]
    async with store.transaction() as tx:
        changes = Changes(await tx.find_contacts(ids), companies)
        await index.save(tx, changes)
        await tx.save_offsets(batch.group, batch.next_offsets)
    _observe(mentions[::OBSERVED], path)
    await rest(len(ids), started)
    return rejected


def _read(batch: Batch) -> tuple[list[Mention], list[Rejected]]:
    mentions: list[Mention] = []
    rejected: list[Rejected] = []
    for record in batch.records:
        try:
            mentions.append(read_mention(record.headers, record.value))
        except PoisonMessageError as error:
            rejected.append(Rejected(record, error))
    return mentions, rejected


def _observe(mentions: Sequence[Mention], path: str) -> None:
    now = time.time()
    observe = metrics.END_TO_END_SECONDS.labels(path).observe
    for mention in mentions:
        if mention.recorded_at is not None:
            observe(now - mention.recorded_at.timestamp())
