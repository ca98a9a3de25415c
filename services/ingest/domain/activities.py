"""From a valid activity signal to a well-formed one: participants identified, texts cleaned.

The result is the JSON of `shared.events.activity.NormalizedActivity`, as `mapping` writes that of a
contact signal. Each participant with an identifier becomes a source record of their own: what the
activity calls them and how to reach them, the same record in every activity that says the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from services.ingest.domain.draft import Draft
from services.ingest.domain.identity import add_emails, add_linkedin, add_others, add_phones
from services.ingest.domain.mapping import Normalized, Origin, Rules
from shared.errors import PoisonMessageError
from shared.events.activity import MAX_ATTRIBUTES_BYTES, ActivitySignal, Participant
from shared.events.envelope import rfc3339
from shared.events.signal import ContactPoint, ContactSignal
from shared.events.structs import stripped, struct_of
from shared.identifiers.digests import Digests, content_hash
from shared.identifiers.names import clean_block, clean_text

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""An activity outside of these is a fault of the sender: telephones are from 1876."""

MAX_REMEMBERED: Final = 4_096
"""People by an address whose records are remembered, some kilobyte each."""

_ACTIVITY_RECORD: Final = "activity\0"
"""Before a record's id: a source may call a contact and a call the same."""

_Contact: Final = struct_of(ContactSignal)
_Point: Final = struct_of(ContactPoint)


def to_normalized_activity(
    signal: ActivitySignal, raw: bytes, origin: Origin, rules: Rules
) -> Normalized:
    """Normalise one activity, or refuse it when it happened to nobody.

    `raw` is the signal's JSON as it came; it travels on unread.
    """
    people = _People(signal, origin, rules)
    if not signal.deleted:
        people.refuse_nobody()
    activity = _happening(signal)
    said = orjson.dumps(
        {"activity": activity, "participants": people.listed, "deleted": signal.deleted},
        option=orjson.OPT_SORT_KEYS,
    )
    digest = content_hash(said)
    record = stripped(signal.source_record_id) if signal.source_record_id else ""
    place = (origin.tenant, origin.workspace, signal.source)
    key = (
        rules.digests.record_key(*place, _ACTIVITY_RECORD + record)
        if record
        else rules.digests.unnamed_record_key(*place, digest)
    )
    body: dict[str, Any] = {
        "signal_id": origin.signal_id,
        "tenant": origin.tenant,
        "workspace": origin.workspace,
        "source": signal.source,
        "record_key": key.hex(),
        "content_hash": digest.hex(),
        "stated_at": origin.occurred_at,
        "received_at": origin.received_at,
        "activity": activity,
        "participants": people.listed,
        "raw": orjson.Fragment(raw),
    }
    if record:
        body["source_record_id"] = record
    if signal.source_version is not None:
        body["source_version"] = signal.source_version
    if signal.deleted:
        body["deleted"] = True
    if origin.import_id:
        body["import_id"] = origin.import_id
    if people.rejected:
        body["rejected"] = people.rejected
    return Normalized(key, digest, orjson.dumps(body), people.rejected, people.assumed)


def _happening(signal: ActivitySignal) -> dict[str, Any]:
    """Write `shared.events.activity.Happening`, without what is empty."""
    texts = {
        "title": clean_text(signal.title or ""),
        "snippet": clean_block(signal.snippet or ""),
        "thread_id": stripped(signal.thread_id or ""),
        "location": clean_text(signal.location or ""),
        "direction": signal.direction,
        "status": signal.status,
    }
    found: dict[str, Any] = {name: text for name, text in texts.items() if text}
    found |= {"kind": signal.kind, "occurred_at": _moment(signal.occurred_at)}
    if signal.duration_s is not None:
        found["duration_s"] = signal.duration_s
    if signal.all_day:
        found["all_day"] = True
    if signal.attributes:
        size = len(orjson.dumps(signal.attributes))
        if size > MAX_ATTRIBUTES_BYTES:
            raise PoisonMessageError(
                "invalid",
                f"takes {size} bytes as JSON; at most {MAX_ATTRIBUTES_BYTES} are kept",
                field="attributes",
            )
        found["attributes"] = signal.attributes
    return found


def _moment(occurred_at: datetime) -> str:
    if occurred_at.tzinfo is None:
        raise PoisonMessageError(
            "invalid", "has no offset; write it like 2026-01-31T12:00:00Z", field="occurred_at"
        )
    if not EARLIEST <= occurred_at < LATEST:
        raise PoisonMessageError(
            "invalid", "must be between the years 1900 and 2200", field="occurred_at"
        )
    return rfc3339(occurred_at)


@dataclass
class _People:
    """The participants of one signal, normalised."""

    signal: ActivitySignal
    origin: Origin
    rules: Rules
    listed: list[dict[str, Any]] = field(default_factory=list)
    """The JSON of `shared.events.activity.NormalizedParticipant`, each."""
    rejected: list[dict[str, str]] = field(default_factory=list)
    """Field and reason of every value that was left out."""
    assumed: list[str] = field(default_factory=list)
    """Fields of the phone numbers whose region was assumed."""

    def __post_init__(self) -> None:
        seen = set()
        for index, participant in enumerate(self.signal.participants):
            one = self._normalized(index, participant)
            named = one.get("contact_id") or one.get("record_key")
            if named is None or (one["role"], named) not in seen:
                seen.add((one["role"], named))
                self.listed.append(one)

    def refuse_nobody(self) -> None:
        """Refuse an activity with nobody whose contact could be found."""
        if any("contact_id" in one or "record_key" in one for one in self.listed):
            return
        if self.rejected:
            first = self.rejected[0]
            detail = f"{first['reason']} (and nobody else can be identified)"
            raise PoisonMessageError("invalid", detail, field=first["field"])
        raise PoisonMessageError(
            "invalid",
            "names nobody that could be found; give at least one participant an e-mail address, "
            "a phone number, a profile or a contact_id",
            field="participants",
        )

    def _normalized(self, index: int, participant: Participant) -> dict[str, Any]:
        one: dict[str, Any] = {"role": participant.role}
        called = clean_text(participant.name or "")
        if called:
            one["name"] = called
        if participant.attendance:
            one["attendance"] = participant.attendance
        if participant.optional:
            one["optional"] = True
        if participant.contact_id:
            return {**one, "contact_id": participant.contact_id}
        place = (self.origin.tenant, self.origin.workspace, self.signal.source)
        digests = self.rules.digests
        if (address := _only_address(participant)) is not None:
            record = _reached_by_mail(digests, place, address, called)
            if record is not None:
                return {**one, **record}
        draft = self._identified(index, participant)
        return {**one, **(_record(digests, place, draft, called) or {})}

    def _identified(self, index: int, participant: Participant) -> Draft:
        draft, region = Draft(), self.rules.default_region
        if participant.linkedin_url:
            add_linkedin(draft, participant.linkedin_url)
        if participant.email:
            add_emails(draft, (_Point(value=participant.email),))
        if participant.phone or participant.identifiers:
            held = _Contact(
                source=self.signal.source,
                phones=(_Point(value=participant.phone),) if participant.phone else (),
                phone_region=self.signal.phone_region,
                identifiers=participant.identifiers,
            )
            add_phones(draft, held, region)
            add_others(draft, held, region)
        place = f"participants.{index}."
        self.rejected += [
            {"field": place + _field(one["field"]), "reason": one["reason"]}
            for one in draft.rejected
        ]
        self.assumed += [place + _field(one) for one in draft.assumed]
        return draft


def _only_address(participant: Participant) -> str | None:
    """Return the address of somebody of whom nothing else is said: of mail, of nearly all."""
    others = participant.linkedin_url or participant.phone or participant.identifiers
    return None if others else participant.email


@lru_cache(maxsize=MAX_REMEMBERED)
def _reached_by_mail(
    digests: Digests, place: tuple[str, str, str], address: str, called: str
) -> Mapping[str, Any] | None:
    """Return the record of somebody with an address, made once: the same people write often."""
    draft = Draft()
    add_emails(draft, (_Point(value=address),))
    return None if draft.rejected else _record(digests, place, draft, called)


def _record(
    digests: Digests, place: tuple[str, str, str], draft: Draft, called: str
) -> Mapping[str, Any] | None:
    """Name the source record that a participant is: without an id, its content stands.

    `place`: tenant, workspace and source.  None: there is nothing to identify them by.
    """
    if not draft.identifiers:
        return None
    facts = {**draft.facts, "identifiers": draft.listed_identifiers()}
    if called and not _is_address(called, draft):
        facts["called"] = called
    digest = content_hash(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS))
    key = digests.unnamed_record_key(*place, digest)
    return {"record_key": key.hex(), "content_hash": digest.hex(), "facts": facts}


def _field(place: str) -> str:
    """Name a participant's field as the sender knows it: there is one e-mail and one phone."""
    return {"emails.0.value": "email", "phones.0.value": "phone"}.get(place, place)


def _is_address(called: str, draft: Draft) -> bool:
    """Tell whether somebody is called by an address: mail programs write it where no name is."""
    bare = called.strip("'\"<>() ").casefold()
    return any(value.casefold() == bare for _, value in draft.identifiers)
