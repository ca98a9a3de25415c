"""Tags, groups, custom fields: what people say of contacts for their workspace alone (ADR 0088).

It is a source record like any other, one for a contact and workspace: a merge, a split, an import
taken back or an erasure carries it as it carries what sources say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, Final, Literal

import orjson
from pydantic import JsonValue

from services.resolver.domain.auditing import private_changed
from services.resolver.domain.bindings import (
    Private,
    custom_by_people,
    labels_by_people,
    private_values,
)
from services.resolver.domain.claims import PEOPLE, private_claims
from services.resolver.domain.model import (
    AuditRow,
    Claim,
    Contact,
    Delivery,
    LedgerRow,
    Plan,
    RecordedEvent,
    Revision,
    Source,
)
from services.resolver.domain.survivorship import groups_of
from services.resolver.domain.telling import document
from shared.events.contact import (
    BindingChanged,
    GroupMemberAdded,
    GroupMemberRemoved,
    TagAdded,
    TagRemoved,
)
from shared.events.custom_field import MOST_FIELDS
from shared.events.signal import MAX_VALUES, Facts, NormalizedSignal
from shared.events.structs import changed, struct_of, to_json

_NormalizedSignal: Final = struct_of(NormalizedSignal)
_NOTHING: Final = struct_of(Facts)()
_TOLD: Final = {
    one: struct_of(one)
    for one in (BindingChanged, TagAdded, TagRemoved, GroupMemberAdded, GroupMemberRemoved)
}

_Told = tuple[type[BindingChanged], Mapping[str, str], str]
"""An event: its kind, what it says besides, and its id."""

Kind = Literal["tag", "group"]

Ledger = Mapping[tuple[int, bytes], Sequence[Revision]]
"""(tenant, record key) → its revisions."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A tag or a group, and whether contacts are to have it."""

    kind: Kind
    public_id: str
    name: str
    wanted: bool

    @property
    def word(self) -> str:
        """How records say it: a tag by its name, a group by its id."""
        return self.name if self.kind == "tag" else self.public_id

    def is_said(self, contact: Contact, workspace: int) -> bool:
        """Tell whether it is so already: who is to have it has it by a person's own word.

        A label that only a source gives goes when the source says it no more.
        """
        keeps = private_values(contact, workspace)
        if self.kind == "group":
            return (self.word in keeps.groups) == self.wanted
        if self.wanted:
            return self.word in labels_by_people(contact, workspace)
        return self.word not in keeps.labels


@dataclass(frozen=True, slots=True)
class Ordered:
    """Who ordered it, for which workspace, and when."""

    command_id: str
    tenant_id: int
    tenant: str
    workspace_id: int
    workspace: str
    """Public ids."""
    source: Source
    """`workspace_entry`."""
    now: datetime
    traceparent: str | None = None


@dataclass(slots=True)
class Marked:
    """What to write, and who has more words of people than one contact may."""

    plan: Plan
    kept: list[tuple[int, Private]] = field(default_factory=list)
    """(binding, what the workspace keeps from now on)."""
    positions: dict[str, int] = field(default_factory=dict)
    full: list[str] = field(default_factory=list)
    """Contacts of which people said as much as a record holds."""


def entry_key(order: Ordered, contact: str) -> bytes:
    """Name the record of what people of a workspace say of a contact, by its public id."""
    text = f"{order.tenant}\0{order.workspace}\0{contact}".encode()
    return blake2b(text, digest_size=16, person=b"kith entry").digest()


def mark(
    order: Ordered,
    one: Mark,
    contacts: Iterable[Contact],
    ledger: Ledger,
    event_ids: Iterable[str],
) -> Marked:
    """Give contacts a mark, or take it from them; where it is said so already, nothing is done."""
    marked, ids = Marked(Plan(now=order.now)), iter(event_ids)
    for contact in contacts:
        if not one.is_said(contact, order.workspace_id):
            told = (*_event(one), next(ids))
            _revise(marked, order, contact, ledger, change=partial(_said, one=one), told=told)
    return marked


def fill(
    order: Ordered,
    values: Mapping[str, JsonValue],
    contacts: Iterable[Contact],
    ledger: Ledger,
    event_ids: Iterable[str],
) -> Marked:
    """Give contacts values of custom fields, null for none; what people said so is left as it is.

    A source that says the same is no reason to leave it: it may say otherwise tomorrow.
    """
    marked, ids = Marked(Plan(now=order.now)), iter(event_ids)
    for contact in contacts:
        said_so = custom_by_people(contact, order.workspace_id)
        new = {
            name: value
            for name, value in values.items()
            # As JSON: to Python, true is 1.
            if name not in said_so or to_json(said_so[name]) != to_json(value)
        }
        if new:
            said: _Told = (BindingChanged, {}, next(ids))
            _revise(marked, order, contact, ledger, change=partial(_filled, values=new), told=said)
    return marked


def retell(
    order: Ordered, contact: Contact, before: Private, marked: Marked, event_id: str
) -> None:
    """Tell a workspace what it keeps of a contact whose records were rewritten."""
    after = private_values(contact, order.workspace_id)
    if after != before:
        contact.version += 1
        _tell(marked, order, contact, (before, after), (BindingChanged, {}, event_id))


SAID_IN: Final[Mapping[Kind, tuple[str, str]]] = {
    "tag": ("labels", "labels_removed"),
    "group": ("groups", "groups_left"),
}
"""Kind → the lists of a record that give it, and that take it."""


def forgotten_in(kind: Kind) -> tuple[str, ...]:
    """Return the lists that name a tag or a group no more once it is deleted.

    That a person took a label off holds for its name: a source may bring the tag again. A group's
    id never comes back.
    """
    return SAID_IN[kind][:1] if kind == "tag" else SAID_IN[kind]


def cleared(facts: Facts, word: str) -> Facts:
    """Return facts that take no tag of this name off.

    Who took it off meant a tag that is no more: another one is called so from now on.
    """
    if word not in facts.labels_removed:
        return facts
    return changed(facts, labels_removed=tuple(one for one in facts.labels_removed if one != word))


def renamed(facts: Facts, lists: Iterable[str], old: str, new: str | None) -> Facts:
    """Return facts whose lists say a tag or a group by another word; None: not at all."""
    said = {}
    for name in lists:
        words: tuple[str, ...] = getattr(facts, name)
        if old in words:
            told = (new if word == old else word for word in words)
            said[name] = tuple(dict.fromkeys(word for word in told if word is not None))
    return changed(facts, **said) if said else facts


def _revise(
    marked: Marked,
    order: Ordered,
    contact: Contact,
    ledger: Ledger,
    *,
    change: Callable[[Facts], Facts],
    told: _Told,
) -> None:
    """Plan a revision of what people of the workspace say of a contact, and the event of it."""
    before = private_values(contact, order.workspace_id)
    key, number = _record_of(order, contact, ledger)
    present = contact.claims.get(key)
    facts = _bounded(change(present.facts if present else _NOTHING), contact, order.workspace_id)
    if _is_too_much(facts):
        marked.full.append(contact.public_id)
        return
    at = _newest(order, contact)
    contact.claims[key] = Claim(
        key, order.source, order.workspace_id, 1.0, at, facts, groups_of(facts)
    )
    contact.version += 1
    after = private_values(contact, order.workspace_id)
    delivery = _delivery(order, contact, key, facts, at)
    marked.plan.ledger.append(
        LedgerRow(
            delivery, document(facts), number + 1, contact.id, contact.version, superseded=False
        )
    )
    if present is not None:
        marked.plan.superseded.append((order.tenant_id, key, number))
    _tell(marked, order, contact, (before, after), told)


def _bounded(facts: Facts, contact: Contact, workspace: int) -> Facts:
    """Forget the oldest words taken off that no record gives, where they are more than one holds.

    What comes and goes, a tag for each campaign, must not use up what may ever be said.
    """
    if max(map(len, (facts.labels_removed, facts.groups_left))) <= MAX_VALUES:
        return facts
    told = [
        one.facts for one in private_claims(contact, workspace) if one.workspace_id == workspace
    ]
    kept = {}
    for gives, takes in SAID_IN.values():
        given = {word for one in told for word in getattr(one, gives)}
        words: tuple[str, ...] = getattr(facts, takes)
        idle = [word for word in words if word not in given]
        gone = set(idle[: max(0, len(words) - MAX_VALUES)])
        kept[takes] = tuple(word for word in words if word not in gone)
    return changed(facts, **kept)


def _is_too_much(facts: Facts) -> bool:
    words = (facts.labels, facts.labels_removed, facts.groups, facts.groups_left)
    return max(map(len, words)) > MAX_VALUES or len(facts.custom_fields) > MOST_FIELDS


def _record_of(order: Ordered, contact: Contact, ledger: Ledger) -> tuple[bytes, int]:
    """Return the key of the contact's entry, and the number of its last revision.

    One that a person moved to another contact stays there: a new one begins then.
    """
    key = entry_key(order, contact.public_id)
    revisions = ledger.get((order.tenant_id, key), ())
    current = next((one for one in revisions if one.current), None)
    if current is not None and current.contact_id != contact.id:
        text = key + order.command_id.encode()
        return blake2b(text, digest_size=16, person=b"kith entry").digest(), 0
    return key, max((one.number for one in revisions), default=0)


def _newest(order: Ordered, contact: Contact) -> datetime:
    """Return when the order is given: after all that people said so far, for clocks differ."""
    said = [
        one.asserted_at + timedelta(microseconds=1)
        for one in private_claims(contact, order.workspace_id)
        if one.workspace_id == order.workspace_id and one.source.name in PEOPLE
    ]
    return max((order.now, *said))


def _said(facts: Facts, one: Mark) -> Facts:
    word = one.word
    yes, no = SAID_IN[one.kind]
    added, taken = (yes, no) if one.wanted else (no, yes)
    return changed(
        facts,
        **{
            added: tuple(dict.fromkeys((*getattr(facts, added), word))),
            taken: tuple(each for each in getattr(facts, taken) if each != word),
        },
    )


def _filled(facts: Facts, values: Mapping[str, JsonValue]) -> Facts:
    return changed(facts, custom_fields={**facts.custom_fields, **values})


def _event(one: Mark) -> tuple[type[BindingChanged], dict[str, str]]:
    if one.kind == "tag":
        kind: type[BindingChanged] = TagAdded if one.wanted else TagRemoved
        return kind, {"tag_id": one.public_id, "tag_name": one.name}
    kind = GroupMemberAdded if one.wanted else GroupMemberRemoved
    return kind, {"group_id": one.public_id, "group_name": one.name}


def _delivery(order: Ordered, contact: Contact, key: bytes, facts: Facts, at: datetime) -> Delivery:
    content = document(facts).text
    hashed = blake2b(content, digest_size=16, person=b"kith facts").digest()
    raw = {"contact": contact.public_id, "command": order.command_id}
    return as_delivered(order, (key, hashed, at), raw, facts=facts)


def as_delivered(
    order: Ordered,
    record: tuple[bytes, bytes, datetime],
    raw: Mapping[str, str],
    **said: Any,
) -> Delivery:
    """Write what a person said as the delivery of a record: (key, content hash, stated at).

    `said` are the fields of the signal that hold it.
    """
    key, content, at = record
    signal = _NormalizedSignal(
        signal_id=order.command_id,
        tenant=order.tenant,
        workspace=order.workspace,
        source=order.source.name,
        record_key=key.hex(),
        content_hash=content.hex(),
        occurred_at=at,
        received_at=order.now,
        raw={},
        **said,
    )
    return Delivery(
        signal=signal,
        tenant_id=order.tenant_id,
        workspace_id=order.workspace_id,
        source=order.source,
        record_key=key,
        content_hash=content,
        identifiers=(),
        employers=(),
        raw=orjson.dumps(raw).decode(),
        traceparent=order.traceparent,
    )


def _tell(
    marked: Marked,
    order: Ordered,
    contact: Contact,
    keeps: tuple[Private, Private],
    told: _Told,
) -> None:
    """Plan what follows from what a workspace kept and keeps."""
    plan, (before, after), (kind, more, event_id) = marked.plan, keeps, told
    plan.contacts[contact.id] = contact
    plan.updated.add(contact.id)
    binding = contact.bindings[order.workspace_id]
    marked.kept.append((binding, after))
    marked.positions[contact.public_id] = contact.version
    plan.audit += [
        AuditRow(
            order.tenant_id,
            binding,
            order.workspace_id,
            one.field,
            one.old,
            one.new,
            order.source.id,
            order.command_id,
        )
        for one in private_changed(before, after)
    ]
    plan.events.append(
        RecordedEvent(
            event_id=event_id,
            tenant_id=order.tenant_id,
            tenant=order.tenant,
            entity_id=contact.id,
            event=_TOLD[kind](
                occurred_at=order.now,
                cause=order.command_id,
                workspace=order.workspace,
                contact_id=contact.public_id,
                version=contact.version,
                labels=after.labels,
                notes=after.notes,
                custom_fields=dict(after.custom_fields),
                groups=after.groups,
                **more,
            ),
            private_to=(order.workspace_id, order.workspace),
            received_at=order.now,
            traceparent=order.traceparent,
        )
    )
