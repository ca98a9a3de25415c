"""What a person looks at before deciding whether two contacts are one: pairs, values side by side.

Shown is what the tenant's workspaces share. Notes, labels and custom fields are a workspace's own
and never part of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.resolver.domain.explaining import Evidence
from services.resolver.domain.matching.model import CUSTOM, Signal
from shared.events.contact import ContactEvent
from shared.events.fold import ContactState, fold
from shared.events.signal import Facts

EVEN: Final = 0.5
"""Score of a pair that has none: one record names identifiers of both, which may be a household."""

MOST_RANKED: Final = 10_000
"""Pairs of which the queue picks those worth most: beyond these, the likeliest."""

MOST_RECORDS: Final = 50
"""Records of one contact that are shown side by side, the newest."""

PAIR: Final = "."
"""Stands between the ids of a pair's contacts: together they name it."""

_SIMPLE: Final = ("full_name", "nickname", "headline", "birthday", "linkedin_url")
_SHOWN_ELSEWHERE: Final = frozenset({"email", "phone_e164"})


@dataclass(frozen=True, slots=True)
class Filters:
    """Which pairs are asked for; None does not restrict."""

    statuses: Sequence[str] | None = ("open",)
    tiers: Sequence[str] | None = None
    least: float | None = None
    """The lowest score."""
    contacts: Sequence[str] | None = None
    """Public ids that must be of the pair: one or both; one that is named twice is no pair."""
    numbers: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One of a pair's contacts, as it is now."""

    id: int
    public_id: str
    version: int
    name: str | None
    """As a workspace shows the person."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pair that was put up for review."""

    number: int
    tenant_id: int
    left: Side
    right: Side
    reason: str
    status: str
    tier: str | None
    score: float | None
    stake: int
    """How much depends on it: records of both contacts, and workspaces that know them."""
    value: float
    """Score times stake: the queue's order."""
    decision_id: int | None
    named: tuple[tuple[str, str], ...]
    """(type, value) of what one is known by and a record of the other named, for the gate."""
    created_at: datetime
    reviewed_at: datetime | None

    @property
    def name(self) -> str:
        """The pair's id outside."""
        return f"{self.left.public_id}{PAIR}{self.right.public_id}"


@dataclass(frozen=True, slots=True)
class Said:
    """One current record of a contact."""

    contact: int
    record: str
    """Key, hex."""
    record_id: str | None
    """As the source calls it."""
    source: str
    priority: int
    confidence: float
    at: datetime
    received_at: datetime
    workspace_id: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a contact, and who says so."""

    value: str
    source: str
    record: str
    confidence: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A field of both contacts, side by side."""

    field: str
    agrees: bool
    """Whether the two have a value in common."""
    left: tuple[Value, ...]
    right: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class MergeOf:
    """A merge in force, and the machine's evidence for it."""

    merge_id: str
    survivor: str
    absorbed: str
    by_person: bool
    reason: str
    merged_at: datetime
    decision_id: int | None
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Joined:
    """A record that an identifier brought to its contact, without a merge."""

    record: Said
    through: tuple[tuple[str, str], ...]
    """(type, value) that an earlier record of the contact had; empty for the first."""
    thread: Evidence | None = None
    """How it compares with the record that it is likest, where that alone would be flagged; None:
    it is with the others surely."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a contact, and what the contact was after it."""

    version: int
    what: str
    recorded_at: datetime
    words: str
    state: ContactState


def values_of(said: Said) -> list[tuple[str, str]]:
    """List what a record says that all workspaces of the tenant may know, (field, value)."""
    facts = said.facts
    found = [(name, getattr(facts, name)) for name in _SIMPLE]
    if not facts.full_name:
        found.insert(0, ("full_name", " ".join(filter(None, (facts.first_name, facts.last_name)))))
    found += [("email", one.value) for one in facts.emails]
    found += [("phone", one.value) for one in facts.phones]
    found += [
        (one.type, one.value) for one in facts.identifiers if one.type not in _SHOWN_ELSEWHERE
    ]
    found += [
        ("job", ", ".join(filter(None, (job.title, job.company_name or job.company_domain))))
        for job in facts.employments
    ]
    found += [
        ("address", ", ".join(filter(None, parts)))
        for parts in (
            (one.street, one.postal_code, one.city, one.state, one.country)
            for one in facts.addresses
        )
    ]
    return [(name, value) for name, value in found if value]


def side_by_side(left: Iterable[Said], right: Iterable[Said]) -> list[Row]:
    """Set what the records of two contacts say against each other, field by field."""
    sides = (_by_field(left), _by_field(right))
    fields = dict.fromkeys(name for side in sides for name in side)
    rows = []
    for name in fields:
        ours, theirs = (tuple(side.get(name, ())) for side in sides)
        common = {one.value.casefold() for one in ours} & {one.value.casefold() for one in theirs}
        rows.append(Row(name, bool(common), ours, theirs))
    return rows


def _by_field(records: Iterable[Said]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for said in sorted(records, key=lambda one: (-one.priority, -one.confidence, -_stamp(one))):
        for name, value in dict.fromkeys(values_of(said)):
            about = Value(value, said.source, said.record, said.confidence, said.at)
            found.setdefault(name, []).append(about)
    return found


def _stamp(said: Said) -> float:
    return said.at.timestamp()


def joined_by(records: Iterable[Said]) -> list[Joined]:
    """Tell through which identifiers each record came to its contact, in order of arrival."""
    known: set[tuple[str, str]] = set()
    joins = []
    for said in sorted(records, key=lambda one: (one.received_at, one.record)):
        own = [(one.type, one.value) for one in said.facts.identifiers]
        joins.append(Joined(said, tuple(one for one in own if one in known)))
        known.update(own)
    return joins


def is_private(signal: Signal) -> bool:
    """Tell whether a signal compares what only a workspace knows: its custom fields."""
    return signal.attribute.startswith(CUSTOM)


def retell(events: Iterable[tuple[ContactEvent, datetime]]) -> list[Step]:
    """Replay a contact event by event; versions that are missing are other workspaces' matters."""
    steps: list[Step] = []
    state = None
    for event, recorded_at in events:
        state = fold(state, [event], gaps=True)
        if state is not None:
            what = type(event).__name__
            steps.append(Step(event.version, what, recorded_at, _say(event), state))
    return steps


def _say(event: ContactEvent) -> str:
    name = type(event).__name__
    say = _WORDS.get(name)
    return say(event.model_dump(mode="json")) if say else name


def _created(told: Mapping[str, Any]) -> str:
    return f"made of a record of {told['source']}{_who(told['identifiers'])}"


def _asserted(told: Mapping[str, Any]) -> str:
    brought = f"{_who(told['identifiers_added'])}{_changes(told['changes'])}"
    return f"{told['asserted']['source']} said {'this' if brought else 'nothing new'}{brought}"


def _retracted(told: Mapping[str, Any]) -> str:
    jobs = [
        " at ".join(word for word in (one["title"], one["company_name"]) if word)
        for one in told["employments_removed"]
    ]
    if jobs:
        return f"{told['source']} no longer says {', '.join(jobs)}{_changes(told['changes'])}"
    return f"a record of {told['source']} was taken back{_changes(told['changes'])}"


def _proposed(told: Mapping[str, Any]) -> str:
    sure = "" if told["confidence"] is None else f", scored {told['confidence']:.4f}"
    return f"put up for review with {told['other_id']}: {told['reason']}{sure}"


def _merged(told: Mapping[str, Any]) -> str:
    by = f"by a {told['decided_by']}: {told['reason']}"
    if told["contact_id"] == told["absorbed_id"]:
        return f"merged into {told['survivor_id']} {by}"
    return f"took in {told['absorbed_id']} {by}"


_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "ContactCreated": _created,
    "FactAsserted": _asserted,
    "FactRetracted": _retracted,
    "IdentifierRemoved": lambda told: (
        f"no longer known by {told['value']}: "
        f"{'several people have it' if told['reason'] == 'shared' else 'no record says it now'}"
    ),
    "BindingChanged": lambda _: "this workspace's own notes, labels, groups or fields changed",
    "TagAdded": lambda told: f"tagged {told['tag_name']} by a person",
    "TagRemoved": lambda told: f"tag {told['tag_name']} taken off by a person",
    "GroupMemberAdded": lambda told: f"put into the group {told['group_name']}",
    "GroupMemberRemoved": lambda told: f"taken out of the group {told['group_name']}",
    "MergeProposed": _proposed,
    "MergeRejected": lambda told: f"a person keeps it apart from {told['other_id']}",
    "ContactsMerged": _merged,
    "ContactsSplit": lambda told: f"{told['new_id']} was split from {told['original_id']}",
    "MergeWithdrawn": lambda told: f"no longer put up for review with {told['other_id']}",
    "ContactDeleted": lambda told: (
        "erased for good"
        if told["reason"] == "erased"
        else "deleted: the import that brought it was taken back"
    ),
    "HistoryErased": lambda _: "somebody it was one with was erased",
    "ContactArchived": lambda _: "archived",
    "ContactUnarchived": lambda _: "brought back from the archive",
}
"""Event → what happened, in words."""


def _who(identifiers: Sequence[Mapping[str, str]]) -> str:
    if not identifiers:
        return ""
    return f", known by {', '.join(one['value'] for one in identifiers)}"


def _changes(changes: Sequence[Mapping[str, str | None]]) -> str:
    if not changes:
        return ""
    said = [f"{one['field']} is now {one['new'] or 'unknown'}" for one in changes]
    return f"; {', '.join(said)}"
