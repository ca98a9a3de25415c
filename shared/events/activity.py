"""Activity signals: what happened between people, raw and normalised.

`ActivitySignal` is what a source says of one e-mail, meeting, call …, as upstream systems publish
it to `contact.signals.v1` or push it over HTTP, beside the contact signals. Its participants are
resolved by the same gate as everybody else; a source need not send a contact signal for them
unless it knows more than the activity shows. `NormalizedActivity` is what ingest makes of it.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from shared.events.signal import Facts, OtherIdentifier, Region, RejectedValue
from shared.events.wire import (
    ContactId,
    ImportId,
    Line,
    Short,
    Snippet,
    SourceName,
    TenantId,
    Wire,
    WorkspaceId,
)

ActivityKind = Literal["email", "meeting", "call", "message", "note", "form", "page_view", "in_app"]
"""What happened (spec 003, 11.1)."""

Direction = Literal["inbound", "outbound", "internal"]
"""Seen from those who use kith: to them, from them, or among them."""

ActivityStatus = Literal[
    "confirmed", "tentative", "cancelled", "answered", "missed", "declined", "voicemail"
]
"""The first three of a meeting (iCalendar's STATUS), the others of a call."""

ParticipantRole = Literal[
    "from",
    "to",
    "cc",
    "bcc",
    "reply_to",
    "organizer",
    "attendee",
    "caller",
    "callee",
    "about",
]
"""What a participant has to do with it; `about`: a note, a form, a page view is about them."""

Attendance = Literal[
    "needs_action", "accepted", "declined", "tentative", "delegated", "attended", "no_show"
]
"""What became of an invitation: iCalendar's PARTSTAT, and whether somebody came."""

MAX_PARTICIPANTS = 500
"""The most participants one activity may have."""

MAX_ATTRIBUTES_BYTES = 8_192
"""The most that the attributes of one activity may take as JSON, bytes."""

MAX_DURATION_S = 31_622_400
"""The longest activity, seconds: a leap year."""

Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A digest of 16 octets, hex."""


class Participant(Wire):
    """Somebody who took part, as the source knows them.

    One with neither an identifier nor a contact's id stays a name on the activity: nobody can say
    whose it is.
    """

    role: ParticipantRole
    name: Short | None = None
    email: Short | None = None
    phone: Short | None = None
    linkedin_url: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    identifiers: Annotated[tuple[OtherIdentifier, ...], Field(max_length=10)] = ()
    contact_id: ContactId | None = None
    """The contact itself, where the source knows kith's ids: nothing else is asked then."""
    attendance: Attendance | None = None
    optional: bool = False
    """Invited, but not required."""


class Happening(Wire):
    """What happened, apart from who took part; shared by raw and normalised."""

    kind: ActivityKind
    direction: Direction | None = None
    status: ActivityStatus | None = None
    occurred_at: datetime
    """When it began or will begin, with an offset. An all-day meeting: midnight UTC of its day."""
    duration_s: Annotated[int, Field(ge=0, le=MAX_DURATION_S)] | None = None
    """Seconds."""
    all_day: bool = False
    title: Line | None = None
    """The subject of an e-mail, the title of a meeting, the name of a form."""
    snippet: Snippet | None = None
    """The beginning of the text, for a timeline; never the whole of it."""
    thread_id: Line | None = None
    """What the source calls the conversation; the same text is the same thread."""
    location: Line | None = None
    """A room, an address, a meeting's link, a page's address."""
    attributes: Annotated[dict[Short, JsonValue], Field(max_length=50)] = Field(
        default_factory=dict
    )
    """Whatever else the source says: 50 entries, 8,192 bytes as JSON."""


class ActivitySignal(Happening):
    """One e-mail, meeting, call … of one source, as published.

    A record is (source, source_record_id); without an id its content stands for it. A newer
    `source_version` (or, without versions, a newer event time) of a record replaces the older one:
    a meeting moves, somebody accepts.
    """

    model_config = ConfigDict(extra="allow")

    signal: Literal["activity"] = "activity"
    """Says over HTTP that this is no contact signal; on Kafka, `ce_type` does."""
    source: SourceName
    source_record_id: Line | None = None
    """What the source calls it: a Message-ID, an iCalendar UID with the recurrence's moment."""
    source_version: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    phone_region: Region | None = None
    """The region of national phone numbers; else assumed and flagged."""
    participants: Annotated[tuple[Participant, ...], Field(max_length=MAX_PARTICIPANTS)] = ()
    deleted: bool = False
    """The source no longer has it: it leaves every timeline. Needs no participants."""


class NormalizedParticipant(Wire):
    """A participant on the way to the resolver.

    With `facts`, whoever the gate says; with `contact_id`, that contact; with neither, a name.
    """

    role: ParticipantRole
    name: Short | None = None
    contact_id: ContactId | None = None
    record_key: Hex | None = None
    """Keyed digest of (tenant, workspace, source, facts): the same name and identifiers are one
    source record, however many activities they are seen in."""
    content_hash: Hex | None = None
    facts: Facts | None = None
    """Name and identifiers, as an assertion keeps them."""
    attendance: Attendance | None = None
    optional: bool = False


class NormalizedActivity(Wire):
    """A well-formed activity on its way to the resolver."""

    signal_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The CloudEvent's source and id, or one made by ingest: names the message in events."""
    tenant: TenantId
    workspace: WorkspaceId
    source: SourceName
    record_key: Hex
    """Keyed digest of (tenant, workspace, source, source record id): the ledger's key."""
    content_hash: Hex
    """Digest of the activity and its participants: the same content again is a duplicate."""
    source_record_id: Line | None = None
    source_version: int | None = None
    stated_at: datetime
    """The CloudEvent's `time`, else when the broker or the HTTP endpoint received it: the newer
    statement of a record is the one that counts."""
    received_at: datetime
    """When kith first saw the signal: end-to-end age counts from here."""
    import_id: ImportId | None = None
    """The import that brought it, where one did."""
    activity: Happening
    participants: Annotated[tuple[NormalizedParticipant, ...], Field(max_length=MAX_PARTICIPANTS)]
    deleted: bool = False
    rejected: tuple[RejectedValue, ...] = ()
    raw: dict[str, Any]
    """The payload as it came, unknown fields included."""
