"""What must hold of topics (runtime 3.4): events as in the table, in order; dead letters as fed."""

from collections import Counter
from collections.abc import Iterable, Mapping

import orjson

from shared.events.envelope import header
from shared.kafka import Outgoing
from shared.kafka.batch import ConsumerRecord
from shared.kafka.dead_letter_log import DeadLetter
from shared.kafka.dead_letters import original_headers
from tests.support.invariants import Broken, Connection


async def check_events(
    connection: Connection, tenant_id: int, records: Iterable[ConsumerRecord], broken: Broken
) -> int:
    """Compare what was published with the event tables; returns how often events were repeated.

    A relay that dies repeats a batch; beyond that each event comes once, as it is in the table,
    and per contact or company in version order on one partition.
    """
    table = {
        row["event_id"]: row
        for row in await connection.fetch(
            "SELECT event_id, entity_public_id, sequence_number, payload"
            " FROM contact.contact_event WHERE tenant_id = $1"
            " UNION ALL SELECT event_id, entity_public_id, sequence_number, payload"
            " FROM contact.organisation_event WHERE tenant_id = $1",
            tenant_id,
        )
    }
    seen: set[str] = set()
    versions: dict[str, int] = {}
    partitions: dict[str, int] = {}
    repeated = 0
    for record in records:
        event_id = header(record.headers, "ce_id") or ""
        key = (record.key or b"").decode()
        if partitions.setdefault(key, record.partition) != record.partition:
            broken.add("I5", f"{key}: on two partitions")
        if event_id in seen:
            repeated += 1
            continue
        seen.add(event_id)
        row = table.get(event_id)
        if row is None:
            broken.add("I3", f"{event_id}: published, but in no table")
            continue
        version = int(header(record.headers, "ce_sequence") or 0)
        if (row["entity_public_id"], row["sequence_number"]) != (key, version):
            broken.add("I3", f"{event_id}: published under another key or version")
        if orjson.loads(record.value or b"null") != orjson.loads(row["payload"]):
            broken.add("I3", f"{event_id}: published with another body than its row has")
        if version != versions.get(key, 0) + 1:
            broken.add("I5", f"{key}: version {version} follows {versions.get(key, 0)}")
        versions[key] = version
    for event_id in table.keys() - seen:
        broken.add("I1", f"{event_id}: never published")
    return repeated


def check_dead_letters(
    letters: Iterable[ConsumerRecord],
    raw: Iterable[ConsumerRecord],
    poison: Mapping[str, Outgoing],
    broken: Broken,
) -> None:
    """Check I8: all poison and nothing else was set aside, once per origin and byte for byte."""
    origins = {
        (record.topic, record.partition, record.offset): name
        for record in raw
        if (name := header(record.headers, "ce_id")) in poison
    }
    found: Counter[str] = Counter()
    seen: set[tuple[str, int, int]] = set()
    for record in letters:
        letter = DeadLetter.of(record)
        if letter.origin in seen:
            continue
        seen.add(letter.origin)
        name = origins.get(letter.origin)
        if name is None:
            broken.add("I8", f"{letter.id}: set aside ({letter.reason}), but not poison")
            continue
        found[name] += 1
        fed = poison[name]
        same = (record.key, record.value, original_headers(record))
        if same != (fed.key, fed.value, list(fed.headers)):
            broken.add("I8", f"{letter.id}: is not what was fed, byte for byte")
        if not (letter.reason and letter.failed_at and letter.group):
            broken.add("I8", f"{letter.id}: lacks the headers that say what happened")
    for name in poison.keys() - found.keys():
        broken.add("I1", f"{name}: poison that is in no dead-letter topic")
    for origin in origins.keys() - seen:
        broken.add("I1", f"{origin}: poison that is in no dead-letter topic")
