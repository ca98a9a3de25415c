"""Contact events: what happened to a contact or a company, as published on `contact.events.v1`.

One signal is one event as far as possible: `ContactCreated` carries all that a contact was born
with, `FactAsserted` all that a later signal brought (ADR 0006). Every event carries the entity's
version; versions of one entity are 1, 2, 3 … without gaps.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from shared.events.activity import Attendance, Happening, ParticipantRole
from shared.events.company import (
    CompanyField,
    CompanyNumber,
    Firmographics,
    FundingType,
    Round,
    Technology,
)
from shared.events.signal import (
    Employment,
    Facts,
    Identifier,
    IdentifierType,
    ImportSource,
)
from shared.events.wire import (
    ActivityId,
    CompanyId,
    Confidence,
    ContactId,
    GroupId,
    MergeId,
    Short,
    TagId,
    Version,
    Wire,
    WorkspaceId,
)

ContactStatus = Literal["incomplete", "active", "archived", "merged", "deleted"]
"""Lifecycle of a contact (spec 003, 8.1). Deleted: nothing that was said of it counts any more."""

VisibleField = Literal[
    "first_name",
    "last_name",
    "display_name",
    "headline",
    "job_title",
    "department",
    "email_primary",
    "phone_primary",
    "company_id",
    "company_name",
    "city",
    "state",
    "country",
    "linkedin_url",
    "birthday",
    "seniority",
    "timezone",
    "avatar_url",
]
"""The single values that a contact shows; survivorship picks each from the assertions."""


ProposalReason = Literal[
    "identifiers_of_several_contacts",
    "names_in_conflict",
    "father_and_son",
    "different_linkedin_members",
    "evidence_in_conflict",
    "phone_backup",
    "same_name",
    "alike",
]
"""Why two contacts may be one person: one signal named both; or named one whose names deny it,
by generation, by LinkedIn profile; named one of its name who has another LinkedIn profile, birthday
or number of the state; an address book named one by less than an equal phone; an import's preview
found one of the same name; or what their records say is much the same."""


class Cause(Wire):
    """What every event says about itself."""

    occurred_at: datetime
    cause: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The signal or command that led to the event."""
    workspace: WorkspaceId | None = None
    """The workspace whose signal it was. The message's own workspace (`ce_workspace`) is another
    thing: it is set only where the whole event is that workspace's private matter."""


class Origin(Wire):
    """Where a value came from."""

    source: str
    source_record: str
    """The ledger's key of the record, hex."""
    asserted_at: datetime


class FieldChange(Wire):
    """A visible value changed.

    The new value came from the event's own `asserted` record, unless `origin` names another.
    """

    field: VisibleField
    old: str | None = None
    new: str | None = None
    origin: Origin | None = None


class Assertion(Wire):
    """What one source record says, and how sure it is."""

    source: str
    source_record: str
    """The ledger's key of the record, hex: a later version of the same record replaces this."""
    source_record_id: str | None = None
    confidence: Confidence = 1.0
    asserted_at: datetime
    facts: Facts
    """Without notes, labels, groups and custom fields: those are a workspace's own
    (`BindingChanged`)."""


class ContactCreated(Cause):
    """A signal of somebody not known yet made a contact."""

    contact_id: ContactId
    version: Version
    source: str
    status: ContactStatus
    first_name: str | None = None
    last_name: str | None = None
    import_source: ImportSource | None = None
    identifiers: tuple[Identifier, ...] = ()
    """What the gate now knows this contact by; a value that another contact holds is not here."""
    fields: dict[VisibleField, str] = Field(default_factory=dict)
    """The visible values at birth; all of them come from `asserted`, as do all its jobs."""
    asserted: Assertion


class FactAsserted(Cause):
    """A source record was added to a contact, or replaced by a newer version of itself."""

    contact_id: ContactId
    version: Version
    status: ContactStatus | None = None
    """The new status, when the fact changed it: `incomplete` becomes `active` with a name."""
    import_source: ImportSource | None = None
    identifiers_added: tuple[Identifier, ...] = ()
    employments_added: tuple[Employment, ...] = ()
    """Jobs told for the first time; and jobs told otherwise now, in place of what was told of the
    same job (`jobs.job_key`: employer, title and start)."""
    changes: tuple[FieldChange, ...] = ()
    asserted: Assertion


class KnownBy(Wire):
    """A workspace that knows a contact, and since when."""

    workspace: WorkspaceId
    import_source: ImportSource | None = None
    bound_at: datetime


class Shape(Wire):
    """All that is shared of a contact, said at once: it replaces what was said before.

    What a workspace keeps for itself stays with the workspaces that are named here, and is gone
    from all others. The order of identifiers means nothing.
    """

    status: ContactStatus
    source: str | None = None
    """Who told of it first, where that is another than before."""
    fields: dict[VisibleField, str] = Field(default_factory=dict)
    provenance: dict[VisibleField, Origin] = Field(default_factory=dict)
    identifiers: tuple[Identifier, ...] = ()
    employments: tuple[Employment, ...] = ()
    known_by: tuple[KnownBy, ...] = ()
    candidates: tuple[ContactId, ...] = ()


class FactRetracted(Cause):
    """What a source record said no longer counts for this contact."""

    contact_id: ContactId
    version: Version
    source: str
    source_record: str
    changes: tuple[FieldChange, ...] = ()
    employments_removed: tuple[Employment, ...] = ()
    """Jobs that no record tells of any more, as the record told them: whatever is the same job
    (`jobs.job_key`) goes."""
    employments_kept: tuple[Employment, ...] = ()
    """All jobs of the same employers and titles that records tell of still, as they stand: told
    again, for one may never have been told (before stints were told apart, the first was)."""
    restored: Assertion | None = None
    """What the record says instead, where an older version of it counts again."""
    shape: Shape | None = None
    """The contact as it is now, where more went than a newer version of the record leaves out."""


class BindingChanged(Cause):
    """What one workspace keeps about a contact for itself: no other workspace reads it."""

    contact_id: ContactId
    version: Version
    labels: tuple[str, ...] = ()
    notes: str | None = None
    custom_fields: dict[str, JsonValue] = Field(default_factory=dict)
    groups: tuple[GroupId, ...] = ()


class TagAdded(BindingChanged):
    """A person gave the contact a tag; what the workspace keeps from then on is here, too.

    Labels that signals bring are told by `BindingChanged` alone, all at once (ADR 0006).
    """

    tag_id: TagId
    tag_name: Short = ""
    source: Literal["manual"] = "manual"


class TagRemoved(BindingChanged):
    """A person took a tag off the contact, whichever sources say it."""

    tag_id: TagId
    tag_name: Short = ""


class GroupMemberAdded(BindingChanged):
    """A person put the contact into a group."""

    group_id: GroupId
    group_name: Short = ""


class GroupMemberRemoved(BindingChanged):
    """A person took the contact out of a group."""

    group_id: GroupId
    group_name: Short = ""


class IdentifierRemoved(Cause):
    """The contact is no longer known by an identifier; what its records say stays as it is."""

    contact_id: ContactId
    version: Version
    type: IdentifierType
    value: Short
    reason: Literal["shared", "dropped"]
    """Shared: several people were seen with it, so that it says of nobody who they are. Dropped: no
    record says it any more; it resolves to the contact all the same, for what is old."""


class MergeProposed(Cause):
    """This contact and the other may be one person: it waits for somebody to decide."""

    contact_id: ContactId
    version: Version
    other_id: ContactId
    reason: ProposalReason
    identifiers: tuple[Identifier, ...] = ()
    confidence: Confidence | None = None
    """How likely they are one person, where they were compared."""


class MergeRejected(Cause):
    """A person said that this contact and the other are two people: no machine merges them."""

    contact_id: ContactId
    version: Version
    other_id: ContactId
    retired: tuple[ContactId, ...] = ()
    """Candidates of this contact that the decision settles, as `MergeProposed` named them."""
    reason: str | None = None


class MergeWithdrawn(Cause):
    """What proposed this contact and the other as one person was taken back: nothing to decide."""

    contact_id: ContactId
    version: Version
    other_id: ContactId


class ContactsMerged(Cause):
    """Two contacts are one: told in the stream of either."""

    contact_id: ContactId
    version: Version
    merge_id: MergeId
    survivor_id: ContactId
    absorbed_id: ContactId
    decided_by: Literal["person", "machine"]
    reason: str
    shape: Shape | None = None
    """The survivor as it is now; absent from the stream of the absorbed contact, whose id stands
    for the survivor from now on."""


class ContactsSplit(Cause):
    """A merge was undone, or records were taken out: told in every stream concerned."""

    contact_id: ContactId
    version: Version
    merge_id: MergeId | None = None
    """The merge undone; none where chosen records were taken out."""
    original_id: ContactId
    """The contact that everything was in until now."""
    new_id: ContactId
    """The contact that stands by itself again, or for the first time."""
    identifiers_moved: tuple[Identifier, ...] = ()
    survivor_id: ContactId | None = None
    """Whom this contact still stands behind, when it does not stand by itself."""
    shape: Shape | None = None
    """This contact as it is now; absent while it stands behind another."""
    unassigned: tuple[str, ...] = ()
    """Keys, hex, of the records that nothing assigned to either: they stayed here."""
    others: tuple[ContactId, ...] = ()
    """Beside `new_id`, whom else records went to: a shared identifier had joined several."""
    decided_by: Literal["person", "machine"] = "person"
    reason: str | None = None


class ActivityRecorded(Cause):
    """The contact took part in something, or what is known of it changed: the newest counts.

    One workspace's own matter, as its sources are; told in the stream of every contact that took
    part.
    """

    contact_id: ContactId
    version: Version
    activity_id: ActivityId
    source: str
    source_record: str
    """The ledger's key of the activity, hex: a newer version of the record replaces this."""
    roles: tuple[ParticipantRole, ...]
    """What the contact had to do with it."""
    attendance: Attendance | None = None
    activity: Happening
    others: tuple[ContactId, ...] = ()
    """Who else took part, as far as they are contacts; at most 20."""
    participants: int = 1
    """How many there were in all, whether or not they are contacts."""


class ActivityWithdrawn(Cause):
    """An activity is no longer this contact's."""

    contact_id: ContactId
    version: Version
    activity_id: ActivityId
    reason: Literal["deleted", "not_named", "moved", "retracted", "erased"]
    """The source deleted it; its newest version names the contact no more; whoever took part is
    another contact now that a merge was undone; the import that told of it was taken back; or
    whoever took part was erased."""


class ContactArchived(Cause):
    """A person hid the contact from active lists; its identifiers still resolve."""

    contact_id: ContactId
    version: Version
    reason: str | None = None


class ContactUnarchived(Cause):
    """A person brought an archived contact back."""

    contact_id: ContactId
    version: Version


class ContactDeleted(Cause):
    """Nothing is left that was said of the contact: it is in no list, search or graph any more.

    Its id is never used again; whoever keeps a copy deletes it.
    """

    contact_id: ContactId
    version: Version
    reason: str
    """`import_retracted`: only an import that was taken back had brought it; `erased`: the person
    was erased (spec 003, 8.3), and its earlier events say nothing of anybody any more."""


class HistoryErased(Cause):
    """Events of this contact told of somebody who was erased, and do so no more.

    The contact itself is as it was; whoever keeps what its events below `before` said deletes it.
    """

    contact_id: ContactId
    version: Version
    before: Version


class CompanyCreated(Cause):
    """A mail domain or a name that no company had made a company."""

    company_id: CompanyId
    version: Version
    name: str
    domain: str | None = None
    source: str


CompanyRelationKind = Literal[
    "subsidiary",
    "division",
    "acquisition",
    "spinoff",
    "partner",
    "competitor",
    "vendor",
    "client",
]
"""What one company is of another (spec 003, 6.3): the first four say where it belongs."""


class CompanyRelation(Wire):
    """How a company is related: `from_id` is a `kind` of `to_id`."""

    kind: CompanyRelationKind
    from_id: CompanyId
    to_id: CompanyId
    since: date | None = None
    until: date | None = None


class KnownRound(Round):
    """A round of funding, and who told of it."""

    source: str


class KnownTechnology(Technology):
    """Something that a company uses, and who told of it."""

    source: str


class KnownNumber(CompanyNumber):
    """A number of a company, and who told of it."""

    source: str


class CompanyProfile(Firmographics):
    """What a company shows besides its name: each value as the weightiest source says it.

    A survivor shows what is said of all that stand behind it, an absorbed company its own.
    """

    latest_funding_stage: FundingType | None = None
    funding: tuple[KnownRound, ...] = ()
    """Newest first."""
    technologies: tuple[KnownTechnology, ...] = ()
    phones: tuple[KnownNumber, ...] = ()
    origins: dict[CompanyField, Origin] = Field(default_factory=dict)
    """Field → where its value came from; a size that follows from a number has the number's."""


class CompanyShape(Wire):
    """All that is known of a company, said at once: it replaces what was said before."""

    name: str
    domain: str | None = None
    source: str
    created_at: datetime
    survivor_id: CompanyId | None = None
    """Whom the company stands behind; jobs at it are jobs at the survivor."""
    relations: tuple[CompanyRelation, ...] = ()
    """As people said them, of this company by itself, merged or not."""
    profile: CompanyProfile | None = None
    """None: no record tells of the company."""


class CompanyFieldChange(Wire):
    """A visible value of a company changed."""

    field: CompanyField
    old: str | None = None
    new: str | None = None
    origin: Origin | None = None
    """Where the new value came from."""


CompanyPart = Literal["funding", "technologies", "phones"]
"""What a company has several of."""


class CompanyUpdated(Cause):
    """What a company shows is another now: a source told of it, or takes back what it told."""

    company_id: CompanyId
    version: Version
    changes: tuple[CompanyFieldChange, ...] = ()
    parts_changed: tuple[CompanyPart, ...] = ()
    """Lists that are others now; `shape` has them."""
    shape: CompanyShape


class CompaniesMerged(Cause):
    """Two companies are one: told in the stream of each that stands behind another now."""

    company_id: CompanyId
    version: Version
    merge_id: MergeId
    survivor_id: CompanyId
    absorbed_id: CompanyId
    decided_by: Literal["person", "machine"]
    reason: str
    shape: CompanyShape


class CompaniesSplit(Cause):
    """A merge of companies was undone: told in every stream concerned."""

    company_id: CompanyId
    version: Version
    merge_id: MergeId
    original_id: CompanyId
    """The company that everything was in until now."""
    new_id: CompanyId
    """The company that stands by itself again."""
    reason: str | None = None
    shape: CompanyShape


class CompaniesRelated(Cause):
    """A person said how two companies are related, or that they are so no more: told of both."""

    company_id: CompanyId
    version: Version
    relation: CompanyRelation
    is_over: bool = False
    """Whether it is the relation's end that is told."""
    reason: str | None = None
    shape: CompanyShape


ContactEvent = (
    ContactCreated
    | FactAsserted
    | FactRetracted
    | BindingChanged
    | TagAdded
    | TagRemoved
    | GroupMemberAdded
    | GroupMemberRemoved
    | IdentifierRemoved
    | MergeProposed
    | MergeRejected
    | MergeWithdrawn
    | ContactsMerged
    | ContactsSplit
    | ContactArchived
    | ContactUnarchived
    | ActivityRecorded
    | ActivityWithdrawn
    | ContactDeleted
    | HistoryErased
)
"""An event in a contact's stream."""

CompanyEvent = CompanyCreated | CompanyUpdated | CompaniesMerged | CompaniesSplit | CompaniesRelated
"""An event in a company's stream."""

EntityEvent = Annotated[ContactEvent | CompanyEvent, Field()]
"""Any event of `contact.events.v1`; the CloudEvent's type says which."""
