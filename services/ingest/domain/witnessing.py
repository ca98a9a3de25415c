"""Entries of files of activities on their way: who takes part, what is asked, what is shown.

What an entry says is not staged: its row has where it stands, digests, and of the first ones what a
person is shown before choosing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from msgspec import Struct

from services.ingest.domain.entries import Entry
from services.ingest.domain.mapping import Rules
from services.ingest.domain.settling import STALE, UNCHANGED, Settled
from services.ingest.domain.staging import RowClass, keys_of
from shared.errors import PoisonMessageError

SIGNATURE: Final = "/signature"
"""Behind an activity's signal id: the signal of what it says of its sender besides."""

SIGNED: Final = "was known already; what its signature says of the sender was not"
"""Reason of a message that changed something although it is on its timelines already."""

MOST_SHOWN: Final = 20
"""People that a preview names of one entry."""

_CLASSES: Final[Mapping[str, RowClass]] = {"new": "new", "newer": "update", "known": "duplicate"}
"""What the resolver knows of an activity → what a preview says of its row."""


class Person(NamedTuple):
    """Somebody who takes part, as their source record names them."""

    record_key: bytes
    kind: str
    value: str
    key: int
    """Keyed digest of the identifier."""


class Witnessed(Struct, frozen=True):
    """An entry, with what is asked about it."""

    entry: Entry
    people: tuple[Person, ...] = ()
    record_key: str = ""
    content_hash: str = ""
    asked: str | None = None
    """By what it is asked later what became of it, JSON; None: it is not sent."""
    shown: str = ""
    """What a person is shown of it, JSON."""


def witness(entry: Entry, tenant: str, rules: Rules) -> Witnessed:
    """Find out who takes part in an entry, and by what the resolver knows it."""
    if not entry.signals:
        return Witnessed(entry)
    said = orjson.loads(entry.signals[0].normalized.body)
    return Witnessed(
        entry=entry,
        people=tuple(_people(said["participants"], tenant, rules)),
        record_key=said["record_key"],
        content_hash=said["content_hash"],
        asked=orjson.dumps(_asked_of(entry)).decode(),
        shown=_shown(said),
    )


def reads_as(entry: Entry, asked: str | None) -> bool:
    """Tell whether an entry says what it said when its row was staged with what is `asked`."""
    return asked is not None and orjson.loads(asked) == _asked_of(entry)


def _asked_of(entry: Entry) -> dict[str, dict[str, str]]:
    return {
        name: {part: one[part] for part in ("record_key", "content_hash", "stated_at")}
        for name, one in zip(("activity", "record"), map(_named, entry.signals), strict=False)
    }


def _named(taken: Any) -> dict[str, str]:
    said = orjson.loads(taken.normalized.body)
    stated_at = said["stated_at"] if taken.is_activity else said["occurred_at"]
    return {**said, "stated_at": stated_at}


def people_of(entry: Entry) -> set[bytes]:
    """Return the records of those who take part in an entry."""
    said = [orjson.loads(one.normalized.body) for one in entry.signals if one.is_activity]
    return {
        bytes.fromhex(one["record_key"])
        for activity in said
        for one in activity["participants"]
        if "record_key" in one
    }


def _people(
    participants: Iterable[Mapping[str, Any]], tenant: str, rules: Rules
) -> Iterable[Person]:
    for one in participants:
        if "record_key" in one:
            first = one["facts"]["identifiers"][0]
            kind, value = first["type"], first["value"]
            [key] = keys_of([(kind, value)], tenant, rules)
            yield Person(bytes.fromhex(one["record_key"]), kind, value, key)


def _shown(said: Mapping[str, Any]) -> str:
    happened = said["activity"]
    people = [
        {"role": one["role"], "name": one.get("name"), "reached_by": _reached_by(one)}
        for one in said["participants"][:MOST_SHOWN]
    ]
    parts = ("kind", "occurred_at", "direction", "title")
    told = {name: happened[name] for name in parts if name in happened}
    return orjson.dumps({"happened": {**told, "participants": people}}).decode()


def _reached_by(one: Mapping[str, Any]) -> str | None:
    named = one.get("facts", {}).get("identifiers", ())
    return named[0]["value"] if named else one.get("contact_id")


def class_of(one: Witnessed, standing: str | None) -> RowClass:
    """Say what a preview says of an entry; `standing`: what the resolver knows of its activity."""
    if one.entry.left_out:
        return "left_out"
    return "rejected" if standing is None else _CLASSES[standing]


def settle_entry(number: int, outcomes: Sequence[Mapping[str, Any]]) -> Settled | None:
    """Turn what became of an entry's signals into its verdict; None: not all is decided yet."""
    words = [one["outcome"] for one in outcomes]
    if "waiting" in words:
        return None
    events = sum(one["events"] for one in outcomes)
    if words[0] == "applied":
        return Settled(number, "recorded", None, "", events, is_settled=True)
    reason = STALE if words[0] == "stale" else UNCHANGED
    if "applied" in words[1:]:
        reason = SIGNED
    return Settled(number, "unchanged", None, reason, events, is_settled=True)


def nothing_taken(rows: int, first: Mapping[str, Any] | None) -> PoisonMessageError:
    """Refuse a file of which every entry is refused; `first`: the first of them."""
    told = ""
    if first is not None:
        place = f", {first['field']}" if first["field"] else ""
        told = f"; line {first['line']}{place}: {first['reason']}"
    return PoisonMessageError(
        "invalid",
        f"holds no message, meeting or call that can be taken, of {rows} read{told}",
        field="file",
    )
