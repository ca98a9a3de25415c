"""What is left of events once nobody may know of whom they told (spec 003, 8.3; ADR 0076).

Events are not deleted: versions stay 1, 2, 3 … and every stream folds. They are hollowed out:
what happened and when stays, and nothing that says who it was, neither values nor the id of the
message that brought them, which is the source's own word.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.homes import Homes
from services.resolver.domain.model import Contact
from shared.events.contact import ContactDeleted, HistoryErased, MergeWithdrawn

ERASED: Final = "erased"
"""What stands where an event must say something and may not."""

_KEPT: Final = frozenset(
    {
        "contact_id",
        "version",
        "occurred_at",
        "workspace",
        "source",
        "source_record",
        "status",
        "import_source",
        "other_id",
        "merge_id",
        "survivor_id",
        "absorbed_id",
        "original_id",
        "new_id",
        "others",
        "unassigned",
        "decided_by",
        "activity_id",
        "type",
        "before",
    }
)
"""Fields of events that name nobody: ids that kith made, keyed digests, words of a fixed list."""

_FIXED_REASONS: Final = frozenset(
    {"IdentifierRemoved", "MergeProposed", "ActivityWithdrawn", "ContactDeleted"}
)
"""Events whose reason is of a fixed list; others give a person's words."""

_OWN: Final = frozenset(
    {"BindingChanged", "TagAdded", "TagRemoved", "GroupMemberAdded", "GroupMemberRemoved"}
)
"""Events that say all that a workspace keeps for itself from then on."""

_SHAPED: Final = frozenset({"status", "source", "known_by", "candidates"})
"""The same of a shape."""


_OTHERS: Final = ("other_id", "survivor_id", "absorbed_id", "original_id", "new_id")
"""Fields that name another contact."""


class Told(NamedTuple):
    """An event as the table has it."""

    contact: int
    version: int
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What is to be written over a contact's events."""

    events: list[Told]
    before: int
    """The first version of which every reader may keep what it was told."""


def hollowed(event: Told, cause: str) -> Told:
    """Leave of an event what happened and when; `cause` stands for the message that led to it."""
    kind, said = event.kind, event.body
    body: dict[str, Any] = {name: said[name] for name in _KEPT if name in said}
    body["cause"] = cause
    if kind == "ActivityRecorded":
        kind = "ActivityWithdrawn"
        body = {
            name: body[name]
            for name in (
                "contact_id",
                "version",
                "occurred_at",
                "workspace",
                "cause",
                "activity_id",
            )
            if name in body
        }
        body["reason"] = ERASED
    elif kind in _OWN:
        # Which tag or group it was tells of the person, too.
        kind = "BindingChanged"
        body.pop("source", None)
    elif kind in _FIXED_REASONS:
        body["reason"] = said["reason"]
    elif kind == "ContactsMerged":
        body["reason"] = ERASED
    if kind == "IdentifierRemoved":
        body["value"] = ERASED
    if said.get("asserted") is not None:
        asserted = said["asserted"]
        body["asserted"] = {
            "source": asserted["source"],
            "source_record": asserted["source_record"],
            "asserted_at": asserted["asserted_at"],
            "facts": {},
        }
    if said.get("shape") is not None:
        body["shape"] = {n: v for n, v in said["shape"].items() if n in _SHAPED}
    return Told(event.contact, event.version, kind, body)


def records_of(events: Iterable[Told]) -> set[bytes]:
    """Return the source records that events tell of."""
    found = set()
    for event in events:
        for said in (event.body, event.body.get("asserted") or {}):
            if event.kind not in ("ActivityRecorded", "ActivityWithdrawn"):
                record = said.get("source_record")
                if isinstance(record, str):
                    found.add(bytes.fromhex(record))
    return found


def relatives_of(events: Iterable[Told]) -> set[str]:
    """Return whom events name as having been one contact with theirs; public ids."""
    found: set[str] = set()
    for event in events:
        if event.kind in ("ContactsMerged", "ContactsSplit"):
            for name in ("survivor_id", "absorbed_id", "original_id", "new_id"):
                found.update([event.body[name]] if event.body.get(name) else ())
            found.update(event.body.get("others") or ())
    return found


def without_person(
    events: Sequence[Told], records: Collection[bytes], erased: Collection[str], cause: str
) -> Rewriting | None:
    """Rewrite the events of a contact that was once one with somebody who is erased.

    `events` in version order; `records` and `erased` are the person's. From the first event that
    tells of the person until the newest that says anew all that the contact is, everything is
    hollowed but a workspace's newest word, which is the contact's own by then. None: nothing to do.
    """
    hex_records = {one.hex() for one in records}
    shapes = [one.version for one in events if one.body.get("shape") is not None]
    last = max(shapes, default=0)
    about = [one.version for one in events if _tells_of(one, hex_records)]
    first = min([*shapes, *about], default=last)
    newest = {one.body.get("workspace"): one.version for one in events if one.kind in _OWN}
    withdrawn = {
        one.body["activity_id"]: one.version for one in events if one.kind == "ActivityWithdrawn"
    }
    rewritten = []
    for one in events:
        if one.kind in _OWN:
            is_theirs = newest[one.body.get("workspace")] == one.version
            touched = first <= one.version < last and not is_theirs
        elif one.kind == "ActivityRecorded":
            touched = withdrawn.get(one.body["activity_id"], 0) > one.version >= first
        elif one.version == last:
            touched = False
        else:
            touched = (
                first <= one.version < last
                or _tells_of(one, hex_records)
                or any(one.body.get(name) in erased for name in _OTHERS)
            )
        if touched:
            rewritten.append(hollowed(one, cause))
        elif one.version == last and (one.body.keys() & {"identifiers_moved", "reason"}):
            body = {name: said for name, said in one.body.items() if name != "identifiers_moved"}
            rewritten.append(one._replace(body=body | {"reason": ERASED}))
    if not rewritten:
        return None
    return Rewriting(rewritten, max(one.version for one in rewritten) + 1)


def _tells_of(event: Told, records: Collection[str]) -> bool:
    asserted = event.body.get("asserted") or {}
    if event.kind in ("ActivityRecorded", "ActivityWithdrawn"):
        return False
    return event.body.get("source_record") in records or asserted.get("source_record") in records


def tell_erasure(
    cluster: Cluster, person: Collection[int], rewritten: Mapping[int, Rewriting], order: Order
) -> Reshaping:
    """Say that a person is gone, to those who waited for a decision about them as well.

    `person` are the homes of whoever is erased.
    """
    plan = Reshaping(order, cluster)
    for home in sorted(person):
        contact = cluster.contacts[home]
        contact.status = "deleted"
        plan.tell(contact, ContactDeleted(**_next_of(contact, order), reason=ERASED))
    for waiting, gone in _waiting(cluster, person):
        contact = cluster.contacts[waiting]
        plan.tell(contact, MergeWithdrawn(**_next_of(contact, order), other_id=gone))
    for one in sorted(rewritten):
        contact = cluster.contacts[one]
        before = rewritten[one].before
        plan.tell(contact, HistoryErased(**_next_of(contact, order), before=before))
    return plan


def _next_of(contact: Contact, order: Order) -> dict[str, Any]:
    """Return what every event of an order says: whose next one it is, when and why."""
    return {
        "occurred_at": order.now,
        "cause": order.command_id,
        "contact_id": contact.public_id,
        "version": contact.version + 1,
    }


def _waiting(cluster: Cluster, person: Collection[int]) -> list[tuple[int, str]]:
    """Name who stands for the other ends of candidates, each with the end that is erased."""
    homes = Homes(cluster.contacts, cluster.merges)
    return sorted(
        {
            (homes.root(other), cluster.names[gone])
            for pair in cluster.candidates
            for gone, other in (pair, pair[::-1])
            if gone in person and other not in person
        }
    )
