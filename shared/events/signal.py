"""Contact signals: what a source says about a person, raw and normalised.

`ContactSignal` is what upstream systems publish to `contact.signals.v1` or push over HTTP.
`NormalizedSignal` is what ingest makes of it for the resolver. Unknown fields of a signal are
kept: the original payload travels along and is stored in `source_record`.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from shared.events.company import MAX_COMPANIES, CompanyRecord, NormalizedCompany
from shared.events.wire import (
    CompanyId,
    Confidence,
    ContactId,
    GroupId,
    ImportId,
    Line,
    Long,
    Short,
    SourceName,
    TenantId,
    Wire,
    WorkspaceId,
)

IdentifierType = Literal[
    "linkedin_urn",
    "linkedin_public_id",
    "email",
    "phone_e164",
    "fb_user_id",
    "ig_user_id",
    "ig_username",
    "twitter_handle",
    "github_username",
    "domain",
]
"""What identifies a person, strongest first (DESIGN 4.2)."""

ImportSource = Literal["mark-import", "iris-import", "crm-direct"]
"""Where a record came from, in the customer's words (spec 000)."""

MAX_VALUES = 50
"""The most e-mails, phones, jobs or addresses one signal may carry."""

MAX_NAMESAKES = 5
"""The most contacts of one name that a signal may be put up for review with."""

MAX_SKILLS = 100
"""The most skills one signal may carry: as many as profiles show."""

Proficiency = Literal["native", "full_professional", "professional", "limited", "elementary"]
"""How well somebody speaks a language, best first (spec 004)."""

Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2, for example `DE`."""


PointStatus = Literal[
    "verified", "unverified", "bounced", "catch_all", "spam_trap", "valid", "invalid", "dnc"
]
"""What a source found out of an e-mail address, or of a phone number (spec 004): the last three and
`unverified`; `dnc`: do not call."""


class ContactPoint(Wire):
    """An e-mail address or a phone number as the source wrote it."""

    value: Short
    label: Short | None = None
    """`work`, `home`, `mobile`, … or the source's own word."""
    primary: bool = False
    status: Short | None = None
    """What the source found out of it: one of `PointStatus`, or a usual word for it."""


class OtherIdentifier(Wire):
    """An identifier that has no field of its own."""

    type: IdentifierType
    value: Short


class Employment(Wire):
    """One job. The company is named, or known by its domain, or both."""

    company_id: CompanyId | None = None
    """The company it was resolved to; the resolver's to say, a source's value is ignored."""
    company_name: Short | None = None
    company_domain: Short | None = None
    title: Short | None = None
    department: Short | None = None
    seniority: Short | None = None
    """How high it is, in the source's own word; without one the title tells."""
    start_date: date | None = None
    end_date: date | None = None
    is_current: bool = True


class Address(Wire):
    """A postal address, in the parts that the source gives."""

    street: Short | None = None
    city: Short | None = None
    state: Short | None = None
    postal_code: Short | None = None
    country: Short | None = None
    label: Short | None = None


class Education(Wire):
    """Something learned at a school."""

    school: Short | None = None
    degree: Short | None = None
    field_of_study: Short | None = None
    start_date: date | None = None
    end_date: date | None = None


class Skill(Wire):
    """What somebody can do, and how many others say so."""

    name: Short
    endorsements: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Certification(Wire):
    """A certificate, and until when it is good."""

    name: Short
    authority: Short | None = None
    license_number: Short | None = None
    start_date: date | None = None
    end_date: date | None = None


class Language(Wire):
    """A language that somebody speaks."""

    language: Short
    """Its name as the source writes it, or its tag of BCP 47: `German`, `de-CH`."""
    proficiency: Short | None = None
    """How well; normalised to one of `Proficiency`, from the usual words for them."""


class SocialPost(Wire):
    """A public post, as far as a source shows it."""

    url: Line
    """Where it stands: what makes two posts the same."""
    platform: Short | None = None
    """`linkedin`, `twitter` (or `x`), `github`, `facebook`, `instagram`; the address says more."""
    posted_at: datetime | None = None
    snippet: Line | None = None
    """How it begins."""


class Person(Wire):
    """What a source says about a person besides identifiers; shared by raw and normalised."""

    full_name: Short | None = None
    first_name: Short | None = None
    middle_name: Short | None = None
    last_name: Short | None = None
    name_prefix: Short | None = None
    name_suffix: Short | None = None
    nickname: Short | None = None
    headline: Short | None = None
    birthday: Annotated[str, StringConstraints(pattern=r"^(\d{4}|-)-\d{2}-\d{2}$")] | None = None
    """`1815-12-10`, or `--12-10` where the year is not known."""
    photo_url: Line | None = None
    """Where a picture of the person is, on the web; pictures themselves are not kept."""
    timezone: Short | None = None
    """IANA name: `Europe/Berlin`; without one the address tells, where that is sure."""
    employments: Annotated[tuple[Employment, ...], Field(max_length=MAX_VALUES)] = ()
    addresses: Annotated[tuple[Address, ...], Field(max_length=MAX_VALUES)] = ()
    websites: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    education: Annotated[tuple[Education, ...], Field(max_length=MAX_VALUES)] = ()
    skills: Annotated[tuple[Skill, ...], Field(max_length=MAX_SKILLS)] = ()
    certifications: Annotated[tuple[Certification, ...], Field(max_length=MAX_VALUES)] = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=MAX_VALUES)] = ()
    social_posts: Annotated[tuple[SocialPost, ...], Field(max_length=MAX_VALUES)] = ()
    labels: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    notes: Long | None = None
    custom_fields: Annotated[dict[Short, JsonValue], Field(max_length=200)] = Field(
        default_factory=dict
    )


class ContactSignal(Person):
    """One record of one source about one person, as published; or of companies alone.

    A signal that says nothing of a person brings `companies`, each a record of its own by its own
    `source_record_id`.

    A record is (source, source_record_id); without an id its content stands for it. A newer
    `source_version` (or, without versions, a newer event time) of a record replaces what the
    older one said.
    """

    model_config = ConfigDict(extra="allow")

    source: SourceName
    source_record_id: Short | None = None
    source_version: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    phone_region: Region | None = None
    """The region of national phone numbers in this record; else assumed and flagged."""
    emails: Annotated[tuple[ContactPoint, ...], Field(max_length=MAX_VALUES)] = ()
    phones: Annotated[tuple[ContactPoint, ...], Field(max_length=MAX_VALUES)] = ()
    linkedin_url: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    identifiers: Annotated[tuple[OtherIdentifier, ...], Field(max_length=MAX_VALUES)] = ()
    companies: Annotated[tuple[CompanyRecord, ...], Field(max_length=MAX_COMPANIES)] = ()
    """What the source knows of companies, employers and others: records of their own."""
    import_source: ImportSource | None = None
    confidence: Confidence = 1.0
    about: ContactId | None = None
    """The contact that a vendor was asked about: evidence, not proof."""


class Identifier(Wire):
    """A normalised identifier: what the gate compares."""

    type: IdentifierType
    value: Short
    assumed_region: bool = False
    """The phone's region was assumed, not declared."""


class Point(Wire):
    """A normalised e-mail or phone as a value: shown, primary or not."""

    value: Short
    label: Short | None = None
    primary: bool = False
    status: PointStatus | None = None


class RejectedValue(Wire):
    """A value that could not be normalised. The value itself stays in the raw payload only."""

    field: str
    reason: str
    """What is wrong and what would be right."""


class Facts(Person):
    """What one source record says, normalised: the document that an assertion keeps."""

    called: Short | None = None
    """What an activity calls its participant: shown while no record says a name, and no evidence
    of who somebody is. A name that others wrote into their address books denies nothing."""
    emails: tuple[Point, ...] = ()
    phones: tuple[Point, ...] = ()
    linkedin_url: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    """All of them, strongest first; e-mails and phones above are among them."""
    labels_removed: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    """Labels that a person took off the contact, whichever sources say them (ADR 0088)."""
    groups: Annotated[tuple[GroupId, ...], Field(max_length=MAX_VALUES)] = ()
    """Groups that a person put the contact into."""
    groups_left: Annotated[tuple[GroupId, ...], Field(max_length=MAX_VALUES)] = ()
    """Groups that a person took the contact out of."""


class NormalizedSignal(Wire):
    """A well-formed signal on its way to the resolver."""

    signal_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The CloudEvent's source and id, or one made by ingest: names the message in events."""
    tenant: TenantId
    workspace: WorkspaceId
    source: SourceName
    record_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    """Keyed digest of (tenant, workspace, source, source record id): the ledger's key, hex."""
    content_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    """Digest of the facts, hex: the same content again is a duplicate."""
    source_record_id: str | None = None
    source_version: int | None = None
    occurred_at: datetime
    """The CloudEvent's `time`, else when the broker or the HTTP endpoint received it."""
    received_at: datetime
    """When kith first saw the signal: end-to-end age counts from here."""
    import_source: ImportSource | None = None
    import_id: ImportId | None = None
    """The import that brought it, where one did: what an import brought can be taken back."""
    confidence: Confidence = 1.0
    about: ContactId | None = None
    possible_duplicates: Annotated[tuple[ContactId, ...], Field(max_length=MAX_NAMESAKES)] = ()
    """Contacts of the same name that an import's preview showed: put up for review, should the
    signal make a contact."""
    facts: Facts
    companies: tuple[NormalizedCompany, ...] = ()
    """What came with it of companies: each with a ledger of its own."""
    rejected: tuple[RejectedValue, ...] = ()
    raw: dict[str, Any]
    """The payload as it came, unknown fields included."""


class NormalizedCompanySignal(Wire):
    """What a signal says of companies alone, without a person, on its way to the resolver."""

    signal_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The CloudEvent's source and id, or one made by ingest: names the message in events."""
    tenant: TenantId
    workspace: WorkspaceId
    source: SourceName
    occurred_at: datetime
    """The CloudEvent's `time`, else when the broker or the HTTP endpoint received it."""
    received_at: datetime
    """When kith first saw the signal: end-to-end age counts from here."""
    confidence: Confidence = 1.0
    companies: Annotated[tuple[NormalizedCompany, ...], Field(min_length=1)]
    """Each with a ledger of its own."""
    rejected: tuple[RejectedValue, ...] = ()
    raw: dict[str, Any]
    """The payload as it came, unknown fields included."""
