"""Feeding: files over HTTP, CRM records through Kafka, and where each of them must turn up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from kith.demo.accounts import Fate
from kith.demo.ledger import Home, Ledger
from kith.demo.people import DATASET, CrmRecord
from kith.demo.stream import PRODUCER, Offsets, Stream
from kith.demo.web import Upload, import_file
from kith.stack import Fleet
from shared.events import topics
from shared.events.envelope import header


@dataclass(frozen=True, slots=True)
class FedFile:
    """A file that was uploaded, and the ledger's keys of its rows."""

    upload: Upload
    keys: Mapping[str, bytes]
    """Event id of a row → its record's key."""
    known: frozenset[bytes]
    """The keys that the ledger had before."""


@dataclass(frozen=True, slots=True)
class Fed:
    """All that one run feeds."""

    records: Sequence[CrmRecord]
    known: frozenset[str]
    """Ids of CRM records that the ledger had before."""
    files: Sequence[FedFile]


@dataclass(frozen=True, slots=True)
class Found:
    """Where it all turned up."""

    records: Mapping[str, int]
    """CRM record → contact."""
    rows: Mapping[bytes, int]
    """Key of a file's row → contact."""
    dead: frozenset[str]
    """Event ids among the dead letters."""

    def fates(self, fed: Fed) -> Iterator[Fate]:
        """Tell what became of each."""
        for one in fed.records:
            yield Fate(
                record=one.record_id,
                contact=self.records.get(one.record_id),
                known=one.record_id in fed.known,
                dead=not self.dead.isdisjoint({one.record_id, f"{PRODUCER}#{one.record_id}"}),
            )
        for file in fed.files:
            for event_id, key in file.keys.items():
                yield Fate(key, self.rows.get(key), key in file.known, event_id in self.dead)


async def find_all(fed: Fed, ledger: Ledger, stream: Stream, home: Home) -> Found:
    """Look everything up that was fed."""
    records = await ledger.find_records(home, f"{DATASET}/")
    keys = {key for file in fed.files for key in file.keys.values()}
    return Found(
        records={
            one.record_id: records[one.record_id] for one in fed.records if one.record_id in records
        },
        rows=await ledger.find_records_by_key(home, keys),
        dead=frozenset(await stream.dead_ids()),
    )


async def feed_file(
    file: Path,
    *,
    fleet: Fleet,
    token: str,
    ledger: Ledger,
    stream: Stream,
    home: Home,
    since: datetime,
) -> FedFile:
    """Import a file, and read from Kafka which source records its rows are.

    `since` is when the run began: what the ledger had before that was known.
    """
    before = await stream.ends(topics.SIGNALS_NORMALIZED_BULK.name)
    said = await import_file(fleet, token, file)
    after = await stream.ends(topics.SIGNALS_NORMALIZED_BULK.name)
    keys = await _keys(stream, said.import_id, before, after)
    return FedFile(said, keys, frozenset(await ledger.find_known_keys(home, keys.values(), since)))


async def _keys(
    stream: Stream, import_id: str, before: Offsets, after: Offsets
) -> dict[str, bytes]:
    """Read the rows of one import off the bulk topic."""
    found = {}
    async for record in stream.read(topics.SIGNALS_NORMALIZED_BULK.name, before, after):
        event_id = header(record.headers, "ce_id") or ""
        if import_id in event_id:
            found[event_id] = bytes.fromhex(orjson.loads(record.value or b"{}")["record_key"])
    return found
