"""The people of the demo: CRM records with known truth, made by `dupehell`, always the same."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson

SEED: Final = 42
SIZE: Final = 20_000
"""What dupehell is asked for; with duplicates and look-alikes it makes 20,213 records of it."""
DATASET: Final = f"dupehell-crm-light-{SEED}"
"""Begins the record ids, so that the demo's records are told from all others."""

SOURCES: Final[Mapping[str | None, str]] = {
    "CRM": "salesforce_crm",
    "PORTAL": "hubspot_crm",
    "EXTERNAL": "hubspot_crm",
    "HRIS": "api_push",
    "ERP": "api_push",
    "LEGACY": "api_push",
    None: "api_push",
}
"""dupehell's systems → sources that kith knows, none of which asks vendors about new contacts."""

_STREAM_BEGINS: Final = b"\xff\xff\xff\xff"
"""Marks the first message of an Arrow stream inside a file (Arrow columnar format, IPC)."""


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One record as its system publishes it, and the truth about it."""

    record_id: str
    entity: str
    """Whom it is about: the truth, which kith never sees."""
    occurred_at: datetime | None
    body: bytes
    """A `ContactSignal`, JSON."""


def load_people(wanted: int = SIZE) -> list[CrmRecord]:
    """Make the records, in the order in which they are published.

    Fewer than all are whole people with all their records, and the same ones every time: what a
    small run has fed, a large one feeds again.
    """
    rows = _choose(_generate(), wanted)
    return [_record(row) for row in sorted(rows, key=lambda row: _draw(row["record_id"]))]


def _choose(rows: Sequence[dict[str, Any]], wanted: int) -> list[dict[str, Any]]:
    if wanted >= SIZE:
        return list(rows)
    people = defaultdict(list)
    for row in rows:
        people[row["master_id"]].append(row)
    chosen: list[dict[str, Any]] = []
    for entity in sorted(people, key=_draw):
        if len(chosen) >= wanted:
            break
        chosen += people[entity]
    return chosen


def _draw(name: str) -> bytes:
    """Give a name its place in an order that says nothing."""
    return blake2b(name.encode(), digest_size=8).digest()


def _record(row: Mapping[str, Any]) -> CrmRecord:
    record_id = f"{DATASET}/{row['record_id']}"
    signal = {
        "source": SOURCES.get(row["source_system"], "api_push"),
        "source_record_id": record_id,
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "emails": _points(row["email"]),
        "phones": _points(row["phone"]),
        "linkedin_url": row["linkedin_url"],
        "employments": _present(company_name=row["company_name"], title=row["job_title"]),
        "addresses": _present(
            city=row["city"], state=row["state_code"], country=row["country_code"]
        ),
        "lead_source": row["lead_source"],
        "source_system": row["source_system"],
    }
    filled = {name: value for name, value in signal.items() if value}
    return CrmRecord(record_id, row["master_id"], _moment(row["created_at"]), orjson.dumps(filled))


def _points(value: str | None) -> list[dict[str, str]]:
    return [{"value": value}] if value else []


def _present(**values: str | None) -> list[dict[str, str]]:
    filled = {name: value for name, value in values.items() if value}
    return [filled] if filled else []


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _generate() -> list[dict[str, Any]]:
    import dupehell  # noqa: PLC0415 -- an optional extra of the local stack

    with tempfile.TemporaryDirectory(prefix="kith-demo-") as folder:
        made = dupehell.generate(
            domain="crm",
            size=SIZE,
            seed=SEED,
            difficulty="light",
            only_entity="contact",
            output_format="ipc",
            output_dir=folder,
        )
        return list(_read_arrow(Path(made.dataset)))


def _read_arrow(path: Path) -> Iterator[dict[str, Any]]:
    """Read an Arrow IPC file: the stream in it begins after the file's own mark."""
    import nanoarrow  # noqa: PLC0415 -- an optional extra
    from nanoarrow.ipc import InputStream  # noqa: PLC0415 -- too

    content = path.read_bytes()
    with InputStream.from_readable(content[content.index(_STREAM_BEGINS) :]) as stream:
        yield from nanoarrow.ArrayStream(stream).read_all().to_pylist()
