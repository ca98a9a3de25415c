"""From messages to signals: what is taken, what is left out and why, each message once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import orjson
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.entries import Entry, Taken
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.reading import read_activity_value, read_value
from services.ingest.sources.mail.addresses import Mailbox
from services.ingest.sources.mail.judging import LeftOut, Passed, nobody
from services.ingest.sources.mail.message import Mail, Role, read_mail
from services.ingest.sources.mail.parsing import Parsed, parsed
from services.ingest.sources.mail.signals import activity_of, as_raw, contact_of, raw_of
from services.ingest.sources.mail.signature import Text, ends_with, read_signature
from shared.errors import PoisonMessageError
from shared.events.activity import MAX_PARTICIPANTS
from shared.events.envelope import rfc3339
from shared.identifiers.domain import is_free_mail
from shared.identifiers.email import normalize_email
from shared.identifiers.types import Refused

MAX_LISTED: Final = 1_000
"""Parts that could not be read that a report lists; the counts are of all."""

MAX_REMEMBERED: Final = 200_000
"""Senders whose last signature is remembered within a run; more cost a repetition, no mistake."""

_TOO_MANY: Final = f"names {{:,}} mailboxes above the {MAX_PARTICIPANTS} that may take part"

_NOT_WHOLE: Final = "has parts that do not decode; its text was read as far as possible"


@dataclass(frozen=True, slots=True)
class MailTerms:
    """What holds for every message of one run."""

    origin: Origin
    """Its `signal_id` is the run's; a message adds its number."""
    source: str
    own: frozenset[str]
    """The user's own addresses, normalised."""
    now: datetime
    region: str | None = None
    """Country of national telephone numbers whose sender's domain is of none."""


class MailNote(BaseModel):
    """Something of a message that could not be read."""

    model_config = ConfigDict(frozen=True)

    line: int = Field(description="Line of the file where the message begins, from 1.")
    field: str = Field(description="Part of the message; empty: the message as a whole.")
    reason: str = Field(description="What is wrong and what would be right.")


class _Signed(Struct, frozen=True, gc=False):
    """The newest signature of a sender in this run."""

    sent_at: datetime
    said: bytes
    text: str
    number: int
    """Of the message that it stands in."""


@dataclass(slots=True)
class MailTally:
    """What became of the messages so far: `messages` = `activities` + all that were left out."""

    messages: int = 0
    activities: int = 0
    signatures: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    """Messages, by reason."""
    passed: Counter[Passed] = field(default_factory=Counter)
    """Mailboxes of messages that were taken, by the reason why they take no part."""
    refused: int = 0
    notes: list[MailNote] = field(default_factory=list)
    """What could not be read, by line; at most as many as an import lists."""

    def note(self, line: int, place: str, reason: str) -> None:
        """Say what of a message could not be read."""
        if len(self.notes) < MAX_LISTED:
            self.notes.append(MailNote(line=line, field=place, reason=reason))


class MailReader:
    """Reads the messages of one run, in any order, and remembers which it has read."""

    def __init__(self, terms: MailTerms, rules: Rules) -> None:
        self.tally = MailTally()
        self.own = terms.own
        self.now = terms.now
        self._terms = terms
        self._rules = rules
        self._seen: set[bytes] = set()
        self._signed: dict[str, _Signed] = {}
        companies = {address.rpartition("@")[2] for address in terms.own}
        self._own_domains = frozenset(one for one in companies if not is_free_mail(one))

    def read(
        self,
        raw: bytes,
        *,
        line: int = 0,
        folder: str = "",
        arrived_at: datetime | None = None,
        thread_id: str = "",
    ) -> Iterator[Taken]:
        """Yield the signals of one message; none, and a reason in the tally, if it is left out.

        `thread_id` is the mailbox's own name for the conversation, where it has one.
        """
        mail = read_mail(raw, self._terms.now, arrived_at=arrived_at)
        yield from self.take(_in_thread(mail, thread_id) if thread_id else mail, line, folder)

    def take(self, mail: Mail, line: int = 0, folder: str = "") -> Iterator[Taken]:
        """Do the same with a message whose parts were read already."""
        yield from self.take_parsed(parsed(mail, folder), line)

    def take_parsed(self, found: Parsed, line: int) -> Iterator[Taken]:
        """Do the same with a message that was parsed, maybe by another process."""
        yield from self.entry(found, line).signals

    def entry(self, found: Parsed, line: int) -> Entry:
        """Say what a message comes to: its signals, or why there are none."""
        self.tally.messages += 1
        number = self.tally.messages
        mail, reason = found.mail, found.left_out
        if reason is None and self._was_seen(found.record_id):
            reason = "again"
        passed: Counter[Passed] = Counter()
        people = [] if reason else self._people(mail, passed)
        if reason is None and not any(role != "reply_to" for role, _, _ in people):
            reason = "nobody_else"
        if reason is not None:
            self.tally.left_out[reason] += 1
            return Entry(number, line, left_out=reason)
        notes = [] if mail.is_whole else [("", _NOT_WHOLE)]
        try:
            activity = self._activity(found, people)
        except PoisonMessageError as error:
            self.tally.refused += 1
            self._note(line, [*notes, (error.field, error.detail)])
            return Entry(number, line, field=error.field, reason=error.detail)
        self.tally.activities += 1
        self.tally.passed.update(passed)
        if many := passed["too_many"]:
            notes.append(("to", _TOO_MANY.format(many)))
        signals, repeats = [activity], 0
        sender = next(((a, name) for role, a, name in people if role == "from"), None)
        if sender is not None:
            try:
                signature, repeats = self._signature(mail, found.text, Mailbox(*sender))
            except PoisonMessageError as error:
                notes.append((f"signature.{error.field}", error.detail))
            else:
                signals += signature
                self.tally.signatures += len(signature)
        self._note(line, notes)
        return Entry(
            number,
            line,
            tuple(signals),
            notes=tuple(notes),
            passed=tuple(passed.items()),
            repeats=repeats,
        )

    def _note(self, line: int, notes: Iterable[tuple[str, str]]) -> None:
        for place, reason in notes:
            self.tally.note(line, place, reason)

    def _was_seen(self, record_id: str) -> bool:
        digest = blake2b(record_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if digest in self._seen:
            return True
        self._seen.add(digest)
        return False

    def _people(self, mail: Mail, passed: Counter[Passed]) -> list[tuple[Role, str, str | None]]:
        """Return who takes part besides the user: role, normalised address, name.

        Counts in `passed` who does not.
        """
        people: dict[tuple[str, str], tuple[Role, str, str | None]] = {}
        senders: set[str] = set()
        for role, box in mail.mailboxes:
            address, why = _judged(box.address)
            if address in self._terms.own:
                why = "own"
            if why:
                passed[why] += 1
                continue
            if role == "from":
                senders.add(address)
            elif role == "reply_to" and address in senders:
                continue
            if len(people) >= MAX_PARTICIPANTS:
                passed["too_many"] += 1
                continue
            key = ("sender" if role == "from" else "reply" if role == "reply_to" else "to", address)
            people.setdefault(key, (role, address, box.name))
        return list(people.values())

    def _activity(self, found: Parsed, people: list[tuple[Role, str, str | None]]) -> Taken:
        mail = found.mail
        written = activity_of(
            mail,
            people,
            source=self._terms.source,
            record_id=found.record_id,
            direction=self._direction(mail, people),
            snippet=found.snippet,
        )
        signal, _ = read_activity_value(written, may_hold_nul=False)
        raw = orjson.dumps(raw_of(mail))
        origin = self._origin(f"{self.tally.messages}", self._terms.origin.occurred_at)
        normalized = to_normalized_activity(signal, raw, origin, self._rules)
        return Taken(origin, normalized, is_activity=True)

    def _signature(self, mail: Mail, text: Text, sender: Mailbox) -> tuple[list[Taken], int]:
        """Return what the signature says, or the number of the sender's last one that said it."""
        assert mail.sent_at is not None
        before = self._signed.get(sender.address)
        if before and ends_with(text, before.text):
            return [], before.number
        found = read_signature(text, sender)
        if found is None:
            return [], 0
        record = contact_of(found, sender, source=self._terms.source, region=self._terms.region)
        said = blake2b(orjson.dumps(record), digest_size=8).digest()
        if before and before.said == said:
            return [], before.number
        if before and before.sent_at > mail.sent_at:
            return [], 0
        if before or len(self._signed) < MAX_REMEMBERED:
            self._signed[sender.address] = _Signed(
                mail.sent_at, said, found.text, self.tally.messages
            )
        identity = f"signature\0{sender.address}"
        record["source_record_id"] = self._rules.digests.file_record(
            self._terms.origin.tenant, identity
        )
        origin = self._origin(f"{self.tally.messages}/signature", rfc3339(mail.sent_at))
        signal, _ = read_value(record, may_hold_nul=False)
        raw = orjson.dumps(as_raw(sender, mail.message_id, found))
        return [Taken(origin, to_normalized(signal, raw, origin, self._rules))], 0

    def _direction(self, mail: Mail, people: list[tuple[Role, str, str | None]]) -> str | None:
        """Tell to whom a message goes, seen from the user; unknown while no own address is."""
        if not self._terms.own or mail.sender is None:
            return None
        domains = {address.rpartition("@")[2] for _, address, _ in people}
        if domains <= self._own_domains:
            return "internal"
        sender, _ = _judged(mail.sender.address)
        return "outbound" if sender in self._terms.own else "inbound"

    def _origin(self, part: str, occurred_at: str) -> Origin:
        whole = self._terms.origin
        return Origin(
            f"{whole.signal_id}/{part}",
            whole.tenant,
            whole.workspace,
            occurred_at,
            whole.received_at,
            whole.traceparent,
            whole.import_id,
        )


@lru_cache(maxsize=16_384)
def _judged(address: str) -> tuple[str, Passed | None]:
    """Return an address in its one spelling, and why it is nobody's."""
    why = nobody(address.lower())
    found = normalize_email(address)
    if isinstance(found, Refused):
        return "", why or "invalid"
    return found, why


def _in_thread(mail: Mail, thread_id: str) -> Mail:
    """Return a message with the mailbox's own name of its conversation."""
    return Mail(
        mail.headers,
        mail.mailboxes,
        mail.sent_at,
        mail.subject,
        mail.message_id,
        thread_id,
        mail.plain,
        mail.html,
        mail.is_whole,
    )
