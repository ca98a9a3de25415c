"""The bare skeleton: what any such pipeline must do on these parts, and no product in it.

produce → consume → set-based inserts in one durable transaction per batch → relay → consume.
The same Kafka, PostgreSQL, clients and messages as kith's; one process per stage, two writers.

    python -m tests.load.skeleton writer|relay|checker   (its settings as JSON in argv)
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from shared.identifiers.ulids import ulids
from shared.kafka import KafkaSettings, Outgoing, Producer

SIGNALS: Final = "bench.skeleton.signals"
EVENTS: Final = "bench.skeleton.events"
TABLES: Final = (Path(__file__).parent / "skeleton.sql").read_text()
BATCH: Final = 500

_FIND: Final = """
SELECT i.kind, i.value, i.contact_id
FROM unnest($1::smallint[], $2::text[]) AS u (kind, value)
JOIN identifier i ON i.kind = u.kind AND i.value = u.value
"""


async def consumer(bootstrap: str, topic: str, group: str) -> AIOKafkaConsumer:
    """Join a group."""
    joined = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=BATCH,
    )
    await joined.start()
    return joined


def keys_of(signal: dict[str, Any]) -> list[tuple[int, str]]:
    """Return what identifies the person, as it stands in the message."""
    return [
        (1, signal["emails"][0]["value"]),
        (2, signal["phones"][0]["value"]),
        (3, signal["linkedin_url"]),
    ]


async def writer(bootstrap: str, dsn: str) -> None:
    """Consume signals; write new persons and what is told of known ones."""
    source = await consumer(bootstrap, SIGNALS, "writer")
    database = await asyncpg.connect(
        dsn, server_settings={"enable_seqscan": "off", "enable_hashjoin": "off", "jit": "off"}
    )
    numbers = Numbers(database)
    while True:
        polled = await source.getmany(timeout_ms=20)
        records = [record for some in polled.values() for record in some]
        if records:
            async with database.transaction():
                await _write(
                    database,
                    numbers,
                    [orjson.loads(one.value) for one in records],
                    [(one.partition << 40) + one.offset for one in records],
                    [one.value for one in records],
                )
            await source.commit()


class Numbers:
    """Contact ids, drawn in blocks."""

    def __init__(self, database: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._database = database
        self._block: Iterator[int] = iter(())

    async def take(self, wanted: int) -> list[int]:
        """Return so many ids."""
        taken: list[int] = []
        while len(taken) < wanted:
            for number in self._block:
                taken.append(number)
                if len(taken) == wanted:
                    return taken
            first = await self._database.fetchval("SELECT nextval('contact_ids')")
            self._block = iter(range(first, first + 1000))
        return taken


async def _write(
    database: "asyncpg.Connection[asyncpg.Record]",
    numbers: Numbers,
    signals: list[dict[str, Any]],
    signal_ids: list[int],
    payloads: list[bytes],
) -> None:
    keys = [keys_of(one) for one in signals]
    flat = sorted({key for some in keys for key in some})
    found = await database.fetch(_FIND, [kind for kind, _ in flat], [value for _, value in flat])
    known = {(row["kind"], row["value"]): row["contact_id"] for row in found}
    fresh = await numbers.take(len(signals))
    names = ulids(len(signals))
    owners, new = [], []
    for index, some in enumerate(keys):
        owner = next((known[key] for key in some if key in known), None)
        if owner is None:
            owner = fresh[index]
            new.append(index)
            known.update((key, owner) for key in some)
        owners.append(owner)
    await database.execute(
        "INSERT INTO inbox (signal_id, payload) SELECT * FROM unnest($1::bigint[], $2::bytea[])",
        signal_ids,
        payloads,
    )
    if new:
        await _write_new(
            database, [(signals[index], keys[index], owners[index], names[index]) for index in new]
        )
    events = [
        orjson.dumps({"contact": owner, "signal": one})
        for owner, one in zip(owners, signals, strict=True)
    ]
    await database.execute(
        "INSERT INTO event (contact_id, version, payload)"
        " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::jsonb[])",
        owners,
        signal_ids,
        [one.decode() for one in events],
    )
    await database.execute(
        "INSERT INTO outbox (key, value) SELECT * FROM unnest($1::text[], $2::bytea[])",
        [str(owner) for owner in owners],
        events,
    )


async def _write_new(
    database: "asyncpg.Connection[asyncpg.Record]",
    new: list[tuple[dict[str, Any], list[tuple[int, str]], int, str]],
) -> None:
    """Write new persons: (signal, keys, contact id, public id) of each."""
    ids = [owner for _, _, owner, _ in new]
    await database.execute(
        "INSERT INTO contact (id, public_id, first_name, last_name)"
        " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])",
        ids,
        [name for _, _, _, name in new],
        [signal["first_name"] for signal, _, _, _ in new],
        [signal["last_name"] for signal, _, _, _ in new],
    )
    rows = sorted((*key, owner) for _, keys, owner, _ in new for key in keys)
    await database.execute(
        "INSERT INTO identifier (kind, value, contact_id)"
        " SELECT * FROM unnest($1::smallint[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    for table, column, place in (("email", "email", 0), ("phone", "phone", 1)):
        await database.execute(
            f"INSERT INTO {table} (contact_id, {column})"
            " SELECT * FROM unnest($1::bigint[], $2::text[])",
            ids,
            [keys[place][1] for _, keys, _, _ in new],
        )


async def relay(bootstrap: str, dsn: str) -> None:
    """Publish the outbox, then delete what was published."""
    database = await asyncpg.connect(dsn)
    async with Producer(KafkaSettings(bootstrap_servers=bootstrap)) as producer:
        while True:
            rows = await database.fetch(
                "SELECT seq, key, value FROM outbox ORDER BY seq LIMIT 2000"
            )
            if not rows:
                await asyncio.sleep(0.02)
                continue
            await producer.send_batch(
                [Outgoing(EVENTS, row["key"].encode(), row["value"], []) for row in rows]
            )
            await database.execute(
                "DELETE FROM outbox WHERE seq = ANY($1::bigint[])", [row["seq"] for row in rows]
            )


async def checker(bootstrap: str, expected: int) -> None:
    """Consume the events; print when the last has come."""
    source = await consumer(bootstrap, EVENTS, "checker")
    print("ready", flush=True)
    seen = count()
    while True:
        for some in (await source.getmany(timeout_ms=20)).values():
            for record in some:
                orjson.loads(record.value)
                if next(seen) + 1 == expected:
                    print(time.time(), flush=True)
                    return


if __name__ == "__main__":
    stages: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
        "writer": writer,
        "relay": relay,
        "checker": checker,
    }
    uvloop.run(stages[sys.argv[1]](**orjson.loads(sys.argv[2])))
