"""A row of a file on its way: as it was read, and what the resolver said it would lead to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from services.ingest.domain.mapping import Normalized, Rules
from shared.errors import PoisonMessageError
from shared.identifiers.digests import content_hash

RowClass = Literal["new", "update", "duplicate", "conflict", "rejected", "blank", "left_out"]
"""What a preview says of a row; `left_out`: an entry that is no activity between people."""

MOST_PREVIEW: Final = 262_144
"""Bytes that are kept of a row's preview; where it has more, the contacts beside it go bare."""

BLANK: Final = "says nothing of a person: an empty line, a closed account or a group"


@dataclass(frozen=True, slots=True)
class Staged:
    """One row as it was read."""

    number: int
    """Its place among the rows of the file, from 1."""
    line: int
    row_class: RowClass | None = None
    """What needs no preview: `rejected` or `blank`; None: the resolver is to be asked."""
    field: str = ""
    reason: str = ""
    identity: bytes = b""
    """What stays the same when the person's row is exported again."""
    record_key: bytes = b""
    content_hash: bytes = b""
    signal: bytes = b""
    """The normalised signal, without its payload, its import and when it was received."""
    raw: bytes = b""
    notes: tuple[tuple[str, str], ...] = ()
    """(column, reason) of values that were left out."""
    keys: tuple[int, ...] = ()
    """Digests of its identifiers, by which rows of one person find each other."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """One row, and what it would lead to."""

    staged: Staged
    row_class: RowClass
    reason: str
    preview: bytes
    """What the resolver said, JSON; empty where it was not asked."""
    creator: int | None
    """The row that would make the contact, this one or an earlier one."""
    contact: str | None


def keys_of(identifiers: Iterable[tuple[str, str]], tenant: str, rules: Rules) -> tuple[int, ...]:
    """Digest the identifiers of a row to 64 bits each, signed as PostgreSQL has them."""
    return tuple(rules.digests.identifier_key(tenant, kind, value) for kind, value in identifiers)


def keys_said(signal: bytes, tenant: str, rules: Rules) -> tuple[int, ...]:
    """Digest the identifiers that a staged signal names."""
    named = orjson.loads(signal)["facts"].get("identifiers", ())
    return keys_of(((one["type"], one["value"]) for one in named), tenant, rules)


def row_of(
    number: int,
    line: int,
    identity: bytes,
    normalized: Normalized,
    raw: bytes,
    *,
    notes: tuple[tuple[str, str], ...],
    keys: tuple[int, ...],
) -> Staged:
    """Stage a row that can be taken."""
    return Staged(
        number=number,
        line=line,
        identity=identity,
        record_key=normalized.record_key,
        content_hash=normalized.content_hash,
        signal=normalized.body,
        raw=raw,
        notes=notes,
        keys=keys,
    )


def signal_id_of(import_name: str, line: int) -> str:
    """Name the signal of a row in events: by its import and the line that it begins in."""
    return f"{import_name}/{line}"


def previewed(row: Staged, told: Mapping[str, Any], numbers: Mapping[str, int]) -> Previewed:
    """Put down what the resolver said of a row; `numbers`: signal → row."""
    creator = told.get("creator")
    # `alike` is last: an erasure finds it there (`ingest.less_alike`).
    kept = {name: told[name] for name in ("name", "changes", "kept", "adds", "against", "alike")}
    preview = orjson.dumps(kept)
    if len(preview) > MOST_PREVIEW:
        kept["against"] = [{**one, "records": [], "values": []} for one in told["against"]]
        preview = orjson.dumps(kept)
    return Previewed(
        staged=row,
        row_class=told["class"],
        reason=told["reason"],
        preview=preview,
        creator=numbers.get(creator) if creator is not None else None,
        contact=told["contact"],
    )


def unasked(row: Staged) -> Previewed:
    """Take a row as it is of which there is nothing to ask."""
    assert row.row_class is not None
    return Previewed(row, row.row_class, row.reason, b"", None, None)


def told_apart(signal: bytes, identity: bytes, tenant: str, rules: Rules) -> tuple[bytes, bytes]:
    """Name a row by its content too, where several of the file are called alike.

    Returns the signal and its record's key. The order of the rows does not matter.
    """
    said = orjson.loads(signal)
    facts = orjson.dumps(said["facts"], option=orjson.OPT_SORT_KEYS)
    name = identity.decode("utf-8", "surrogatepass")
    record = rules.digests.file_record(tenant, f"{name}\0{content_hash(facts).hex()}")
    key = rules.digests.record_key(said["tenant"], said["workspace"], said["source"], record)
    said |= {"source_record_id": record, "record_key": key.hex()}
    return orjson.dumps(said), key


def to_send(signal: str, raw: str, *, received_at: str, namesakes: Sequence[str]) -> dict[str, Any]:
    """Complete a staged signal for the topic."""
    said: dict[str, Any] = orjson.loads(signal)
    said |= {"received_at": received_at, "raw": orjson.Fragment(raw.encode())}
    if namesakes:
        said["possible_duplicates"] = list(namesakes)
    return said


def namesakes_of(preview: Mapping[str, Any], choice: str | None) -> list[str]:
    """Return whom a new contact is put up for review with: all of its name, unless one chose."""
    if choice in ("apart", "merge", "theirs", "fields"):
        return []
    return [one["contact"] for one in preview.get("alike", ()) if one["contact"]]


def nobody(rows: int, fault: Staged | None) -> PoisonMessageError:
    """Refuse a file in which no row is a person's; `fault`: the first that is not blank."""
    told = ""
    if fault is not None:
        told = f"; line {fault.line}{fault.field and f', {fault.field}'}: {fault.reason}"
    return PoisonMessageError(
        "invalid",
        f"holds no person that can be read in {rows} rows below its header{told}",
        field="file",
    )


def count_classes(classes: Mapping[str, int], rows: Iterable[Previewed]) -> dict[str, int]:
    """Add rows to the counts by class."""
    counted = dict(classes)
    for row in rows:
        counted[row.row_class] = counted.get(row.row_class, 0) + 1
    return counted
