"""The JSON:API documents that the api answers with: one source for the answers and for OpenAPI."""

from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.events.signal import PointStatus


class Part(BaseModel):
    """A frozen part of a document."""

    model_config = ConfigDict(frozen=True)


class Employment(Part):
    """A job."""

    company_name: str | None = None
    company_id: str | None = None
    company_domain: str | None = None
    title: str | None = None
    department: str | None = None
    seniority: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    is_current: bool = True


class ContactAttributes(Part):
    """A contact as this workspace sees it."""

    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    headline: str | None = None
    job_title: str | None = None
    department: str | None = None
    email_primary: str | None = None
    phone_primary: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company_name: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    linkedin_url: str | None = None
    birthday: str | None = Field(default=None, description="`1815-12-10`, or `--12-10`.")
    avatar_url: str | None = Field(default=None, description="Where a source shows a photo.")
    seniority: str | None = Field(
        default=None,
        description="owner, founder, cxo, partner, vp, head, director, manager, senior, entry, "
        "intern: as a source says, else of the title.",
    )
    departments: tuple[str, ...] = Field(default=(), description="By their usual names.")
    timezone: str | None = Field(
        default=None, description="IANA name: as a source says, else of the address if sure."
    )
    status: Literal["incomplete", "active", "archived", "merged"]
    lead_status: str | None = Field(default=None, description="The stage in the pipeline.")
    lead_source: str | None = Field(default=None, description="The source it entered by.")
    import_source: str | None = Field(default=None, description="The tag of the phone backup.")
    employments: tuple[Employment, ...] = ()
    labels: tuple[str, ...] = Field(default=(), description="This workspace's own.")
    groups: tuple[str, ...] = Field(default=(), description="Ids of this workspace's groups.")
    notes: str | None = Field(default=None, description="This workspace's own.")
    custom_fields: dict[str, Any] = Field(default_factory=dict, description="This workspace's own.")
    version: int = Field(description="Number of the newest event that this shows.")
    created_at: datetime
    updated_at: datetime


class Education(Part):
    """Something learned at a school."""

    school: str | None = None
    degree: str | None = None
    field_of_study: str | None = None
    start_date: str | None = None
    end_date: str | None = None


class Skill(Part):
    """What the contact can do."""

    name: str
    endorsements: int = Field(default=0, description="How many others say so.")


class Certification(Part):
    """A certificate."""

    name: str
    authority: str | None = None
    license_number: str | None = None
    start_date: str | None = None
    end_date: str | None = None


class Language(Part):
    """A language that the contact speaks."""

    language: str = Field(description="As the source writes it: `German`, `de`.")
    proficiency: (
        Literal["native", "full_professional", "professional", "limited", "elementary"] | None
    ) = None


class BackgroundAttributes(Part):
    """What the contact learned and can do, of all that sources say."""

    education: tuple[Education, ...] = ()
    skills: tuple[Skill, ...] = ()
    certifications: tuple[Certification, ...] = ()
    languages: tuple[Language, ...] = ()


class Background(Part):
    """The resource `contact_backgrounds`."""

    type: Literal["contact_backgrounds"] = "contact_backgrounds"
    id: str = Field(description="The contact's.")
    attributes: BackgroundAttributes
    links: dict[str, str]


class SocialPostAttributes(Part):
    """A public post, as far as a source shows it."""

    platform: Literal["linkedin", "twitter", "github", "facebook", "instagram", "other"]
    url: str
    posted_at: datetime | None = None
    snippet: str | None = Field(default=None, description="How it begins.")


class SocialPost(Part):
    """The resource `social_posts`."""

    type: Literal["social_posts"] = "social_posts"
    id: str = Field(description="The contact's, and the post's place among all: newest first.")
    attributes: SocialPostAttributes


class SocialPosts(Part):
    """All posts of a contact."""

    jsonapi: "JsonApi"
    links: "Links"
    data: tuple[SocialPost, ...]
    meta: "DetailMeta"


class IdentifierAttributes(Part):
    """A normalised identifier that the contact is known by."""

    identifier_type: str
    value: str
    assumed_region: bool = Field(
        default=False, description="The phone's region was assumed, not declared."
    )
    status: PointStatus | None = Field(
        default=None,
        description="What sources found out of an e-mail (the first five) or of a phone (the last "
        "three, or unverified): as the weightiest says that found anything.",
    )


class Change(Part):
    """A visible value that changed."""

    field: str
    old: str | None = None
    new: str | None = None
    source: str | None = Field(default=None, description="Where the new value came from.")


class HistoryAttributes(Part):
    """One thing that happened to a contact."""

    what: str = Field(description="What happened, as an event's name: `ContactCreated`, …")
    version: int
    occurred_at: datetime = Field(description="When it happened at the source.")
    recorded_at: datetime = Field(description="When kith first learned of it.")
    source: str | None = Field(default=None, description="Who said so.")
    changes: tuple[Change, ...] = ()
    summary: dict[str, Any] = Field(default_factory=dict, description="What else the event says.")


CONTACT_ATTRIBUTES: Final = tuple(ContactAttributes.model_fields)
"""What `fields[contacts]` may name, relationships aside."""
COLUMN_ATTRIBUTES: Final = tuple(
    name
    for name in CONTACT_ATTRIBUTES
    if name
    not in {
        *("employments", "labels", "groups", "notes", "custom_fields"),
        *("avatar_url", "seniority", "departments", "timezone"),
    }
)
"""Those that have a column of their own in the read model."""
CONTACT_RELATIONSHIPS: Final = ("company", "identifiers")
"""The relationships of a contact."""
IDENTIFIER_ATTRIBUTES: Final = tuple(IdentifierAttributes.model_fields)
"""What `fields[contact_identifiers]` may name."""


class Linkage(Part):
    """Names a resource."""

    type: str
    id: str


class ToOne(Part):
    """A relationship to one resource or none."""

    data: Linkage | None


class ToMany(Part):
    """A relationship to any number of resources."""

    links: dict[str, str]
    data: tuple[Linkage, ...] | None = None


class ContactRelationships(Part):
    """What a contact is related to."""

    company: ToOne | None = None
    identifiers: ToMany | None = None


class Provenance(Part):
    """Where a visible value came from."""

    source: str
    source_record: str
    asserted_at: datetime


class CursorMeta(Part):
    """Where a page may start or end."""

    page: dict[str, str] = Field(default_factory=dict, examples=[{"cursor": "WyJ..."}])


class ContactMeta(CursorMeta):
    """What is known about a contact's values."""

    provenance: dict[str, Provenance] | None = Field(
        default=None, description="Field → where its value came from."
    )
    possible_duplicates: tuple[str, ...] | None = Field(
        default=None, description="Contacts that may be the same person and wait for review."
    )
    custom_fields: dict[str, str] | None = Field(
        default=None,
        description="Custom field → what its value would have to be: a source brought another.",
    )
    derived: tuple[str, ...] | None = Field(
        default=None, description="Fields that no source says: derived of others."
    )
    score: float | None = Field(default=None, description="How well a search text fits.")
    intelligence_score: float | None = Field(
        default=None, description="How much is known, 0.0 to 1.0; of a contact by itself only."
    )
    intelligence: dict[str, float] | None = Field(
        default=None, description="What each kind of knowledge adds to `intelligence_score`."
    )


class Contact(Part):
    """The resource `contacts`."""

    type: Literal["contacts"] = "contacts"
    id: str
    attributes: ContactAttributes
    relationships: ContactRelationships | None = None
    links: dict[str, str]
    meta: ContactMeta | None = None


class ContactIdentifier(Part):
    """The resource `contact_identifiers`."""

    type: Literal["contact_identifiers"] = "contact_identifiers"
    id: str
    attributes: IdentifierAttributes
    meta: CursorMeta | None = None


class ActivityAttributes(Part):
    """What happened, and what the contact had to do with it."""

    kind: str
    occurred_at: datetime = Field(description="When it began or will begin.")
    source: str
    direction: str | None = None
    status: str | None = None
    duration_s: int | None = Field(default=None, description="Seconds.")
    all_day: bool = False
    title: str | None = None
    snippet: str | None = Field(default=None, description="The beginning of the text.")
    thread_id: str | None = Field(default=None, description="The same text, the same conversation.")
    location: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    roles: tuple[str, ...] = Field(description="What the contact had to do with it.")
    attendance: str | None = None
    participants: int = Field(default=1, description="How many took part in all.")


class RelatedContacts(Part):
    """Contacts, by their ids."""

    data: tuple[dict[str, str], ...]


class ActivityRelationships(Part):
    """Who else took part, as far as they are contacts; at most 20."""

    others: RelatedContacts


class Activity(Part):
    """The resource `activities`."""

    type: Literal["activities"] = "activities"
    id: str
    attributes: ActivityAttributes
    relationships: ActivityRelationships
    meta: CursorMeta | None = None


class HistoryEntry(Part):
    """The resource `contact_history`."""

    type: Literal["contact_history"] = "contact_history"
    id: str
    attributes: HistoryAttributes
    meta: CursorMeta | None = None


class Links(Part):
    """Where this document and its neighbours are."""

    self: str
    first: str | None = None
    prev: str | None = None
    next: str | None = None


class JsonApi(Part):
    """Which JSON:API this is."""

    version: Literal["1.1"] = "1.1"
    profile: tuple[str, ...] | None = None


class ListMeta(Part):
    """About a list."""

    lag: float = Field(description="Seconds that the read model is behind what kith has accepted.")
    page: dict[str, Any]


class DetailMeta(Part):
    """About one resource."""

    lag: float = Field(description="Seconds that the read model is behind what kith has accepted.")


class PositionMeta(Part):
    """What came of an order."""

    outcome: Literal["done", "unchanged"]
    position: str = Field(description="For a read that is to show it: `Kith-Position`, `waitFor`.")


class AtMeta(Part):
    """About a contact as it was."""

    at: datetime
    version: int


ResourceT = TypeVar("ResourceT", bound=Part)
MetaT = TypeVar("MetaT", bound=Part)


class ListDocument(Part, Generic[ResourceT]):
    """A page of resources."""

    jsonapi: JsonApi
    links: Links
    data: tuple[ResourceT, ...]
    included: tuple[ContactIdentifier, ...] | None = None
    meta: ListMeta


class Document(Part, Generic[ResourceT, MetaT]):
    """One resource."""

    jsonapi: JsonApi
    links: Links
    data: ResourceT
    included: tuple[ContactIdentifier, ...] | None = None
    meta: MetaT


class ErrorSource(Part):
    """What of the request is wrong."""

    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None


class ErrorObject(Part):
    """One problem."""

    id: str | None = None
    links: dict[str, str] | None = None
    status: str
    code: str
    title: str
    detail: str | None = None
    source: ErrorSource | None = None
    meta: dict[str, Any] | None = None


class ErrorDocument(Part):
    """An answer without data."""

    jsonapi: JsonApi
    errors: tuple[ErrorObject, ...]
